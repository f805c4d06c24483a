/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c: last in, first out, so that a block that is still in the cache is used again.
 * AddressSanitizer sees use after give only when blocks really go back to malloc, so nothing is
 * kept under it.
 */
#include "config.h"

#include "base/pool.h"

#include "base/ensure.h"

#include <stdlib.h>

#ifdef __has_feature
#define POOL_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define POOL_CLANG_ASAN 0
#endif

#if defined(__SANITIZE_ADDRESS__) || POOL_CLANG_ASAN
#define POOL_KEEPS 0
#else
#define POOL_KEEPS 1
#endif

struct pool_block {
    struct pool_block *next;
};

void
pool_init(struct pool *p, size_t size, size_t max_spare, size_t max_out)
{
    ensure(size >= sizeof(struct pool_block));
    *p = (struct pool){
        .size = size, .max_spare = POOL_KEEPS ? max_spare : 0, .max_out = max_out};
}

void
pool_fini(struct pool *p)
{
    ensure(p->out == 0);
    while (p->spare) {
        struct pool_block *next = p->spare->next;
        free(p->spare);
        p->spare = next;
    }
    p->spares = 0;
}

void *
pool_take(struct pool *p)
{
    struct pool_block *b = NULL;

    if (p->max_out == 0 || p->out < p->max_out) {
        b = p->spare;
        if (b) {
            p->spare = b->next;
            p->spares--;
        } else {
            b = malloc(p->size);
        }
    }
    if (b)
        p->out++;
    else
        p->refused++;
    return b;
}

void
pool_give(struct pool *p, void *block)
{
    if (!block)
        return;
    ensure(p->out > 0);
    p->out--;
    if (p->spares < p->max_spare) {
        struct pool_block *b = block;
        b->next = p->spare;
        p->spare = b;
        p->spares++;
    } else {
        free(block);
    }
}
