/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reason.h: why something ended. One enum for the whole program, from reason.def.
 */
#ifndef ROUSE_BASE_REASON_H
#define ROUSE_BASE_REASON_H

#include <stdbool.h>

#include "base/slice.h"

enum __attribute__((packed)) reason { /* one byte: each request keeps some */
    REASON_NONE = 0, /* it ended well */
#define REASON(sym, slug, native, e2b, retry, code, e2b_code) REASON_##sym,
#include "base/reason.def"
#undef REASON
    REASON_COUNT
};

/* Values of reason_row.retry_after; positive numbers are seconds, RA_JITTER(n) is n or n + 1. */
#define RA_NONE 0
#define RA_GIVEN (-1)
#define RA_RANDOM (-2)
#define RA_JITTER(n) (-100 - (n))

struct reason_row {
    const char *slug;
    short status, e2b_status; /* 0: never answered */
    short retry_after;
    const char *code, *e2b_code;
};

/* The row of a reason; REASON_NONE has the slug "-" and status 0. */
const struct reason_row *reason_row(enum reason r);
const char *reason_slug(enum reason r);
/* The reason with that slug, or REASON_NONE. */
enum reason reason_of_slug(struct slice slug);

#endif
