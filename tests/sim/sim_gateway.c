/* SPDX-License-Identifier: BSD-2-Clause */
/* sim_gateway.c: one gateway: the keeper behind its ports, the mailboxes, crashes, the verbs. */
#include "config.h"

#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* --- mail ------------------------------------------------------------------------------------- */

static void
on_mail_to_worker(struct sim *s, struct event *e)
{
    struct mail m;

    mail_unpack(e->data, e->n, &m);
    worker_on_mail(s, e->g, (unsigned)e->a, &m);
}

static void
to_worker(void *ctx, unsigned worker, const struct mail *m)
{
    struct gateway *g = ctx;
    struct sim *s = g->sim;
    struct sim_worker *w = &g->w[worker];
    char bytes[MAIL_PACKED_MAX];
    size_t n = mail_pack(m, bytes);
    struct event *e;

    w->out_last = usec_max(w->out_last, s->now + between(s, 0, s->plan.mail_delay));
    e = at(s, w->out_last, on_mail_to_worker, g, n);
    e->a = worker;
    memcpy(e->data, bytes, n);
    if (m->kind == MAIL_VERDICT)
        check_verdict(s, g, m);
}

static void
hear(struct gateway *g, const struct mail *m)
{
    struct ask *a = m->ticket ? gateway_ask(g, m->ticket) : NULL;

    if (a && m->kind == MAIL_ASK) {
        a->heard = g->sim->now;
        a->order = ++g->order;
        a->state_heard = g->state[a->guest];
    } else if (a && m->kind == MAIL_LEAVE) {
        a->left_heard = true;
    }
}

static void
on_mail_to_keeper(struct sim *s, struct event *e)
{
    struct mail m;

    mail_unpack(e->data, e->n, &m);
    trace(s, "g%u control gets %s from w%u, ticket %u", e->g->n, mail_kind_name(m.kind),
          (unsigned)e->a, (unsigned)m.ticket);
    hear(e->g, &m);
    keeper_on_mail(e->g->k, (unsigned)e->a, &m, s->now);
    gateway_after(s, e->g);
}

void
gateway_post(struct gateway *g, unsigned worker, const struct mail *m)
{
    struct sim *s = g->sim;
    struct sim_worker *w = &g->w[worker];
    char bytes[MAIL_PACKED_MAX];
    size_t n = mail_pack(m, bytes);
    struct event *e;

    w->in_last = usec_max(w->in_last, s->now + between(s, 0, s->plan.mail_delay));
    e = at(s, w->in_last, on_mail_to_keeper, g, n);
    e->a = worker;
    memcpy(e->data, bytes, n);
}

/* --- tickets ---------------------------------------------------------------------------------- */

struct ask *
gateway_ask(struct gateway *g, uint64_t ticket)
{
    return ticket >= 1 && ticket <= g->asks ? &g->ask[ticket - 1] : NULL;
}

struct ask *
gateway_new_ask(struct gateway *g)
{
    if (g->asks == g->asks_cap) {
        g->asks_cap = g->asks_cap ? g->asks_cap * 2 : 64;
        g->ask = realloc(g->ask, g->asks_cap * sizeof(*g->ask));
        ensure(g->ask);
    }
    g->ask[g->asks] = (struct ask){.ticket = g->asks + 1};
    return &g->ask[g->asks++];
}

/* --- time ------------------------------------------------------------------------------------- */

static void
on_tick(struct sim *s, struct event *e)
{
    struct gateway *g = e->g;

    if (g->tick_at == s->now || g->tick_at <= s->now)
        g->tick_at = USEC_NEVER;
    keeper_tick(g->k, s->now);
    gateway_after(s, g);
}

void
gateway_after(struct sim *s, struct gateway *g)
{
    usec_t next = keeper_next(g->k);

    if (next == USEC_NEVER || next >= g->tick_at)
        return;
    g->tick_at = usec_max(next, s->now);
    at(s, g->tick_at, on_tick, g, 0);
}

/* --- verbs ------------------------------------------------------------------------------------ */

static void
on_done(void *ctx, uint64_t request, enum reason r)
{
    struct gateway *g = ctx;

    trace(g->sim, "g%u verb %u done: %s", g->n, (unsigned)request, reason_slug(r));
    ensure(g->errands > 0);
    g->errands--;
}

static void
on_verb(struct sim *s, struct event *e)
{
    struct gateway *g = e->g;
    struct guest *b = &s->guest[below(s, s->plan.guests)];
    unsigned what = below(s, 7);

    if (s->ending)
        return;
    if (what < 3) {
        trace(s, "g%u verb pause %s", g->n, b->key.id);
        g->errands++;
        keeper_pause(g->k, &b->key, 0, 1, between(s, 0, 5 * USEC_SEC), s->now);
    } else if (what < 5) {
        trace(s, "g%u verb wake %s", g->n, b->key.id);
        g->errands++;
        keeper_wake(g->k, &b->key, 0, 2, s->now);
    } else if (what < 6) {
        trace(s, "g%u verb forget %s", g->n, b->key.id);
        g->forgot = true;
        (void)keeper_forget(g->k, &b->key, s->now);
    } else if (chance(s, 100)) {
        trace(s, "g%u drains", g->n);
        keeper_drain(g->k, s->now);
    }
    gateway_after(s, g);
    at(s, s->now + between(s, 100 * USEC_MS, 10 * USEC_SEC), on_verb, g, 0);
}

