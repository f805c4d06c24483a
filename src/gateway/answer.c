/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.c: see answer.h. Owner: the exchange's worker. Must not know why the reason came about. */
#include "config.h"

#include "gateway/answer_priv.h"
#include "base/jsonw.h"
#include "gateway/page.h"
#include "http/memory_end.h"
#include "http/phrase.h"

#include <string.h>

#define BODY_MAX (16u * 1024)

unsigned
answer_retry_after(const struct answer *a, struct random *r)
{
    short rule = reason_row(a->reason)->retry_after;

    if (rule == RA_NONE)
        return 0;
    if (rule == RA_GIVEN) {
        usec_t s = (a->retry_after + USEC_SEC - 1) / USEC_SEC;

        if (a->retry_after <= 0)
            return a->reason == REASON_CAPACITY_EXHAUSTED ? 10 : 1;
        return (unsigned)usec_min(s, 86400);
    }
    if (rule == RA_RANDOM)
        return 1 + (unsigned)random_below(r, 5);
    if (rule <= RA_JITTER(0))
        return (unsigned)(-100 - rule) + (unsigned)random_below(r, 2);
    return (unsigned)rule;
}

static const char *
delivered_name(enum delivered d)
{
    return d == DELIVERED_NO ? "no" : d == DELIVERED_YES ? "yes" : "maybe";
}

/* E2B's keys stand first where its column counts. */
static void
json_body(struct buf *out, const struct answer *a, struct slice message, unsigned retry_after)
{
    struct jsonw j;

    jsonw_init(&j, out);
    jsonw_object(&j);
    if (!a->e2b) {
        jsonw_kv_u64(&j, "code", answer_table_status(a));
        jsonw_kv_str(&j, "error", reason_slug(a->reason));
        jsonw_kv_slice(&j, "message", message);
    }
    if (a->sandbox.n > 0)
        jsonw_kv_slice(&j, "sandboxId", a->sandbox);
    if (a->e2b)
        jsonw_kv_slice(&j, "message", message);
    if (a->port && (!a->e2b || a->reason == REASON_PORT_CLOSED))
        jsonw_kv_u64(&j, "port", a->port);
    if (a->e2b) {
        jsonw_kv_u64(&j, "code", answer_table_status(a));
        jsonw_kv_str(&j, "error", reason_slug(a->reason));
    }
    jsonw_kv_bool(&j, "retryable", retry_after > 0);
    if (retry_after > 0)
        jsonw_kv_u64(&j, "retryAfter", retry_after);
    jsonw_kv_str(&j, "delivered", delivered_name(a->delivered));
    jsonw_kv_slice(&j, "requestId", a->request_id);
    jsonw_object_end(&j);
    buf_add_char(out, '\n');
}

void
answer_body(struct buf *out, const struct answer *a, unsigned retry_after)
{
    char text[768];
    struct buf message;

    buf_init_fixed(&message, text, sizeof(text));
    answer_message(&message, a);
    switch (a->shape) {
    case ANSWER_JSON:
        json_body(out, a, buf_slice(&message), retry_after);
        return;
    case ANSWER_HTML:
        page_error(out, answer_table_status(a), reason_slug(a->reason), buf_slice(&message),
                   a->sandbox, a->request_id, a->reason == REASON_PORT_CLOSED ? 2 : 0);
        return;
    case ANSWER_TEXT:
        buf_add_slice(out, buf_slice(&message));
        buf_add_char(out, '\n');
        return;
    case ANSWER_CONNECT:
        answer_connect_unary(out, a, buf_slice(&message));
        return;
    case ANSWER_CONNECT_STREAM:
        answer_connect_stream(out, a, buf_slice(&message));
        return;
    case ANSWER_GRPC:
        return;
    case ANSWER_GRPC_WEB:
        answer_grpc_web(out, a, buf_slice(&message));
        return;
    }
}

static int
add_text(struct head *h, struct arena *arena, enum field_id id, struct slice name, const char *fmt,
         ...) printf_like(5, 6);

static int
add_text(struct head *h, struct arena *arena, enum field_id id, struct slice name, const char *fmt,
         ...)
{
    char text[128];
    struct buf b;
    struct slice copy;
    va_list ap;

    buf_init_fixed(&b, text, sizeof(text));
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    copy = arena_copy(arena, buf_slice(&b));
    return copy.p ? head_add(h, arena, id, name, copy) : -1;
}

