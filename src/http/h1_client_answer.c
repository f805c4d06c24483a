/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_client_answer.c: what comes in on a back session: interim heads, the answer's head and body,
 * and whether the connection may be used again. At most one read a turn; what it lends is settled
 * at rearm. Owner: the session.
 */
#include "config.h"

#include "http/h1_client_priv.h"

#include "http/h1_parse.h"
#include "http/tunnel.h"

#include <errno.h>

/* The answer is complete in the pipe; c may be closed, or serve another exchange, after this. */
static void
complete(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;
    bool extra = c->in.cur.n > 0;
    bool again = c->request_sent && ex->resp.keep_alive && !extra && !c->broken &&
                 !c->back.conn.hup;

    if (c->body)
        ex->resp.trailers = (uint16_t)h1_body_trailers(c->body, &ex->resp.trailer);
    pipe_end(&ex->to_front);
    exchange_back_done(ex);
    c->body = NULL;
    if (again && c->back.conn.readable) { /* the last read was full: is there more? */
        extra = conn_is_dirty(&c->back.conn);
        c->back.conn.readable = false;
    }
    if (!again || extra) {
        h1_client_close(c, extra ? REASON_UPSTREAM_EXTRA : REASON_NONE);
        return;
    }
    c->state = H1_CLIENT_IDLE;
    c->back.open = 0;
    c->back.idle_since = c->loop->now;
    c->back.owner->on_room(c->back.ctx, &c->back);
}

/* Moves what is in cur into the pipe. */
static void
feed_body(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;

    for (;;) {
        size_t used = 0;
        struct slice data = SLICE_NONE;
        enum h1_body_says says = h1_body_next(c->body, c->in.cur, &used, &data);

        h1_input_use(&c->in, used);
        if (says == H1_BODY_BAD) {
            h1_client_close(c, REASON_UPSTREAM_MALFORMED);
            return;
        }
        if (says == H1_BODY_DATA) {
            int lent = ex->tunnel ? tunnel_lend(ex, &ex->to_front, data)
                                  : pipe_lend(&ex->to_front, data);

            if (lent < 0) {
                exchange_abort(ex, REASON_OUT_OF_MEMORY);
                return;
            }
            c->lent_to = ex;
            loop_queue_rearm(c->loop, &c->rearm);
        }
        if (says == H1_BODY_END) {
            complete(c);
            return;
        }
        if (says == H1_BODY_MORE)
            break;
    }
    exchange_signal(ex->front, MARK_KICK);
}

static void
take_final(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;
    const struct head *h = &ex->resp;
    bool has_body = !head_bodiless(h, ex->req.method) && h->framing != FRAMING_NONE &&
                    !(h->framing == FRAMING_LENGTH && h->length == 0);

    c->answering = true;
    if (ex->req.upgrade)
        ex->resp.keep_alive = false; /* who knows what it thinks comes next (RELIABILITY F1) */
    if (has_body) {
        c->body = h1_body_new(&ex->arena, h->framing, h->length);
        if (!c->body) {
            h1_client_close(c, REASON_OUT_OF_MEMORY);
            return;
        }
    }
    exchange_answer_ready(ex);
    if (!has_body)
        complete(c);
}

static void
take_interim(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;

    if (ex->resp.status == 101) {
        h1_client_tunnel_take(c);
        return;
    }
    if (ex->interims >= EXCHANGE_INTERIMS_MAX) {
        h1_client_close(c, REASON_UPSTREAM_MALFORMED);
        return;
    }
    h1_scan_init(&c->scan);
    c->head_began = c->in.cur.n > 0 ? c->loop->now : 0;
    if (ex->resp.status == 100)
        ex->interims++; /* ours to say, and said already */
    else
        exchange_interim_ready(ex);
}

