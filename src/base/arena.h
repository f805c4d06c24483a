/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h: bump allocation that is freed as a whole: what belongs to one exchange. Blocks of one
 * size come from a pool; larger requests have a block of their own. Bounded in total.
 */
#ifndef ROUSE_BASE_ARENA_H
#define ROUSE_BASE_ARENA_H

#include "base/pool.h"
#include "base/slice.h"

struct arena_block;
struct arena {
    struct pool *pool;        /* of the small blocks */
    struct arena_block *head; /* newest block first */
    char *at, *end;
    size_t used; /* bytes taken from pool and malloc */
    size_t max;
};

/* Takes no memory until the first allocation. */
void arena_init(struct arena *a, struct pool *pool, size_t max);
/* An empty arena begins with n bytes at p, which are aligned for any object and stay whose they
 * are: no block is taken before they are used up. Until the next arena_reset. */
void arena_lend(struct arena *a, void *p, size_t n);
/* Gives everything back; the arena is empty and usable again. */
void arena_reset(struct arena *a);
/* n bytes aligned for any object, undefined contents; NULL at the limit or out of memory. */
void *arena_alloc(struct arena *a, size_t n);
/* n bytes without alignment: for text. */
char *arena_bytes(struct arena *a, size_t n);
/* A copy of s in the arena; .p is NULL when it did not fit (an empty s gives a non-NULL .p). */
struct slice arena_copy(struct arena *a, struct slice s);

#endif
