/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_server_request.c: heads that come in on an HTTP/2 front session: requests, trailers, and what
 * is refused. Runs within nghttp2's callbacks: marks and queues, sends nothing. Owner: the session.
 */
#include "config.h"

#include "http/h2_head_priv.h"
#include "http/h2_server_priv.h"

#include <stddef.h>

/* --- refusals ------------------------------------------------------------------------------- */

static int
refusal_head(struct head *h, struct arena *a, enum reason why, const char *request_id,
             struct buf *proxy_status)
{
    int status = reason_row(why)->status;

    head_init(h);
    h->status = (uint16_t)(status >= 100 ? status : 400);
    buf_printf(proxy_status, "rouse; error=http_request_error; details=\"%s\"", reason_slug(why));
    if (head_add(h, a, FIELD_CONTENT_TYPE, SLICE("content-type"), SLICE("application/json")) < 0 ||
        head_add(h, a, FIELD_CACHE_CONTROL, SLICE("cache-control"), SLICE("no-store")) < 0 ||
        head_add(h, a, FIELD_PROXY_STATUS, SLICE("proxy-status"), buf_slice(proxy_status)) < 0)
        return -1;
    if (*request_id && head_add(h, a, FIELD_X_REQUEST_ID, SLICE("x-request-id"),
                                slice_of(request_id)) < 0)
        return -1;
    if (why == REASON_UPGRADE_REFUSED) /* RFC 6455 section 4.4 */
        return head_add(h, a, FIELD_SEC_WEBSOCKET_VERSION, SLICE("sec-websocket-version"),
                        SLICE("13"));
    return 0;
}

/* Answers why with a body of the owner's. */
static void
refuse(struct h2_stream *s, enum reason why, const char *detail)
{
    struct h2 *h = s->h;
    struct session *session = &h2_server_of(h)->session;
    char request_id[REQUEST_ID_SIZE] = "", text[96];
    struct buf body, proxy_status;
    struct head head;
    struct arena a;

    h2_count_glitch(h);
    arena_init(&a, &h->loop->arena_blocks, EXCHANGE_ARENA_MAX);
    buf_init(&body, LOOP_BLOCK);
    buf_init_fixed(&proxy_status, text, sizeof(text));
    session->owner->on_bad_request(session->ctx, session, why, detail, &body, request_id);
    if (h->state == H2_OPEN) {
        if (refusal_head(&head, &a, why, request_id, &proxy_status) == 0)
            h2_server_say(s, &head, buf_slice(&body));
        else
            h2_stream_drop(s, NGHTTP2_INTERNAL_ERROR, false);
    }
    buf_fini(&body);
    arena_reset(&a);
}

/* A request in service broke off: what its handler says to that. */
static void
answer_broken(struct h2_stream *s, enum reason why)
{
    struct exchange *ex = s->end.ex;
    struct arena a;
    struct head head;
    struct buf body;
    bool told;

    arena_init(&a, &s->h->loop->arena_blocks, EXCHANGE_ARENA_MAX);
    buf_init(&body, LOOP_BLOCK);
    head_init(&head);
    told = ex->announced && ex->handler->on_broken &&
           ex->handler->on_broken(ex, why, &head, &a, &body) == 0;
    exchange_front_lost(ex, why);
    if (told)
        h2_server_say(s, &head, buf_slice(&body));
    else
        refuse(s, why, "body is malformed or over a limit");
    buf_fini(&body);
    arena_reset(&a);
}

/* May the client still be told in words? */
static bool
can_answer(const struct h2_stream *s, enum reason why)
{
    return s->h->state == H2_OPEN && s->known && !s->head_out && !s->peer_reset &&
           (why == REASON_REQUEST_TIMEOUT || why == REASON_BODY_TOO_LARGE ||
            why == REASON_HEADER_TOO_LARGE);
}

void
h2_server_on_lost(struct h2_stream *s, enum reason why, uint32_t code)
{
    list_unlink(&s->todo);
    if (can_answer(s, why)) {
        answer_broken(s, why);
        return;
    }
    if (s->end.ex->to_front.aborted && s->excused) /* its answer was cut, and is out so far */
        exchange_front_done(s->end.ex);
    else
        exchange_front_lost(s->end.ex, s->excused ? REASON_INTERNAL_ERROR : why);
    h2_stream_drop(s, code, s->excused);
}

/* --- requests ------------------------------------------------------------------------------- */

/* What the caller sends as it goes: minutes may pass between two messages. */
static bool
is_conversation(const struct head *h)
{
    struct slice type = head_value(h, FIELD_CONTENT_TYPE);

    return h->upgrade || slice_istarts(type, SLICE("application/grpc")) ||
           slice_istarts(type, SLICE("application/connect+"));
}

