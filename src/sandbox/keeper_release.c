/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_release.c: requests whose sandbox runs: straight on, or through the queue of their port;
 * and what workers are told about ports that are open. The queue and its window are in release.c.
 */
#include "config.h"

#include "sandbox/attempt.h"
#include "sandbox/keeper_priv.h"

#include <string.h>

#define PAIRS_MAX 32 /* ports remembered of one sandbox */

/* --- ports ------------------------------------------------------------------------------------ */

static void
trim_pairs(struct sandbox *s)
{
    list_each_safe(n, tmp, &s->pairs) {
        struct pair *p = container_of(n, struct pair, link);

        if (s->pairs_n < PAIRS_MAX)
            return;
        if (p->refs == 0 && p->out == 0) {
            pair_free(p);
            s->pairs_n--;
        }
    }
}

static struct pair *
pair_of(struct keeper *k, struct sandbox *s, uint16_t port)
{
    struct pair *p;

    list_each(n, &s->pairs) {
        p = container_of(n, struct pair, link);
        if (p->port == port) {
            list_unlink(&p->link);
            list_push_back(&s->pairs, &p->link);
            return p;
        }
    }
    trim_pairs(s);
    p = pair_new(port, k->o.workers);
    if (!p)
        return NULL;
    list_push_back(&s->pairs, &p->link);
    s->pairs_n++;
    return p;
}

void
keeper_free_pairs(struct sandbox *s)
{
    list_each_safe(n, tmp, &s->pairs)
        pair_free(container_of(n, struct pair, link));
    s->pairs_n = 0;
}

void
keeper_unqueue_all(struct sandbox *s)
{
    list_each(n, &s->held) {
        struct waiter *w = container_of(n, struct waiter, link);

        if (w->pair)
            pair_remove(w->pair, w);
    }
}

/* --- what workers know ------------------------------------------------------------------------ */

static void
tell(struct keeper *k, struct sandbox *s, const struct pair *p, unsigned worker, bool open)
{
    struct mail m = {.kind = MAIL_STATE};
    struct mail_state *st = &m.u.state;

    st->port = p->port;
    st->key = s->key;
    st->incarnation = s->incarnation;
    st->open = open && record_endpoint(&s->record, p->port, &st->to);
    if (st->open) {
        st->manner = s->record.manner;
        st->tokens_n = s->record.tokens_n;
        memcpy(st->tokens, s->record.tokens, sizeof(st->tokens));
        s->withdrawing = false;
        workers_add(&s->know, worker);
    }
    keeper_post(k, s, worker, &m);
}

/* The queue is empty and the port is proven: whoever asked may go there directly from now on. */
static void
open_pair(struct keeper *k, struct sandbox *s, struct pair *p)
{
    if (workers_none(&p->asked))
        return;
    for (unsigned i = 0; i < k->o.workers; i++) {
        if (!workers_has(&p->asked, i))
            continue;
        workers_remove(&p->asked, i);
        tell(k, s, p, i, true);
    }
    p->told = true;
}

/* It is ramping again: nobody overtakes. */
static void
close_pair(struct keeper *k, struct sandbox *s, struct pair *p)
{
    if (!p->told)
        return;
    p->told = false;
    for (unsigned i = 0; i < k->o.workers; i++) {
        if (workers_has(&s->know, i))
            tell(k, s, p, i, false);
    }
}

/* --- going ------------------------------------------------------------------------------------ */

static void
go_direct(struct keeper *k, struct waiter *w, struct pair *p, const struct endpoint *to)
{
    struct sandbox *s = w->sandbox;
    unsigned worker = (unsigned)w->id.worker;

    keeper_say_go(k, w, VERDICT_GO_DIRECT, to, 0, w->due.at, false);
    tell(k, s, p, worker, true);
    p->told = true;
}

/*
 * It runs for long and really does; its port does not answer: a restarting server gets a moment.
 * Whoever asks because it was refused has heard from the port: no answer to the last try, begun a
 * moment before the end, does not make it silent.
 */
static void
go_retry(struct keeper *k, struct waiter *w, const struct endpoint *to)
{
    const struct keeper_site *site = keeper_site(k, w->site);
    usec_t until = usec_add(k->now, site->refused_for);
    usec_t since = w->why == ASK_REFUSED ? k->now : 0;

    keeper_say_go(k, w, VERDICT_GO_RETRY, to, since, usec_min(until, w->due.at), false);
}

