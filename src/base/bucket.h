/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket.h: a token bucket: `count` events per `span`, bursts up to count.
 */
#ifndef ROUSE_BASE_BUCKET_H
#define ROUSE_BASE_BUCKET_H

#include <stdbool.h>

#include "base/units.h"

struct bucket {
    /* when it would be full again if left alone (GCRA's theoretical arrival time) */
    usec_t full_at;
};

/* A full bucket. */
void bucket_init(struct bucket *b);
/* Takes one token: true; or false and *wait is the exact time until one is there. */
bool bucket_take(struct bucket *b, struct rate r, usec_t now, usec_t *wait);
/* True when nothing has been taken for so long that the bucket may be forgotten. */
bool bucket_idle(const struct bucket *b, usec_t now);

#endif
