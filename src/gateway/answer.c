/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.c: see answer.h. Owner: the exchange's worker. Must not know why the reason came about. */
#include "config.h"

#include "gateway/answer.h"
#include "base/jsonw.h"
#include "gateway/page.h"
#include "http/memory_end.h"

#include <string.h>

#define BODY_MAX (16u * 1024)

/* RFC 9209 section 2.3: the proxy error type that says most about each reason. */
static const char *
proxy_error(enum reason r)
{
    switch ((int)r) {
    case REASON_PORT_CLOSED:
        return "connection_refused";
    case REASON_CONNECT_TIMEOUT:
        return "connection_timeout";
    case REASON_UPSTREAM_RESET:
        return "connection_terminated";
    case REASON_UPSTREAM_TIMEOUT:
        return "http_response_timeout";
    case REASON_UPSTREAM_MALFORMED:
        return "http_protocol_error";
    case REASON_UNKNOWN_SITE:
    case REASON_SANDBOX_NOT_FOUND:
    case REASON_SANDBOX_GONE:
        return "destination_not_found";
    case REASON_CONNECTION_LIMIT:
        return "connection_limit_reached";
    case REASON_LOOP_DETECTED:
        return "proxy_loop_detected";
    case REASON_INTERNAL_ERROR:
        return "proxy_internal_error";
    case REASON_BAD_HOST:
    case REASON_REQUEST_INVALID:
    case REASON_HEADER_TOO_LARGE:
    case REASON_URI_TOO_LONG:
    case REASON_BODY_TOO_LARGE:
    case REASON_REQUEST_TIMEOUT:
    case REASON_AUTH_REQUIRED:
    case REASON_AUTH_INVALID:
        return "http_request_error";
    default:
        return "destination_unavailable";
    }
}

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

/* One sentence for people; "%s" is the sandbox. */
static const char *
words(enum reason r)
{
    switch ((int)r) {
    case REASON_BAD_HOST:
        return "This host name is not of the form that sandboxes have here.";
    case REASON_UNKNOWN_SITE:
        return "Nothing is served under this host name.";
    case REASON_SANDBOX_NOT_FOUND:
        return "There is no such sandbox.";
    case REASON_SANDBOX_GONE:
        return "This sandbox was ended and does not come back.";
    case REASON_AUTH_REQUIRED:
        return "This sandbox needs an access token.";
    case REASON_AUTH_INVALID:
        return "The access token does not fit this sandbox.";
    case REASON_SANDBOX_PAUSED:
        return "The sandbox is paused and must be resumed by its owner.";
    case REASON_WAKE_NOT_ALLOWED:
        return "The sandbox is paused, and requests of this kind do not wake it.";
    case REASON_WAKE_DENIED:
        return "The sandbox is paused, and you may not wake it.";
    case REASON_RESUME_FAILED:
        return "The sandbox could not be resumed.";
    case REASON_CAPACITY_EXHAUSTED:
        return "The platform has no room to resume the sandbox now. Try again later.";
    case REASON_WAKE_RATE_LIMITED:
        return "Too many wakes in a short time. Try again later.";
    case REASON_PLATFORM_UNREACHABLE:
        return "The platform that runs the sandbox does not answer. Try again shortly.";
    case REASON_HOLD_QUEUE_FULL:
        return "Too many requests are waiting already. Try again shortly.";
    case REASON_STATE_UNAVAILABLE:
        return "The sandbox's state is not known right now. Try again shortly.";
    case REASON_SANDBOX_REPLACED:
        return "The sandbox was replaced by another one while this request waited.";
    case REASON_PORT_CLOSED:
        return "The sandbox is running, but nothing listens on this port. Is the server started, "
               "and bound to 0.0.0.0?";
    case REASON_CONNECT_TIMEOUT:
        return "The sandbox is running, but its port does not answer.";
    case REASON_UPSTREAM_RESET:
        return "The sandbox closed the connection before it answered.";
    case REASON_UPSTREAM_TIMEOUT:
        return "The sandbox did not answer in time.";
    case REASON_UPSTREAM_MALFORMED:
        return "The sandbox's answer was not valid HTTP.";
    case REASON_CONNECTION_LIMIT:
        return "Too many connections to this sandbox.";
    case REASON_DRAINING:
        return "The gateway is shutting down. Try again.";
    case REASON_UPGRADE_REFUSED:
        return "Upgrading the connection is not supported here.";
    case REASON_LOOP_DETECTED:
        return "The request came through this gateway too many times: a loop.";
    case REASON_REQUEST_TIMEOUT:
        return "The request did not come in time.";
    case REASON_BODY_TOO_LARGE:
        return "The request's body is too large.";
    case REASON_HEADER_TOO_LARGE:
        return "The request's header is too large.";
    case REASON_URI_TOO_LONG:
        return "The request's address is too long.";
    case REASON_INTERNAL_ERROR:
        return "The gateway failed; this is a bug in it.";
    case REASON_OUT_OF_MEMORY:
        return "The gateway is out of memory. Try again shortly.";
    default:
        return "The request was refused.";
    }
}

