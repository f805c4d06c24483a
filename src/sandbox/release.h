/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * release.h: who connects when, for one port of one sandbox. Until a connect has succeeded one
 * probe at a time is out, and its connection carries its request; the next in line inherits the
 * rhythm when it gives up. Then the others follow in a window that counts requests without an
 * answer's head: 1, 2, 4, 8, ...: each answer widens it by one, a connect that took over 100 ms
 * halves it.
 *
 * While something is queued, or a first probe is out, the port is *ramping*: whoever comes queues
 * up. Order: keep-alive connections first, round robin over workers, first come first served within
 * one.
 */
#ifndef ROUSE_SANDBOX_RELEASE_H
#define ROUSE_SANDBOX_RELEASE_H

#include "base/list.h"
#include "sandbox/hold.h"
#include "sandbox/quiesce.h"

#define RELEASE_WINDOW_MAX 4096
#define RELEASE_SLOW_CONNECT (100 * USEC_MS)
/* A connected request that has no answer for so long gives its place back: a slow one does not
 * starve the others. */
#define RELEASE_PATIENCE (2 * USEC_SEC)

struct pair {
    struct list link; /* sandbox.pairs, used last at the back */
    uint16_t port;
    bool proven; /* a connect succeeded in this version */
    bool told;   /* some worker was told that it is open */
    uint32_t window, out, queued;
    uint32_t released; /* since the queue was last empty */
    uint32_t refs;     /* waiters that point here */
    usec_t since;      /* the first probe, or refusal; 0: nobody has tried */
    usec_t not_before; /* the next probe: the last one was accepted and reset */
    unsigned workers, next;
    struct list *queue;   /* 2 x workers: keep-alive ones, then the others; NULL until needed */
    struct workers asked; /* to be told when it opens */
};

struct pair *pair_new(uint16_t port, unsigned workers);
/* Nothing may be queued. */
void pair_free(struct pair *p);
/* 0, or -1 when out of memory. */
int pair_push(struct pair *p, struct waiter *w) must_check;
/* Takes a queued waiter out. */
void pair_remove(struct pair *p, struct waiter *w);
/* The next to be released, with its place taken; NULL: nobody waits, or the window is full. */
struct waiter *pair_pop(struct pair *p, usec_t now);
bool pair_ramping(const struct pair *p);
/* What became of a released one. */
void pair_on_connected(struct pair *p, usec_t took);
void pair_on_failed(struct pair *p, usec_t since);
void pair_on_left(struct pair *p);
/* The head of an answer came (ok), or the end; slow: the place was given back before. */
void pair_on_answered(struct pair *p, bool ok, bool slow);
void pair_on_slow(struct pair *p);
/* Another version: what was known of the port does not hold. */
void pair_reset(struct pair *p);

#endif
