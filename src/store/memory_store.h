/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_store.h: the state of a gateway that stands alone: sandbox/store.h over a map in memory. Answers
 * come from the loop's run list, never from within a call. Epochs start at the wall clock, so that a restart
 * never goes back (DESIGN section 6). Owner: the control thread.
 */
#ifndef ROUSE_STORE_MEMORY_STORE_H
#define ROUSE_STORE_MEMORY_STORE_H

#include "net/loop.h"
#include "sandbox/store.h"

struct memory_store;

/* Keeps at most max records; the ones unused for longest go first, those with a live lease never. epoch: where
 * numbering starts (wall clock microseconds). NULL: out of memory. */
struct memory_store *memory_store_new(struct loop *l, size_t max, uint64_t epoch,
                                      void (*on_result)(void *ctx, const struct store_result *r),
                                      void *ctx);
/* Open calls are not answered any more. */
void memory_store_free(struct memory_store *s);
/* As struct store_ops.call: `store` is a struct memory_store. */
extern const struct store_ops memory_store_ops;

#endif
