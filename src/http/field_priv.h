/* SPDX-License-Identifier: BSD-2-Clause */
/* field_priv.h: the hash of field.c, for it and its test. */
#ifndef ROUSE_HTTP_FIELD_PRIV_H
#define ROUSE_HTTP_FIELD_PRIV_H

#include <stddef.h>
#include <stdint.h>

#define FIELD_SLOTS 256

extern const uint8_t field_slots[FIELD_SLOTS];

/* n >= 1. Without case: bit 0x20 is set in every byte taken. */
static inline unsigned
field_hash(const char *p, size_t n)
{
    unsigned third = (unsigned char)p[n * 3 / 4] | 0x20u;
    unsigned middle = (unsigned char)p[n / 2] | 0x20u;
    unsigned last = (unsigned char)p[n - 1] | 0x20u;

    return ((unsigned)n * 7 + third * 35 + middle * 40 + last * 38) & (FIELD_SLOTS - 1);
}

#endif