static int
common_fields(struct head *h, struct arena *arena, struct slice request_id, struct slice origin)
{
    if (head_add(h, arena, FIELD_CACHE_CONTROL, SLICE("Cache-Control"), SLICE("no-store")) < 0 ||
        head_add(h, arena, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"), request_id) < 0)
        return -1;
    if (origin.n == 0)
        return 0;
    if (head_add(h, arena, FIELD_OTHER, SLICE("Access-Control-Allow-Origin"), origin) < 0 ||
        head_add(h, arena, FIELD_OTHER, SLICE("Vary"), SLICE("Origin")) < 0 ||
        head_add(h, arena, FIELD_OTHER, SLICE("Access-Control-Expose-Headers"),
                 SLICE("Retry-After, X-Request-Id, Proxy-Status")) < 0)
        return -1;
    return 0;
}

int
answer_common_fields(struct exchange *ex, struct slice request_id, struct slice origin)
{
    return common_fields(&ex->resp, &ex->arena, request_id, origin);
}

static int
error_fields(struct head *h, struct arena *arena, const struct answer *a, unsigned retry_after)
{
    if (common_fields(h, arena, a->request_id, a->origin) < 0 ||
        add_text(h, arena, FIELD_PROXY_STATUS, SLICE("Proxy-Status"),
                 "rouse; error=%s; details=\"%s\"", answer_proxy_error(a->reason),
                 reason_slug(a->reason)) < 0)
        return -1;
    if (a->reason == REASON_METHOD_NOT_ALLOWED &&
        head_add(h, arena, FIELD_OTHER, SLICE("Allow"),
                 SLICE("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")) < 0)
        return -1;
    if (retry_after == 0)
        return 0;
    return add_text(h, arena, FIELD_RETRY_AFTER, SLICE("Retry-After"), "%u", retry_after);
}

static struct slice
content_type(const struct answer *a)
{
    switch (a->shape) {
    case ANSWER_HTML:
        return SLICE("text/html; charset=utf-8");
    case ANSWER_TEXT:
        return SLICE("text/plain; charset=utf-8");
    case ANSWER_GRPC:
        return SLICE("application/grpc");
    case ANSWER_CONNECT_STREAM:
    case ANSWER_GRPC_WEB:
        return a->type;
    case ANSWER_JSON:
    case ANSWER_CONNECT:
        break;
    }
    return SLICE("application/json");
}

/* Fields that go with one shape only. */
static int
shape_fields(struct head *h, struct arena *arena, const struct answer *a, unsigned retry_after)
{
    if (a->shape == ANSWER_HTML)
        return page_fields(h, arena);
    if (a->shape == ANSWER_TEXT)
        return head_add(h, arena, FIELD_OTHER, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
    return a->shape == ANSWER_GRPC ? answer_grpc_fields(h, arena, a, retry_after) : 0;
}

int
answer_compose(struct head *h, struct arena *arena, struct buf *body, const struct answer *a,
               struct random *r)
{
    unsigned retry_after = answer_retry_after(a, r);

    head_init(h);
    h->version = 11;
    h->status = (uint16_t)answer_http_status(a);
    h->phrase = phrase_of(h->status);
    answer_body(body, a, retry_after);
    h->framing = FRAMING_LENGTH;
    h->length = body->n;
    if (body->full || error_fields(h, arena, a, retry_after) < 0 ||
        shape_fields(h, arena, a, retry_after) < 0)
        return -1;
    return head_add(h, arena, FIELD_CONTENT_TYPE, SLICE("Content-Type"), content_type(a));
}

void
answer_send(struct exchange *ex, const struct answer *a)
{
    struct buf body;
    bool sent;

    buf_init(&body, BODY_MAX);
    sent = answer_compose(&ex->resp, &ex->arena, &body, a, &ex->loop->random) == 0 &&
           memory_answer(ex, ex->resp.status, SLICE_NONE, buf_slice(&body)) == 0;
    buf_fini(&body);
    ex->reason = a->reason;
    if (!sent)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}

void
answer_waiting_page(struct exchange *ex, struct slice name, struct slice request_id)
{
    struct buf body;
    bool sent;

    head_init(&ex->resp);
    buf_init(&body, BODY_MAX);
    page_waiting(&body, name, request_id);
    sent = !body.full && answer_common_fields(ex, request_id, SLICE_NONE) == 0 &&
           page_fields(&ex->resp, &ex->arena) == 0 &&
           head_add(&ex->resp, &ex->arena, FIELD_RETRY_AFTER, SLICE("Retry-After"),
                    SLICE("2")) == 0 &&
           head_add(&ex->resp, &ex->arena, FIELD_PROXY_STATUS, SLICE("Proxy-Status"),
                    SLICE("rouse; details=\"waking\"")) == 0 &&
           memory_answer(ex, 503, SLICE("text/html; charset=utf-8"), buf_slice(&body)) == 0;
    buf_fini(&body);
    ex->reason = REASON_PAGE_SHOWN;
    if (!sent)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}
