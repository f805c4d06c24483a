/* SPDX-License-Identifier: BSD-2-Clause */
/* quiesce.c: who has answered and who is busy. It must not know sandboxes, mail or platforms. */
#include "config.h"

#include "sandbox/quiesce.h"

#include "base/ensure.h"

void
workers_add(struct workers *w, unsigned n)
{
    ensure(n < WORKERS_MAX);
    w->bits[n / 64] |= UINT64_C(1) << (n % 64);
}

void
workers_remove(struct workers *w, unsigned n)
{
    ensure(n < WORKERS_MAX);
    w->bits[n / 64] &= ~(UINT64_C(1) << (n % 64));
}

bool
workers_has(const struct workers *w, unsigned n)
{
    ensure(n < WORKERS_MAX);
    return (w->bits[n / 64] >> (n % 64)) & 1;
}

bool
workers_none(const struct workers *w)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < WORKERS_MAX / 64; i++)
        any |= w->bits[i];
    return any == 0;
}

void
quiesce_begin(struct quiesce *q, const struct workers *know, uint64_t version, bool patient,
              usec_t deadline)
{
    *q = (struct quiesce){.asking = true, .patient = patient, .version = version};
    q->deadline = deadline;
    q->asked = *know;
}

void
quiesce_end(struct quiesce *q)
{
    *q = (struct quiesce){.asking = false};
}

bool
quiesce_on_reply(struct quiesce *q, unsigned worker, uint64_t version, uint32_t in_flight)
{
    if (!q->asking || version != q->version)
        return false;
    workers_remove(&q->asked, worker);
    if (in_flight > 0)
        workers_add(&q->busy, worker);
    return true;
}

void
quiesce_on_activity(struct quiesce *q, unsigned worker, uint32_t open)
{
    if (q->asking && open == 0 && !workers_has(&q->asked, worker))
        workers_remove(&q->busy, worker);
}

bool
quiesce_calm(const struct quiesce *q)
{
    return q->asking && workers_none(&q->asked) && workers_none(&q->busy);
}

bool
quiesce_disturbed(const struct quiesce *q)
{
    return q->asking && !q->patient && !workers_none(&q->busy);
}
