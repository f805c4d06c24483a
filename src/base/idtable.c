/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idtable.c: an id is the slot's number plus one in the low 24 bits, the slot's generation in
 * the 40 above. A slot in use holds its own id; a free one its next generation and the next free
 * slot.
 */
#include "config.h"

#include "base/idtable.h"

#include <stdlib.h>

#define SLOT_BITS 24
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)
#define IDTABLE_FIRST 16

struct idtable_slot {
    void *obj; /* NULL: free */
    uint64_t word;
};

void
idtable_init(struct idtable *t, uint32_t max)
{
    ensure(max < SLOT_MASK);
    *t = (struct idtable){.max = max};
}

void
idtable_fini(struct idtable *t)
{
    free(t->slot);
    *t = (struct idtable){.max = t->max};
}

static int
grow(struct idtable *t)
{
    uint32_t cap = t->cap > 0 ? t->cap * 2 : IDTABLE_FIRST;

    if (cap > t->max)
        cap = t->max;
    if (cap == t->cap)
        return -1;
    struct idtable_slot *slot = realloc(t->slot, cap * sizeof *slot);
    if (!slot)
        return -1;
    for (uint32_t i = t->cap; i < cap; i++)
        slot[i] = (struct idtable_slot){.word = i + 1 < cap ? i + 2 : 0};
    t->slot = slot;
    t->free_head = t->cap + 1;
    t->cap = cap;
    return 0;
}

uint64_t
idtable_add(struct idtable *t, void *obj)
{
    ensure(obj);
    if (t->free_head == 0 && grow(t))
        return 0;

    uint32_t number = t->free_head;
    struct idtable_slot *s = &t->slot[number - 1];
    t->free_head = (uint32_t)(s->word & SLOT_MASK);
    s->word = (s->word & ~SLOT_MASK) | number;
    s->obj = obj;
    t->count++;
    return s->word;
}

static struct idtable_slot *
slot_of(const struct idtable *t, uint64_t id)
{
    uint64_t number = id & SLOT_MASK;

    if (number == 0 || number > t->cap)
        return NULL;
    struct idtable_slot *s = &t->slot[number - 1];
    return s->obj && s->word == id ? s : NULL;
}

void *
idtable_get(const struct idtable *t, uint64_t id)
{
    const struct idtable_slot *s = slot_of(t, id);

    return s ? s->obj : NULL;
}

void *
idtable_remove(struct idtable *t, uint64_t id)
{
    struct idtable_slot *s = slot_of(t, id);

    if (!s)
        return NULL;
    void *obj = s->obj;
    s->obj = NULL;
    s->word = ((id & ~SLOT_MASK) + SLOT_MASK + 1) | t->free_head;
    t->free_head = (uint32_t)(id & SLOT_MASK);
    t->count--;
    return obj;
}
