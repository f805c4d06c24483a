/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_check.c: the judge. It knows the truth of the platform and both ends of every mailbox, and
 * changes nothing.
 */
#include "config.h"

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK (10 * USEC_MS)

int
rule_number(enum rule r)
{
    static const int number[] = {
        0,
#define X(sym, n, text) n,
        RULES(X)
#undef X
    };

    return number[r];
}

const char *
rule_text(enum rule r)
{
    static const char *const text[] = {
        "none",
#define X(sym, n, words) words,
        RULES(X)
#undef X
    };

    return text[r];
}

void
broken(struct sim *s, enum rule r, const char *fmt, ...)
{
    va_list ap;

    if (s->failed.rule != RULE_NONE)
        return;
    s->failed.rule = r;
    va_start(ap, fmt);
    vsnprintf(s->failed.text, sizeof(s->failed.text), fmt, ap);
    va_end(ap);
    trace(s, "BROKEN %d: %s: %s", rule_number(r), rule_text(r), s->failed.text);
}

/* --- waking ----------------------------------------------------------------------------------- */

static bool
waiting(const struct ask *a)
{
    return a->heard > 0 && a->verdicts == 0 && !a->left_heard;
}

static void
check_overlap(struct sim *s, struct gateway *g, struct guest *b, const struct driver_call *c)
{
    list_each(l, &b->resumes) {
        struct resume *r = container_of(l, struct resume, link);

        if (r->epoch == c->epoch)
            broken(s, RULE_ONE_RESUME, "g%u calls resume of %s again under epoch %u", g->n,
                   b->key.id, (unsigned)c->epoch);
        if (s->now < b->expires[r->epoch])
            broken(s, RULE_ONE_RESUME,
                   "g%u calls resume of %s (epoch %u) while g%u's lease of epoch %u has %lld us",
                   g->n, b->key.id, (unsigned)c->epoch, r->g->n, (unsigned)r->epoch,
                   (long long)(b->expires[r->epoch] - s->now));
    }
    if (c->epoch == 0 || c->epoch > b->epoch)
        broken(s, RULE_ONE_RESUME, "epoch %u was never given", (unsigned)c->epoch);
}

/* Was the port merely dead? Everybody who asks was refused by a sandbox that has been running since
 * before, and nobody said otherwise. */
static bool
only_refused(struct sim *s, struct gateway *g, struct guest *b)
{
    bool any = false;

    if (b->state != SANDBOX_RUNNING || g->errands > 0)
        return false;
    for (size_t i = 0; i < g->asks; i++) {
        struct ask *a = &g->ask[i];

        if (a->guest != b->n || !waiting(a) || !a->may_wake)
            continue;
        if (a->why == ASK_UNKNOWN || a->state_heard != SANDBOX_RUNNING ||
            a->heard < b->running_since ||
            a->heard <= g->asleep_heard[b->n])
            return false;
        any = true;
    }
    return any && s->now > b->running_since;
}

/* Nobody at the admin side wants it: then somebody who waits must be entitled to it. */
static void
check_right(struct sim *s, struct gateway *g, struct guest *b, const struct driver_call *c)
{
    unsigned n = 0, good = 0;

    for (size_t i = 0; i < g->asks; i++) {
        struct ask *a = &g->ask[i];

        if (a->guest != b->n || !waiting(a))
            continue;
        n++;
        good += a->may_wake && !a->bad_token;
    }
    if (n == 0)
        broken(s, RULE_FOR_NOBODY, "g%u wakes %s and nobody waits", g->n, b->key.id);
    else if (good == 0)
        broken(s, RULE_AUTHORISED, "g%u wakes %s for none that may", g->n, b->key.id);
    if (b->needs_token && (!c->has_token || c->token[0] != b->n + 1))
        broken(s, RULE_AUTHORISED, "g%u wakes %s with a wrong token", g->n, b->key.id);
    if (!b->auto_resume)
        broken(s, RULE_AUTHORISED, "g%u wakes %s, which may not be", g->n, b->key.id);
}

void
check_resume(struct sim *s, struct gateway *g, struct guest *b, const struct driver_call *c)
{
    struct resume *r = calloc(1, sizeof(*r));

    check_overlap(s, g, b, c);
    if (g->errands == 0)
        check_right(s, g, b, c);
    if (only_refused(s, g, b))
        broken(s, RULE_DEAD_PORT, "g%u wakes %s, which has been running", g->n, b->key.id);
    ensure(r);
    r->g = g;
    r->life = g->life;
    r->call = c->id;
    r->epoch = c->epoch;
    list_push_back(&b->resumes, &r->link);
}

