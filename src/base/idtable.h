/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idtable.h: numbers for objects that other threads or late events refer to. An id is a slot number
 * and the slot's generation: an id that was given back never finds the slot's next owner.
 * Id 0 is never given.
 */
#ifndef ROUSE_BASE_IDTABLE_H
#define ROUSE_BASE_IDTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"

struct idtable_slot;
struct idtable {
    struct idtable_slot *slot;
    uint32_t cap, max, count, free_head;
};

void idtable_init(struct idtable *t, uint32_t max);
void idtable_fini(struct idtable *t);
/* A fresh id for obj, or 0 when the table is full or out of memory. */
uint64_t idtable_add(struct idtable *t, void *obj) must_check;
/* The object, or NULL when the id is stale, unknown or 0. */
void *idtable_get(const struct idtable *t, uint64_t id);
/* Gives the id back; stale ids are ignored. Returns the object or NULL. */
void *idtable_remove(struct idtable *t, uint64_t id);

#endif
