/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * registry.h: every sandbox that is known, by key and by number. Bounded: the one that was used
 * longest ago and that nothing hangs on makes room for a new one.
 */
#ifndef ROUSE_SANDBOX_REGISTRY_H
#define ROUSE_SANDBOX_REGISTRY_H

#include "base/idtable.h"
#include "sandbox/sandbox.h"

struct registry {
    struct map by_key;
    struct idtable numbers;
    struct list lru; /* used longest ago first */
};

void registry_init(struct registry *r, size_t max, uint64_t seed0, uint64_t seed1);
/* Must be empty. */
void registry_fini(struct registry *r);
struct sandbox *registry_find(const struct registry *r, const struct sandbox_key *key);
struct sandbox *registry_get(const struct registry *r, uint64_t number);
bool registry_full(const struct registry *r);
/* A new sandbox, unknown in everything, with room for the reports of `workers`; NULL when full or
 * out of memory. */
struct sandbox *registry_add(struct registry *r, const struct sandbox_key *key, unsigned workers);
/* Frees it. Nothing may hang on it. */
void registry_remove(struct registry *r, struct sandbox *s);
/* It is being used: forgotten last. */
void registry_touch(struct registry *r, struct sandbox *s);
/* Does anything hang on it that keeps it from being forgotten, apart from routes at workers? */
bool registry_pinned(const struct sandbox *s);

#endif
