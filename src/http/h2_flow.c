/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_flow.c: bodies that come in, and how much more of them may come. The connection's window is
 * given back at once; what bounds a connection is the sum of its streams' windows, which never
 * exceeds the connection's: a held stream stops at its own window and takes nothing from the others
 * (RELIABILITY C12). Owner: the connection.
 */
#include "config.h"

#include "http/h2_priv.h"

#include "http/tunnel.h"

#include <stddef.h>

struct pipe *
h2_pipe_in(const struct h2_stream *s)
{
    return s->h->role->server ? &s->end.ex->to_back : &s->end.ex->to_front;
}

struct pipe *
h2_pipe_out(const struct h2_stream *s)
{
    return s->h->role->server ? &s->end.ex->to_front : &s->end.ex->to_back;
}

struct exchange_end *
h2_other(const struct h2_stream *s)
{
    return s->h->role->server ? s->end.ex->back : s->end.ex->front;
}

/* Is it the peer that we wait for? */
static void
watch(struct h2_stream *s, size_t moved)
{
    const struct pipe *p = h2_pipe_in(s);
    usec_t now = s->h->loop->now;

    if (moved > 0)
        pace_moved(&s->reading, now, moved);
    if (s->ended || s->patient || s->end.ex->tunnel || p->stopped || p->window == 0 ||
        p->written - s->credited >= s->window) {
        pace_moved(&s->reading, now, 0);
        return;
    }
    pace_wait(&s->reading, now);
    h2_arm(s->h, pace_due(&s->reading, s->h->o->stall, s->h->o->grace, s->h->o->min_rate));
}

int
h2_take_data(struct h2_stream *s, struct slice data)
{
    struct h2 *h = s->h;
    struct exchange *ex = s->end.ex;
    struct pipe *p = h2_pipe_in(s);

    if (pipe_closed(p))
        return 0;
    if (p->written + data.n > h->o->max_body) {
        h->role->on_lost(s, REASON_BODY_TOO_LARGE, NGHTTP2_CANCEL);
        return 0;
    }
    if ((ex->tunnel ? tunnel_lend(ex, p, data) : pipe_lend(p, data)) < 0)
        return -1;
    if (!s->lent_to) {
        s->lent_to = ex;
        list_push_back(&h->lent, &s->lent);
    }
    p->thirsty = !p->stopped;
    watch(s, data.n);
    exchange_signal(h2_other(s), MARK_KICK);
    return 0;
}

/* A reader is there that takes the body as it comes: more of it may be on its way. */
static void
widen(struct h2_stream *s)
{
    struct h2 *h = s->h;
    uint32_t more = h->o->stream_window_on - s->window;

    if (s->window >= h->o->stream_window_on || h->windows + more > h->o->conn_window)
        return;
    if (nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, s->id,
                                              (int32_t)h->o->stream_window_on) != 0)
        return;
    s->window += more;
    h->windows += more;
}

void
h2_credit(struct h2_stream *s)
{
    struct h2 *h = s->h;
    struct pipe *p = h2_pipe_in(s);
    uint64_t n = p->drained - s->credited;

    if (!s->known || s->ended || p->stopped)
        return; /* who is discarded gets no more than it has */
    if (p->window > 0)
        widen(s);
    if (n > 0) {
        s->credited = p->drained;
        nghttp2_session_consume_stream(h->ng, s->id, (size_t)n);
    }
    p->thirsty = true;
    watch(s, 0);
    loop_queue_flush(h->loop, &h->flush);
}
