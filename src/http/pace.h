/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pace.h: is a peer that we wait for slow beyond patience? Only time spent waiting for it counts:
 * a session that is held or blocked by its other side does not hold that against the peer.
 */
#ifndef ROUSE_HTTP_PACE_H
#define ROUSE_HTTP_PACE_H

#include "base/usec.h"

struct pace {
    usec_t since;  /* waiting from then on; 0: not waiting */
    usec_t waited; /* in total, before since */
    uint64_t bytes;
};

static inline void
pace_wait(struct pace *p, usec_t now)
{
    if (p->since == 0)
        p->since = now;
}

/* It moved n bytes, or is no longer waited for (n == 0). */
static inline void
pace_moved(struct pace *p, usec_t now, size_t n)
{
    if (p->since != 0)
        p->waited += now - p->since;
    p->since = 0;
    p->bytes += n;
}

/* When patience ends: `stall` without progress, or a mean rate below min_rate bytes a second after
 * grace. */
static inline usec_t
pace_due(const struct pace *p, usec_t stall, usec_t grace, uint32_t min_rate)
{
    usec_t fair, due;

    if (p->since == 0)
        return USEC_NEVER;
    due = usec_add(p->since, stall);
    if (min_rate == 0 || grace == USEC_OFF || p->bytes > (uint64_t)INT32_MAX * min_rate)
        return due;
    fair = usec_max(grace, (usec_t)(p->bytes / min_rate) * USEC_SEC);
    return usec_min(due, p->since + usec_max(fair - p->waited, 0));
}

#endif