static void
go_queue(struct keeper *k, struct waiter *w, struct pair *p)
{
    unsigned worker = (unsigned)w->id.worker;

    if (!keeper_admit(k, w))
        return;
    if (pair_push(p, w) < 0) {
        keeper_say_no(k, w, REASON_OUT_OF_MEMORY, 0);
        return;
    }
    workers_add(&p->asked, worker);
    close_pair(k, w->sandbox, p);
}

void
keeper_go(struct keeper *k, struct waiter *w)
{
    struct sandbox *s = w->sandbox;
    bool grace = keeper_in_grace(k, w);
    bool failed = w->why == ASK_REFUSED || w->why == ASK_SILENT;
    struct pair *p = pair_of(k, s, w->port);
    struct endpoint to;

    if (!p || !record_endpoint(&s->record, w->port, &to)) {
        keeper_say_no(k, w, !p                        ? REASON_OUT_OF_MEMORY
                            : s->record.ports_n > 0 ? REASON_PORT_CLOSED /* not one of its ports */
                                                    : REASON_STATE_UNAVAILABLE,
                      0);
        return;
    }
    if (grace && failed && !pair_ramping(p)) {
        /* Accepted and reset, or refused again: the port is not quite there yet. */
        p->proven = false;
        p->not_before = k->now + attempt_pause(p->since, k->now);
    }
    if (pair_ramping(p) || (grace && !p->proven))
        go_queue(k, w, p);
    else if (failed)
        go_retry(k, w, &to);
    else
        go_direct(k, w, p, &to);
}

static void
release(struct keeper *k, struct sandbox *s, struct pair *p, struct waiter *w)
{
    enum verdict v = p->proven ? VERDICT_GO_DIRECT : VERDICT_GO_PROBE;
    usec_t since = p->since == k->now ? 0 : p->since;
    struct endpoint to;

    /* It was there when the waiter queued up, and a change of the record empties the queue. */
    ensure(record_endpoint(&s->record, p->port, &to));
    keeper_say_go(k, w, v, &to, p->proven ? 0 : since, w->due.at, true);
}

static void
pump_pair(struct keeper *k, struct sandbox *s, struct pair *p)
{
    struct waiter *w;

    while ((w = pair_pop(p, k->now)))
        release(k, s, p, w);
    if (pair_ramping(p) || !p->proven)
        return;
    if (p->released > 0) {
        keeper_story(k, s, STORY_RELEASED, p->port, k->now - s->running_at, p->released,
                     REASON_NONE);
        p->released = 0;
    }
    open_pair(k, s, p);
}

void
keeper_pump(struct keeper *k, struct sandbox *s)
{
    if (s->state != SANDBOX_RUNNING)
        return;
    list_each(n, &s->pairs)
        pump_pair(k, s, container_of(n, struct pair, link));
}

usec_t
keeper_release_due(const struct keeper *k, const struct sandbox *s)
{
    usec_t due = USEC_NEVER;

    list_each(n, &s->pairs) {
        const struct pair *p = container_of(n, struct pair, link);

        if (p->queued > 0 && p->out == 0 && p->not_before > k->now)
            due = usec_min(due, p->not_before);
    }
    return due;
}

/* --- what became of them ---------------------------------------------------------------------- */

void
keeper_on_connected(struct keeper *k, struct waiter *w, const struct mail *m)
{
    struct sandbox *s = w->sandbox;

    if (w->phase != WAITER_RELEASED)
        return;
    w->phase = WAITER_CONNECTED;
    if (m->version == s->version)
        pair_on_connected(w->pair, m->u.connected.took);
    /* Without memory for the timer it is patient for ever. */
    if (heap_set(&k->due_waiters, &w->due, k->now + RELEASE_PATIENCE) < 0)
        return;
}

void
keeper_on_connect_failed(struct keeper *k, struct waiter *w, const struct mail *m)
{
    if (w->phase != WAITER_RELEASED)
        return;
    pair_on_failed(w->pair, m->version == w->sandbox->version ? m->u.failed.since : 0);
    keeper_waiter_free(k, w);
}

void
keeper_on_answered(struct keeper *k, struct waiter *w, const struct mail *m)
{
    struct sandbox *s = w->sandbox;

    if (w->phase != WAITER_CONNECTED)
        return;
    pair_on_answered(w->pair, m->u.answered.ok && m->version == s->version, w->slow);
    if (m->u.answered.ok)
        s->used_at = k->now;
    idle_touch(&s->idle, k->now);
    keeper_waiter_free(k, w);
}
