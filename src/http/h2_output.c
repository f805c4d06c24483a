/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_output.c: the flush, once a turn: heads that are due are handed to nghttp2, frames gathered in
 * a borrowed buffer, DATA copied behind its frame's head straight out of the pipe, and all of it
 * written at once. What the kernel does not take is kept, and then nothing more is made: what waits
 * are pipes, which are bounded, and frames that answer the peer's, which are counted (h2.c).
 * Owner: the connection.
 */
#include "config.h"

#include "http/h2_priv.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define FRAME_HEAD 9u
#define GOAWAY_SIZE 17u
/* A frame's head and as much DATA as is worth a frame. */
#define ROOM_MIN 1024u

static size_t
room(const struct h2 *h)
{
    return LOOP_READ_LARGE - GOAWAY_SIZE - h->out_n;
}

static void
add(struct h2 *h, const void *p, size_t n)
{
    ensure(h->out && n <= LOOP_READ_LARGE - h->out_n);
    memcpy(h->out + h->out_n, p, n);
    h->out_n += n;
}

/* --- DATA ----------------------------------------------------------------------------------- */

/* Text of a stream without an exchange. */
static ssize_t
text_ready(const struct h2_stream *s, size_t most, uint32_t *flags)
{
    const struct buf *text = s->more;

    if (text->n <= most)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(text->n < most ? text->n : most);
}

static void
end_body(struct h2_stream *s, uint32_t *flags)
{
    const struct h2_role *role = s->h->role;

    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (role->trailers && role->trailers(s))
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

/* Nothing is a tunnel's before the peer agreed. */
static bool
waits_for_yes(const struct h2_stream *s)
{
    return !s->h->role->server && s->end.ex->req.upgrade && !s->end.ex->tunnel;
}

static ssize_t
pipe_ready(struct h2_stream *s, size_t most, uint32_t *flags)
{
    const struct pipe *p = h2_pipe_out(s);
    size_t pending = pipe_pending(p);

    if (waits_for_yes(s)) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (pending > most)
        return (ssize_t)most;
    if (p->ended) {
        end_body(s, flags);
    } else if (pending == 0 && p->aborted) {
        s->excused = true;
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* RST_STREAM: it must not look complete */
    } else if (pending == 0) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)pending;
}

static ssize_t
on_read(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t most, uint32_t *flags,
        nghttp2_data_source *source, void *arg)
{
    struct h2_stream *s = source->ptr;
    const struct h2 *h = arg;

    (void)ng;
    (void)id;
    (void)buf;
    if (room(h) < ROOM_MIN)
        return NGHTTP2_ERR_PAUSE;
    if (most > room(h) - FRAME_HEAD)
        most = room(h) - FRAME_HEAD;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (s->end.ex)
        return pipe_ready(s, most, flags);
    if (s->more)
        return text_ready(s, most, flags);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

nghttp2_data_provider
h2_body(struct h2_stream *s)
{
    return (nghttp2_data_provider){.source.ptr = s, .read_callback = on_read};
}

static void
copy_body(struct h2_stream *s, size_t n)
{
    struct h2 *h = s->h;
    struct pipe *p = h2_pipe_out(s);
    usec_t now = h->loop->now;
    struct iovec iov[24];

    pace_moved(&s->writing, now, n);
    while (n > 0) {
        size_t done = 0;
        int slices = pipe_peek(p, iov, 24);

        ensure(slices > 0);
        for (int i = 0; i < slices && done < n; i++) {
            size_t take = iov[i].iov_len < n - done ? iov[i].iov_len : n - done;

            add(h, iov[i].iov_base, take);
            done += take;
        }
        exchange_drain(p, done, h2_other(s));
        n -= done;
    }
    if (pipe_pending(p) > 0 && !s->end.ex->tunnel)
        pace_wait(&s->writing, now);
}

int
h2_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head, size_t n,
             nghttp2_data_source *source, void *arg)
{
    struct h2_stream *s = source->ptr;
    struct h2 *h = arg;

    (void)ng;
    (void)frame;
    add(h, head, FRAME_HEAD);
    if (n == 0)
        return 0;
    if (s->end.ex) {
        copy_body(s, n);
    } else {
        pace_moved(&s->writing, h->loop->now, n);
        add(h, ((struct buf *)s->more)->p, n);
        buf_consume(s->more, n);
        if (((struct buf *)s->more)->n > 0)
            pace_wait(&s->writing, h->loop->now);
    }
    return 0;
}

