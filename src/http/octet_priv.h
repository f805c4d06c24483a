/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * octet_priv.h: sixteen bytes at a time, in the compiler's own vectors; only the step from lanes to
 * bits is the machine's. Loads never pass what the caller says is there.
 */
#ifndef ROUSE_HTTP_OCTET_PRIV_H
#define ROUSE_HTTP_OCTET_PRIV_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && !defined(OCTET_PORTABLE)
#include <emmintrin.h>
#define OCTET_SSE2 1
#else
#define OCTET_SSE2 0
#endif

#define OCTETS 16

typedef uint8_t octets __attribute__((vector_size(OCTETS)));

static inline octets
octets_load(const char *p)
{
    octets v;

    memcpy(&v, p, sizeof v);
    return v;
}

#if OCTET_SSE2
/* Bit i is set where lane i is 0xff (all lanes are that or 0). */
static inline unsigned
octets_mask(octets lanes)
{
    return (unsigned)_mm_movemask_epi8((__m128i)lanes);
}

static inline size_t
octets_sum(octets counts)
{
    __m128i halves = _mm_sad_epu8((__m128i)counts, _mm_setzero_si128());

    return (size_t)(_mm_cvtsi128_si64(halves) +
                    _mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves)));
}
#else
static inline unsigned
octets_mask(octets lanes)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < OCTETS; i++)
        mask |= (lanes[i] & 1u) << i;
    return mask;
}

static inline size_t
octets_sum(octets counts)
{
    size_t sum = 0;

    for (unsigned i = 0; i < OCTETS; i++)
        sum += counts[i];
    return sum;
}
#endif

/* 0x00-0x1f and 0x7f; TAB is among them. */
static inline octets
octets_controls(octets v)
{
    return (octets)(v < 0x20) | (octets)(v == 0x7f);
}

/* Letters, digits and '-': what nearly all field names are made of. */
static inline octets
octets_plain(octets v)
{
    octets letter = (v | 0x20) - 'a';
    octets digit = v - '0';

    return (octets)(letter < 26) | (octets)(digit < 10) | (octets)(v == '-');
}

/* Index of the first byte equal to c in p[0, n), or n: memchr for short distances. */
static inline size_t
octet_find(const char *p, size_t n, char c)
{
    size_t i = 0;

    for (; n - i >= OCTETS; i += OCTETS) {
        unsigned mask = octets_mask((octets)(octets_load(p + i) == (uint8_t)c));
        if (mask != 0)
            return i + (size_t)__builtin_ctz(mask);
    }
    while (i < n && p[i] != c)
        i++;
    return i;
}

#endif
