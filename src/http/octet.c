/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * octet.c: the class table, and the vector loops (GCC's vectors: no intrinsics, any
 * architecture).
 */
#include "config.h"

#include "http/octet.h"

#include <string.h>

#define STEP 16

typedef uint8_t octets __attribute__((vector_size(STEP)));
typedef uint64_t halves __attribute__((vector_size(STEP)));

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

static bool
is_control(char c)
{
    unsigned char u = (unsigned char)c;

    return (u < 0x20 && u != '\t') || u == 0x7f;
}

/* 0xff at each control. */
static halves
controls(const char *p)
{
    octets v;

    memcpy(&v, p, sizeof v);
    return (halves)(((v < 0x20) & (v != '\t')) | (v == 0x7f));
}

size_t
octet_find_control(const char *p, size_t n)
{
    size_t i = 0;

    for (; n - i >= STEP; i += STEP) {
        halves m = controls(p + i);
        if ((m[0] | m[1]) != 0)
            break;
    }
    while (i < n && !is_control(p[i]))
        i++;
    return i;
}

bool
octet_has_lines(const char *p, size_t n, size_t lines)
{
    size_t cr = 0, lf = 0, nul = 0;

    for (size_t i = 0; i < n; i++) {
        cr += p[i] == '\r';
        lf += p[i] == '\n';
        nul += p[i] == '\0';
    }
    return cr == lines && lf == lines && nul == 0;
}