/* So much may wait in each answer's pipe that all together stay within bounds. */
static uint32_t
share(uint32_t open)
{
    uint32_t n = ANSWERS_MAX / PIPE_WINDOW;

    while (n < open)
        n *= 2;
    n = ANSWERS_MAX / n;
    return n > ANSWER_MIN ? n : ANSWER_MIN;
}

static void
share_out(struct h2 *h, struct exchange *newest)
{
    uint32_t window = share(h->open);

    newest->to_front.window = window;
    if (window == share(h->open - 1))
        return;
    list_each_safe(n, next, &h->streams) {
        struct h2_stream *s = container_of(n, struct h2_stream, link);

        if (s->end.ex)
            s->end.ex->to_front.window = window;
    }
}

void
h2_server_announce(struct h2_server *sv)
{
    struct list *n;

    while ((n = list_first(&sv->waiting)) != NULL) {
        struct h2_stream *s = container_of(n, struct h2_stream, todo);

        if (s->at > sv->h.loop->now)
            return;
        list_unlink(n);
        s->flag[WAITING] = false;
        if (s->end.ex)
            exchange_request_ready(s->end.ex);
    }
}

static void
start(struct h2_stream *s, struct exchange *ex)
{
    struct h2 *h = s->h;
    struct h2_server *sv = h2_server_of(h);

    ex->peer = h->conn->peer;
    ex->began = h->block->began;
    ex->head_done = h->loop->now;
    s->patient = is_conversation(&ex->req);
    share_out(h, ex);
    exchange_attach_front(ex, &s->end);
    if (!h2_is_suspect(h)) {
        exchange_request_ready(ex);
        return;
    }
    s->flag[WAITING] = true;
    s->at = usec_add(h->loop->now, SUSPECT_WAIT);
    list_push_back(&sv->waiting, &s->todo);
    h2_arm(h, s->at);
}

static void
take_request(struct h2 *h, struct h2_stream *s, bool end)
{
    struct session *session = &h2_server_of(h)->session;
    enum reason why = h->block->why;
    const char *detail = h->block->detail;
    struct exchange *ex = NULL;

    if (why == REASON_NONE) {
        ex = session->owner->new_exchange(session->ctx, session);
        if (!ex) {
            why = REASON_OUT_OF_MEMORY;
            detail = "out of memory";
        } else if (h->state == H2_OPEN) {
            why = h2_head_request(h->block, h->o, conn_tls(h->conn) != NULL, end, &ex->req,
                                  &ex->arena, &detail);
        }
    }
    if (h->state == H2_OPEN && why == REASON_NONE && ex->req.framing == FRAMING_LENGTH &&
        ex->req.length > h->o->max_body) {
        why = REASON_BODY_TOO_LARGE;
        detail = "body is longer than max_body";
    }
    if (h->state == H2_OPEN && why == REASON_NONE) {
        start(s, ex);
        return;
    }
    if (ex)
        exchange_discard(ex);
    if (h->state == H2_OPEN)
        refuse(s, why, detail);
}

/* Behind a body. nghttp2 has seen that they end it. */
static void
take_trailers(struct h2 *h, struct h2_stream *s)
{
    struct exchange *ex = s->end.ex;
    int n;

    if (!ex)
        return;
    n = h2_head_trailers(h->block, &ex->arena, &ex->req.trailer);
    if (n < 0)
        h2_server_on_lost(s, REASON_HEADER_TOO_LARGE, NGHTTP2_CANCEL);
    else
        ex->req.trailers = (uint16_t)n;
}

void
h2_server_on_head(struct h2 *h, struct h2_stream *s, int32_t id, bool end)
{
    struct h2_server *sv = h2_server_of(h);
    struct session *session = &sv->session;

    if (s) {
        take_trailers(h, s);
        return;
    }
    if (sv->head_bytes > 0 && sv->head_bytes + h->block->bytes > HEADS_MAX) { /* try again */
        nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return;
    }
    s = h2_stream_new(h, id, &h2_server_end_ops);
    if (!s) {
        nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    if (h->block->why == REASON_NONE)
        s->head_bytes = h->block->bytes;
    sv->head_bytes += s->head_bytes;
    s->flag[ASKS_HEAD] = slice_eq(h2_block_pseudo(h->block, SLICE(":method")), SLICE("HEAD"));
    session->requests++;
    session->open = h->open;
    if (session->requests / 2 >= h->o->max_requests) /* never idle: it is told to go */
        h2_arm(h, h->loop->now);
    take_request(h, s, end);
}

void
h2_server_on_end(struct h2_stream *s)
{
    struct exchange *ex = s->end.ex;

    if (pipe_closed(&ex->to_back))
        return;
    pipe_end(&ex->to_back);
    exchange_signal(ex->back, MARK_KICK);
}