/* Tunnels are patient. */
static bool
has_pending(const struct h2_stream *s)
{
    return !s->end.ex->tunnel && pipe_pending(h2_pipe_out(s)) > 0;
}

/* Bytes that wait for the peer's window. */
static void
watch(struct h2_stream *s)
{
    struct h2 *h = s->h;

    if (s->writing.since != 0 || (s->end.ex ? !has_pending(s) : !s->more))
        return;
    pace_wait(&s->writing, h->loop->now);
    h2_arm(h, pace_due(&s->writing, h->o->stream_stall, h->o->grace, h->o->min_rate));
}

void
h2_kick(struct h2_stream *s)
{
    struct h2 *h = s->h;

    if (!s->head_out || s->end_out || !s->known)
        return;
    if (s->deferred) {
        s->deferred = false;
        if (nghttp2_session_resume_data(h->ng, s->id) != 0)
            h2_doom(h, NGHTTP2_INTERNAL_ERROR, REASON_OUT_OF_MEMORY);
    }
    watch(s);
    loop_queue_flush(h->loop, &h->flush);
}

/* --- the flush ------------------------------------------------------------------------------ */

void
h2_queue_head(struct h2_stream *s)
{
    struct h2 *h = s->h;

    if (!list_linked(&s->todo))
        list_push_back(&h->due, &s->todo);
    loop_queue_flush(h->loop, &h->flush);
}

static void
make_heads(struct h2 *h)
{
    struct list *n;

    while ((n = list_pop_front(&h->due)) != NULL) {
        struct h2_stream *s = container_of(n, struct h2_stream, todo);

        h->role->on_out(s);
        if (s->head_out)
            watch(s);
    }
}

/* Writes the buffer. False: the kernel took less, the rest is kept; or the connection is closed. */
static bool
write_out(struct h2 *h)
{
    struct iovec iov = {h->out, h->out_n};
    usec_t now = h->loop->now;
    size_t put;
    ssize_t r;

    if (h->out_n == 0)
        return true;
    r = conn_writev(h->conn, &iov, 1);
    if (r < 0 && errno != EAGAIN) {
        h2_close(h, h->role->left);
        return false;
    }
    put = r < 0 ? 0 : (size_t)r;
    pace_moved(&h->writing, now, put);
    if (put < h->out_n) {
        if (buf_add(&h->left, h->out + put, h->out_n - put) < 0) {
            h2_close(h, REASON_OUT_OF_MEMORY);
            return false;
        }
        pace_wait(&h->writing, now);
        h2_arm(h, pace_due(&h->writing, h->o->conn_stall, h->o->grace, h->o->min_rate));
    }
    h->out_n = 0;
    return h->left.n == 0;
}

/* What was left by an earlier flush. False: there is still some of it, or the connection is
 * closed. */
static bool
write_left(struct h2 *h)
{
    struct iovec iov = {h->left.p, h->left.n};
    ssize_t r;

    if (h->left.n == 0)
        return true;
    if (!h->conn->writable)
        return false;
    r = conn_writev(h->conn, &iov, 1);
    if (r < 0) {
        if (errno != EAGAIN)
            h2_close(h, h->role->left);
        return false;
    }
    pace_moved(&h->writing, h->loop->now, (size_t)r);
    buf_consume(&h->left, (size_t)r);
    if (h->left.n > 0) {
        pace_wait(&h->writing, h->loop->now);
        return false;
    }
    buf_fini(&h->left);
    return true;
}

/* What was made goes behind what is left. */
static int
keep(struct h2 *h)
{
    size_t n = h->out_n;

    h->out_n = 0;
    return buf_add(&h->left, h->out, n);
}

/* Frames into the buffer until there are none, or it is full. False: nothing more can be made. */
static bool
make_frames(struct h2 *h)
{
    while (room(h) >= ROOM_MIN) {
        const uint8_t *p;
        ssize_t n = nghttp2_session_mem_send(h->ng, &p);

        h->spoiled = n == NGHTTP2_ERR_NOMEM;
        if (n < 0)
            return h2_doom(h, NGHTTP2_INTERNAL_ERROR, REASON_INTERNAL_ERROR);
        if (n == 0) {
            h->more = room(h) < ROOM_MIN;
            return true;
        }
        if ((size_t)n <= room(h)) {
            add(h, p, (size_t)n);
            continue;
        }
        if (keep(h) < 0 || buf_add(&h->left, p, (size_t)n) < 0)
            return h2_doom(h, NGHTTP2_INTERNAL_ERROR, REASON_OUT_OF_MEMORY);
        break;
    }
    h->more = true;
    return true;
}

