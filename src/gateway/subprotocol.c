/* SPDX-License-Identifier: BSD-2-Clause */
/* subprotocol.c: see subprotocol.h. Pure. */
#include "config.h"

#include "gateway/subprotocol.h"

#include <string.h>

#define PREFIX SLICE("rouse.token.")
#define NAME SLICE("Sec-WebSocket-Protocol")

static bool
is_token(struct slice s)
{
    return s.n > PREFIX.n && slice_starts(s, PREFIX);
}

/* The first member with a token; n == 0: there is none. */
static struct slice
first_token(const struct head *h)
{
    const struct field *f = head_find(h, FIELD_SEC_WEBSOCKET_PROTOCOL);
    struct slice one;

    for (; f; f = head_find_next(h, f)) {
        struct slice rest = f->value;

        while (slice_next(&rest, ',', &one))
            if (is_token(one))
                return one;
    }
    return SLICE_NONE;
}

struct slice
subprotocol_token(const struct head *h)
{
    struct slice s = first_token(h);

    return slice_sub(s, s.n > 0 ? PREFIX.n : 0, s.n);
}

/* All fields' other members as one list into `to`, if it is not NULL; returns its length. */
static size_t
others(const struct head *h, char *to)
{
    const struct field *f = head_find(h, FIELD_SEC_WEBSOCKET_PROTOCOL);
    struct slice one;
    size_t n = 0;

    for (; f; f = head_find_next(h, f)) {
        struct slice rest = f->value;

        while (slice_next(&rest, ',', &one)) {
            if (one.n == 0 || is_token(one))
                continue;
            if (to && n > 0)
                memcpy(to + n, ", ", 2);
            n += n > 0 ? 2 : 0;
            if (to)
                memcpy(to + n, one.p, one.n);
            n += one.n;
        }
    }
    return n;
}

int
subprotocol_strip(struct head *h, struct arena *a, struct slice *only)
{
    struct slice token = first_token(h);
    size_t n;
    char *text;

    *only = SLICE_NONE;
    if (token.n == 0)
        return 0;
    n = others(h, NULL);
    if (n == 0) {
        *only = token;
        head_remove(h, FIELD_SEC_WEBSOCKET_PROTOCOL);
        return 0;
    }
    text = arena_bytes(a, n);
    if (!text)
        return -1;
    others(h, text);
    return head_set(h, a, FIELD_SEC_WEBSOCKET_PROTOCOL, NAME, (struct slice){text, n});
}

int
subprotocol_answer(struct head *answer, struct arena *a, struct slice only)
{
    if (only.n == 0 || answer->status != 101 || head_find(answer, FIELD_SEC_WEBSOCKET_PROTOCOL))
        return 0;
    return head_add(answer, a, FIELD_SEC_WEBSOCKET_PROTOCOL, NAME, only);
}
