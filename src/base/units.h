/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * units.h: the quantities users write: durations `250ms 45s 10m 1h`, sizes `64k 1m`, rates `10/min`
 * `12/10min`; `off` is unlimited, 0 is none (CONTRACT section 2).
 */
#ifndef ROUSE_BASE_UNITS_H
#define ROUSE_BASE_UNITS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/slice.h"
#include "base/usec.h"

#define UNITS_SIZE_OFF UINT64_MAX

/* count events per span; off: count == UINT32_MAX. */
struct rate {
    uint32_t count;
    usec_t span;
};

/* 0 and *out, or -1 and *hint names what is expected (static text). A bare 0 is a duration; other
 * bare numbers are not: the hint says to add a unit. */
int units_duration(struct slice s, usec_t *out, const char **hint) must_check;
int units_size(struct slice s, uint64_t *out, const char **hint) must_check;
int units_rate(struct slice s, struct rate *out, const char **hint) must_check;
/* The shortest text that reads back as the same value. */
void units_add_duration(struct buf *b, usec_t v);
void units_add_size(struct buf *b, uint64_t v);
void units_add_rate(struct buf *b, struct rate r);

#endif
