/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * octet.h: classes of bytes after RFC 9110 and 3986, and the two passes over bytes that every
 * head makes: looking for controls and counting line ends. Sixteen bytes a step; knows nothing
 * of HTTP's structure.
 */
#ifndef ROUSE_HTTP_OCTET_H
#define ROUSE_HTTP_OCTET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum octet_class {
    OCTET_TOKEN = 1,  /* RFC 9110 section 5.6.2 */
    OCTET_TARGET = 2, /* 0x21-0x7e without '#' and backslash (RELIABILITY B3) */
    OCTET_DIGIT = 4,
    OCTET_HEX = 8,
    OCTET_HOST = 16, /* letters, digits, '.', '_', '-' */
};

extern const uint8_t octet_classes[256];

static inline bool
octet_is(char c, unsigned classes)
{
    return (octet_classes[(unsigned char)c] & classes) != 0;
}

/* Every byte of s has one of the classes; true for the empty slice. */
bool octet_all(struct slice s, unsigned classes);
/* The same for OCTET_TARGET, fast. */
bool octet_all_target(struct slice s);
/* Index of the first control (0x00-0x1f without TAB, 0x7f); n when there is none. */
size_t octet_find_control(const char *p, size_t n);
/*
 * p[0, n), known to contain that many CRLFs, contains no other control but TAB (0x7f may be
 * missed). OCTET_PADDING bytes behind it are overwritten.
 */
bool octet_has_lines(char *p, size_t n, size_t lines);
#define OCTET_PADDING 16

#endif
