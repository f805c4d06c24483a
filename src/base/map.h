/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.h: an intrusive hash map from byte strings (or u64) to objects that embed a map_node.
 * Keyed hash (SipHash-1-3, seeded at creation), so that clients cannot choose collisions. The
 * object owns its key bytes, which must not change while it is in the map. Bounded: insertion
 * beyond max fails.
 */
#ifndef ROUSE_BASE_MAP_H
#define ROUSE_BASE_MAP_H

#include <stdint.h>

#include "base/ensure.h"
#include "base/slice.h"

struct map_node {
    struct map_node *next;
    uint64_t hash;
    struct slice key;
};

struct map {
    struct map_node **slot;
    size_t slots; /* power of two */
    size_t count;
    size_t max;
    uint64_t seed[2];
};

/* seed: two words from random; the simulator passes fixed ones. Owns no memory until used. */
void map_init(struct map *m, size_t max, uint64_t seed0, uint64_t seed1);
/* Frees the slots; the nodes are the callers'. */
void map_fini(struct map *m);
struct map_node *map_find(const struct map *m, struct slice key);
/* 0; -1 when full, out of memory, or the key is present already. */
int map_insert(struct map *m, struct map_node *n, struct slice key) must_check;
/* The node must be in the map. */
void map_remove(struct map *m, struct map_node *n);
/* Iteration: *cursor starts at 0; NULL at the end. Removing the returned node is allowed. */
struct map_node *map_next(const struct map *m, size_t *cursor, struct map_node *prev);
/* SipHash-1-3 of bytes. */
uint64_t map_hash(struct slice key, uint64_t seed0, uint64_t seed1);

#endif
