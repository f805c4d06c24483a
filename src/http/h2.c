/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2.c: the life of an HTTP/2 connection of either role: input, states, deadlines, streams. It must
 * not know what heads say. Owner: the session or back that embeds it; one loop.
 */
#include "config.h"

#include "http/h2_block_priv.h"

#include <errno.h>
#include <stddef.h>

#define LINGER_TIME USEC_SEC
#define FRAME_SIZE 32 /* of one that answers the peer, at most */
/* A head within our limits must fit, with what its coding may add at worst. */
#define SEND_BLOCK_MAX (256u * 1024)
#define HEAD_READ 2048u
#define LINGER_BYTES (64u * 1024)
#define LEFT_MAX (LOOP_READ_LARGE + 64u * 1024)

/* --- streams -------------------------------------------------------------------------------- */

struct h2_stream *
h2_stream_new(struct h2 *h, int32_t id, const struct exchange_end_ops *ops)
{
    static const nghttp2_extpri equal = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1};
    struct h2_stream *s = pool_take(&h->loop->pieces);

    if (!s)
        return NULL;
    *s = (struct h2_stream){.h = h, .id = id, .window = h->stream_window};
    exchange_end_init(&s->end, ops);
    list_init(&s->todo);
    list_init(&s->lent);
    list_init(&s->link);
    if (id > 0 && nghttp2_session_set_stream_user_data(h->ng, id, s) != 0) {
        pool_give(&h->loop->pieces, s);
        return NULL;
    }
    s->known = id > 0;
    if (h->role->server) /* turns between all, whatever the client wishes (C15) */
        nghttp2_session_change_extpri_stream_priority(h->ng, id, &equal, 1);
    list_push_back(&h->streams, &s->link);
    h->open++;
    h->windows += s->window;
    return s;
}

/* Forgets it once nobody needs it: the exchange, nghttp2, the output. */
static void
forget(struct h2_stream *s)
{
    struct h2 *h = s->h;

    if (s->gone || s->known || s->end.ex || list_linked(&s->todo))
        return;
    s->gone = true;
    task_cancel(&s->end.task);
    list_unlink(&s->link);
    list_push_back(&h->dead, &s->link);
    h->open--;
    h->windows -= s->window;
    if (h->open == 0) {
        h->since = h->loop->now;
        h2_arm(h, h->role->due(h));
    }
    loop_queue_rearm(h->loop, &h->rearm);
    h->role->on_stream_free(s);
}

void
h2_stream_release(struct h2_stream *s)
{
    list_unlink(&s->todo);
    forget(s);
}

void
h2_stream_drop(struct h2_stream *s, uint32_t code, bool excused)
{
    struct h2 *h = s->h;

    s->excused = excused;
    if (s->known && h->state == H2_OPEN) {
        if (nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, s->id, code) != 0)
            h2_doom(h, NGHTTP2_INTERNAL_ERROR, REASON_OUT_OF_MEMORY);
        h2_allow_crossing(h, s);
        loop_queue_flush(h->loop, &h->flush);
    }
    h2_stream_release(s);
}

void
h2_stream_closed(struct h2_stream *s, uint32_t code)
{
    struct h2 *h = s->h;

    s->known = false;
    if (s->end.ex && !h2_is_through(s))
        h->role->on_lost(s, s->peer_reset ? h->role->left : h->role->broken, code);
    else if (!s->end_out || s->end_sent)
        list_unlink(&s->todo);
    forget(s);
}

static void
lose_all(struct h2 *h, enum reason why)
{
    struct list *n;

    while ((n = list_first(&h->streams)) != NULL) {
        struct h2_stream *s = container_of(n, struct h2_stream, link);

        s->known = false;
        list_unlink(&s->todo);
        if (s->end.ex)
            h->role->on_lost(s, why, h->goaway);
        ensure(!s->end.ex);
        forget(s);
    }
}

/* --- deadlines ------------------------------------------------------------------------------ */

static usec_t
reading_due(const struct h2 *h, const struct h2_stream *s)
{
    if (s->end.ex && exchange_streams(s->end.ex))
        return USEC_NEVER;
    return pace_due(&s->reading, h->o->stall, h->o->grace, h->o->min_rate);
}

/* The kernel, or the window of the whole connection, takes nothing: no single stream's fault. */
static bool
is_blocked(const struct h2 *h)
{
    return h->left.n > 0 || nghttp2_session_get_remote_window_size(h->ng) <= 0;
}

