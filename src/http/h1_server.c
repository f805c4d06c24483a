/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_server.c: the life of a front session: its states, events and deadlines. It must not know
 * routes, sandboxes or what an answer says. Owner: the gateway's worker; one loop.
 */
#include "config.h"

#include "http/h1_server_priv.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define TO(sym) (1u << FRONT_##sym)

static const unsigned legal_moves[FRONT_STATE_COUNT] = {
    [FRONT_IDLE] = TO(HEAD) | TO(CLOSED),
    [FRONT_HEAD] = TO(EXCHANGE) | TO(REFUSE) | TO(CLOSED),
    [FRONT_EXCHANGE] = TO(IDLE) | TO(DRAIN) | TO(REFUSE) | TO(LINGER) | TO(CLOSED),
    [FRONT_DRAIN] = TO(IDLE) | TO(LINGER) | TO(CLOSED),
    [FRONT_REFUSE] = TO(LINGER) | TO(CLOSED),
    [FRONT_LINGER] = TO(CLOSED),
};

void
h1_server_options_init(struct h1_server_options *o)
{
    *o = (struct h1_server_options){
        .limits = H1_LIMITS_REQUEST,
        .head_time = 10 * USEC_SEC,
        .idle = 60 * USEC_SEC,
        .max_requests = 10000,
        .grace = 20 * USEC_SEC,
        .min_rate = 500,
        .stall = 30 * USEC_SEC,
        .max_body = UINT64_MAX,
    };
}

void
front_set_state(struct h1_server *s, enum front_state to)
{
    ensure(legal_moves[s->state] & 1u << to);
    s->state = to;
    s->session.open = to == FRONT_EXCHANGE;
    s->since = s->loop->now;
    front_arm(s);
    if (to == FRONT_IDLE)
        loop_queue_rearm(s->loop, &s->job->rearm); /* the job is done */
}

static usec_t
exchange_due(const struct h1_server *s)
{
    usec_t due = pace_due(&s->job->writing, s->o->stall, s->o->grace, s->o->min_rate);

    if (s->end.ex && exchange_streams(s->end.ex))
        return due;
    return usec_min(due, pace_due(&s->job->reading, s->o->stall, s->o->grace, s->o->min_rate));
}

static usec_t
due_at(const struct h1_server *s)
{
    switch (s->state) {
    case FRONT_IDLE:
        return usec_add(s->since, s->draining ? H1_DISCARD_TIME : s->o->idle);
    case FRONT_HEAD:
        return usec_add(s->since, s->o->head_time);
    case FRONT_EXCHANGE:
        return front_is_tunnel(s) ? USEC_NEVER : exchange_due(s);
    case FRONT_REFUSE:
    case FRONT_DRAIN:
    case FRONT_LINGER:
        return s->since + H1_DISCARD_TIME;
    case FRONT_CLOSED:
    case FRONT_STATE_COUNT:
        break;
    }
    return USEC_NEVER;
}

void
front_arm(struct h1_server *s)
{
    usec_t due = due_at(s);

    if (due < s->timer.deadline)
        loop_timer_set(s->loop, &s->timer, due);
}

/* A deadline has passed. */
static void
time_out(struct h1_server *s)
{
    switch (s->state) {
    case FRONT_IDLE:
        front_close(s, REASON_IDLE, false);
        break;
    case FRONT_HEAD:
        front_refuse(s, REASON_REQUEST_TIMEOUT, "head not complete in time");
        break;
    case FRONT_EXCHANGE:
        if (pace_due(&s->job->writing, s->o->stall, s->o->grace, s->o->min_rate) <= s->loop->now)
            front_close(s, REASON_CLIENT_STALLED, true);
        else
            front_broken(s, REASON_REQUEST_TIMEOUT);
        break;
    case FRONT_DRAIN:
        front_linger(s, REASON_NONE);
        break;
    case FRONT_REFUSE:
    case FRONT_LINGER:
        front_close(s, REASON_NONE, true);
        break;
    case FRONT_CLOSED:
    case FRONT_STATE_COUNT:
        break;
    }
}

static void
on_timer(struct wheel_timer *t)
{
    struct h1_server *s = container_of(t, struct h1_server, timer);

    if (due_at(s) <= s->loop->now && (s->end.ex || s->state != FRONT_EXCHANGE))
        time_out(s);
    if (s->state != FRONT_CLOSED)
        front_arm(s);
}

static void
on_event(struct conn *c, unsigned events)
{
    struct h1_server *s = container_of(c, struct h1_server, session.conn);

    if (events & CONN_FAILED) {
        front_close(s, REASON_CLIENT_LEFT, false);
        return;
    }
    if (events & CONN_WRITABLE && s->job && h1_output_pending(&s->job->out))
        loop_queue_flush(s->loop, &s->job->flush);
    if (events & (CONN_READABLE | CONN_HUP))
        front_input(s);
}

static const struct conn_owner conn_owner = {.name = "front", .on_event = on_event};

static void
on_run(struct task *t)
{
    front_input(container_of(t, struct h1_server, run));
}

static void
on_flush(struct task *t)
{
    front_flush(container_of(t, struct front_job, flush)->s);
}

static void
give_job(struct h1_server *s)
{
    task_cancel(&s->job->flush);
    task_cancel(&s->job->rearm);
    h1_input_fini(&s->job->in);
    h1_output_fini(&s->job->out);
    arena_reset(&s->job->arena);
    pool_give(&s->loop->jobs, s->job);
    s->job = NULL;
}

