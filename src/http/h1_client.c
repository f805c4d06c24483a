/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_client.c: the life of a back session: its events and deadlines, and the request that goes out.
 * It must not know sandboxes, nor why it was connected. Owner: the back pool, or a test; one loop.
 */
#include "config.h"

#include "http/h1_client_priv.h"

#include <stddef.h>
#include <stdlib.h>

void
h1_client_options_init(struct h1_client_options *o)
{
    *o = (struct h1_client_options){
        .limits = H1_LIMITS_ANSWER,
        .first_byte = 120 * USEC_SEC,
        .silence = USEC_SEC,
        .stall = 300 * USEC_SEC,
        .write_stall = 30 * USEC_SEC,
        .head_time = 30 * USEC_SEC,
    };
}

/* --- deadlines ------------------------------------------------------------------------------ */

/* When the peer will have been quiet for too long, before it answered. */
static usec_t
quiet_due(const struct h1_client *c)
{
    usec_t due = USEC_NEVER;

    if (!c->request_sent && !c->blocked)
        return USEC_NEVER; /* it waits for us */
    if (!c->silence_told && c->o->silence > 0)
        due = usec_add(c->moved, c->o->silence);
    return usec_min(due, usec_add(c->moved, c->request_sent ? c->o->first_byte
                                                            : c->o->write_stall));
}

static usec_t
due_at(const struct h1_client *c)
{
    usec_t due = USEC_NEVER;

    if (c->state != H1_CLIENT_BUSY || !c->end.ex)
        return USEC_NEVER;
    if (c->head_began == 0)
        return quiet_due(c);
    if (!c->answering)
        return usec_add(c->head_began, c->o->head_time);
    if (c->end.ex->tunnel)
        return USEC_NEVER;
    if (h1_client_wants_input(c) && !exchange_streams(c->end.ex))
        due = usec_add(c->moved, c->o->stall);
    if (c->blocked)
        due = usec_min(due, usec_add(c->moved, c->o->write_stall));
    return due;
}

void
h1_client_arm(struct h1_client *c)
{
    usec_t due = due_at(c);

    if (due < c->timer.deadline)
        loop_timer_set(c->loop, &c->timer, due);
}

static void
time_out(struct h1_client *c)
{
    bool only_silent = c->head_began == 0 && !c->silence_told && c->o->silence > 0 &&
                       c->loop->now < usec_add(c->moved, usec_min(c->o->first_byte,
                                                                  c->o->write_stall));

    if (only_silent) {
        c->silence_told = true;
        exchange_silence(c->end.ex);
        return;
    }
    h1_client_close(c, c->answering ? REASON_UPSTREAM_STALLED : REASON_UPSTREAM_TIMEOUT);
}

static void
on_timer(struct wheel_timer *t)
{
    struct h1_client *c = container_of(t, struct h1_client, timer);

    if (due_at(c) <= c->loop->now)
        time_out(c);
    h1_client_arm(c);
}

/* --- what goes out -------------------------------------------------------------------------- */

static int
write_request(struct buf *b, const void *arg)
{
    return h1_write_request(b, arg, false);
}

static struct h1_client *
of_end(struct exchange_end *end)
{
    return container_of(end, struct h1_client, end);
}

static void
on_head(struct exchange_end *end)
{
    struct h1_client *c = of_end(end);
    const struct head *h = &end->ex->req;

    /* It says that it has no body, but has not ended: it may turn out to lie (RELIABILITY C11). */
    if (h->framing == FRAMING_LENGTH && h->length == 0 && !h->upgrade &&
        !pipe_at_end(&end->ex->to_back))
        return;
    c->head_made = true;
    if ((h->upgrade && h1_client_tunnel_ask(c) < 0) ||
        h1_output_text(&c->out, write_request, h) < 0) {
        h1_client_close(c, REASON_INTERNAL_ERROR);
        return;
    }
    h1_output_open(&c->out, h->framing, h->length, true);
    loop_queue_flush(c->loop, &c->flush);
}

