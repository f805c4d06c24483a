/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * octet.c: the class table, and the vector loops (GCC's vectors: no intrinsics, any
 * architecture).
 */
#include "config.h"

#include "http/octet.h"

#include "http/octet_priv.h"

/* Checked against the RFCs' definitions, byte by byte, by test_octet. 0x80-0xff have no class. */
const uint8_t octet_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    0, 3, 2, 1, 3, 3, 3, 3, 2, 2, 3, 3, 2, 19, 19, 2, /* 0x20 */
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 2, 2, 2, 2, 2, 2, /* 0x30 */
    2, 27, 27, 27, 27, 27, 27, 19, 19, 19, 19, 19, 19, 19, 19, 19, /* 0x40 */
    19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 2, 0, 2, 3, 19, /* 0x50 */
    3, 27, 27, 27, 27, 27, 27, 19, 19, 19, 19, 19, 19, 19, 19, 19, /* 0x60 */
    19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 2, 3, 2, 3, 0, /* 0x70 */
};

bool
octet_all(struct slice s, unsigned classes)
{
    for (size_t i = 0; i < s.n; i++)
        if (!octet_is(s.p[i], classes))
            return false;
    return true;
}

bool
octet_all_target(struct slice s)
{
    size_t i = 0;

    for (; s.n - i >= OCTETS; i += OCTETS) {
        octets v = octets_load(s.p + i);
        octets bad = (octets)((octets)(v - 0x21) > 0x7e - 0x21) | (octets)(v == '#') |
                     (octets)(v == '\\');
        if (octets_mask(bad) != 0)
            return false;
    }
    return octet_all(slice_sub(s, i, s.n), OCTET_TARGET);
}

static bool
is_control(char c)
{
    unsigned char u = (unsigned char)c;

    return (u < 0x20 && u != '\t') || u == 0x7f;
}

size_t
octet_find_control(const char *p, size_t n)
{
    const char *at = p, *end = p + n;

    while (end - at >= OCTETS) {
        unsigned mask = octets_mask(octets_controls(octets_load(at)));
        if (mask == 0) {
            at += OCTETS;
            continue;
        }
        at += __builtin_ctz(mask);
        if (*at != '\t')
            return (size_t)(at - p);
        at++;
    }
    while (at < end && !is_control(*at))
        at++;
    return (size_t)(at - p);
}

static bool
has_lines_slowly(const char *p, size_t n, size_t lines)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += is_control(p[i]);
    return found == 2 * lines;
}

bool
octet_has_lines(char *p, size_t n, size_t lines)
{
    const char *at = p, *end = p + n;
    size_t found = 0;

    memset(p + n, ' ', OCTETS);
    while (at < end) {
        /* A lane counts to 255. */
        const char *stop = end - at > 255 * OCTETS ? at + 255 * OCTETS : end;
        octets count = {0};
        for (; at < stop; at += OCTETS)
            count -= (octets)(octets_load(at) < 0x20);
        found += octets_sum(count);
    }
    /* TABs were counted, too; who sends them has to wait. */
    return found == 2 * lines || has_lines_slowly(p, n, lines);
}
