/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metric.c: counting without a lock prefix: each cell has one writer, so a relaxed load and
 * store are enough; readers see values that were true a moment ago.
 */
#include "config.h"

#include "base/metric.h"

#include <stddef.h>

static int64_t
peek(const int64_t *cell)
{
    return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

static void
bump(int64_t *cell, int64_t n)
{
    __atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

void
metric_add(struct metrics *m, enum metric which, int64_t n)
{
    if (m)
        bump(&m->value[which], n);
}

void
metric_reason(struct metrics *m, enum reason r)
{
    if (m)
        bump(&m->reason[r], 1);
}

int64_t
metric_get(const struct metrics *m, enum metric which)
{
    return m ? peek(&m->value[which]) : 0;
}

void
metric_sum(struct metrics *sum, const struct metrics *m)
{
    for (size_t i = 0; i < METRICS; i++)
        sum->value[i] += peek(&m->value[i]);
    for (size_t i = 0; i < REASON_COUNT; i++)
        sum->reason[i] += peek(&m->reason[i]);
}

static const struct {
    const char *name, *type, *help;
} rows[] = {
#define COUNTER "counter"
#define GAUGE "gauge"
#define METRIC(sym, name, type, help) {name, type, help},
#include "base/metric.def"
#undef METRIC
#undef COUNTER
#undef GAUGE
};

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
}

/*
 * One labelled family over the rows of reason.def, those that become answers or those that do
 * not.
 */
static void
reasons(struct buf *out, const struct metrics *sum, bool answered, const char *name,
        const char *help)
{
    head(out, name, "counter", help);
    for (unsigned r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        const struct reason_row *row = reason_row((enum reason)r);
        if ((row->status != 0) == answered)
            buf_printf(out, "%s{error=\"%s\"} %lld\n", name, row->slug, (long long)sum->reason[r]);
    }
}

void
metric_text(struct buf *out, const struct metrics *sum)
{
    for (size_t i = 0; i < METRICS; i++) {
        head(out, rows[i].name, rows[i].type, rows[i].help);
        buf_printf(out, "%s %lld\n", rows[i].name, (long long)sum->value[i]);
    }
    reasons(out, sum, true, "rouse_generated_responses_total", "Answers that Rouse made up");
    reasons(out, sum, false, "rouse_ends_total", "Other ends of exchanges and connections");
}
