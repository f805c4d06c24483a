/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_admin.c: the verbs and views of the admin side, and news from outside. A verb that takes
 * time is an errand: it takes part like a waiter, and its end goes out through ports.done.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#include <stdlib.h>

/* --- errands ---------------------------------------------------------------------------------- */

void
keeper_errand_free(struct keeper *k, struct errand *e)
{
    list_unlink(&e->link);
    heap_remove(&k->due_errands, &e->due);
    free(e);
}

static void
finish(struct keeper *k, struct errand *e, enum reason r)
{
    uint64_t request = e->request;

    e->sandbox->recheck = true;
    keeper_errand_free(k, e);
    if (k->ports.done)
        k->ports.done(k->ports.ctx, request, r);
}

void
keeper_errands_end(struct keeper *k, struct sandbox *s, bool pause, enum reason r)
{
    list_each_safe(n, tmp, &s->errands) {
        struct errand *e = container_of(n, struct errand, link);

        if (e->pause == pause)
            finish(k, e, r);
    }
}

bool
keeper_errand_wakes(const struct sandbox *s)
{
    list_each(n, &s->errands) {
        if (!container_of(n, struct errand, link)->pause)
            return true;
    }
    return false;
}

static void
errand_step(struct keeper *k, struct sandbox *s, struct errand *e)
{
    if (s->state != SANDBOX_RUNNING && s->no != REASON_NONE && k->now < s->no_until)
        finish(k, e, s->no);
    else if (!s->known || s->state == SANDBOX_KILLED || s->state == SANDBOX_FAILED)
        keeper_look_want(s, s->known, true);
    else if (s->state == (e->pause ? SANDBOX_PAUSED : SANDBOX_RUNNING))
        finish(k, e, REASON_NONE);
    else if (!e->pause && s->state == SANDBOX_PAUSED)
        keeper_flight_begin(k, s, INTENT_WAKE);
}

void
keeper_errands_step(struct keeper *k, struct sandbox *s)
{
    list_each_safe(n, tmp, &s->errands)
        errand_step(k, s, container_of(n, struct errand, link));
}

void
keeper_on_errand_due(struct keeper *k, struct errand *e)
{
    struct sandbox *s = e->sandbox;
    bool busy = e->pause && !s->flight.called;

    finish(k, e, busy ? REASON_SANDBOX_BUSY : REASON_RESUME_TIMEOUT);
    if (busy)
        keeper_pause_disturb(k, s);
    keeper_settle(k, s);
}

static void
errand_begin(struct keeper *k, const struct sandbox_key *key, uint16_t site, uint64_t request,
             bool pause, usec_t wait)
{
    struct sandbox *s = keeper_sandbox_of(k, key, site);
    struct errand *e = s ? calloc(1, sizeof(*e)) : NULL;

    if (!e || heap_set(&k->due_errands, &e->due, usec_add(k->now, wait)) < 0) {
        free(e);
        if (k->ports.done)
            k->ports.done(k->ports.ctx, request, REASON_OUT_OF_MEMORY);
        return;
    }
    e->sandbox = s;
    e->request = request;
    e->pause = pause;
    list_push_back(&s->errands, &e->link);
    keeper_settle(k, s);
}

/* --- verbs ------------------------------------------------------------------------------------ */

void
keeper_wake(struct keeper *k, const struct sandbox_key *key, uint16_t site, uint64_t request,
            usec_t now)
{
    k->now = now;
    errand_begin(k, key, site, request, false, keeper_site(k, site)->hold_timeout);
}

void
keeper_pause(struct keeper *k, const struct sandbox_key *key, uint16_t site, uint64_t request,
             usec_t wait, usec_t now)
{
    k->now = now;
    errand_begin(k, key, site, request, true, wait);
}

int
keeper_forget(struct keeper *k, const struct sandbox_key *key, usec_t now)
{
    struct sandbox *s = registry_find(&k->registry, key);

    k->now = now;
    if (!s || s->held_n > 0 || s->out > 0 || s->flight.state != FLIGHT_NONE ||
        s->quiesce.asking || !list_empty(&s->errands))
        return -1;
    keeper_forget_all(k, s);
    keeper_store_send(k, s, STORE_FORGET, 0, NULL);
    keeper_settle(k, s);
    return 0;
}