/* A whole head block of n bytes is in cur. */
static void
take_head(struct h1_client *c, size_t n)
{
    struct exchange *ex = c->end.ex;
    const char *detail = NULL;
    struct slice block;
    enum reason why;

    c->head_bytes += (uint32_t)n;
    if (c->head_bytes > c->o->limits.block) {
        h1_client_close(c, REASON_UPSTREAM_MALFORMED);
        return;
    }
    block = arena_copy(&ex->arena, (struct slice){c->in.cur.p, n});
    h1_input_use(&c->in, n);
    why = block.p ? h1_parse_answer(&ex->resp, &ex->arena, block, &ex->req, &detail)
                  : REASON_OUT_OF_MEMORY;
    if (why != REASON_NONE)
        h1_client_close(c, why);
    else if (ex->resp.status < 200)
        take_interim(c);
    else
        take_final(c);
}

/* False: more input is needed. */
static bool
parse_head(struct h1_client *c)
{
    enum reason why = REASON_NONE;
    ptrdiff_t n;

    if (c->head_began == 0) {
        c->head_began = c->loop->now;
        if (c->end.ex->first_byte == 0)
            c->end.ex->first_byte = c->loop->now;
        h1_client_arm(c);
    }
    n = h1_scan_run(&c->scan, &c->o->limits, c->in.cur, false, &why);
    if (n == 0)
        return false;
    if (n < 0)
        h1_client_close(c, REASON_UPSTREAM_MALFORMED);
    else
        take_head(c, (size_t)n);
    return true;
}

static void
process(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;

    while (c->end.ex == ex && c->in.cur.n > 0 && !c->answering && !ex->interim_here)
        if (!parse_head(c))
            return;
    if (c->end.ex == ex && c->answering && c->in.cur.n > 0)
        feed_body(c);
}

static void
end_of_file(struct h1_client *c)
{
    if (!c->answering)
        h1_client_close(c, REASON_UPSTREAM_RESET);
    else if (c->end.ex->tunnel)
        h1_client_tunnel_eof(c);
    else if (h1_body_eof(c->body))
        complete(c);
    else
        h1_client_close(c, REASON_UPSTREAM_TRUNCATED);
}

bool
h1_client_wants_input(const struct h1_client *c)
{
    const struct exchange *ex = c->end.ex;

    if (c->state != H1_CLIENT_BUSY || !ex || ex->interim_here)
        return false;
    if (!c->answering)
        return true;
    return !c->back.conn.eof && pipe_room(&ex->to_front) >= ex->to_front.window / 2;
}

/* How much of the next read may be body without the pipe overflowing. */
static size_t
read_size(const struct h1_client *c)
{
    size_t room;

    if (!c->answering)
        return LOOP_READ_SMALL;
    room = pipe_room(&c->end.ex->to_front);
    return h1_body_left(c->body) <= room ? LOOP_READ_LARGE : room;
}

static void
read_more(struct h1_client *c)
{
    bool large = c->answering && h1_body_left(c->body) > LOOP_READ_SMALL &&
                 (c->bulk || !c->end.ex->tunnel);
    ssize_t got = h1_input_read(&c->in, &c->back.conn, read_size(c), large);

    if (got > 0) {
        loop_queue_rearm(c->loop, &c->rearm);
        c->moved = c->back.heard = c->loop->now;
        c->bulk = (size_t)got >= LOOP_READ_SMALL;
        if (c->sent_any)
            process(c);
        else
            h1_client_close(c, REASON_POOL_STALE); /* it spoke before it was asked */
    } else if (got == 0) {
        end_of_file(c);
    } else if (errno == ENOMEM) {
        exchange_abort(c->end.ex, REASON_OUT_OF_MEMORY);
    } else if (errno != EAGAIN || c->broken) {
        h1_client_close(c, c->answering ? REASON_UPSTREAM_TRUNCATED : REASON_UPSTREAM_RESET);
    }
}

void
h1_client_input(struct h1_client *c)
{
    if (c->state != H1_CLIENT_BUSY || !c->end.ex)
        return;
    if (!h1_client_wants_input(c)) {
        c->end.ex->to_front.thirsty = true;
        return;
    }
    if (c->in.cur.n > 0 && !c->answering) /* behind an interim head */
        process(c);
    if (c->back.conn.readable && !c->in.block && h1_client_wants_input(c))
        read_more(c); /* once a turn: rearm goes on */
}
