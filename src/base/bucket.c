/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket.c: the generic cell rate algorithm: one number instead of a level and a time. A token
 * costs `span / count`, rounded up to the microsecond, so that the rate is never exceeded.
 */
#include "config.h"

#include "base/bucket.h"

void
bucket_init(struct bucket *b)
{
    b->full_at = INT64_MIN;
}

bool
bucket_take(struct bucket *b, struct rate r, usec_t now, usec_t *wait)
{
    *wait = 0;
    if (r.count == UINT32_MAX)
        return true;
    if (r.count == 0) {
        *wait = USEC_NEVER;
        return false;
    }

    usec_t cost = r.span / r.count + (r.span % r.count != 0);
    usec_t full_at = usec_add(usec_max(b->full_at, now), cost);
    usec_t latest = usec_add(now, cost * r.count);
    if (full_at > latest) {
        *wait = full_at - latest;
        return false;
    }
    b->full_at = full_at;
    return true;
}

bool
bucket_idle(const struct bucket *b, usec_t now)
{
    return b->full_at <= now;
}
