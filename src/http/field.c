/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * field.c: the known field names, and the table of their perfect hash. Both are constant;
 * test_field prints the right table when field.def has changed.
 */
#include "config.h"

#include "http/head.h"

#include "http/field_priv.h"

const struct field_known field_known[FIELD_COUNT] = {
    [FIELD_OTHER] = {"", 0, 0},
#define FIELD(sym, name, traits) [FIELD_##sym] = {name, sizeof(name) - 1, traits},
#include "http/field.def"
#undef FIELD
};

const uint8_t field_slots[FIELD_SLOTS] = {
    0, 0, 57, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 35, 0, 0, 0, 0, 24, 0, 0, 12, 0, 0, 14, 6, 0, 0,
    0, 0, 56, 0, 0, 0, 0, 23, 0, 38, 40, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 44, 0, 53, 0, 18, 0, 0,
    0, 0, 0, 0, 0, 49, 47, 2, 29, 0, 0, 0, 5, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 39, 0, 27,
    0, 26, 0, 4, 34, 0, 0, 0, 0, 0, 0, 0, 20, 55, 25, 0,
    0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 48, 0, 0,
    0, 0, 9, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 42, 22, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 0, 30, 0, 0, 0, 0,
    0, 0, 0, 0, 52, 0, 0, 54, 0, 0, 0, 0, 0, 51, 0, 0,
    17, 0, 0, 0, 7, 0, 0, 0, 45, 32, 0, 0, 0, 0, 0, 0,
    0, 28, 0, 0, 19, 0, 0, 43, 0, 0, 33, 0, 15, 0, 0, 0,
    0, 36, 0, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 59, 0, 11,
    0, 0, 58, 10, 0, 0, 0, 0, 0, 8, 0, 0, 46, 0, 0, 41,
};

unsigned
field_traits_of(enum field_id id)
{
    return field_known[id].traits;
}

struct slice
field_name_of(enum field_id id)
{
    return (struct slice){field_known[id].name, field_known[id].n};
}

enum field_id
field_id_of(struct slice name)
{
    return name.n > 0 ? field_lookup(name.p, name.n) : FIELD_OTHER;
}
