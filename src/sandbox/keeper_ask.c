/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_ask.c: waiters: how they come, what they are told, how they go. Each ticket gets exactly
 * one VERDICT. The judgement itself is in keeper_judge.c.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#include <stdlib.h>
#include <string.h>

#define GLANCE_EVERY USEC_SEC

static struct slice
ticket_key(const struct ticket_id *id)
{
    return (struct slice){(const char *)id, sizeof(*id)};
}

struct waiter *
keeper_waiter(const struct keeper *k, unsigned worker, uint64_t ticket)
{
    struct ticket_id id = {ticket, worker};
    struct map_node *n = map_find(&k->tickets, ticket_key(&id));

    return n ? container_of(n, struct waiter, node) : NULL;
}

/* Out of the hold: counted no more, in no list. */
void
keeper_retire(struct keeper *k, struct waiter *w)
{
    if (w->phase != WAITER_HELD)
        return;
    if (list_linked(&w->queue))
        pair_remove(w->pair, w);
    list_unlink(&w->link);
    w->sandbox->held_n--;
    hold_drop(&k->hold, w);
    heap_remove(&k->due_waiters, &w->due);
    metric_add(k->o.metrics, METRIC_HELD, -1);
    w->phase = WAITER_NEW;
}

/* A released one has given its place in the window back before. */
void
keeper_waiter_free(struct keeper *k, struct waiter *w)
{
    if (w->phase == WAITER_RELEASED || w->phase == WAITER_CONNECTED) {
        w->sandbox->out--;
        w->pair->refs--;
    }
    keeper_retire(k, w);
    heap_remove(&k->due_waiters, &w->due);
    map_remove(&k->tickets, &w->node);
    free(w->caller);
    free(w);
}

/* --- verdicts --------------------------------------------------------------------------------- */

void
keeper_post(struct keeper *k, struct sandbox *s, unsigned worker, struct mail *m)
{
    m->sandbox = s->number;
    m->version = s->version;
    k->ports.mail(k->ports.ctx, worker, m);
}

/* An ASK that finds no room. A request that is being relayed needs none: it just goes on. */
static void
refuse_ticket(struct keeper *k, unsigned worker, const struct mail *ask, enum reason r)
{
    struct mail m = {.kind = MAIL_VERDICT, .ticket = ask->ticket};
    bool stay = ask->u.ask.why == ASK_NO_ANSWER;

    m.u.verdict.verdict = stay ? VERDICT_STAY : VERDICT_NO;
    m.u.verdict.reason = stay ? REASON_NONE : r;
    k->ports.mail(k->ports.ctx, worker, &m);
}

void
keeper_say_no(struct keeper *k, struct waiter *w, enum reason r, usec_t retry_after)
{
    struct mail m = {.kind = MAIL_VERDICT, .ticket = w->id.ticket};

    ensure(r != REASON_NONE && w->phase <= WAITER_HELD);
    m.u.verdict.verdict = VERDICT_NO;
    m.u.verdict.reason = r;
    m.u.verdict.retry_after = retry_after;
    m.u.verdict.held = w->waited;
    m.u.verdict.leader = w->leader;
    if (r == REASON_WAKE_NOT_ALLOWED)
        metric_add(k->o.metrics, METRIC_WAKES_IGNORED, 1);
    keeper_post(k, w->sandbox, (unsigned)w->id.worker, &m);
    keeper_waiter_free(k, w);
}

void
keeper_say_stay(struct keeper *k, struct waiter *w)
{
    struct mail m = {.kind = MAIL_VERDICT, .ticket = w->id.ticket};

    ensure(w->phase <= WAITER_HELD);
    m.u.verdict.verdict = VERDICT_STAY;
    keeper_post(k, w->sandbox, (unsigned)w->id.worker, &m);
    keeper_waiter_free(k, w);
}

void
keeper_say_go(struct keeper *k, struct waiter *w, enum verdict v, const struct endpoint *to,
              usec_t since, usec_t until, bool report)
{
    struct sandbox *s = w->sandbox;
    struct mail m = {.kind = MAIL_VERDICT, .ticket = w->id.ticket};
    struct mail_verdict *out = &m.u.verdict;
    bool woken = s->running_at >= w->arrived;

    out->verdict = v;
    out->to = *to;
    out->incarnation = s->incarnation;
    out->manner = s->record.manner;
    out->report = report;
    out->since = since;
    out->until = until;
    out->held = w->waited;
    out->leader = w->leader;
    out->woken_at = woken ? s->running_at : 0;
    out->wake_took = woken ? s->wake_took : 0;
    idle_touch(&s->idle, k->now);
    s->withdrawing = false;
    workers_add(&s->know, (unsigned)w->id.worker);
    keeper_post(k, s, (unsigned)w->id.worker, &m);
    if (!report) {
        keeper_waiter_free(k, w);
        return;
    }
    keeper_retire(k, w);
    free(w->caller);
    w->caller = NULL;
    w->phase = WAITER_RELEASED;
    s->out++;
}