/* What was read and not used is kept, or waits for the next turn. */
static void
go_on_reading(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;

    if (h1_input_rearm(&s->job->in) < 0)
        front_close(s, REASON_OUT_OF_MEMORY, true);
    else if (!s->session.conn.readable)
        return;
    else if (front_wants_input(s))
        loop_queue_run(s->loop, &s->run);
    else if (s->state == FRONT_EXCHANGE && ex && (!s->job->request_done || ex->tunnel))
        ex->to_back.thirsty = true; /* no further edge comes: draining goes on */
}

static void
on_rearm(struct task *t)
{
    struct h1_server *s = container_of(t, struct front_job, rearm)->s;
    struct exchange *ex = s->job->lent_to;

    s->job->lent_to = NULL;
    if (ex && !ex->ended && pipe_settle(&ex->to_back) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
    if (s->state != FRONT_CLOSED)
        go_on_reading(s);
    if (s->state == FRONT_IDLE && s->job->in.cur.n == 0)
        give_job(s);
}

int
front_take_job(struct h1_server *s)
{
    struct front_job *job;

    if (s->job)
        return 0;
    job = pool_take(&s->loop->jobs);
    if (!job)
        return -1;
    *job = (struct front_job){.s = s};
    task_init(&job->flush, on_flush);
    task_init(&job->rearm, on_rearm);
    h1_input_init(&job->in, s->loop);
    h1_output_init(&job->out, s->loop);
    arena_init(&job->arena, &s->loop->arena_blocks, EXCHANGE_ARENA_MAX);
    s->job = job;
    loop_queue_rearm(s->loop, &s->job->rearm);
    return 0;
}

static void
on_reap(struct task *t)
{
    struct h1_server *s = container_of(t, struct h1_server, reap);

    if (s->job)
        give_job(s);
    free(s);
}

void
front_close(struct h1_server *s, enum reason why, bool abort)
{
    if (s->state == FRONT_CLOSED)
        return;
    if (s->end.ex)
        exchange_front_lost(s->end.ex, why);
    front_set_state(s, FRONT_CLOSED);
    conn_close(&s->session.conn, abort);
    loop_timer_cancel(s->loop, &s->timer);
    task_cancel(&s->end.task);
    task_cancel(&s->run);
    if (s->job)
        task_cancel(&s->job->flush);
    loop_queue_reap(s->loop, &s->reap);
    s->session.owner->on_closed(s->session.ctx, &s->session, why);
}

void
front_linger(struct h1_server *s, enum reason why)
{
    if (s->session.conn.eof || s->session.conn.error != 0) {
        front_close(s, why, false);
        return;
    }
    conn_shut_write(&s->session.conn);
    s->job->discarded = 0;
    front_set_state(s, FRONT_LINGER);
    if (s->session.conn.readable)
        loop_queue_run(s->loop, &s->run);
}

static void
on_drain(struct session *session)
{
    struct h1_server *s = container_of(session, struct h1_server, session);

    if (s->draining)
        return;
    s->draining = true;
    if (s->state != FRONT_IDLE || (s->job && s->job->in.cur.n > 0))
        return;
    /* A request may be on its way: what came, and the first of all, is still served. */
    if (s->session.requests > 0 && !conn_is_dirty(&s->session.conn)) {
        front_close(s, REASON_SHUTDOWN, false);
        return;
    }
    s->since = s->loop->now;
    s->session.conn.readable = true;
    loop_queue_run(s->loop, &s->run);
    front_arm(s);
}

static void
on_close(struct session *session, enum reason why)
{
    front_close(container_of(session, struct h1_server, session), why, false);
}

static const struct session_ops session_ops = {.name = "h1", .drain = on_drain, .close = on_close};

/* Without a connection yet. */
static struct h1_server *
new_server(struct loop *l, const struct h1_server_options *o, const struct session_owner *owner,
           void *ctx)
{
    struct h1_server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->loop = l;
    s->o = o;
    s->session.ops = &session_ops;
    s->session.owner = owner;
    s->session.ctx = ctx;
    list_init(&s->session.link);
    exchange_end_init(&s->end, &h1_server_ops);
    task_init(&s->run, on_run);
    task_init(&s->reap, on_reap);
    wheel_timer_init(&s->timer, on_timer);
    s->since = l->now;
    return s;
}

struct session *
h1_server_open(struct loop *l, int fd, const struct endpoint *peer,
               const struct h1_server_options *o, const struct session_owner *owner, void *ctx)
{
    struct h1_server *s = new_server(l, o, owner, ctx);

    if (!s) {
        close(fd);
        return NULL;
    }
    if (conn_open_accepted(&s->session.conn, l, fd, peer, &conn_owner) < 0) {
        free(s);
        return NULL;
    }
    front_arm(s);
    return &s->session;
}

struct session *
h1_server_adopt(struct loop *l, struct conn *c, struct slice early, usec_t since,
                const struct h1_server_options *o, const struct session_owner *owner, void *ctx)
{
    struct h1_server *s = new_server(l, o, owner, ctx);

    if (!s)
        return NULL;
    if ((early.n > 0 && front_take_job(s) < 0) ||
        conn_move(&s->session.conn, c, &conn_owner) < 0) {
        if (s->job)
            give_job(s);
        free(s);
        return NULL;
    }
    if (early.n > 0) {
        h1_input_lend(&s->job->in, early);
        s->job->came = since;
    }
    if (early.n > 0 || s->session.conn.readable)
        loop_queue_run(l, &s->run);
    front_arm(s);
    return &s->session;
}
