/* SPDX-License-Identifier: BSD-2-Clause */
/* sim_plan.h: what a run is like, and what may happen in it. */
#ifndef ROUSE_TESTS_SIM_PLAN_H
#define ROUSE_TESTS_SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/heap.h"

struct sim;
struct gateway;

/* What a run is like, drawn from its seed. Chances are in thousandths. */
struct plan {
    unsigned gateways, workers, guests, ports, requests;
    usec_t span; /* during which requests come */
    unsigned store_lost, store_doubled, store_down, news_lost, news_doubled;
    usec_t store_delay, mail_delay;
    unsigned drv_fault, drv_never, drv_late, drv_pending, drv_final;
    unsigned self_pause, announced, killed, crash, stall, verbs;
    unsigned leave, dead_port, stranger, crowd, slow_connect, echo;
    bool honest_store;
};

/* Something that happens. gated: to a gateway's process: waits while it is stopped, dies with it.
 * */
struct event {
    struct heap_node node;
    void (*fn)(struct sim *s, struct event *e);
    struct gateway *g;
    uint32_t life;
    uint64_t a, b;
    void *p;
    size_t n;
    unsigned char data[];
};

#endif