static void
on_kick(struct exchange_end *end)
{
    struct h1_client *c = of_end(end);

    if (!c->head_made)
        on_head(end);
    else if (c->out.open)
        loop_queue_flush(c->loop, &c->flush);
}

static void
on_credit(struct exchange_end *end)
{
    struct h1_client *c = of_end(end);

    c->moved = c->loop->now;
    h1_client_input(c);
}

static void
on_reset(struct exchange_end *end, enum reason why)
{
    h1_client_close(of_end(end), why);
}

static const struct exchange_end_ops ops = {
    .name = "h1 client",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
    .reset = on_reset,
};

/* The peer takes no more of the request. It may have answered before: look. */
static void
on_broken(struct h1_client *c)
{
    if (!c->sent_any) {
        h1_client_close(c, REASON_POOL_STALE);
        return;
    }
    c->broken = true;
    c->blocked = false;
    h1_output_fini(&c->out);
    c->back.conn.readable = true;
    loop_queue_run(c->loop, &c->run);
    if (c->end.ex->tunnel) {
        exchange_stop(&c->end.ex->to_back, c->end.ex->front);
        h1_client_tunnel_check(c);
    }
}

static void
on_flush(struct task *t)
{
    struct h1_client *c = container_of(t, struct h1_client, flush);
    struct exchange *ex = c->end.ex;
    enum h1_output_says says;
    size_t sent = 0;

    if (c->state != H1_CLIENT_BUSY || !ex || c->broken)
        return;
    if (!c->sent_any && c->back.conn.hup) { /* said before it was ours: no edge tells it again */
        h1_client_close(c, REASON_POOL_STALE);
        return;
    }
    /* Trailers of a request are dropped (RELIABILITY A9). */
    says = h1_output_flush(&c->out, &c->back.conn, &ex->to_back, ex->front, NULL, &sent);
    if (sent > 0) {
        if (!c->sent_any && c->back.conn.readable)
            loop_queue_run(c->loop, &c->run); /* likewise */
        c->moved = c->loop->now;
        c->sent_any = true;
        if (ex->delivered == DELIVERED_NO)
            ex->delivered = DELIVERED_MAYBE;
    }
    c->blocked = says == H1_OUTPUT_BLOCKED;
    if (says == H1_OUTPUT_DONE && ex->tunnel) {
        h1_client_tunnel_sent(c);
    } else if (says == H1_OUTPUT_DONE) {
        c->request_sent = true;
        ex->sent = c->loop->now;
    } else if (says == H1_OUTPUT_FAILED) {
        on_broken(c);
    } else if (says == H1_OUTPUT_CUT) {
        h1_client_close(c, REASON_CLIENT_TRUNCATED);
    }
    h1_client_arm(c);
}

/* --- life ----------------------------------------------------------------------------------- */

static void
on_event(struct conn *conn, unsigned events)
{
    struct h1_client *c = container_of(conn, struct h1_client, back.conn);

    if (c->state == H1_CLIENT_IDLE) {
        /* Bytes, FIN or an error, and nobody asked: never to be used (RELIABILITY E4). */
        if (events & (CONN_READABLE | CONN_HUP | CONN_FAILED))
            h1_client_close(c, REASON_POOL_STALE);
        return;
    }
    if (events & CONN_FAILED)
        c->back.conn.readable = true; /* what came before the error is still to be read */
    if (events & CONN_WRITABLE && h1_output_pending(&c->out))
        loop_queue_flush(c->loop, &c->flush);
    if (events & (CONN_READABLE | CONN_HUP | CONN_FAILED))
        h1_client_input(c);
}

static const struct conn_owner conn_owner = {.name = "back", .on_event = on_event};

static void
on_run(struct task *t)
{
    h1_client_input(container_of(t, struct h1_client, run));
}