static usec_t
writing_due(const struct h2 *h, const struct h2_stream *s, bool blocked)
{
    if (blocked)
        return s->writing.since == 0 ? USEC_NEVER : usec_add(s->writing.since, h->o->conn_stall);
    return pace_due(&s->writing, h->o->stream_stall, h->o->grace, h->o->min_rate);
}

static usec_t
conn_due(const struct h2 *h)
{
    usec_t due = pace_due(&h->writing, h->o->conn_stall, h->o->grace, h->o->min_rate);

    if (h->state != H2_OPEN)
        return usec_min(due, usec_add(h->since, LINGER_TIME));
    if (!h->acked)
        due = usec_min(due, usec_add(h->opened, h->o->settings_ack));
    if (h->block)
        due = usec_min(due, usec_add(h->block->began, h->o->head_time));
    return due;
}

static usec_t
due_at(struct h2 *h)
{
    usec_t due = conn_due(h);
    bool blocked;

    if (h->state != H2_OPEN)
        return h->state == H2_CLOSED ? USEC_NEVER : due;
    blocked = is_blocked(h);
    list_each_safe(n, next, &h->streams) {
        const struct h2_stream *s = container_of(n, struct h2_stream, link);

        due = usec_min(due, reading_due(h, s));
        due = usec_min(due, writing_due(h, s, blocked));
    }
    return usec_min(due, h->role->due(h));
}

void
h2_arm(struct h2 *h, usec_t due)
{
    if (due < h->timer.deadline)
        loop_timer_set(h->loop, &h->timer, due);
}

static void
streams_time_out(struct h2 *h)
{
    usec_t now = h->loop->now;
    bool blocked = is_blocked(h);

    list_each_safe(n, next, &h->streams) {
        struct h2_stream *s = container_of(n, struct h2_stream, link);
        bool stuck = writing_due(h, s, blocked) <= now;

        if (stuck && blocked) {
            h2_close(h, REASON_CLIENT_STALLED);
            return;
        }
        if (!stuck && reading_due(h, s) > now)
            continue;
        s->reading.since = s->writing.since = 0;
        if (s->end.ex)
            h->role->on_lost(s, stuck ? REASON_CLIENT_STALLED : REASON_REQUEST_TIMEOUT,
                             NGHTTP2_CANCEL);
        else
            h2_stream_drop(s, NGHTTP2_CANCEL, false);
        if (h->state != H2_OPEN)
            return;
    }
}

static void
time_out(struct h2 *h)
{
    usec_t now = h->loop->now;

    if (h->state != H2_OPEN ||
        pace_due(&h->writing, h->o->conn_stall, h->o->grace, h->o->min_rate) <= now)
        h2_close(h, h->state == H2_OPEN ? REASON_CLIENT_STALLED : h->why);
    else if (!h->acked && usec_add(h->opened, h->o->settings_ack) <= now)
        h2_end(h, NGHTTP2_SETTINGS_TIMEOUT, h->role->broken);
    else if (h->block && usec_add(h->block->began, h->o->head_time) <= now)
        h2_end(h, NGHTTP2_ENHANCE_YOUR_CALM, REASON_REQUEST_TIMEOUT);
    else
        streams_time_out(h);
    if (h->state == H2_OPEN)
        h->role->on_due(h);
}

static void
on_timer(struct wheel_timer *t)
{
    struct h2 *h = container_of(t, struct h2, timer);

    if (due_at(h) <= h->loop->now)
        time_out(h);
    if (h->state != H2_CLOSED)
        h2_arm(h, due_at(h));
}

/* --- input ---------------------------------------------------------------------------------- */

bool
h2_doom(struct h2 *h, uint32_t code, enum reason why)
{
    if (!h->dying && h->state == H2_OPEN) {
        h->dying = true;
        h->goaway = code;
        h->why = why;
        loop_queue_flush(h->loop, &h->flush);
    }
    return false;
}

/* What nghttp2 says when it cannot go on. */
static uint32_t
code_of(ssize_t error)
{
    switch (error) {
    case NGHTTP2_ERR_FLOODED:
        return NGHTTP2_ENHANCE_YOUR_CALM;
    case NGHTTP2_ERR_NOMEM:
        return NGHTTP2_INTERNAL_ERROR;
    default:
        return NGHTTP2_PROTOCOL_ERROR;
    }
}