/* Does somebody here wait for a wake that nobody leads any more? */
static void
check_watcher(struct sim *s, struct gateway *g, struct guest *b, usec_t expired)
{
    if (!g->up || g->last_stall_end >= expired || s->now < g->stalled_until ||
        g->state[b->n] != SANDBOX_RESUMING)
        return;
    for (size_t n = 0; n < g->asks; n++) {
        struct ask *a = &g->ask[n];

        if (a->guest == b->n && waiting(a) && a->may_wake && !a->bad_token &&
            a->heard < expired - USEC_SEC)
            broken(s, RULE_TAKEOVER, "g%u still watches the lease of %s", g->n, b->key.id);
    }
}

void
check_takeover(struct sim *s, struct guest *b, usec_t expired)
{
    if (!s->plan.honest_store || s->plan.store_delay > 10 * USEC_MS || b->epoch == 0)
        return;
    if (b->expires[b->epoch] > expired || b->state != SANDBOX_PAUSED || b->moved >= expired)
        return; /* somebody has led since, or it is on its way */
    for (unsigned i = 0; i < s->plan.gateways; i++)
        check_watcher(s, &s->gw[i], b, expired);
}

/* --- pausing ---------------------------------------------------------------------------------- */

void
check_pause(struct sim *s, struct gateway *g, struct guest *b, const char *when)
{
    list_each(l, &s->exchanges) {
        struct exchange *x = container_of(l, struct exchange, link);

        if (x->g == g && x->life == g->life && x->guest == b && x->open)
            broken(s, RULE_PAUSE, "g%u pauses %s under x%u, %s", g->n, b->key.id, x->id, when);
    }
}

/* --- verdicts --------------------------------------------------------------------------------- */

static bool
is_go(enum verdict v)
{
    return v == VERDICT_GO_DIRECT || v == VERDICT_GO_PROBE || v == VERDICT_GO_RETRY;
}

static void
check_order(struct sim *s, struct gateway *g, const struct ask *a)
{
    for (size_t i = 0; i < g->asks; i++) {
        const struct ask *o = &g->ask[i];

        if (o->order < a->order && waiting(o) && o->guest == a->guest && o->port == a->port &&
            o->worker == a->worker && o->keep_alive == a->keep_alive && o->why == ASK_UNKNOWN &&
            !o->bad_token)
            broken(s, RULE_OVERTAKE, "ticket %u of g%u overtakes ticket %u", (unsigned)a->ticket,
                   g->n, (unsigned)o->ticket);
    }
}

static void
check_probe(struct sim *s, struct gateway *g, const struct ask *a, const struct mail *m)
{
    for (size_t i = 0; i < g->asks; i++) {
        const struct ask *o = &g->ask[i];

        if (o != a && o->probe && o->terminals == 0 && !o->left_heard && o->guest == a->guest &&
            o->port == a->port && o->version == m->version)
            broken(s, RULE_ONE_PROBE, "ticket %u of g%u goes while %u probes",
                   (unsigned)a->ticket, g->n, (unsigned)o->ticket);
    }
}

static void
check_deadline(struct sim *s, struct gateway *g, const struct ask *a)
{
    usec_t limit = a->deadline;

    if (g->pausing_seen[a->guest] >= a->heard)
        limit = usec_max(limit, a->arrived + 15 * USEC_SEC);
    limit = usec_max(limit, a->heard);
    if (g->last_stall_end >= a->heard)
        limit = usec_max(limit, g->last_stall_end);
    if (s->now > limit + SLACK)
        broken(s, RULE_DEADLINE, "ticket %u of g%u waits %lld us too long", (unsigned)a->ticket,
               g->n, (long long)(s->now - limit));
}

void
check_verdict(struct sim *s, struct gateway *g, const struct mail *m)
{
    struct ask *a = gateway_ask(g, m->ticket);
    const struct mail_verdict *v = &m->u.verdict;

    if (!a || a->heard == 0 || ++a->verdicts > 1) {
        broken(s, RULE_ONE_VERDICT, "another verdict for ticket %u of g%u", (unsigned)m->ticket,
               g->n);
        return;
    }
    trace(s, "g%u verdict %d (%s) for ticket %u", g->n, (int)v->verdict, reason_slug(v->reason),
          (unsigned)m->ticket);
    check_deadline(s, g, a);
    a->version = m->version;
    if (!is_go(v->verdict))
        return;
    if (a->bad_token)
        broken(s, RULE_AUTHORISED, "ticket %u of g%u goes with a wrong token",
               (unsigned)m->ticket, g->n);
    if (a->why == ASK_UNKNOWN)
        check_order(s, g, a);
    a->released = v->report;
    a->probe = v->verdict == VERDICT_GO_PROBE;
    if (v->report)
        check_probe(s, g, a, m);
}

