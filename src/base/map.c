/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c: chained buckets, doubled when there are more nodes than slots. When doubling finds no
 * memory the map goes on with longer chains: only the very first insertion can fail for want of
 * memory.
 */
#include "config.h"

#include "base/map.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FIRST 16
/* A cursor is a slot number and a place in its chain. */
#define CURSOR_BITS 16
#define CURSOR_MASK (((size_t)1 << CURSOR_BITS) - 1)

static uint64_t
rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

uint64_t
map_hash(struct slice key, uint64_t seed0, uint64_t seed1)
{
    uint64_t v[4] = {
        seed0 ^ UINT64_C(0x736f6d6570736575),
        seed1 ^ UINT64_C(0x646f72616e646f6d),
        seed0 ^ UINT64_C(0x6c7967656e657261),
        seed1 ^ UINT64_C(0x7465646279746573),
    };
    const char *p = key.p;
    size_t left = key.n;
    uint64_t word;

    for (; left >= 8; p += 8, left -= 8) {
        memcpy(&word, p, 8);
        word = le64toh(word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)key.n << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)(unsigned char)p[i] << (8 * i);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
map_init(struct map *m, size_t max, uint64_t seed0, uint64_t seed1)
{
    *m = (struct map){.max = max, .seed = {seed0, seed1}};
}

void
map_fini(struct map *m)
{
    free(m->slot);
    map_init(m, m->max, m->seed[0], m->seed[1]);
}

static struct map_node **
bucket_of(const struct map *m, uint64_t hash)
{
    return &m->slot[hash & (m->slots - 1)];
}

static struct map_node *
find_hashed(const struct map *m, struct slice key, uint64_t hash)
{
    for (struct map_node *n = *bucket_of(m, hash); n; n = n->next)
        if (n->hash == hash && slice_eq(n->key, key))
            return n;
    return NULL;
}

struct map_node *
map_find(const struct map *m, struct slice key)
{
    if (m->count == 0)
        return NULL;
    return find_hashed(m, key, map_hash(key, m->seed[0], m->seed[1]));
}

static void
grow(struct map *m)
{
    size_t slots = m->slots > 0 ? m->slots * 2 : MAP_FIRST;
    struct map_node **slot = calloc(slots, sizeof *slot);
    struct map old = *m;

    if (!slot)
        return;
    m->slot = slot;
    m->slots = slots;
    for (size_t i = 0; i < old.slots; i++) {
        struct map_node *n = old.slot[i];
        while (n) {
            struct map_node *next = n->next, **to = bucket_of(m, n->hash);
            n->next = *to;
            *to = n;
            n = next;
        }
    }
    free(old.slot);
}

int
map_insert(struct map *m, struct map_node *n, struct slice key)
{
    if (m->count >= m->max)
        return -1;
    if (m->count >= m->slots)
        grow(m);
    if (m->slots == 0)
        return -1;

    uint64_t hash = map_hash(key, m->seed[0], m->seed[1]);
    if (find_hashed(m, key, hash))
        return -1;
    struct map_node **to = bucket_of(m, hash);
    *n = (struct map_node){.next = *to, .hash = hash, .key = key};
    *to = n;
    m->count++;
    return 0;
}

void
map_remove(struct map *m, struct map_node *n)
{
    ensure(m->count > 0);
    struct map_node **at = bucket_of(m, n->hash);

    while (*at != n) {
        ensure(*at);
        at = &(*at)->next;
    }
    *at = n->next;
    n->next = NULL;
    m->count--;
}

struct map_node *
map_next(const struct map *m, size_t *cursor, struct map_node *prev)
{
    size_t slot = *cursor >> CURSOR_BITS, place = *cursor & CURSOR_MASK;

    for (; slot < m->slots; slot++, place = 0) {
        struct map_node *n = m->slot[slot];
        size_t at = 0;
        /* prev may be gone, and freed: then its successor stands at prev's place. */
        while (n && at < place) {
            n = n->next;
            at++;
        }
        if (n && n == prev) {
            n = n->next;
            at++;
        }
        if (n) {
            ensure(at <= CURSOR_MASK);
            *cursor = slot << CURSOR_BITS | at;
            return n;
        }
    }
    *cursor = m->slots << CURSOR_BITS;
    return NULL;
}