/* Everything that was made is with the kernel. */
static void
finish_sent(struct h2 *h)
{
    struct list *n;

    while (h->left.n == 0 && h->out_n == 0 && (n = list_pop_front(&h->sent)) != NULL) {
        struct h2_stream *s = container_of(n, struct h2_stream, todo);

        s->end_sent = true;
        h->role->on_sent(s);
    }
}

static void
put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* By hand: nghttp2 may not be able to any more. */
static void
make_goaway(const struct h2 *h, uint32_t code, uint8_t frame[GOAWAY_SIZE])
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(h->ng);

    memset(frame, 0, GOAWAY_SIZE);
    frame[2] = GOAWAY_SIZE - FRAME_HEAD;
    frame[3] = NGHTTP2_GOAWAY;
    put32(frame + FRAME_HEAD, (uint32_t)last);
    put32(frame + FRAME_HEAD + 4, code);
}

void
h2_say_goaway(struct h2 *h, uint32_t code)
{
    uint8_t frame[GOAWAY_SIZE];
    struct iovec iov = {frame, sizeof(frame)};

    if (h->state != H2_OPEN || h->left.n > 0 || h->out || !h->conn->writable)
        return;
    make_goaway(h, code, frame);
    if (conn_writev(h->conn, &iov, 1) < 0)
        h->conn->writable = false;
}

static void
linger(struct h2 *h)
{
    if (h->left.n > 0)
        return;
    if (h->conn->eof || h->conn->error != 0) {
        h2_close(h, h->why);
        return;
    }
    h->state = H2_LINGER;
    h->since = h->loop->now;
    conn_shut_write(h->conn);
    h2_arm(h, usec_add(h->since, USEC_SEC));
    if (h->conn->readable)
        loop_queue_run(h->loop, &h->run);
}

/* Gathers what is to go out. */
static void
make_output(struct h2 *h)
{
    uint8_t goaway[GOAWAY_SIZE];

    if (h->state == H2_OPEN)
        make_heads(h);
    if (h->state == H2_OPEN && !make_frames(h))
        h2_end(h, h->goaway, h->why);
    if (h->state == H2_ENDING && h->goaway != UINT32_MAX) {
        make_goaway(h, h->goaway, goaway);
        add(h, goaway, sizeof(goaway));
        h->goaway = UINT32_MAX;
    }
}

/* False: the kernel took less than there is, or the connection is closed. */
static bool
send_output(struct h2 *h)
{
    if (h->left.n == 0)
        return h->state != H2_CLOSED && write_out(h);
    if (keep(h) == 0)
        return write_left(h);
    h2_close(h, REASON_OUT_OF_MEMORY);
    return false;
}

/* Everything is with the kernel: what does that mean? */
static void
after_output(struct h2 *h)
{
    finish_sent(h);
    if (h->state == H2_OPEN && !nghttp2_session_want_read(h->ng) &&
        !nghttp2_session_want_write(h->ng)) { /* it has said GOAWAY itself */
        h2_end(h, NGHTTP2_NO_ERROR, h->role->broken);
        h->goaway = UINT32_MAX;
    }
    if (h->state == H2_OPEN && h->open == 0 && h->role->on_idle)
        h->role->on_idle(h);
    if (h->state == H2_ENDING && h->goaway == UINT32_MAX)
        linger(h);
}

void
h2_flush(struct h2 *h)
{
    h->more = false;
    if (h->state == H2_LINGER || !h->conn->writable || !write_left(h))
        return;
    h->out = pool_take(&h->loop->large_reads);
    if (!h->out) {
        h2_close(h, REASON_OUT_OF_MEMORY);
        return;
    }
    make_output(h);
    if (send_output(h))
        after_output(h);
    pool_give(&h->loop->large_reads, h->out);
    h->out = NULL;
    h->out_n = 0;
    if (h->more && h->state == H2_OPEN && h->left.n == 0)
        loop_queue_run(h->loop, &h->run);
}
