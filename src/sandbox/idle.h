/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle.h: since when a sandbox has been of no use. The clock starts when it runs; open requests
 * stop it; each report of activity sets it anew.
 */
#ifndef ROUSE_SANDBOX_IDLE_H
#define ROUSE_SANDBOX_IDLE_H

#include <stdint.h>

#include "base/usec.h"

struct idle {
    usec_t since;
    uint32_t open;     /* over all workers, as last reported */
    uint32_t *worker;  /* open at each worker; the sandbox's owner allocates it */
};

/* It runs, or was used just now. */
void idle_touch(struct idle *i, usec_t now);
/* A worker's report. */
void idle_report(struct idle *i, unsigned worker, uint32_t open, usec_t now);
/* When it will have been idle for `after`; USEC_NEVER while something is open or after is off. */
usec_t idle_due(const struct idle *i, usec_t after);
/* 0 while something is open. */
usec_t idle_for(const struct idle *i, usec_t now);

#endif
