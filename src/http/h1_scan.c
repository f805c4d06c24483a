/* SPDX-License-Identifier: BSD-2-Clause */
/* h1_scan.c: one pass over a head block; each byte is looked at once, however it arrives. */
#include "config.h"

#include "http/h1_scan.h"

#include "http/octet.h"

void
h1_scan_init(struct h1_scan *s)
{
    *s = (struct h1_scan){0};
}

/* Where the CR of the line being looked at must stand at the latest, plus one. */
static inline size_t
line_stop(const struct h1_scan *s, const struct h1_limits *l)
{
    size_t stop = (size_t)s->line_start + (s->lines == 0 ? l->line : l->field) + 1;

    return stop < l->block ? stop : l->block;
}

/* The length of the line; -1: more is needed; -2: *why. */
static inline ptrdiff_t
scan_line(struct h1_scan *s, const struct h1_limits *l, struct slice data, enum reason *why)
{
    size_t stop = line_stop(s, l);
    size_t end = data.n < stop ? data.n : stop;
    size_t at = s->at;

    if (at < end)
        at += octet_find_control(data.p + at, end - at);
    s->at = (uint32_t)at;
    if (at >= stop) {
        *why = s->lines == 0 && stop < l->block ? REASON_URI_TOO_LONG : REASON_HEADER_TOO_LARGE;
        return -2;
    }
    if (at == data.n)
        return -1;
    *why = REASON_REQUEST_INVALID;
    if (data.p[at] != '\r')
        return -2;
    if (at + 1 >= l->block) {
        *why = REASON_HEADER_TOO_LARGE;
        return -2;
    }
    if (at + 1 == data.n)
        return -1;
    if (data.p[at + 1] != '\n')
        return -2;
    ptrdiff_t n = (ptrdiff_t)(at - s->line_start);
    s->at = s->line_start = (uint32_t)at + 2;
    return n;
}

static inline ptrdiff_t
scan_block(struct h1_scan *s, const struct h1_limits *l, struct slice data, bool request,
           enum reason *why)
{
    for (;;) {
        ptrdiff_t n = scan_line(s, l, data, why);
        if (n < 0)
            return n + 1;
        if (n > 0) {
            if (s->lines++ > l->fields) {
                *why = REASON_HEADER_TOO_LARGE;
                return -1;
            }
        } else if (s->lines > 0) {
            return (ptrdiff_t)s->at;
        } else if (!request || s->leading) {
            return -1;
        } else {
            s->leading = true;
        }
    }
}

ptrdiff_t
h1_scan_run(struct h1_scan *s, const struct h1_limits *l, struct slice data, bool request,
            enum reason *why)
{
    /* Copies, so that the loops keep them in registers. */
    struct h1_scan now = *s;
    const struct h1_limits limits = *l;
    enum reason reason = REASON_NONE;
    ptrdiff_t n = scan_block(&now, &limits, data, request, &reason);

    *s = now;
    if (n < 0)
        *why = request ? reason : REASON_UPSTREAM_MALFORMED;
    return n;
}
