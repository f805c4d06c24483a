/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_store.h: the state of a gateway that stands alone: sandbox/store.h over a map in memory.
 * Calls are carried out and answered in order from the loop's run list, never from within a call.
 * Epochs start at the wall clock, so that a restart never goes back (DESIGN section 6). There is no
 * news: nobody else writes. Owner: the control thread.
 */
#ifndef ROUSE_STORE_MEMORY_STORE_H
#define ROUSE_STORE_MEMORY_STORE_H

#include "net/loop.h"
#include "sandbox/store.h"

struct memory_store;

/* Calls not yet answered, at most; those beyond it are answered with STORE_DOWN. */
#define MEMORY_STORE_PENDING 10000

/*
 * Keeps at most max sandboxes; the ones unused for longest go first, those with a live lease never.
 * epoch: where numbering starts (wall clock microseconds). The record in a result is the store's:
 * valid during the callback only. NULL: out of memory.
 */
struct memory_store *memory_store_new(struct loop *l, size_t max, uint64_t epoch,
                                      void (*on_result)(void *ctx, const struct store_result *r),
                                      void *ctx);
/* Open calls are not answered any more. */
void memory_store_free(struct memory_store *m);
/* As struct store_ops.call: `store` is a struct memory_store. */
extern const struct store_ops memory_store_ops;

struct memory_store_counts {
    size_t sandboxes, pending;
    uint64_t evicted; /* sandboxes forgotten for want of room */
    uint64_t refused; /* calls answered with STORE_DOWN */
    uint64_t dropped; /* calls not even answered: far too many at once, or no memory */
};
struct memory_store_counts memory_store_counts(const struct memory_store *m);

#endif