static void
add_message(struct buf *out, const struct answer *a)
{
    if (a->reason == REASON_RESUME_TIMEOUT) {
        buf_printf(out, "Sandbox %.*s is still resuming after %lld s. It goes on resuming; ",
                   SLICE_ARG(a->sandbox), (long long)(a->waited / USEC_SEC));
        buf_add_str(out, "try again shortly.");
        return;
    }
    struct slice text = slice_of(words(a->reason));
    /* "The request was refused: repeated content-length."  Advice has the last word. */
    const char *advice = a->detail ? strstr(text.p, ". ") : NULL;

    if (!a->detail) {
        buf_add_slice(out, text);
        return;
    }
    buf_add_slice(out, slice_sub(text, 0, advice ? (size_t)(advice - text.p) : text.n - 1));
    buf_printf(out, ": %s.%s", a->detail, advice ? advice + 1 : "");
}

static const char *
delivered_name(enum delivered d)
{
    return d == DELIVERED_NO ? "no" : d == DELIVERED_YES ? "yes" : "maybe";
}

static unsigned
status_of(const struct answer *a)
{
    const struct reason_row *row = reason_row(a->reason);
    bool e2b = a->dialect == DIALECT_E2B || a->dialect == DIALECT_OPENKRUISE;
    short s = e2b ? row->e2b_status : row->status;

    return s > 0 ? (unsigned)s : 500;
}

static void
json_body(struct buf *out, const struct answer *a, struct slice message, unsigned retry_after)
{
    struct jsonw j;

    jsonw_init(&j, out);
    jsonw_object(&j);
    jsonw_kv_u64(&j, "code", status_of(a));
    jsonw_kv_str(&j, "error", reason_slug(a->reason));
    jsonw_kv_slice(&j, "message", message);
    if (a->sandbox.n > 0)
        jsonw_kv_slice(&j, "sandboxId", a->sandbox);
    if (a->port)
        jsonw_kv_u64(&j, "port", a->port);
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
    char text[512];
    struct buf message;

    buf_init_fixed(&message, text, sizeof(text));
    add_message(&message, a);
    if (a->shape == ANSWER_HTML)
        page_error(out, status_of(a), reason_slug(a->reason), buf_slice(&message), a->sandbox,
                   a->request_id, a->reason == REASON_PORT_CLOSED ? 2 : 0);
    else
        json_body(out, a, buf_slice(&message), retry_after);
}

static int
add_text(struct exchange *ex, enum field_id id, struct slice name, const char *fmt, ...)
    printf_like(4, 5);

static int
add_text(struct exchange *ex, enum field_id id, struct slice name, const char *fmt, ...)
{
    char text[128];
    struct buf b;
    struct slice copy;
    va_list ap;

    buf_init_fixed(&b, text, sizeof(text));
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    copy = arena_copy(&ex->arena, buf_slice(&b));
    return copy.p ? head_add(&ex->resp, &ex->arena, id, name, copy) : -1;
}

int
answer_common_fields(struct exchange *ex, struct slice request_id, struct slice origin)
{
    struct head *h = &ex->resp;
    struct arena *a = &ex->arena;

    if (head_add(h, a, FIELD_CACHE_CONTROL, SLICE("Cache-Control"), SLICE("no-store")) < 0 ||
        head_add(h, a, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"), request_id) < 0)
        return -1;
    if (origin.n == 0)
        return 0;
    if (head_add(h, a, FIELD_OTHER, SLICE("Access-Control-Allow-Origin"), origin) < 0 ||
        head_add(h, a, FIELD_OTHER, SLICE("Vary"), SLICE("Origin")) < 0 ||
        head_add(h, a, FIELD_OTHER, SLICE("Access-Control-Expose-Headers"),
                 SLICE("Retry-After, X-Request-Id, Proxy-Status")) < 0)
        return -1;
    return 0;
}

static int
error_fields(struct exchange *ex, const struct answer *a, unsigned retry_after)
{
    if (answer_common_fields(ex, a->request_id, a->origin) < 0 ||
        add_text(ex, FIELD_PROXY_STATUS, SLICE("Proxy-Status"), "rouse; error=%s; details=\"%s\"",
                 proxy_error(a->reason), reason_slug(a->reason)) < 0)
        return -1;
    if (a->reason == REASON_METHOD_NOT_ALLOWED &&
        head_add(&ex->resp, &ex->arena, FIELD_OTHER, SLICE("Allow"),
                 SLICE("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")) < 0)
        return -1;
    if (retry_after == 0)
        return 0;
    return add_text(ex, FIELD_RETRY_AFTER, SLICE("Retry-After"), "%u", retry_after);
}

void
answer_send(struct exchange *ex, const struct answer *a)
{
    struct buf body;
    unsigned retry_after = answer_retry_after(a, &ex->loop->random);
    struct slice type = a->shape == ANSWER_HTML ? SLICE("text/html; charset=utf-8")
                                                : SLICE("application/json");
    bool sent;

    head_init(&ex->resp);
    buf_init(&body, BODY_MAX);
    answer_body(&body, a, retry_after);
    sent = !body.full && error_fields(ex, a, retry_after) == 0 &&
           (a->shape == ANSWER_JSON || page_fields(ex) == 0) &&
           memory_answer(ex, (uint16_t)status_of(a), type, buf_slice(&body)) == 0;
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
           page_fields(ex) == 0 &&
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
