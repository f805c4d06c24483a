/* SPDX-License-Identifier: BSD-2-Clause */
/* trailer.c: see trailer.h. Pure. */
#include "config.h"

#include "http/trailer.h"

/* Whoever has a meaning in a head, and is not known to us otherwise (field.def). */
static const char *const never[] = {
    "age", "allow", "authentication-info", "cdn-loop", "early-data", "expires", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "max-forwards",
    "pragma", "range", "vary", "www-authenticate", "x-http-method-override", "x-original-url",
    "x-rewrite-url",
};

static const char *const never_start[] = {
    "access-control-", "content-", "proxy-", "sec-", "x-forwarded-", "e2b-", "rouse-",
};

bool
trailer_may_pass(const struct field *f)
{
    if (f->id != FIELD_OTHER)
        return f->id == FIELD_SERVER_TIMING;
    if (!f->plain && slice_index(f->name, '_') >= 0)
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (slice_ieq(f->name, slice_of(never[i])))
            return false;
    for (size_t i = 0; i < sizeof(never_start) / sizeof(never_start[0]); i++)
        if (slice_istarts(f->name, slice_of(never_start[i])))
            return false;
    return true;
}

unsigned
trailer_keep(struct field *f, unsigned n)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++)
        if (trailer_may_pass(&f[i]))
            f[kept++] = f[i];
    return kept;
}
