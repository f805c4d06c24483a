/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel.h: a hashed timer wheel with lazy deadlines. Moving a deadline later is one store; the
 * timer is looked at again where it stands and re-queued if its deadline has moved on. Only moving
 * it earlier re-links. Fires late by at most one tick, never early.
 */
#ifndef ROUSE_BASE_WHEEL_H
#define ROUSE_BASE_WHEEL_H

#include <stdbool.h>

#include "base/list.h"
#include "base/usec.h"

#define WHEEL_SLOTS 1024

struct wheel_timer {
    struct list link;
    usec_t deadline; /* USEC_NEVER: not armed */
    usec_t slot_at;  /* where it stands now */
    void (*fire)(struct wheel_timer *);
};

struct wheel {
    struct list slot[WHEEL_SLOTS];
    uint64_t occupied[WHEEL_SLOTS / 64]; /* a bit for each slot that is not empty */
    usec_t tick; /* width of a slot */
    usec_t at;   /* everything before this has fired */
    size_t armed;
};

void wheel_init(struct wheel *w, usec_t tick, usec_t now);
void wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *));
/* Arms, or moves, the timer. USEC_NEVER disarms. */
void wheel_set(struct wheel *w, struct wheel_timer *t, usec_t deadline);
void wheel_cancel(struct wheel *w, struct wheel_timer *t);
/* Fires everything due at now; a callback may set or cancel any timer, also its own. */
void wheel_advance(struct wheel *w, usec_t now);
/*
 * The latest moment by which wheel_advance should be called again; USEC_NEVER when nothing is
 * armed.
 */
usec_t wheel_next(const struct wheel *w);

#endif
