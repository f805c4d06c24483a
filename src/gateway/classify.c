/* SPDX-License-Identifier: BSD-2-Clause */
/* classify.c: see classify.h. Pure. */
#include "config.h"

#include "gateway/classify.h"

/* envd's port: whoever talks to it is an SDK (shared by E2B and its kin). */
#define ENVD_PORT 49983

struct slice
classify_path(const struct head *h)
{
    ptrdiff_t q = slice_index(h->target, '?');

    return q < 0 ? h->target : slice_sub(h->target, 0, (size_t)q);
}

/* Does a comma-separated field value hold a member that starts so, without case? */
static bool
has_member(struct slice value, struct slice start)
{
    struct slice one;

    while (slice_next(&value, ',', &one))
        if (slice_istarts(one, start))
            return true;
    return false;
}

static bool
is_prefetch(const struct head *h)
{
    return has_member(head_value(h, FIELD_SEC_PURPOSE), SLICE("prefetch")) ||
           slice_ieq(head_value(h, FIELD_PURPOSE), SLICE("prefetch")) ||
           slice_ieq(head_value(h, FIELD_X_MOZ), SLICE("prefetch"));
}

static bool
is_housekeeping(const struct head *h)
{
    struct slice path = classify_path(h);

    return (h->method == METHOD_GET || h->method == METHOD_HEAD) &&
           (slice_eq(path, SLICE("/favicon.ico")) || slice_eq(path, SLICE("/robots.txt")) ||
            slice_starts(path, SLICE("/apple-touch-icon")));
}

static bool
is_probe(const struct head *h, const struct site *s)
{
    struct slice path = classify_path(h), agent = head_value(h, FIELD_USER_AGENT);

    for (unsigned i = 0; i < s->probe_paths; i++)
        if (slice_eq(path, slice_of(s->probe_path[i])))
            return true;
    for (unsigned i = 0; i < s->probe_agents; i++)
        if (slice_istarts(agent, slice_of(s->probe_agent[i])))
            return true;
    return false;
}

static bool
is_preflight(const struct head *h)
{
    return h->method == METHOD_OPTIONS && head_find(h, FIELD_ORIGIN) &&
           head_find(h, FIELD_ACCESS_CONTROL_REQUEST_METHOD);
}

static bool
is_sdk(const struct head *h, const struct route *r)
{
    struct slice type = head_value(h, FIELD_CONTENT_TYPE);

    return r->by_header || r->port == ENVD_PORT || head_find(h, FIELD_CONNECT_PROTOCOL_VERSION) ||
           slice_istarts(type, SLICE("application/grpc")) ||
           slice_istarts(type, SLICE("application/connect+")) ||
           slice_istarts(type, SLICE("application/proto"));
}

static bool
has_body(const struct head *h)
{
    return h->framing == FRAMING_CHUNKED || (h->framing == FRAMING_LENGTH && h->length > 0);
}

/* By what a browser says of the request itself. */
static enum traffic_class
by_fetch_metadata(const struct head *h, struct slice mode)
{
    struct slice dest = head_value(h, FIELD_SEC_FETCH_DEST);

    if (slice_eq(mode, SLICE("navigate")) || slice_eq(mode, SLICE("nested-navigate")))
        return has_body(h) || !method_safe(h->method) ? CLASS_FORM : CLASS_NAVIGATION;
    if (dest.n == 0 || slice_eq(dest, SLICE("empty")))
        return CLASS_FETCH;
    return CLASS_SUBRESOURCE;
}

/* What never wakes by default, whatever else it may be. */
static bool
is_background(const struct head *h, const struct site *s, enum traffic_class *c)
{
    if (is_prefetch(h))
        *c = CLASS_PREFETCH;
    else if (is_probe(h, s))
        *c = CLASS_PROBE;
    else if (is_housekeeping(h))
        *c = CLASS_HOUSEKEEPING;
    else
        return false;
    return true;
}

/* Without Sec-Fetch-*: an old browser shows itself by Accept; everything else is a tool. */
static enum traffic_class
by_accept(const struct head *h, struct slice accept)
{
    if (head_find(h, FIELD_SEC_FETCH_DEST) || head_find(h, FIELD_SEC_FETCH_SITE) ||
        !has_member(accept, SLICE("text/html")))
        return CLASS_OTHER;
    if (h->method == METHOD_GET || h->method == METHOD_HEAD)
        return CLASS_NAVIGATION;
    return has_body(h) ? CLASS_FORM : CLASS_OTHER;
}

enum traffic_class
classify(const struct head *h, const struct route *r)
{
    struct slice accept = head_value(h, FIELD_ACCEPT);
    struct slice mode = head_value(h, FIELD_SEC_FETCH_MODE);
    enum traffic_class c;

    if (is_background(h, r->site, &c))
        return c;
    if (h->upgrade && slice_ieq(head_value(h, FIELD_UPGRADE), SLICE("websocket")))
        return CLASS_WEBSOCKET;
    if (is_preflight(h))
        return CLASS_PREFLIGHT;
    if (h->method == METHOD_GET && has_member(accept, SLICE("text/event-stream")))
        return CLASS_SSE;
    if (is_sdk(h, r))
        return CLASS_SDK;
    return mode.n > 0 ? by_fetch_metadata(h, mode) : by_accept(h, accept);
}

bool
classify_page_fits(const struct head *h, enum traffic_class c)
{
    struct slice dest = head_value(h, FIELD_SEC_FETCH_DEST);

    if (c != CLASS_NAVIGATION || (h->method != METHOD_GET && h->method != METHOD_HEAD))
        return false;
    if (has_member(head_value(h, FIELD_ACCEPT), SLICE("application/json")))
        return false;
    return dest.n == 0 || slice_eq(dest, SLICE("document")) || slice_eq(dest, SLICE("iframe")) ||
           slice_eq(dest, SLICE("frame"));
}
