/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h: the precise timer of a loop, for the connect attempts into a port that is about to
 * open. One timerfd a loop, armed only while something is due; exact to the kernel's timer slack
 * (50 us).
 */
#ifndef ROUSE_NET_PROBE_H
#define ROUSE_NET_PROBE_H

#include "base/ensure.h"
#include "base/heap.h"
#include "net/loop.h"

struct probe_timer {
    struct heap_node node;
    void (*fire)(struct probe_timer *);
};

void probe_timer_init(struct probe_timer *t, void (*fire)(struct probe_timer *));
/* -1 when the timerfd or memory cannot be had: the caller falls back to the wheel. */
int probe_set(struct loop *l, struct probe_timer *t, usec_t at) must_check;
void probe_cancel(struct loop *l, struct probe_timer *t);
/* Called by loop_fini. */
void probe_free(struct probe *p);

#endif
