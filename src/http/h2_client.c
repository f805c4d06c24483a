/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_client.c: the life of an HTTP/2 back: its streams and deadlines, the requests that go out, and
 * how an exchange that broke is let go. It must not know sandboxes, nor why it was connected.
 * Owner: the back pool, or a test; one loop.
 */
#include "config.h"

#include "http/h2_client_priv.h"

#include "http/trailer.h"

#include <stddef.h>
#include <stdlib.h>

/* --- the end of an exchange ----------------------------------------------------------------- */

static struct h2_stream *
of_end(struct exchange_end *end)
{
    return container_of(end, struct h2_stream, end);
}

/* What became of it, in the words of a back. */
static enum reason
told(const struct exchange *ex, enum reason why)
{
    switch ((int)why) {
    case REASON_CLIENT_STALLED:
    case REASON_REQUEST_TIMEOUT:
        return ex->answer_here ? REASON_UPSTREAM_STALLED : REASON_UPSTREAM_TIMEOUT;
    case REASON_PEER_FLOODS:
        return REASON_UPSTREAM_MALFORMED;
    case REASON_UPSTREAM_RESET:
        return ex->answer_here ? REASON_UPSTREAM_TRUNCATED : REASON_UPSTREAM_RESET;
    default:
        return why;
    }
}

/* Did the peer get it? What the kernel never took it did not; what it refused it says (RFC 9113
 * section 8.7). */
static void
judge_delivery(struct h2_stream *s, struct exchange *ex, uint32_t code)
{
    const struct h2_reply *r = s->more;
    bool never = !s->head_made || s->h->conn->bytes_out <= r->before;

    if (never)
        ex->delivered = r->delivered;
    ex->unprocessed = never || (code == NGHTTP2_REFUSED_STREAM && ex->first_byte == 0);
}

void
h2_client_lose(struct h2_stream *s, enum reason why, uint32_t code)
{
    struct exchange *ex = s->end.ex;

    judge_delivery(s, ex, code);
    if (why != REASON_TUNNEL_UNSUPPORTED && why != REASON_INTERNAL_ERROR)
        why = ex->unprocessed ? REASON_UPSTREAM_RESET : told(ex, why);
    s->more = NULL;
    exchange_back_lost(ex, why);
    h2_stream_drop(s, code, false);
}

void
h2_client_finish(struct h2_stream *s)
{
    s->more = NULL;
    exchange_back_done(s->end.ex);
    if (s->end_out)
        h2_stream_release(s);
    else
        h2_stream_drop(s, NGHTTP2_CANCEL, true); /* it wants no more of the request */
}

/* --- deadlines ------------------------------------------------------------------------------ */

/* When the peer will have been quiet for too long, before it answered. */
static usec_t
quiet_due(const struct h2 *h, const struct h2_stream *s)
{
    usec_t due = USEC_NEVER;

    if (!s->end.ex || s->flag[CLIENT_FINAL])
        return USEC_NEVER;
    if (s->head_made && !s->flag[CLIENT_SENT] && !s->flag[CLIENT_UPGRADES])
        return USEC_NEVER; /* it waits for us */
    if (!s->flag[CLIENT_SILENT] && s->flag[CLIENT_SENT] && h->o->silence > 0)
        due = usec_add(s->at, h->o->silence);
    return usec_min(due, usec_add(s->at, h->o->first_byte));
}

static usec_t
on_due_at(struct h2 *h)
{
    usec_t due = USEC_NEVER;

    list_each(n, &h->streams)
        due = usec_min(due, quiet_due(h, container_of(n, struct h2_stream, link)));
    return due;
}

static void
on_due(struct h2 *h)
{
    usec_t now = h->loop->now;

    list_each_safe(n, next, &h->streams) {
        struct h2_stream *s = container_of(n, struct h2_stream, link);

        if (quiet_due(h, s) > now)
            continue;
        if (usec_add(s->at, h->o->first_byte) <= now) {
            h2_client_lose(s, REASON_UPSTREAM_TIMEOUT, NGHTTP2_CANCEL);
        } else {
            s->flag[CLIENT_SILENT] = true;
            exchange_silence(s->end.ex);
        }
    }
}