static void
feed(struct h2 *h, struct slice s)
{
    size_t frames;
    ssize_t used;

    h2_count_bytes(h, s);
    used = nghttp2_session_mem_recv(h->ng, (const uint8_t *)s.p, s.n);
    h->spoiled = used == NGHTTP2_ERR_NOMEM;
    if (h->state != H2_OPEN)
        return;
    h2_count_heard(h);
    if (used < 0)
        h2_doom(h, code_of(used), used == NGHTTP2_ERR_NOMEM ? REASON_OUT_OF_MEMORY
                                                            : h->role->broken);
    /* Who makes us answer and does not read (RELIABILITY C4). */
    frames = nghttp2_session_get_outbound_queue_size(h->ng);
    if (frames > h->o->out_frames || frames * FRAME_SIZE > h->o->out_bytes)
        h2_doom(h, NGHTTP2_ENHANCE_YOUR_CALM, h->role->broken);
    if (h->dying) {
        h2_end(h, h->goaway, h->why);
        return;
    }
    if (h->block)
        h2_arm(h, usec_add(h->block->began, h->o->head_time));
    loop_queue_flush(h->loop, &h->flush);
}

static void
settle(struct h2 *h)
{
    struct list *n;

    while ((n = list_pop_front(&h->lent)) != NULL) {
        struct h2_stream *s = container_of(n, struct h2_stream, lent);
        struct exchange *ex = s->lent_to;
        struct pipe *p = h->role->server ? &ex->to_back : &ex->to_front;

        s->lent_to = NULL;
        if (!ex->ended && pipe_settle(p) < 0)
            exchange_abort(ex, REASON_OUT_OF_MEMORY);
    }
}

static void
feed_early(struct h2 *h)
{
    struct buf early = h->early;

    buf_init(&h->early, 0);
    if (h->state == H2_OPEN)
        feed(h, buf_slice(&early));
    settle(h);
    buf_fini(&early);
}

static void
discard(struct h2 *h, size_t n)
{
    h->discarded += (uint32_t)n;
    if (h->discarded > LINGER_BYTES)
        h2_close(h, h->why);
}

/*
 * How much is looked at in one turn. A head that goes on after a whole read may be nothing but
 * fields of a byte each: little of it at a time, so that the others have their turns (C6).
 */
static size_t
read_size(const struct h2 *h)
{
    return h->block ? HEAD_READ : h->in_pool->size;
}

static void
input(struct h2 *h)
{
    ssize_t got;

    if (h->early.n > 0)
        feed_early(h);
    if (h->state == H2_CLOSED || h->in || !h->conn->readable)
        return;
    h->in_pool = h->large ? &h->loop->large_reads : &h->loop->small_reads;
    h->in = pool_take(h->in_pool);
    if (!h->in) {
        h2_close(h, REASON_OUT_OF_MEMORY);
        return;
    }
    loop_queue_rearm(h->loop, &h->rearm);
    got = conn_read(h->conn, h->in, read_size(h));
    if (got > 0) {
        h->large = (size_t)got == h->in_pool->size;
        if (h->state == H2_OPEN)
            feed(h, (struct slice){h->in, (size_t)got});
        else
            discard(h, (size_t)got);
    } else if (got == 0 || errno != EAGAIN) {
        h2_close(h, h->state == H2_OPEN && h->open > 0 ? h->role->left : h->why);
    }
}

int
h2_early(struct h2 *h, struct slice bytes)
{
    loop_queue_flush(h->loop, &h->flush);
    loop_queue_run(h->loop, &h->run);
    return buf_add_slice(&h->early, bytes);
}

void
h2_on_event(struct h2 *h, unsigned events)
{
    if (events & CONN_FAILED) {
        h2_close(h, h->role->left);
        return;
    }
    if (events & CONN_WRITABLE)
        loop_queue_flush(h->loop, &h->flush);
    if (events & (CONN_READABLE | CONN_HUP))
        input(h);
}

static void
on_run(struct task *t)
{
    struct h2 *h = container_of(t, struct h2, run);

    if (h->more && h->state != H2_CLOSED)
        loop_queue_flush(h->loop, &h->flush);
    input(h);
}

static void
on_flush(struct task *t)
{
    struct h2 *h = container_of(t, struct h2, flush);

    if (h->dying && h->state == H2_OPEN)
        h2_end(h, h->goaway, h->why);
    if (h->state != H2_CLOSED)
        h2_flush(h);
}

/* --- the end of a turn ---------------------------------------------------------------------- */