void
check_terminal(struct sim *s, struct gateway *g, uint64_t ticket)
{
    struct ask *a = gateway_ask(g, ticket);

    if (++a->terminals > 1)
        broken(s, RULE_NO_LEAK, "ticket %u of g%u has ended twice", (unsigned)ticket, g->n);
}

/* --- guests ----------------------------------------------------------------------------------- */

void
check_executed(struct sim *s, struct exchange *x, struct guest *where)
{
    if (x->guest == where) {
        if (x->executed > 1 && !x->idempotent)
            broken(s, RULE_EXECUTED_ONCE, "x%u is executed %u times", x->id, x->executed);
        return;
    }
    /* An address that was given to another while nobody said so cannot be known. One that this
     * gateway put to sleep itself can, as long as it remembers. */
    if (x->g->forgot || metric_get(&x->g->metrics, METRIC_EVICTED) > 0)
        return;
    if (x->guest->paused_by == (int)x->g->n && x->guest->paused_life == x->life)
        broken(s, RULE_ITS_OWN, "x%u for %s is executed by %s", x->id, x->guest->key.id,
               where->key.id);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool
on_each(void *ctx, const struct keeper_sandbox *k)
{
    struct gateway *g = ctx;
    unsigned n = (unsigned)(k->key.id[0] - 'a');

    if (k->state == SANDBOX_PAUSING || k->state == SANDBOX_SNAPSHOTTING ||
        g->state[n] == SANDBOX_PAUSING)
        g->pausing_seen[n] = g->sim->now;
    g->state[n] = k->state;
    return true;
}

void
check_gateway(struct sim *s, struct gateway *g)
{
    keeper_each(g->k, NULL, s->now, on_each, g);
    if (metric_get(&g->metrics, METRIC_ILLEGAL_MOVES) > 0)
        broken(s, RULE_MOVES, "g%u made a move that the table forbids", g->n);
}

static void
check_gateway_end(struct sim *s, struct gateway *g)
{
    struct keeper_totals t;

    keeper_totals(g->k, &t);
    if (t.waiters > 0 || t.bytes > 0)
        broken(s, RULE_BALANCE, "g%u has %u waiters, %llu bytes", g->n, t.waiters,
               (unsigned long long)t.bytes);
    if (t.releases > 0)
        broken(s, RULE_NO_LEAK, "g%u has %u released tickets", g->n, t.releases);
    if (t.wakes > 0)
        broken(s, RULE_BALANCE, "g%u has %u wakes in flight", g->n, t.wakes);
    if (g->errands > 0)
        broken(s, RULE_BALANCE, "g%u has %u verbs without an end", g->n, g->errands);
    if (metric_get(&g->metrics, METRIC_HELD) != 0 ||
        metric_get(&g->metrics, METRIC_WAKES_IN_FLIGHT) != 0)
        broken(s, RULE_BALANCE, "g%u's gauges are off", g->n);
    for (size_t i = 0; i < g->asks; i++) {
        struct ask *a = &g->ask[i];

        if (a->verdicts != 1)
            broken(s, RULE_ONE_VERDICT, "ticket %u of g%u has %u verdicts", (unsigned)a->ticket,
                   g->n, a->verdicts);
        if (a->released && a->terminals != 1)
            broken(s, RULE_NO_LEAK, "released ticket %u of g%u has %u terminal messages",
                   (unsigned)a->ticket, g->n, a->terminals);
    }
}

void
check_end(struct sim *s)
{
    list_each(l, &s->exchanges) {
        struct exchange *x = container_of(l, struct exchange, link);

        if (x->ended != 1)
            broken(s, RULE_ENDS_ONCE, "x%u has ended %u times", x->id, x->ended);
    }
    for (unsigned i = 0; i < s->plan.gateways; i++) {
        if (s->gw[i].up)
            check_gateway_end(s, &s->gw[i]);
    }
}
