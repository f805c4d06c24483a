/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h: a free list of equal blocks, for one thread. Blocks come from malloc and are kept when
 * given back, up to a number of spare ones; the rest return to malloc. Under ASan nothing is kept.
 */
#ifndef ROUSE_BASE_POOL_H
#define ROUSE_BASE_POOL_H

#include <stddef.h>

struct pool_block;
struct pool {
    struct pool_block *spare;
    size_t size;      /* bytes of a block */
    size_t spares;    /* blocks on the free list */
    size_t max_spare; /* kept at most */
    size_t out;       /* blocks handed out now */
    size_t max_out;   /* 0: no limit */
    size_t refused;   /* takes that the limit or malloc refused */
};

/* size: at least that of a pointer. */
void pool_init(struct pool *p, size_t size, size_t max_spare, size_t max_out);
/* Frees the spare blocks; ensure()s that none is out. */
void pool_fini(struct pool *p);
/* A block with undefined contents, or NULL at the limit or out of memory. */
void *pool_take(struct pool *p);
/* A NULL block is ignored. */
void pool_give(struct pool *p, void *block);

#endif
