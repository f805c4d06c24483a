/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usec.h: time as the whole program passes it about: microseconds of the monotonic clock, signed.
 * Only net/loop and app/ read clocks; everybody else is told.
 */
#ifndef ROUSE_BASE_USEC_H
#define ROUSE_BASE_USEC_H

#include <stdint.h>

typedef int64_t usec_t;

#define USEC_MS ((usec_t)1000)
#define USEC_SEC ((usec_t)1000000)
#define USEC_NEVER INT64_MAX
/* A limit the operator wrote out as `off`. */
#define USEC_OFF INT64_MAX

/* a + b without overflow past USEC_NEVER. */
static inline usec_t
usec_add(usec_t a, usec_t b)
{
    return (b > 0 && a > USEC_NEVER - b) ? USEC_NEVER : a + b;
}

static inline usec_t
usec_min(usec_t a, usec_t b)
{
    return a < b ? a : b;
}

static inline usec_t
usec_max(usec_t a, usec_t b)
{
    return a > b ? a : b;
}

#endif
