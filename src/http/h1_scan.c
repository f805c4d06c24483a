/* SPDX-License-Identifier: BSD-2-Clause */
/* h1_scan.c: one pass over a head block; each byte is looked at once, however it arrives. */
#include "config.h"

#include "http/h1_scan.h"

#include "http/octet_priv.h"

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

static enum reason
too_long(const struct h1_scan *s, const struct h1_limits *l)
{
    return s->lines == 0 && line_stop(s, l) < l->block ? REASON_URI_TOO_LONG
                                                       : REASON_HEADER_TOO_LARGE;
}

enum event { EVENT_LINE, EVENT_END, EVENT_MORE, EVENT_BAD };

/* A control, not TAB, stands at `at`, and none before it in the line. */
static inline enum event
take_control(struct h1_scan *s, const struct h1_limits *l, struct slice data, size_t at,
             bool request, enum reason *why)
{
    s->at = (uint32_t)at;
    if (at >= line_stop(s, l)) {
        *why = too_long(s, l);
        return EVENT_BAD;
    }
    *why = REASON_REQUEST_INVALID;
    if (data.p[at] != '\r')
        return EVENT_BAD;
    if (at + 1 >= l->block) {
        *why = REASON_HEADER_TOO_LARGE;
        return EVENT_BAD;
    }
    if (at + 1 == data.n)
        return EVENT_MORE;
    if (data.p[at + 1] != '\n')
        return EVENT_BAD;

    bool blank = at == s->line_start;
    s->at = s->line_start = (uint32_t)at + 2;
    if (!blank) {
        *why = REASON_HEADER_TOO_LARGE;
        return s->lines++ > l->fields ? EVENT_BAD : EVENT_LINE;
    }
    if (s->lines > 0)
        return EVENT_END;
    if (!request || s->leading)
        return EVENT_BAD;
    s->leading = true;
    return EVENT_LINE;
}

/* mask: where controls stand in the sixteen bytes from base. */
static inline enum event
take_controls(struct h1_scan *s, const struct h1_limits *l, struct slice data, size_t base,
              unsigned mask, bool request, enum reason *why)
{
    do {
        unsigned bit = (unsigned)__builtin_ctz(mask);
        size_t at = base + bit;
        mask &= mask - 1;
        /* The LF of a line that ended in the last sixteen bytes, or a TAB. */
        if (at < s->at || data.p[at] == '\t')
            continue;
        enum event e = take_control(s, l, data, at, request, why);
        if (e != EVENT_LINE)
            return e;
        mask &= ~(2u << bit); /* its LF */
    } while (mask != 0);
    return EVENT_LINE;
}

static inline enum event
scan_block(struct h1_scan *s, const struct h1_limits *l, struct slice data, bool request,
           enum reason *why)
{
    size_t at = s->at;
    enum event e = EVENT_LINE;
    char last[OCTETS] = {0};

    for (; at + OCTETS <= data.n && e == EVENT_LINE; at += OCTETS) {
        unsigned mask = octets_mask(octets_controls(octets_load(data.p + at)));
        if (mask != 0)
            e = take_controls(s, l, data, at, mask, request, why);
    }
    if (e == EVENT_LINE && at < data.n) {
        memcpy(last, data.p + at, data.n - at);
        unsigned mask = octets_mask(octets_controls(octets_load(last)));
        mask &= (1u << (data.n - at)) - 1;
        if (mask != 0)
            e = take_controls(s, l, data, at, mask, request, why);
    }
    if (e != EVENT_LINE)
        return e;
    s->at = (uint32_t)data.n;
    if (data.n < line_stop(s, l))
        return EVENT_MORE;
    *why = too_long(s, l);
    return EVENT_BAD;
}

ptrdiff_t
h1_scan_run(struct h1_scan *s, const struct h1_limits *l, struct slice data, bool request,
            enum reason *why)
{
    /* Copies, so that the loops keep them in registers. */
    struct h1_scan now = *s;
    const struct h1_limits limits = *l;
    enum reason reason = REASON_NONE;
    enum event e = scan_block(&now, &limits, data, request, &reason);

    *s = now;
    if (e == EVENT_BAD)
        *why = request ? reason : REASON_UPSTREAM_MALFORMED;
    return e == EVENT_END ? (ptrdiff_t)now.at : e == EVENT_BAD ? -1 : 0;
}