/* --- life ------------------------------------------------------------------------------------- */

static void
on_story(void *ctx, const struct keeper_tale *t)
{
    static const char *const name[] = {"held",     "wake",    "woken",  "wake failed", "released",
                                       "pausing",  "paused",  "pause aborted", "found asleep",
                                       "gone"};
    struct gateway *g = ctx;

    trace(g->sim, "g%u story: %s %s %s", g->n, t->key->id, name[t->what], reason_slug(t->reason));
}

static struct keeper_site
site_of(struct sim *s)
{
    struct keeper_site site = {
        .hold_timeout = 8 * USEC_SEC, .hold_pausing = 15 * USEC_SEC, .hold_per_sandbox = 40,
        .hold_per_tenant = 60, .hold_per_source = UINT32_MAX,
        .wake_per_sandbox = {30, 60 * USEC_SEC}, .wake_per_client = {60, 60 * USEC_SEC},
        .lease = 3 * USEC_SEC, .wake_grace = 5 * USEC_SEC, .refused_for = USEC_SEC,
        .pause_after = USEC_OFF, .resume_timeout = 4 * USEC_SEC, .inspect_timeout = USEC_SEC,
    };

    if (s->seed % 3 != 0)
        site.pause_after = (usec_t)(1 + s->seed % 4) * 500 * USEC_MS;
    return site;
}

void
gateway_start(struct sim *s, struct gateway *g)
{
    struct keeper_ports ports = {g, to_worker, driver_port, store_port, on_story, on_done};
    struct keeper_site site = site_of(s);
    struct keeper_options o = {.workers = s->plan.workers, .hold_total = 80, .hold_bytes = 4000};

    memset(&g->metrics, 0, sizeof(g->metrics));
    o.max_sandboxes = s->seed % 5 == 0 ? 2 : 16;
    if (s->seed % 4 == 0) {
        o.hold_total = 6;
        o.hold_bytes = 400;
    }
    o.fresh = 2 * USEC_SEC;
    o.wakes_in_flight = s->seed % 7 == 0 ? 1 : 200;
    o.wakes_global = (struct rate){1000, USEC_SEC};
    o.metrics = &g->metrics;
    o.seed = s->seed + g->n;
    g->k = keeper_new(&o, &ports, s->now);
    ensure(g->k && keeper_set_site(g->k, 0, &site) == 0);
    for (unsigned i = 0; i < s->plan.workers; i++) {
        g->w[i] = (struct sim_worker){.activity_at = USEC_NEVER};
        g->w[i].view = view_new(s->seed % 5 == 0 ? 3 : 16, s->seed, i);
        ensure(g->w[i].view);
    }
    memset(g->pausing_seen, 0, sizeof(g->pausing_seen));
    memset(g->asleep_heard, 0, sizeof(g->asleep_heard));
    memset(g->state, 0, sizeof(g->state));
    g->tick_at = USEC_NEVER;
    g->forgot = false;
    g->up = true;
    g->life++;
    if (chance(s, s->plan.verbs))
        at(s, s->now + between(s, 0, 5 * USEC_SEC), on_verb, g, 0);
    trace(s, "g%u starts", g->n);
}

void
gateway_stop(struct sim *s, struct gateway *g)
{
    if (!g->up)
        return;
    g->up = false;
    keeper_free(g->k);
    for (unsigned i = 0; i < s->plan.workers; i++)
        view_free(g->w[i].view);
    free(g->ask);
    g->ask = NULL;
    g->asks = g->asks_cap = 0;
    g->errands = 0;
}

static void
on_restart(struct sim *s, struct event *e)
{
    gateway_start(s, &s->gw[e->a]);
}

static void
on_takeover_due(struct sim *s, struct event *e)
{
    check_takeover(s, &s->guest[e->a], (usec_t)e->b);
}

/* Somebody else must take its wakes over, a second after the leases are over at the latest. */
static void
watch_leases(struct sim *s, struct gateway *g)
{
    for (unsigned i = 0; i < s->plan.guests; i++) {
        struct guest *b = &s->guest[i];
        struct event *e;

        if (b->lease_of != g || b->lease_epoch == 0 || s->now >= b->lease_until)
            continue;
        e = at(s, b->lease_until + USEC_SEC + 3 * s->plan.store_delay, on_takeover_due, NULL, 0);
        e->a = i;
        e->b = (uint64_t)b->lease_until;
    }
}

void
gateway_crash(struct sim *s, struct gateway *g)
{
    struct event *e;

    if (!g->up)
        return;
    trace(s, "g%u crashes", g->n);
    watch_leases(s, g);
    list_each(l, &s->exchanges) {
        struct exchange *x = container_of(l, struct exchange, link);

        if (x->g == g && x->life == g->life)
            exchange_crash(s, x);
    }
    gateway_stop(s, g);
    g->life++;
    e = at(s, s->now + between(s, 100 * USEC_MS, 5 * USEC_SEC), on_restart, NULL, 0);
    e->a = g->n;
}