/* Runs also for a session that was closed in this turn: its loan must be settled. */
static void
on_rearm(struct task *t)
{
    struct h1_client *c = container_of(t, struct h1_client, rearm);
    struct exchange *ex = c->lent_to;

    c->lent_to = NULL;
    if (ex && !ex->ended && pipe_settle(&ex->to_front) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
    if (c->state == H1_CLIENT_CLOSED)
        return;
    if (h1_input_rearm(&c->in) < 0) {
        h1_client_close(c, REASON_OUT_OF_MEMORY);
        return;
    }
    if (c->state == H1_CLIENT_BUSY && c->back.conn.readable && h1_client_wants_input(c))
        loop_queue_run(c->loop, &c->run);
    else if (c->state == H1_CLIENT_BUSY && c->back.conn.readable && c->end.ex)
        c->end.ex->to_front.thirsty = true; /* no further edge comes: draining goes on */
}

static void
on_reap(struct task *t)
{
    struct h1_client *c = container_of(t, struct h1_client, reap);

    h1_input_fini(&c->in);
    free(c);
}

static struct h1_client *
of_back(struct back *b)
{
    return container_of(b, struct h1_client, back);
}

static void
on_serve(struct back *b, struct exchange *ex)
{
    struct h1_client *c = of_back(b);

    ensure(c->state == H1_CLIENT_IDLE);
    c->state = H1_CLIENT_BUSY;
    b->served++;
    b->open = 1;
    c->body = NULL;
    c->head_began = 0;
    c->head_bytes = 0;
    c->moved = c->loop->now;
    c->head_made = c->sent_any = c->request_sent = c->broken = c->blocked = false;
    c->answering = c->silence_told = c->fin_sent = false;
    h1_scan_init(&c->scan);
    ex->back_peer = b->conn.peer;
    exchange_attach_back(ex, &c->end, true);
}

static uint32_t
room(const struct back *b)
{
    return container_of(b, const struct h1_client, back)->state == H1_CLIENT_IDLE;
}

static void
on_close(struct back *b, enum reason why)
{
    h1_client_close(of_back(b), why);
}

static const struct back_ops back_ops = {
    .name = "h1",
    .serve = on_serve,
    .room = room,
    .close = on_close,
};

struct back *
h1_client_open(struct loop *l, struct conn *conn, const struct h1_client_options *o,
               const struct back_owner *owner, void *ctx)
{
    struct h1_client *c = calloc(1, sizeof(*c));

    if (!c || conn_move(&c->back.conn, conn, &conn_owner) < 0) {
        conn_close(conn, true);
        free(c);
        return NULL;
    }
    c->back.ops = &back_ops;
    c->back.owner = owner;
    c->back.ctx = ctx;
    c->back.idle_since = c->back.heard = l->now;
    c->loop = l;
    c->o = o;
    exchange_end_init(&c->end, &ops);
    task_init(&c->run, on_run);
    task_init(&c->flush, on_flush);
    task_init(&c->rearm, on_rearm);
    task_init(&c->reap, on_reap);
    wheel_timer_init(&c->timer, on_timer);
    h1_input_init(&c->in, l);
    h1_output_init(&c->out, l);
    return &c->back;
}

void
h1_client_close(struct h1_client *c, enum reason why)
{
    bool incomplete = c->state == H1_CLIENT_BUSY && !c->request_sent;

    if (c->state == H1_CLIENT_CLOSED)
        return;
    c->state = H1_CLIENT_CLOSED;
    c->back.open = 0;
    if (c->end.ex)
        exchange_back_lost(c->end.ex, why);
    conn_close(&c->back.conn, incomplete);
    loop_timer_cancel(c->loop, &c->timer);
    task_cancel(&c->end.task);
    task_cancel(&c->run);
    task_cancel(&c->flush);
    h1_output_fini(&c->out);
    loop_queue_reap(c->loop, &c->reap);
    c->back.owner->on_closed(c->back.ctx, &c->back, why);
}
