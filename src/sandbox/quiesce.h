/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiesce.h: the handshake before a pause: which workers must still answer, and which have requests
 * in flight. Pure bookkeeping; keeper_pause.c sends and decides.
 *
 *     none --> asking --> calm --> (the platform is called)
 *                asking --> none      a request came, or was in flight: given up
 */
#ifndef ROUSE_SANDBOX_QUIESCE_H
#define ROUSE_SANDBOX_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

#define WORKERS_MAX 256

/* A set of workers. */
struct workers {
    uint64_t bits[WORKERS_MAX / 64];
};

void workers_add(struct workers *w, unsigned n);
void workers_remove(struct workers *w, unsigned n);
bool workers_has(const struct workers *w, unsigned n);
bool workers_none(const struct workers *w);

struct quiesce {
    bool asking;
    bool patient;         /* explicit: wait for requests in flight instead of giving up */
    uint64_t version;     /* of the QUIESCE */
    usec_t deadline;
    uint64_t request;     /* the admin's, 0: our own idea */
    struct workers asked; /* no QUIESCED yet */
    struct workers busy;  /* answered with requests in flight */
};

void quiesce_begin(struct quiesce *q, const struct workers *know, uint64_t version, bool patient,
                   usec_t deadline);
void quiesce_end(struct quiesce *q);
/* QUIESCED: false when it belongs to another handshake. */
bool quiesce_on_reply(struct quiesce *q, unsigned worker, uint64_t version, uint32_t in_flight);
/* ACTIVITY of a worker that was busy. */
void quiesce_on_activity(struct quiesce *q, unsigned worker, uint32_t open);
/* Every worker has answered and nothing is in flight: the platform may be called. */
bool quiesce_calm(const struct quiesce *q);
/* Something is in flight that an impatient pause yields to. */
bool quiesce_disturbed(const struct quiesce *q);

#endif
