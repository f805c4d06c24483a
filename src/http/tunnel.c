/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.c: see tunnel.h. Where a tunnel's frames end, and how we end it in between. It must not
 * know which protocol carries it, nor why it is closed. Owner: the exchange's loop.
 */
#include "config.h"

#include "http/tunnel.h"

/* --- the asking ----------------------------------------------------------------------------- */

/* The one field with that id; .p is NULL when there is none, or more than one. */
static struct slice
only_value(const struct head *h, enum field_id id)
{
    const struct field *f = head_find(h, id);

    return f && !head_find_next(h, f) ? f->value : SLICE_NONE;
}

enum reason
tunnel_judge(const struct head *req, bool key, const char **detail)
{
    if (req->method != METHOD_GET) {
        *detail = "method of a WebSocket handshake";
        return REASON_REQUEST_INVALID;
    }
    if (req->framing != FRAMING_NONE && !(req->framing == FRAMING_LENGTH && req->length == 0)) {
        *detail = "WebSocket handshake with a body";
        return REASON_REQUEST_INVALID;
    }
    if (!websocket_version_ok(only_value(req, FIELD_SEC_WEBSOCKET_VERSION))) {
        *detail = "Sec-WebSocket-Version is not 13";
        return REASON_UPGRADE_REFUSED;
    }
    if (key && !websocket_key_ok(only_value(req, FIELD_SEC_WEBSOCKET_KEY))) {
        *detail = "Sec-WebSocket-Key";
        return REASON_REQUEST_INVALID;
    }
    return REASON_NONE;
}

/* What is in the pipe already came before the yes was known. */
static void
catch_up(struct websocket_watch *w, const struct pipe *p)
{
    struct iovec iov[64];
    size_t seen = 0;
    int n = pipe_peek(p, iov, 64);

    for (int i = 0; i < n; i++) {
        websocket_watch_feed(w, (struct slice){iov[i].iov_base, iov[i].iov_len});
        seen += iov[i].iov_len;
    }
    w->lost |= seen < p->written;
}

int
tunnel_open(struct exchange *ex)
{
    struct tunnel *t = arena_alloc(&ex->arena, sizeof(*t));

    if (!t)
        return -1;
    *t = (struct tunnel){.closing = false};
    catch_up(&t->to_front, &ex->to_front);
    catch_up(&t->to_back, &ex->to_back);
    ex->tunnel = t;
    exchange_answer_ready(ex);
    return 0;
}

/* --- what passes ---------------------------------------------------------------------------- */

static struct websocket_watch *
watch_of(struct exchange *ex, const struct pipe *p)
{
    return p == &ex->to_front ? &ex->tunnel->to_front : &ex->tunnel->to_back;
}

/* Nothing more goes in; before its end a Close frame where one may stand. -1: out of blocks. */
static int
finish(struct exchange *ex, struct pipe *p)
{
    const struct tunnel *t = ex->tunnel;
    const struct websocket_watch *w = watch_of(ex, p);
    bool to_front = p == &ex->to_front;
    char frame[WEBSOCKET_CLOSE_MAX];
    int r = 0;

    if (pipe_closed(p))
        return 0;
    if (websocket_watch_between(w) && !w->closed) {
        size_t n = websocket_write_close(frame, t->code, slice_of(t->text),
                                         to_front ? NULL : &ex->loop->random);
        r = pipe_write(p, (struct slice){frame, n});
    }
    pipe_end(p);
    exchange_signal(to_front ? ex->front : ex->back, MARK_KICK);
    return r;
}

/* Up to the boundary, and then the end. */
static int
lend_last(struct exchange *ex, struct pipe *p, struct slice s)
{
    struct websocket_watch *w = watch_of(ex, p);
    size_t n = websocket_watch_finish(w, s);

    if (n > 0 && pipe_lend(p, slice_sub(s, 0, n)) < 0)
        return -1;
    return w->lost || websocket_watch_between(w) ? finish(ex, p) : 0;
}

int
tunnel_lend(struct exchange *ex, struct pipe *p, struct slice s)
{
    if (pipe_closed(p))
        return 0;
    if (ex->tunnel->closing)
        return lend_last(ex, p, s);
    websocket_watch_feed(watch_of(ex, p), s);
    return pipe_lend(p, s);
}

/* --- the end -------------------------------------------------------------------------------- */

static void
start_closing(struct tunnel *t, uint16_t code, struct slice text, enum reason why)
{
    t->closing = true;
    t->code = code;
    t->why = why;
    slice_copy(text, t->text, sizeof(t->text));
}

/* At the boundary already, or where there are none. */
static int
close_now(struct exchange *ex, struct pipe *p)
{
    const struct websocket_watch *w = watch_of(ex, p);

    return w->lost || w->closed || websocket_watch_between(w) ? finish(ex, p) : 0;
}

void
tunnel_close(struct exchange *ex, uint16_t code, struct slice text, enum reason why)
{
    struct tunnel *t = ex->tunnel;

    if (ex->ended || t->closing)
        return;
    start_closing(t, code, text, why);
    if (close_now(ex, &ex->to_front) < 0 || close_now(ex, &ex->to_back) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}

bool
tunnel_back_lost(struct exchange *ex, enum reason why)
{
    struct tunnel *t = ex->tunnel;

    if (pipe_closed(&ex->to_front))
        return true;
    if (!t->closing)
        start_closing(t, TUNNEL_BAD_GATEWAY, SLICE("sandbox connection broke"), why);
    if (t->to_front.closed)
        return finish(ex, &ex->to_front) == 0;
    return websocket_watch_between(&t->to_front) && finish(ex, &ex->to_front) == 0;
}