void
keeper_refuse_all(struct keeper *k, struct sandbox *s, enum reason r, usec_t retry_after)
{
    while (!list_empty(&s->held))
        keeper_say_no(k, container_of(list_first(&s->held), struct waiter, link), r, retry_after);
}

/* --- coming ----------------------------------------------------------------------------------- */

static struct hold_caps
caps_of(const struct keeper *k, const struct waiter *w)
{
    const struct keeper_site *site = keeper_site(k, w->site);

    return (struct hold_caps){
        .per_sandbox = site->hold_per_sandbox,
        .per_tenant = site->hold_per_tenant,
        .per_source = site->hold_per_source,
        .total = k->o.hold_total,
        .bytes = k->o.hold_bytes,
    };
}

static usec_t
first_deadline(const struct keeper *k, const struct waiter *w, usec_t wish)
{
    usec_t limit = usec_min(keeper_site(k, w->site)->hold_timeout, wish);

    return usec_add(w->arrived, limit);
}

/* Takes a new waiter into the hold's books. Who is being relayed and only wonders why no answer
 * comes takes no room there and is never crowded out: a slow sandbox is no reason to break it off.
 * The limit of connections bounds them. */
static enum reason
book(struct keeper *k, struct waiter *w, struct waiter **victim)
{
    struct hold_caps caps = caps_of(k, w);
    enum reason r = REASON_NONE;

    *victim = NULL;
    if (w->why != ASK_NO_ANSWER)
        r = hold_admit(&k->hold, w, &caps, w->sandbox->held_n, &w->sandbox->record.tenant, victim);
    if (r == REASON_NONE && heap_set(&k->due_waiters, &w->due, w->due.at) < 0) {
        hold_drop(&k->hold, w);
        r = REASON_OUT_OF_MEMORY;
    }
    return r;
}

bool
keeper_admit(struct keeper *k, struct waiter *w)
{
    struct sandbox *s = w->sandbox;
    struct hold_caps caps = caps_of(k, w);
    struct waiter *victim;
    enum reason r;

    if (w->phase == WAITER_HELD) {
        if (hold_move(&k->hold, w, &caps, &s->record.tenant) == 0)
            return true;
        keeper_say_no(k, w, REASON_HOLD_QUEUE_FULL, 0);
        return false;
    }
    r = book(k, w, &victim);
    if (r != REASON_NONE) {
        if (w->why == ASK_NO_ANSWER)
            keeper_say_stay(k, w);
        else
            keeper_say_no(k, w, r, 0);
        return false;
    }
    w->phase = WAITER_HELD;
    w->waited = true;
    list_push_back(&s->held, &w->link);
    metric_add(k->o.metrics, METRIC_HELD, 1);
    metric_add(k->o.metrics, METRIC_HELD_TOTAL, 1);
    if (s->held_n++ == 0)
        keeper_story(k, s, STORY_HELD, w->port, 0, 1, REASON_NONE);
    if (victim)
        keeper_say_no(k, victim, REASON_HOLD_QUEUE_FULL, 0);
    return true;
}

/* What a waiter that was taken in waits for is set going. */
static void
set_going(struct keeper *k, const struct waiter *w, enum judgement j)
{
    struct sandbox *s = w->sandbox;
    bool own_doubt = w->truth > s->look.finished;

    if (j == JUDGE_LEAD) {
        keeper_flight_begin(k, s, INTENT_WAKE);
    } else if (j == JUDGE_TRUTH && w->why == ASK_NO_ANSWER && s->state == SANDBOX_RUNNING) {
        keeper_look_suspect(k, s);
    } else if (j == JUDGE_TRUTH || j == JUDGE_LOOK) {
        if (s->state == SANDBOX_RUNNING && !own_doubt)
            s->doubted = true;
        keeper_look_want(s, j == JUDGE_TRUTH, own_doubt);
    }
}

void
keeper_place(struct keeper *k, struct waiter *w)
{
    enum reason why = REASON_NONE;
    usec_t retry_after = 0;
    enum judgement j = keeper_judge(k, w, &why, &retry_after);

    if (j == JUDGE_REFUSE)
        keeper_say_no(k, w, why, retry_after);
    else if (j == JUDGE_STAY)
        keeper_say_stay(k, w);
    else if (j == JUDGE_GO)
        keeper_go(k, w);
    else if (k->draining && j == JUDGE_LEAD)
        keeper_say_no(k, w, REASON_DRAINING, 0);
    else if (keeper_admit(k, w))
        set_going(k, w, j);
}

