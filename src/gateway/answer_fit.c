/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer_fit.c: in which protocol the caller will understand us (CONTRACT section 5, "Shape, first
 * match"), by what the request says of itself: content type, Connect's own marks, then the class.
 * Pure.
 */
#include "config.h"

#include "gateway/answer.h"
#include "gateway/classify.h"

/* envd, and the code interpreter: there RPC means E2B's SDK. */
#define ENVD_PORT 49983
#define INTERPRETER_PORT 49999

/* The media type without parameters. */
static struct slice
essence(struct slice type)
{
    ptrdiff_t semicolon = slice_index(type, ';');

    return slice_trim(semicolon < 0 ? type : slice_sub(type, 0, (size_t)semicolon));
}

/*
 * s is base, or base and "+codec"; short and of the letters of media types, since it is given back.
 */
static bool
is_kind(struct slice s, struct slice base)
{
    if (!slice_istarts(s, base) || s.n > 64)
        return false;
    for (size_t i = base.n; i < s.n; i++) {
        char c = slice_lower(s.p[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';

        if (i == base.n ? c != '+' : !plain)
            return false;
    }
    return s.n != base.n + 1;
}

/* A unary call by GET says it in its query: ?connect=v1&encoding=...&message=... */
static bool
is_connect_get(const struct head *h)
{
    struct slice path = classify_path(h), one;
    struct slice query = slice_sub(h->target, path.n + 1, h->target.n);
    bool version = false, encoding = false;

    if (h->method != METHOD_GET || path.n == h->target.n)
        return false;
    while (slice_next(&query, '&', &one)) {
        version = version || slice_eq(one, SLICE("connect=v1"));
        encoding = encoding || slice_starts(one, SLICE("encoding="));
    }
    return version && encoding;
}

static enum answer_shape
shape_of(const struct head *h, struct slice type, enum traffic_class c)
{
    if (is_kind(type, SLICE("application/grpc")))
        return ANSWER_GRPC;
    if (is_kind(type, SLICE("application/grpc-web")) ||
        is_kind(type, SLICE("application/grpc-web-text")))
        return ANSWER_GRPC_WEB;
    if (is_kind(type, SLICE("application/connect")) && slice_index(type, '+') > 0)
        return ANSWER_CONNECT_STREAM;
    if (head_find(h, FIELD_CONNECT_PROTOCOL_VERSION) || is_connect_get(h))
        return ANSWER_CONNECT;
    return c == CLASS_NAVIGATION || c == CLASS_FORM ? ANSWER_HTML : ANSWER_JSON;
}

void
answer_fit(struct answer *a, const struct head *req, enum traffic_class c)
{
    a->type = essence(head_value(req, FIELD_CONTENT_TYPE));
    a->shape = shape_of(req, a->type, c);
    a->origin = head_value(req, FIELD_ORIGIN);
    a->e2b = a->dialect == DIALECT_E2B || a->dialect == DIALECT_OPENKRUISE ||
             head_find(req, FIELD_E2B_SANDBOX_ID) || head_find(req, FIELD_E2B_SANDBOX_PORT) ||
             (a->shape != ANSWER_HTML && a->shape != ANSWER_JSON &&
              (a->port == ENVD_PORT || a->port == INTERPRETER_PORT));
    if (a->e2b && a->shape == ANSWER_JSON && a->reason == REASON_BAD_HOST)
        a->shape = ANSWER_TEXT;
}