static void
bury(struct h2 *h)
{
    struct list *n;

    while ((n = list_pop_front(&h->dead)) != NULL)
        pool_give(&h->loop->pieces, container_of(n, struct h2_stream, link));
}

/* Runs also for a connection that was closed in this turn: its loans must be settled. */
static void
on_rearm(struct task *t)
{
    struct h2 *h = container_of(t, struct h2, rearm);

    settle(h);
    if (h->in)
        pool_give(h->in_pool, h->in);
    h->in = NULL;
    bury(h);
    if (h->state != H2_CLOSED && h->conn->readable)
        loop_queue_run(h->loop, &h->run);
}

void
h2_abandon(struct h2 *h)
{
    h2_block_drop(h);
    if (!h->spoiled) /* 1.52 frees what it could not queue, and frees it here again */
        nghttp2_session_del(h->ng);
    buf_fini(&h->left);
    buf_fini(&h->early);
    loop_timer_cancel(h->loop, &h->timer);
    task_cancel(&h->run);
    task_cancel(&h->flush);
}

static void
on_reap(struct task *t)
{
    struct h2 *h = container_of(t, struct h2, reap);

    task_cancel(&h->rearm);
    bury(h);
    h2_abandon(h);
    h->role->on_reap(h);
}

/* --- life ----------------------------------------------------------------------------------- */

static int
new_session(struct h2 *h, const nghttp2_session_callbacks *callbacks, nghttp2_option *option)
{
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_continuations(option, h->o->continuations);
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
    nghttp2_option_set_max_send_header_block_length(option, SEND_BLOCK_MAX);
    if (h->role->server)
        return nghttp2_session_server_new2(&h->ng, callbacks, h, option);
    return nghttp2_session_client_new2(&h->ng, callbacks, h, option);
}

static int
open_session(struct h2 *h)
{
    nghttp2_session_callbacks *callbacks = h2_callbacks_new();
    nghttp2_option *option = NULL;
    int r = -1;

    if (callbacks && nghttp2_option_new(&option) == 0)
        r = new_session(h, callbacks, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    if (r != 0)
        h->ng = NULL;
    return r;
}

/* All streams together must fit into the connection's window. */
static uint32_t
window_of(const struct h2_options *o)
{
    uint32_t fair = o->conn_window / (o->streams > 0 ? o->streams : 1);

    return fair < o->stream_window ? fair : o->stream_window;
}

int
h2_init(struct h2 *h)
{
    list_init(&h->streams);
    list_init(&h->due);
    list_init(&h->sent);
    list_init(&h->lent);
    list_init(&h->dead);
    task_init(&h->run, on_run);
    task_init(&h->flush, on_flush);
    task_init(&h->rearm, on_rearm);
    task_init(&h->reap, on_reap);
    wheel_timer_init(&h->timer, on_timer);
    buf_init(&h->left, LEFT_MAX);
    buf_init(&h->early, LEFT_MAX);
    bucket_init(&h->resets);
    bucket_init(&h->glitches);
    bucket_init(&h->pings);
    bucket_init(&h->settings);
    h->updates_free = h->priorities_free = 100;
    h->skip = h->role->server ? NGHTTP2_CLIENT_MAGIC_LEN : 0;
    h->since = h->opened = h->loop->now;
    h->stream_window = window_of(h->o);
    if (open_session(h) != 0)
        return -1;
    h2_arm(h, usec_add(h->opened, h->o->settings_ack));
    return 0;
}

void
h2_end(struct h2 *h, uint32_t code, enum reason why)
{
    if (h->state != H2_OPEN)
        return;
    h->state = H2_ENDING;
    h->goaway = code;
    h->why = why;
    h->since = h->loop->now;
    lose_all(h, why);
    h2_block_drop(h);
    h2_arm(h, usec_add(h->since, LINGER_TIME));
    loop_queue_flush(h->loop, &h->flush);
}

void
h2_close(struct h2 *h, enum reason why)
{
    bool abort = h->state == H2_OPEN && h->left.n > 0;

    if (h->state == H2_CLOSED)
        return;
    h->state = H2_CLOSED;
    h->why = why;
    lose_all(h, why);
    conn_close(h->conn, abort);
    loop_timer_cancel(h->loop, &h->timer);
    task_cancel(&h->run);
    task_cancel(&h->flush);
    loop_queue_reap(h->loop, &h->reap);
    h->role->on_closed(h, why);
}
