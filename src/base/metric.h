/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metric.h: one thread's counters. The owner alone adds; others may read at any time (relaxed
 * atomics on both sides, no lock prefix on the hot path); the admin side sums over all threads.
 */
#ifndef ROUSE_BASE_METRIC_H
#define ROUSE_BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"
#include "base/reason.h"

enum metric {
#define METRIC(sym, name, type, help) METRIC_##sym,
#include "base/metric.def"
#undef METRIC
    METRICS
};

struct metrics {
    int64_t value[METRICS];
    int64_t reason[REASON_COUNT]; /* answers Rouse made up, and other ends, by reason */
};

/* m may be NULL. */
void metric_add(struct metrics *m, enum metric which, int64_t n);
void metric_reason(struct metrics *m, enum reason r);
int64_t metric_get(const struct metrics *m, enum metric which);
/* *sum += *m, field by field; safe while the owner counts. */
void metric_sum(struct metrics *sum, const struct metrics *m);
/* Prometheus text exposition of a sum: every series, also at zero. */
void metric_text(struct buf *out, const struct metrics *sum);

#endif