/* --- what goes out -------------------------------------------------------------------------- */

static nghttp2_nv
pair(const char *name, struct slice value)
{
    struct slice n = slice_of(name);

    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)n.p,
                        .value = (uint8_t *)(uintptr_t)value.p,
                        .namelen = n.n, .valuelen = value.n};
}

/* RFC 9113 section 8.3.1; RFC 8441 section 4. */
static size_t
pseudo_fields(const struct h2 *h, const struct head *req, nghttp2_nv *nv)
{
    size_t n = 0;

    nv[n++] = pair(":method", req->upgrade ? SLICE("CONNECT") : req->method_text);
    if (req->upgrade)
        nv[n++] = pair(":protocol", SLICE("websocket"));
    nv[n++] = pair(":scheme", h->conn->tls ? SLICE("https") : SLICE("http"));
    if (req->host.n > 0)
        nv[n++] = pair(":authority", req->host);
    nv[n++] = pair(":path", req->target);
    return n;
}

static bool
has_body(const struct head *req)
{
    return req->upgrade || req->framing == FRAMING_CHUNKED ||
           (req->framing == FRAMING_LENGTH && req->length > 0);
}

/* Fields of the request; a tunnel's key is between HTTP/1 peers only. 0: they cannot be sent. */
static size_t
request_fields(nghttp2_nv *nv, size_t n, const struct head *req)
{
    const struct field *key =
        req->upgrade ? head_find(req, FIELD_SEC_WEBSOCKET_KEY) : NULL;
    unsigned before = key ? (unsigned)(key - req->field) : req->fields;

    n = h2_head_nv(nv, n, H2_NV_MAX, req->field, before);
    if (n > 0 && key)
        n = h2_head_nv(nv, n, H2_NV_MAX, key + 1, req->fields - before - 1);
    return n;
}

static size_t
make_fields(const struct h2 *h, const struct head *req, nghttp2_nv *nv, struct buf *length)
{
    size_t n = pseudo_fields(h, req, nv);

    if (req->te_trailers)
        nv[n++] = pair("te", SLICE("trailers"));
    if (req->framing == FRAMING_LENGTH) {
        buf_add_u64(length, req->length);
        nv[n++] = pair("content-length", buf_slice(length));
    }
    return request_fields(nv, n, req);
}

static int32_t
submit(struct h2_stream *s, const struct head *req)
{
    nghttp2_data_provider body = h2_body(s);
    nghttp2_nv nv[H2_NV_MAX];
    char text[24];
    struct buf length;
    size_t n;

    buf_init_fixed(&length, text, sizeof(text));
    n = make_fields(s->h, req, nv, &length);
    if (n == 0)
        return NGHTTP2_ERR_INVALID_ARGUMENT;
    return nghttp2_submit_request(s->h->ng, NULL, nv, n, has_body(req) ? &body : NULL, s);
}

