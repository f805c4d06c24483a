/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * field.c: field names to ids by a perfect hash over the length and three bytes. The table is
 * constant; test_field prints the right one when field.def has changed.
 */
#include "config.h"

#include "http/head.h"

#include "http/field_priv.h"

#include <string.h>

struct known {
    const char *name;
    uint8_t n;
    uint8_t traits;
};

static const struct known known[FIELD_COUNT] = {
    [FIELD_OTHER] = {"", 0, 0},
#define FIELD(sym, name, traits) [FIELD_##sym] = {name, sizeof(name) - 1, traits},
#include "http/field.def"
#undef FIELD
};

const uint8_t field_slots[FIELD_SLOTS] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 3, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 51, 0, 28, 0, 0,
    0, 0, 0, 9, 0, 0, 44, 0, 17, 0, 0, 0, 0, 0, 50, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 10, 0, 36, 0, 0,
    0, 0, 12, 0, 0, 0, 0, 0, 13, 0, 0, 14, 46, 0, 0, 0,
    0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 27, 0, 0, 0, 0, 6, 0, 0,
    0, 0, 0, 0, 49, 43, 29, 0, 0, 0, 1, 0, 0, 0, 0, 0,
    47, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 32, 0, 0, 35, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 0,
    0, 0, 0, 15, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 30, 31,
    34, 0, 0, 0, 0, 33, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0,
    25, 0, 0, 0, 39, 22, 0, 0, 0, 20, 0, 45, 0, 0, 0, 0,
    0, 48, 0, 0, 7, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0,
    0, 21, 0, 4, 37, 0, 41, 0, 0, 0, 0, 0, 0, 8, 0, 0,
};

unsigned
field_traits_of(enum field_id id)
{
    return known[id].traits;
}

struct slice
field_name_of(enum field_id id)
{
    return (struct slice){known[id].name, known[id].n};
}

/*
 * a is name (all of a-z, 0-9, '-') but for case. Bit 0x20 may differ where the name has a
 * letter, which is where it has bit 0x40.
 */
static bool
same_word(const char *a, const char *name, size_t n)
{
    uint64_t x = 0, y = 0;

    memcpy(&x, a, n);
    memcpy(&y, name, n);
    return ((x ^ y) & ~((y >> 1) & UINT64_C(0x2020202020202020))) == 0;
}

static bool
same_name(const char *a, const char *name, size_t n)
{
    size_t i = 0;

    for (; n - i >= 8; i += 8)
        if (!same_word(a + i, name + i, 8))
            return false;
    if (n == i)
        return true;
    if (n >= 8)
        return same_word(a + n - 8, name + n - 8, 8);
    if (n >= 4)
        return same_word(a, name, 4) && same_word(a + n - 4, name + n - 4, 4);
    for (; i < n; i++)
        if (!same_word(a + i, name + i, 1))
            return false;
    return true;
}

enum field_id
field_id_of(struct slice name)
{
    if (name.n == 0)
        return FIELD_OTHER;

    const struct known *k = &known[field_slots[field_hash(name.p, name.n)]];
    if (k->n != name.n || !same_name(name.p, k->name, name.n))
        return FIELD_OTHER;
    return (enum field_id)(k - known);
}
