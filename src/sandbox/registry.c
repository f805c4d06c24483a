/* SPDX-License-Identifier: BSD-2-Clause */
/* registry.c: the table of sandboxes. It must not know what is done with them. */
#include "config.h"

#include "sandbox/registry.h"

#include <stdlib.h>

void
registry_init(struct registry *r, size_t max, uint64_t seed0, uint64_t seed1)
{
    uint32_t n = max < UINT32_MAX ? (uint32_t)max : UINT32_MAX;

    map_init(&r->by_key, max, seed0, seed1);
    idtable_init(&r->numbers, n);
    list_init(&r->lru);
}

void
registry_fini(struct registry *r)
{
    ensure(r->by_key.count == 0);
    map_fini(&r->by_key);
    idtable_fini(&r->numbers);
}

struct sandbox *
registry_find(const struct registry *r, const struct sandbox_key *key)
{
    struct map_node *n = map_find(&r->by_key, sandbox_key_slice(key));

    return n ? container_of(n, struct sandbox, by_key) : NULL;
}

struct sandbox *
registry_get(const struct registry *r, uint64_t number)
{
    return idtable_get(&r->numbers, number);
}

bool
registry_full(const struct registry *r)
{
    return r->by_key.count >= r->by_key.max;
}

static void
sandbox_init(struct sandbox *s, const struct sandbox_key *key)
{
    s->key = *key;
    s->state = SANDBOX_UNKNOWN;
    record_init(&s->record);
    record_init(&s->flight.outcome);
    bucket_init(&s->wakes_rate);
    list_init(&s->held);
    list_init(&s->pairs);
    list_init(&s->errands);
    list_init(&s->lru);
    s->running_at = INT64_MIN / 2;
    s->known_at = s->used_at = INT64_MIN / 2;
    s->suspected_at = s->loose_until = INT64_MIN / 2;
    s->look.ended = INT64_MIN / 2;
    s->look.suspect_at = USEC_NEVER;
    s->idle.since = INT64_MIN / 2;
}

struct sandbox *
registry_add(struct registry *r, const struct sandbox_key *key, unsigned workers)
{
    struct sandbox *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    sandbox_init(s, key);
    s->idle.worker = calloc(workers, sizeof(*s->idle.worker));
    if (!s->idle.worker)
        goto fail;
    s->number = idtable_add(&r->numbers, s);
    if (s->number == 0)
        goto fail;
    if (map_insert(&r->by_key, &s->by_key, sandbox_key_slice(&s->key)) < 0) {
        idtable_remove(&r->numbers, s->number);
        goto fail;
    }
    list_push_back(&r->lru, &s->lru);
    return s;

fail:
    free(s->idle.worker);
    free(s);
    return NULL;
}

void
registry_remove(struct registry *r, struct sandbox *s)
{
    ensure(!registry_pinned(s) && list_empty(&s->pairs) && s->due.pos == 0);
    map_remove(&r->by_key, &s->by_key);
    idtable_remove(&r->numbers, s->number);
    list_unlink(&s->lru);
    record_fini(&s->record);
    record_fini(&s->flight.outcome);
    free(s->idle.worker);
    free(s);
}

void
registry_touch(struct registry *r, struct sandbox *s)
{
    list_unlink(&s->lru);
    list_push_back(&r->lru, &s->lru);
}

bool
registry_pinned(const struct sandbox *s)
{
    return s->held_n > 0 || s->out > 0 || s->idle.open > 0 || !list_empty(&s->errands) ||
           s->flight.state != FLIGHT_NONE || s->look.call.id != 0 || s->flight.renew.id != 0 ||
           s->flight.late.id != 0 ||
           s->quiesce.asking;
}
