/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.c: objects are taken from the front of the newest block, text from its end, so that
 * neither pays for the other's alignment. A request that is too large for a block gets one of
 * its own, queued behind the newest, which stays in use.
 */
#include "config.h"

#include "base/arena.h"

#include "base/ensure.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t own; /* bytes when it is malloc's, 0 when the pool's, or LENT */
};

#define LENT SIZE_MAX

/* What the header takes, so that the data behind it is aligned. */
#define HEADER ((sizeof(struct arena_block) + ALIGN - 1) / ALIGN * ALIGN)

void
arena_init(struct arena *a, struct pool *pool, size_t max)
{
    ensure(pool->size > HEADER);
    *a = (struct arena){.pool = pool, .max = max};
}

static void
begin_block(struct arena *a, struct arena_block *b, size_t n, size_t own)
{
    *b = (struct arena_block){.next = a->head, .own = own};
    a->head = b;
    a->at = (char *)b + HEADER;
    a->end = (char *)b + n;
}

void
arena_lend(struct arena *a, void *p, size_t n)
{
    ensure(!a->head && n >= HEADER);
    begin_block(a, p, n, LENT);
}

void
arena_reset(struct arena *a)
{
    struct arena_block *b = a->head;

    while (b) {
        struct arena_block *next = b->next;
        if (b->own == 0)
            pool_give(a->pool, b);
        else if (b->own != LENT)
            free(b);
        b = next;
    }
    arena_init(a, a->pool, a->max);
}

/* A block for one large request, behind the head. */
static char *
take_own(struct arena *a, size_t n)
{
    if (n > a->max || HEADER + n > a->max - a->used)
        return NULL;
    struct arena_block *b = malloc(HEADER + n);
    if (!b)
        return NULL;
    b->own = HEADER + n;
    a->used += b->own;
    if (a->head) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = NULL;
        a->head = b;
    }
    return (char *)b + HEADER;
}

static int
take_block(struct arena *a)
{
    if (a->pool->size > a->max - a->used)
        return -1;
    struct arena_block *b = pool_take(a->pool);
    if (!b)
        return -1;
    begin_block(a, b, a->pool->size, 0);
    a->used += a->pool->size;
    return 0;
}

/* Ensures n bytes between at and end: 1; 0: in vain; -1: it needs a block of its own. */
static int
make_room(struct arena *a, size_t n)
{
    if (a->at && n <= (size_t)(a->end - a->at))
        return 1;
    if (n > a->pool->size - HEADER)
        return -1;
    return take_block(a) == 0;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    if (n > a->max)
        return NULL;

    size_t taken = (n + ALIGN - 1) / ALIGN * ALIGN;
    int room = make_room(a, taken);
    if (room < 0)
        return take_own(a, n);
    if (room == 0)
        return NULL;
    char *p = a->at;
    a->at += taken;
    return p;
}

char *
arena_bytes(struct arena *a, size_t n)
{
    int room = make_room(a, n);

    if (room < 0)
        return take_own(a, n);
    if (room == 0)
        return NULL;
    a->end -= n;
    return a->end;
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
    if (s.n == 0)
        return SLICE("");

    char *p = arena_bytes(a, s.n);
    if (!p)
        return SLICE_NONE;
    memcpy(p, s.p, s.n);
    return (struct slice){p, s.n};
}
