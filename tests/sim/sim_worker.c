/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_worker.c: a faithful miniature of a data worker: the life of an exchange from its head to its
 * end, with the real view and the real attempts. What a worker has to do is done here as it is
 * meant.
 */
#include "config.h"

#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define UPSTREAM_TIMEOUT (30 * USEC_SEC)
#define ANSWER_DOUBT USEC_SEC
#define DOUBT_AGAIN (10 * USEC_SEC)

static void perform(struct sim *s, struct exchange *x, enum attempt_do what);

static struct view *
view_of(struct exchange *x)
{
    return x->g->w[x->worker].view;
}

/* --- activity --------------------------------------------------------------------------------- */

static void
on_activity_due(struct sim *s, struct event *e)
{
    struct sim_worker *w = &e->g->w[e->a];
    struct mail m;
    usec_t next;

    if (w->activity_at <= s->now)
        w->activity_at = USEC_NEVER;
    while (view_activity(w->view, s->now, &m, &next))
        gateway_post(e->g, (unsigned)e->a, &m);
    if (next < w->activity_at) {
        w->activity_at = next;
        at(s, next, on_activity_due, e->g, 0)->a = e->a;
    }
}

static void
activity(struct sim *s, struct exchange *x)
{
    at(s, s->now, on_activity_due, x->g, 0)->a = x->worker;
}

/* --- ends ------------------------------------------------------------------------------------- */

static void
send_report(struct sim *s, struct exchange *x, enum mail_kind kind, bool ok)
{
    struct mail m = {.kind = kind, .ticket = x->ticket, .sandbox = x->sandbox};

    m.version = x->version;
    if (kind == MAIL_ANSWERED)
        m.u.answered.ok = ok;
    else if (kind == MAIL_CONNECTED)
        m.u.connected.took = s->now - x->attempt.last_dial;
    else if (kind == MAIL_CONNECT_FAILED)
        m.u.failed.since = x->attempt.since;
    if (kind != MAIL_ANSWERED)
        check_terminal(s, x->g, x->ticket);
    gateway_post(x->g, x->worker, &m);
}

/* The ticket is done with: what it still owes is reported. */
static void
settle_ticket(struct sim *s, struct exchange *x, bool left)
{
    if (x->report && x->connected)
        send_report(s, x, MAIL_ANSWERED, false);
    else if (x->report)
        send_report(s, x, left ? MAIL_LEAVE : MAIL_CONNECT_FAILED, false);
    x->report = x->connected = false;
}

static void
stop_relaying(struct sim *s, struct exchange *x)
{
    if (!x->open)
        return;
    view_end(view_of(x), x->open, 10, s->now);
    x->open = NULL;
    activity(s, x);
}

static void
leave_ask(struct exchange *x, uint64_t ticket)
{
    struct mail m = {.kind = MAIL_LEAVE, .ticket = ticket, .sandbox = x->sandbox};
    struct ask *a = gateway_ask(x->g, ticket);

    a->left = true;
    a->x = NULL;
    gateway_post(x->g, x->worker, &m);
}

static void
end(struct sim *s, struct exchange *x, const char *how)
{
    trace(s, "g%u x%u ends: %s", x->g->n, x->id, how);
    if (x->step == STEP_ASKING)
        leave_ask(x, x->ticket);
    if (x->asked != 0)
        leave_ask(x, x->asked);
    x->asked = 0;
    settle_ticket(s, x, how[0] == 'l');
    stop_relaying(s, x);
    x->step = STEP_ENDED;
    x->serial++;
    if (++x->ended > 1)
        broken(s, RULE_ENDS_ONCE, "x%u ended again: %s", x->id, how);
}

