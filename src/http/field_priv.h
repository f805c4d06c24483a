/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * field_priv.h: the perfect hash of field.c, for it, the validator and the test. The hash sees the
 * length and the name's first and last four bytes (of shorter names: three bytes), without case.
 */
#ifndef ROUSE_HTTP_FIELD_PRIV_H
#define ROUSE_HTTP_FIELD_PRIV_H

#include "http/head.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define FIELD_SLOT_BITS 8
#define FIELD_SLOTS (1 << FIELD_SLOT_BITS)

struct field_known {
    const char *name;
    uint8_t n;
    uint8_t traits;
};

extern const struct field_known field_known[FIELD_COUNT];
extern const uint8_t field_slots[FIELD_SLOTS];

static inline uint64_t
field_load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* Little-endian everywhere: the hash is made of it. */
static inline uint32_t
field_load4(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return le32toh(v);
}

/* n >= 1. */
static inline unsigned
field_hash(const char *p, size_t n)
{
    uint32_t first, last;

    if (n >= 4) {
        first = field_load4(p) | 0x20202020u;
        last = field_load4(p + n - 4) | 0x20202020u;
    } else {
        first = ((unsigned char)p[0] | (uint32_t)(unsigned char)p[n / 2] << 8) | 0x2020u;
        last = (unsigned char)p[n - 1] | 0x20u;
    }
    uint32_t mixed = first * 0x59a88b13u + last * 0x4e0851d7u + (uint32_t)n * 0x8a104283u;

    return mixed >> (32 - FIELD_SLOT_BITS);
}

/*
 * x is y, which is text of a-z, 0-9 and '-', but for case: bit 0x20 may differ where y has a
 * letter, which is where it has bit 0x40.
 */
static inline bool
field_same8(uint64_t x, uint64_t y)
{
    return ((x ^ y) & ~((y >> 1) & UINT64_C(0x2020202020202020))) == 0;
}

/* Words that overlap at the end instead of a tail. */
static inline bool
field_same(const char *a, const char *name, size_t n)
{
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8)
            if (!field_same8(field_load8(a + i), field_load8(name + i)))
                return false;
        return field_same8(field_load8(a + n - 8), field_load8(name + n - 8));
    }
    if (n >= 4)
        return field_same8(field_load4(a) | (uint64_t)field_load4(a + n - 4) << 32,
                           field_load4(name) | (uint64_t)field_load4(name + n - 4) << 32);
    for (size_t i = 0; i < n; i++)
        if (!field_same8((unsigned char)a[i], (unsigned char)name[i]))
            return false;
    return true;
}

/* n >= 1. */
static inline enum field_id
field_lookup(const char *p, size_t n)
{
    unsigned id = field_slots[field_hash(p, n)];
    const struct field_known *k = &field_known[id];

    return k->n == n && field_same(p, k->name, n) ? (enum field_id)id : FIELD_OTHER;
}

#endif
