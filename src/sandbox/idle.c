/* SPDX-License-Identifier: BSD-2-Clause */
/* idle.c: the idle clock. It must not know what is done with it. */
#include "config.h"

#include "sandbox/idle.h"

#include "base/ensure.h"

void
idle_touch(struct idle *i, usec_t now)
{
    i->since = usec_max(i->since, now);
}

void
idle_report(struct idle *i, unsigned worker, uint32_t open, usec_t now)
{
    ensure(i->open >= i->worker[worker]);
    i->open += open - i->worker[worker];
    i->worker[worker] = open;
    idle_touch(i, now);
}

usec_t
idle_due(const struct idle *i, usec_t after)
{
    return i->open > 0 || after == USEC_OFF ? USEC_NEVER : usec_add(i->since, after);
}

usec_t
idle_for(const struct idle *i, usec_t now)
{
    return i->open > 0 || now < i->since ? 0 : now - i->since;
}