void
exchange_crash(struct sim *s, struct exchange *x)
{
    x->open = NULL; /* the view goes with the process */
    if (x->step == STEP_ENDED)
        return;
    if (x->reached)
        list_unlink(&x->inside);
    x->reached = NULL;
    x->step = STEP_ENDED;
    x->serial++;
    if (++x->ended > 1)
        broken(s, RULE_ENDS_ONCE, "x%u ended again by a crash", x->id);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void
ask(struct sim *s, struct exchange *x, enum ask_why why)
{
    struct mail m = {.kind = MAIL_ASK, .version = x->version};
    struct mail_ask *q = &m.u.ask;
    struct ask *a = gateway_new_ask(x->g);

    a->x = x;
    a->guest = x->guest->n;
    a->port = x->port;
    a->worker = x->worker;
    a->why = why;
    a->may_wake = x->may_wake && !x->woken;
    a->keep_alive = x->keep_alive;
    a->bad_token = x->guest->needs_token && (!x->has_token || x->token[0] != x->guest->n + 1);
    a->arrived = x->arrived;
    a->deadline = usec_add(x->arrived, usec_min(x->wait, 8 * USEC_SEC));
    m.ticket = a->ticket;
    if (why == ASK_NO_ANSWER)
        x->asked = a->ticket;
    else
        x->ticket = a->ticket;
    q->why = why;
    q->port = (uint16_t)(3000 + x->port);
    q->klass = x->klass;
    q->may_wake = a->may_wake;
    q->keep_alive = x->keep_alive;
    q->has_token = x->has_token;
    memcpy(q->token, x->token, sizeof(q->token));
    q->arrived = x->arrived;
    q->wait = x->wait;
    q->bytes = x->bytes;
    q->key = x->guest->key;
    q->method = x->idempotent ? SLICE("GET") : SLICE("POST");
    q->path = SLICE("/");
    trace(s, "g%u x%u asks (%d) for %s:%u, ticket %u", x->g->n, x->id, (int)why, x->guest->key.id,
          x->port, (unsigned)a->ticket);
    gateway_post(x->g, x->worker, &m);
}

static void
ask_to_go(struct sim *s, struct exchange *x, enum ask_why why)
{
    settle_ticket(s, x, false);
    x->step = STEP_ASKING;
    x->serial++;
    ask(s, x, why);
}

/* --- sent ------------------------------------------------------------------------------------- */

static void
on_doubt(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;

    if (x->step != STEP_SENT || x->serial != e->a)
        return;
    if (x->asked == 0)
        ask(s, x, ASK_NO_ANSWER);
    e = at(s, s->now + DOUBT_AGAIN, on_doubt, x->g, 0);
    e->p = x;
    e->a = x->serial;
}

static void
on_upstream_timeout(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;

    if (x->step == STEP_SENT && x->serial == e->a)
        end(s, x, "upstream_timeout");
}

static void
send_request(struct sim *s, struct exchange *x, struct guest *to)
{
    struct event *e;

    x->open = view_begin(view_of(x), x->sandbox, s->now);
    ensure(x->open);
    activity(s, x);
    x->step = STEP_SENT;
    x->serial++;
    if (x->report && !x->connected) {
        send_report(s, x, MAIL_CONNECTED, true);
        x->connected = true;
    }
    e = at(s, s->now + ANSWER_DOUBT, on_doubt, x->g, 0);
    e->p = x;
    e->a = x->serial;
    e = at(s, s->now + UPSTREAM_TIMEOUT, on_upstream_timeout, x->g, 0);
    e->p = x;
    e->a = x->serial;
    guest_take(s, to, x);
}

static void
on_answered(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;

    if (x->step != STEP_SENT || x->serial != e->a)
        return;
    if (x->report)
        send_report(s, x, MAIL_ANSWERED, true);
    x->report = x->connected = false;
    end(s, x, "answered");
}

void
exchange_answer(struct sim *s, struct exchange *x)
{
    struct event *e;

    x->reached = NULL;
    if (x->step != STEP_SENT)
        return;
    e = at(s, s->now + 100, on_answered, x->g, 0);
    e->p = x;
    e->a = x->serial;
}

static void
on_reset(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;

    if (x->step != STEP_SENT || x->serial != e->a)
        return;
    stop_relaying(s, x);
    if (!x->idempotent) {
        end(s, x, "upstream_reset");
        return;
    }
    x->step = STEP_CONNECTING;
    x->serial++;
    if (x->asked != 0)
        leave_ask(x, x->asked);
    x->asked = 0;
    /* Both are right: to try on with the same ticket, and to ask. */
    if (s->seed % 2) {
        ask_to_go(s, x, ASK_REFUSED);
        return;
    }
    perform(s, x, attempt_on_reset(&x->attempt, s->now));
}

void
exchange_reset(struct sim *s, struct exchange *x)
{
    struct event *e = at(s, s->now + 100, on_reset, x->g, 0);

    e->p = x;
    e->a = x->serial;
    e->life = x->life;
}

/* --- connecting ------------------------------------------------------------------------------- */

static void
on_dialed(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;
    struct guest *who;
    enum attempt_do what;

    if (x->step != STEP_CONNECTING || x->serial != e->a || x->attempt.open == 0)
        return;
    if (e->b == DIALED_SILENT) {
        perform(s, x, attempt_on_silent(&x->attempt, s->now));
        return;
    }
    /* Who listens there now? */
    if (guest_dial(s, &x->attempt.to, &who) != DIALED_OK) {
        perform(s, x, attempt_on_refused(&x->attempt, s->now));
        return;
    }
    what = attempt_on_connected(&x->attempt, view_current(view_of(x), x->sandbox, x->version),
                                s->now);
    if (what == ATTEMPT_ACCEPT)
        send_request(s, x, who);
    else
        perform(s, x, what);
}

static void
dial(struct sim *s, struct exchange *x)
{
    struct guest *who;
    enum dialed d = guest_dial(s, &x->attempt.to, &who);
    usec_t takes = d == DIALED_SILENT ? x->attempt.ttl : between(s, 100, 2000);
    struct event *e;

    if (chance(s, 20 + s->plan.slow_connect))
        takes += between(s, 0, 200 * USEC_MS);
    e = at(s, s->now + takes, on_dialed, x->g, 0);
    e->p = x;
    e->a = x->serial;
    e->b = d;
}

static void
on_timer(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;

    if (x->step != STEP_CONNECTING || x->serial != e->a || s->now < x->attempt.next)
        return;
    if (!view_current(view_of(x), x->sandbox, x->version))
        perform(s, x, attempt_on_stale(&x->attempt));
    else
        perform(s, x, attempt_on_timer(&x->attempt, s->now));
}

static void
set_timer(struct sim *s, struct exchange *x)
{
    struct event *e;

    if (x->attempt.next == USEC_NEVER)
        return;
    e = at(s, x->attempt.next, on_timer, x->g, 0);
    e->p = x;
    e->a = x->serial;
}

static void
perform(struct sim *s, struct exchange *x, enum attempt_do what)
{
    switch (what) {
    case ATTEMPT_DIAL:
        dial(s, x);
        set_timer(s, x);
        break;
    case ATTEMPT_WAIT:
        set_timer(s, x);
        break;
    case ATTEMPT_ASK:
        ask_to_go(s, x, x->attempt.why);
        break;
    case ATTEMPT_FAIL:
        end(s, x, reason_slug(x->attempt.reason));
        break;
    case ATTEMPT_ACCEPT:
    case ATTEMPT_DROP:
        break;
    }
}

static void
connect_to(struct sim *s, struct exchange *x, enum verdict mode, const struct endpoint *to,
           usec_t since, usec_t until)
{
    static const struct attempt_limits limits = ATTEMPT_LIMITS_DEFAULT;

    x->step = STEP_CONNECTING;
    x->serial++;
    perform(s, x, attempt_start(&x->attempt, &limits, mode, to, since, until, s->now));
}

/* --- mail ------------------------------------------------------------------------------------- */

static void
on_go(struct sim *s, struct exchange *x, const struct mail *m)
{
    const struct mail_verdict *v = &m->u.verdict;

    x->sandbox = m->sandbox;
    x->version = m->version;
    x->report = v->report;
    x->connected = false;
    x->woken |= v->wake_took > 0;
    connect_to(s, x, v->verdict, &v->to, v->since, v->until);
}

static void
on_doubt_settled(struct sim *s, struct exchange *x, const struct mail *m)
{
    x->asked = 0;
    if (m->u.verdict.verdict == VERDICT_NO)
        end(s, x, reason_slug(m->u.verdict.reason));
}

static void
on_verdict(struct sim *s, struct gateway *g, const struct mail *m)
{
    struct ask *a = gateway_ask(g, m->ticket);
    struct exchange *x = a->x;

    /* A LEAVE that crossed a GO was the terminal message. */
    if (!x) {
        if (a->released)
            check_terminal(s, g, m->ticket);
        return;
    }
    a->x = NULL;
    if (x->asked == m->ticket) {
        on_doubt_settled(s, x, m);
        return;
    }
    x->step = STEP_CONNECTING; /* asking is over */
    if (m->u.verdict.verdict == VERDICT_NO)
        end(s, x, reason_slug(m->u.verdict.reason));
    else
        on_go(s, x, m);
}

void
worker_on_mail(struct sim *s, struct gateway *g, unsigned n, const struct mail *m)
{
    struct mail reply;
    unsigned todo = view_on_mail(g->w[n].view, m, s->now, &reply);

    trace(s, "g%u w%u gets %s, version %u, ticket %u", g->n, n, mail_kind_name(m->kind),
          (unsigned)m->version, (unsigned)m->ticket);
    if (todo & VIEW_REPLY)
        gateway_post(g, n, &reply);
    if (m->kind == MAIL_VERDICT)
        on_verdict(s, g, m);
}

/* --- clients ---------------------------------------------------------------------------------- */

static void
on_client_leaves(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;

    if (x->step != STEP_ENDED)
        end(s, x, "left");
}

static struct exchange *
new_exchange(struct sim *s, struct gateway *g)
{
    struct exchange *x = calloc(1, sizeof(*x));

    ensure(x);
    x->id = ++s->exchanges_n;
    x->g = g;
    x->life = g->life;
    x->worker = below(s, s->plan.workers);
    x->guest = &s->guest[below(s, s->plan.guests)];
    x->port = below(s, s->plan.ports);
    x->idempotent = chance(s, 500);
    x->keep_alive = chance(s, 600);
    x->klass = chance(s, 100) ? CLASS_PREFETCH : CLASS_FETCH;
    x->may_wake = x->klass != CLASS_PREFETCH;
    x->has_token = x->guest->needs_token;
    x->token[0] = (uint8_t)(x->guest->n + 1);
    if (chance(s, s->plan.stranger)) {
        x->has_token = chance(s, 500);
        x->token[0] = 99;
    }
    x->arrived = s->now;
    x->wait = chance(s, 100) ? between(s, 0, 8 * USEC_SEC) : USEC_OFF;
    x->bytes = chance(s, 300) ? below(s, 400) : 0;
    list_init(&x->inside);
    list_push_back(&s->exchanges, &x->link);
    return x;
}

void
exchange_start(struct sim *s, struct gateway *g)
{
    struct exchange *x = new_exchange(s, g);
    struct view_route r;
    enum view_says says = view_route(view_of(x), &x->guest->key, (uint16_t)(3000 + x->port),
                                     x->has_token ? x->token : NULL, &r);

    trace(s, "g%u x%u comes to w%u for %s:%u", g->n, x->id, x->worker, x->guest->key.id, x->port);
    if (chance(s, s->plan.leave))
        at(s, s->now + between(s, 0, 10 * USEC_SEC), on_client_leaves, g, 0)->p = x;
    if (says == VIEW_ASK) {
        x->step = STEP_ASKING;
        ask(s, x, ASK_UNKNOWN);
    } else if (says == VIEW_GO) {
        x->sandbox = r.sandbox;
        x->version = r.version;
        connect_to(s, x, VERDICT_GO_DIRECT, &r.to, 0, usec_add(s->now, 8 * USEC_SEC));
    } else {
        x->step = STEP_CONNECTING;
        end(s, x, says == VIEW_NEEDS_TOKEN ? "auth_required" : "auth_invalid");
    }
}