void
keeper_drain(struct keeper *k, usec_t now)
{
    k->now = now;
    k->draining = true;
    list_each_safe(n, tmp, &k->registry.lru) {
        struct sandbox *s = container_of(n, struct sandbox, lru);

        s->recheck = true;
        keeper_settle(k, s);
    }
}

int
keeper_on_news(struct keeper *k, const struct sandbox_key *key, const struct record *r,
               usec_t now)
{
    struct sandbox *s = registry_find(&k->registry, key);
    bool taken;

    k->now = now;
    if (!s)
        s = keeper_sandbox_of(k, key, 0);
    if (!s)
        return -1;
    taken = keeper_learn(k, s, r, FROM_NEWS);
    keeper_settle(k, s);
    return taken ? 0 : -1;
}

/* --- views ------------------------------------------------------------------------------------ */

static usec_t
oldest_wait(const struct keeper *k, const struct sandbox *s)
{
    struct list *l = list_first(&s->held);

    return l ? k->now - container_of(l, struct waiter, link)->arrived : 0;
}

static const char *
awake_because(const struct sandbox *s)
{
    if (s->state != SANDBOX_RUNNING)
        return "";
    if (s->idle.open > 0)
        return "open requests";
    if (s->out > 0 || s->held_n > 0)
        return "requests being released";
    return "used recently";
}

static void
show(const struct keeper *k, const struct sandbox *s, usec_t now, struct keeper_sandbox *out)
{
    *out = (struct keeper_sandbox){.key = s->key, .state = s->state, .record = &s->record};
    out->number = s->number;
    out->epoch = s->epoch;
    out->version = s->version;
    out->waiters = s->held_n;
    out->open = s->idle.open;
    out->idle_for = s->idle.since == NEVER_BEFORE ? 0 : idle_for(&s->idle, now);
    out->waking = s->flight.state != FLIGHT_NONE && s->flight.intent == INTENT_WAKE;
    out->oldest_wait = oldest_wait(k, s);
    out->wakes = s->wakes;
    out->pauses = s->pauses;
    out->awake_because = awake_because(s);
}

void
keeper_each(const struct keeper *k, const struct sandbox_key *key, usec_t now,
            bool (*fn)(void *ctx, const struct keeper_sandbox *s), void *ctx)
{
    struct keeper_sandbox out;
    struct sandbox *s;

    if (key) {
        s = registry_find(&k->registry, key);
        if (s) {
            show(k, s, now, &out);
            fn(ctx, &out);
        }
        return;
    }
    list_each(n, &k->registry.lru) {
        show(k, container_of(n, struct sandbox, lru), now, &out);
        if (!fn(ctx, &out))
            return;
    }
}

static const char *
phase_of(const struct waiter *w)
{
    const struct sandbox *s = w->sandbox;

    if (w->pair)
        return w->pair->proven ? "window" : "probe";
    return s->flight.state != FLIGHT_NONE ? "wake" : "inspect";
}

void
keeper_each_waiter(const struct keeper *k, usec_t now,
                   bool (*fn)(void *ctx, const struct keeper_waiter *w), void *ctx)
{
    list_each(n, &k->registry.lru) {
        struct sandbox *s = container_of(n, struct sandbox, lru);

        list_each(l, &s->held) {
            const struct waiter *w = container_of(l, struct waiter, link);
            struct keeper_waiter out = {.key = s->key, .port = w->port};

            out.klass = (enum traffic_class)w->klass;
            out.age = now - w->arrived;
            out.left = usec_max(0, w->due.at - now);
            out.phase = phase_of(w);
            if (!fn(ctx, &out))
                return;
        }
    }
}

void
keeper_totals(const struct keeper *k, struct keeper_totals *t)
{
    *t = (struct keeper_totals){.sandboxes = (uint32_t)k->registry.by_key.count};
    t->waiters = k->hold.n;
    t->bytes = k->hold.bytes;
    t->wakes = k->flights;
    t->releases = (uint32_t)(k->tickets.count - k->hold.n);
}
