/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * websocket_reference.h: RFC 6455 section 5.2 read off a whole stream at once, as a second opinion
 * to hold against struct websocket_watch.
 */
#ifndef ROUSE_TESTS_WEBSOCKET_REFERENCE_H
#define ROUSE_TESTS_WEBSOCKET_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reference_frame { REFERENCE_WHOLE, REFERENCE_CUT, REFERENCE_BAD };

/* A length in `bytes` bytes, of which p[0, n) has come: BAD as soon as what has come cannot become
 * its shortest form, or is 2^63 and more. */
static inline enum reference_frame
reference_length(const uint8_t *p, size_t n, unsigned bytes, uint64_t *length)
{
    uint64_t least = bytes == 2 ? 126 : 65536;

    *length = 0;
    for (unsigned i = 0; i < bytes; i++) {
        uint64_t widest;

        if (i >= n)
            return REFERENCE_CUT;
        *length = *length << 8 | p[i];
        widest = *length;
        for (unsigned k = i + 1; k < bytes; k++)
            widest = widest << 8 | 255;
        if (widest < least || widest >> 63)
            return REFERENCE_BAD;
    }
    return REFERENCE_WHOLE;
}

static inline bool
reference_opcode(uint8_t first)
{
    unsigned opcode = first & 15u;

    return opcode <= 2 || (opcode >= 8 && opcode <= 10 && first >= 128);
}

/* The frame at the beginning of p[0, n): whole, of *size bytes; cut off by the end; or none. */
static inline enum reference_frame
reference_frame(const uint8_t *p, size_t n, uint64_t *size)
{
    unsigned bytes;
    uint64_t length;

    if (n > 0 && !reference_opcode(p[0]))
        return REFERENCE_BAD;
    if (n < 2)
        return REFERENCE_CUT;
    length = p[1] & 127u;
    bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (bytes > 0) {
        enum reference_frame is;

        if (p[0] & 8)
            return REFERENCE_BAD;
        is = reference_length(p + 2, n - 2, bytes, &length);
        if (is != REFERENCE_WHOLE)
            return is;
    }
    *size = 2 + bytes + (p[1] & 128 ? 4u : 0u) + length;
    return *size <= n ? REFERENCE_WHOLE : REFERENCE_CUT;
}

#endif