static void
on_out(struct h2_stream *s)
{
    struct exchange *ex = s->end.ex;
    struct h2 *h = s->h;
    struct h2_reply *r = s->more;

    if (!ex || s->head_out)
        return;
    r->before = h->conn->bytes_out + h->left.n + h->out_n;
    s->id = submit(s, &ex->req);
    if (s->id < 0) {
        h2_client_lose(s, REASON_INTERNAL_ERROR, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    s->known = true;
    s->head_out = true;
    s->flag[CLIENT_UPGRADES] = ex->req.upgrade;
    s->at = h->loop->now;
    if (ex->delivered == DELIVERED_NO)
        ex->delivered = DELIVERED_MAYBE;
    h2_arm(h, quiet_due(h, s));
}

static bool
trailers(struct h2_stream *s)
{
    struct head *req = &s->end.ex->req;
    nghttp2_nv nv[H2_NV_MAX];
    size_t n;

    if (!req->te_trailers || req->trailers == 0 || s->end.ex->tunnel)
        return false;
    req->trailers = (uint16_t)trailer_keep(req->trailer, req->trailers);
    n = h2_head_nv(nv, 0, H2_NV_MAX, req->trailer, req->trailers);
    return n > 0 && nghttp2_submit_trailer(s->h->ng, s->id, nv, n) == 0;
}

static void
on_sent(struct h2_stream *s)
{
    struct exchange *ex = s->end.ex;

    s->flag[CLIENT_SENT] = true;
    s->at = s->h->loop->now;
    if (!ex) {
        h2_stream_release(s);
        return;
    }
    ex->sent = s->at;
    if (ex->tunnel && s->ended)
        h2_client_finish(s);
    else
        h2_arm(s->h, quiet_due(s->h, s));
}

/* --- an exchange's end ---------------------------------------------------------------------- */

/* Does the peer take WebSockets (RFC 8441 section 3)? */
static bool
takes_tunnels(const struct h2 *h)
{
    return nghttp2_session_get_remote_settings(h->ng, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) ==
           1;
}

static void
send_head(struct h2_stream *s)
{
    if (s->end.ex->req.upgrade && !takes_tunnels(s->h))
        h2_client_lose(s, REASON_TUNNEL_UNSUPPORTED, NGHTTP2_CANCEL);
    else
        h2_queue_head(s);
}

static void
wait_for_settings(struct h2_client *c, struct h2_stream *s)
{
    list_push_back(&c->waiting, &s->todo);
    h2_arm(s->h, quiet_due(s->h, s));
}

static void
on_head(struct exchange_end *end)
{
    struct h2_stream *s = of_end(end);
    struct h2_client *c = h2_client_of(s->h);

    if (end->ex->req.upgrade && !c->said)
        wait_for_settings(c, s);
    else
        send_head(s);
}

static void
on_kick(struct exchange_end *end)
{
    h2_kick(of_end(end));
}

static void
on_reset(struct exchange_end *end, enum reason why)
{
    struct h2_stream *s = of_end(end);

    (void)why;
    s->more = NULL;
    h2_stream_drop(s, NGHTTP2_CANCEL, true);
}

static const struct exchange_end_ops end_ops = {
    .name = "h2 client",
    .head = on_head,
    .kick = on_kick,
    .credit = h2_client_on_credit,
    .reset = on_reset,
};

/* --- hooks of the core ---------------------------------------------------------------------- */

static void
on_settings(struct h2 *h)
{
    struct h2_client *c = h2_client_of(h);
    struct list *n;

    c->said = true;
    while ((n = list_pop_front(&c->waiting)) != NULL)
        send_head(container_of(n, struct h2_stream, todo));
    loop_queue_run(h->loop, &c->tell);
}

static void
on_goaway(struct h2 *h, int32_t last, uint32_t code)
{
    (void)last; /* nghttp2 closes the streams above it */
    (void)code;
    h2_client_of(h)->leaving = true;
}

static void
on_stream_free(struct h2_stream *s)
{
    struct h2_client *c = h2_client_of(s->h);

    c->back.open = s->h->open;
    if (c->back.open == 0)
        c->back.idle_since = s->h->loop->now;
    loop_queue_run(s->h->loop, &c->tell);
}

static void
on_closed(struct h2 *h, enum reason why)
{
    struct h2_client *c = h2_client_of(h);

    task_cancel(&c->tell);
    c->back.owner->on_closed(c->back.ctx, &c->back, why);
}

static void
on_reap(struct h2 *h)
{
    free(h2_client_of(h));
}

static const struct h2_role role = {
    .left = REASON_UPSTREAM_RESET,
    .broken = REASON_UPSTREAM_MALFORMED,
    .on_head = h2_client_on_head,
    .on_end = h2_client_on_end,
    .on_out = on_out,
    .on_sent = on_sent,
    .trailers = trailers,
    .on_lost = h2_client_lose,
    .on_goaway = on_goaway,
    .on_settings = on_settings,
    .on_stream_free = on_stream_free,
    .due = on_due_at,
    .on_due = on_due,
    .on_closed = on_closed,
    .on_reap = on_reap,
};

/* --- a back's ------------------------------------------------------------------------------- */

static struct h2_client *
of_back(struct back *b)
{
    return container_of(b, struct h2_client, back);
}

static bool
may_serve(const struct h2_client *c)
{
    return c->h.state == H2_OPEN && !c->h.dying && !c->leaving && !c->back.conn.hup &&
           c->back.conn.error == 0 && c->back.served < c->h.o->max_requests;
}

static uint32_t
room(const struct back *b)
{
    const struct h2_client *c = container_of(b, const struct h2_client, back);
    uint32_t most = nghttp2_session_get_remote_settings(
        c->h.ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    if (!may_serve(c))
        return 0;
    if (most > c->h.o->streams)
        most = c->h.o->streams;
    return most > c->h.open ? most - c->h.open : 0;
}

static void
on_tell(struct task *t)
{
    struct h2_client *c = container_of(t, struct h2_client, tell);

    if (c->h.state != H2_OPEN)
        return;
    if (c->h.open == 0 && !may_serve(c))
        h2_end(&c->h, NGHTTP2_NO_ERROR, REASON_NONE);
    else
        c->back.owner->on_room(c->back.ctx, &c->back);
}

static void
on_serve(struct back *b, struct exchange *ex)
{
    struct h2_client *c = of_back(b);
    struct h2_reply *r = arena_alloc(&ex->arena, sizeof(*r));
    struct h2_stream *s = r ? h2_stream_new(&c->h, 0, &end_ops) : NULL;

    if (!s) {
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
        loop_queue_run(c->h.loop, &c->tell); /* it may be idle: somebody must mind it */
        return;
    }
    *r = (struct h2_reply){.delivered = ex->delivered};
    s->more = r;
    s->at = c->h.loop->now;
    b->served++;
    b->open = c->h.open;
    ex->back_peer = b->conn.peer;
    if (ex->to_back.drained == 0 && ex->req.framing != FRAMING_NONE)
        pipe_retain(&ex->to_back); /* the sandbox may refuse the stream: sent again, any method */
    exchange_attach_back(ex, &s->end, true);
}

static void
on_close(struct back *b, enum reason why)
{
    struct h2_client *c = of_back(b);

    h2_say_goaway(&c->h, NGHTTP2_NO_ERROR);
    h2_close(&c->h, why);
}

static const struct back_ops back_ops = {
    .name = "h2",
    .serve = on_serve,
    .room = room,
    .close = on_close,
};

static void
on_event(struct conn *conn, unsigned events)
{
    struct h2_client *c = container_of(conn, struct h2_client, back.conn);

    if (events & CONN_READABLE)
        c->back.heard = c->h.loop->now;
    h2_on_event(&c->h, events);
}

static const struct conn_owner conn_owner = {.name = "back", .on_event = on_event};

static int
announce(struct h2 *h)
{
    const struct h2_options *o = h->o;
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, o->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, o->list_bytes},
    };

    if (nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, entries,
                                sizeof(entries) / sizeof(entries[0])) != 0)
        return -1;
    return nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)o->conn_window);
}

static int
open_parts(struct h2_client *c, struct loop *l, const struct h2_options *o)
{
    struct h2 *h = &c->h;

    list_init(&c->waiting);
    task_init(&c->tell, on_tell);
    h->role = &role;
    h->conn = &c->back.conn;
    h->loop = l;
    h->o = o;
    if (h2_init(h) < 0)
        return -1;
    if (announce(h) == 0 && h2_early(h, SLICE_NONE) == 0)
        return 0;
    h2_abandon(h);
    return -1;
}

struct back *
h2_client_open(struct loop *l, struct conn *conn, const struct h2_options *o,
               const struct back_owner *owner, void *ctx)
{
    struct h2_client *c = calloc(1, sizeof(*c));

    if (!c || open_parts(c, l, o) < 0) {
        conn_close(conn, true);
        free(c);
        return NULL;
    }
    c->back.ops = &back_ops;
    c->back.owner = owner;
    c->back.ctx = ctx;
    c->back.idle_since = c->back.heard = l->now;
    if (conn_move(&c->back.conn, conn, &conn_owner) < 0) {
        h2_abandon(&c->h);
        free(c);
        return NULL;
    }
    return &c->back;
}
