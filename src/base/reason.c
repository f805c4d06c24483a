/* SPDX-License-Identifier: BSD-2-Clause */
/* reason.c: reason.def as a table. */
#include "config.h"

#include "base/reason.h"

#include "base/ensure.h"

static const struct reason_row rows[] = {
    {"-", 0, 0, RA_NONE, "", ""},
#define REASON(sym, slug, native, e2b, retry, code, e2b_code) \
    {slug, native, e2b, retry, code, e2b_code},
#include "base/reason.def"
#undef REASON
};

const struct reason_row *
reason_row(enum reason r)
{
    ensure((unsigned)r < REASON_COUNT);
    return &rows[r];
}

const char *
reason_slug(enum reason r)
{
    return reason_row(r)->slug;
}

enum reason
reason_of_slug(struct slice slug)
{
    for (unsigned r = REASON_NONE + 1; r < REASON_COUNT; r++)
        if (slice_eq(slug, slice_of(rows[r].slug)))
            return (enum reason)r;
    return REASON_NONE;
}