static void
fill(struct keeper *k, struct waiter *w, const struct mail_ask *a, struct sandbox *s)
{
    w->sandbox = s;
    w->arrived = a->arrived;
    w->bytes = a->bytes;
    w->lives = s->lives;
    w->port = a->port;
    w->site = a->site;
    w->why = (uint8_t)a->why;
    w->klass = (uint8_t)a->klass;
    w->may_wake = a->may_wake;
    w->keep_alive = a->keep_alive;
    w->has_token = a->has_token;
    w->wished = a->wait != USEC_OFF;
    w->source = a->why == ASK_NO_ANSWER ? NULL : hold_source(&k->hold, a->source, k->now);
    w->due.at = first_deadline(k, w, a->wait);
    list_init(&w->link);
    list_init(&w->queue);
    list_init(&w->peers);
}

/* Something went wrong with what the worker knew: the platform has to say how it is. Unless control
 * has moved on since; just after a wake the port is only late, and a glance beside it is enough. */
static void
suspect(struct keeper *k, struct waiter *w, uint64_t version)
{
    struct sandbox *s = w->sandbox;

    if (w->why == ASK_UNKNOWN || s->state != SANDBOX_RUNNING)
        return;
    if (version != 0 && version < s->version) {
        if (w->why != ASK_NO_ANSWER)
            w->why = ASK_UNKNOWN;
        return;
    }
    if (w->why == ASK_NO_ANSWER || !keeper_in_grace(k, w))
        w->truth = (uint32_t)s->look.started + 1;
    else if (k->now - s->look.ended > GLANCE_EVERY)
        keeper_look_want(s, true, false);
}

void
keeper_on_ask(struct keeper *k, unsigned worker, const struct mail *m)
{
    const struct mail_ask *a = &m->u.ask;
    struct sandbox *s = keeper_sandbox_of(k, &a->key, a->site);
    struct waiter *w = s ? calloc(1, sizeof(*w)) : NULL;

    if (!w) {
        refuse_ticket(k, worker, m, s ? REASON_OUT_OF_MEMORY : REASON_HOLD_QUEUE_FULL);
        return;
    }
    w->id = (struct ticket_id){m->ticket, worker};
    fill(k, w, a, s);
    w->caller = caller_new(a);
    if (!w->caller || map_insert(&k->tickets, &w->node, ticket_key(&w->id)) < 0) {
        ensure(!keeper_waiter(k, worker, m->ticket));
        free(w->caller);
        free(w);
        refuse_ticket(k, worker, m, REASON_OUT_OF_MEMORY);
        return;
    }
    keeper_pause_disturb(k, s);
    suspect(k, w, m->version);
    keeper_place(k, w);
    keeper_settle(k, s);
}

/* --- going ------------------------------------------------------------------------------------ */

void
keeper_on_leave(struct keeper *k, struct waiter *w)
{
    if (w->phase == WAITER_HELD) {
        keeper_say_no(k, w, REASON_CLIENT_LEFT, 0);
        return;
    }
    if (w->phase == WAITER_CONNECTED)
        pair_on_answered(w->pair, false, w->slow);
    else
        pair_on_left(w->pair);
    keeper_waiter_free(k, w);
}

/* A pause is waited out, even beyond the request's own deadline. */
static bool
extend(struct keeper *k, struct waiter *w)
{
    enum sandbox_state st = w->sandbox->state;
    usec_t until = usec_add(w->arrived, keeper_site(k, w->site)->hold_pausing);

    if (w->wished || (st != SANDBOX_PAUSING && st != SANDBOX_SNAPSHOTTING) || until <= k->now)
        return false;
    return heap_set(&k->due_waiters, &w->due, until) == 0;
}

void
keeper_on_waiter_due(struct keeper *k, struct waiter *w)
{
    struct sandbox *s = w->sandbox;
    usec_t retry_after = 0;
    enum reason r;

    if (w->phase == WAITER_CONNECTED) {
        heap_remove(&k->due_waiters, &w->due);
        w->slow = true;
        pair_on_slow(w->pair);
        keeper_settle(k, s);
        return;
    }
    if (extend(k, w))
        return;
    if (w->why == ASK_NO_ANSWER) {
        keeper_say_stay(k, w);
    } else {
        r = keeper_late_reason(k, w, &retry_after);
        keeper_say_no(k, w, r, retry_after);
    }
    keeper_settle(k, s);
}
