/* SPDX-License-Identifier: BSD-2-Clause */
/* slice.c: comparing, cutting and reading borrowed bytes. Allocates nothing. */
#include "config.h"

#include "base/slice.h"

#include <string.h>

#define ONES (UINT64_MAX / 255)

struct slice
slice_of(const char *cstr)
{
    return cstr ? (struct slice){cstr, strlen(cstr)} : SLICE_NONE;
}

char
slice_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ASCII lower case of eight bytes at once; the others pass unchanged. */
static uint64_t
lower8(uint64_t x)
{
    uint64_t low = x & (0x7f * ONES);
    uint64_t from_a = low + (0x80 - 'A') * ONES;
    uint64_t past_z = low + (0x7f - 'Z') * ONES;
    uint64_t upper = from_a & ~past_z & ~x & (0x80 * ONES);

    return x | upper >> 2;
}

static bool
same_folded(const char *a, const char *b, size_t n)
{
    for (; n >= 8; a += 8, b += 8, n -= 8) {
        uint64_t x, y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y && lower8(x) != lower8(y))
            return false;
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && slice_lower(a[i]) != slice_lower(b[i]))
            return false;
    return true;
}

/* memcmp that may be given the NULL of an empty slice. */
static bool
same(const char *a, const char *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

bool
slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && same(a.p, b.p, a.n);
}

bool
slice_ieq(struct slice a, struct slice b)
{
    return a.n == b.n && same_folded(a.p, b.p, a.n);
}

bool
slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && same(s.p, prefix.p, prefix.n);
}

bool
slice_istarts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && same_folded(s.p, prefix.p, prefix.n);
}

bool
slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || same(s.p + (s.n - suffix.n), suffix.p, suffix.n));
}

ptrdiff_t
slice_index(struct slice s, char c)
{
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

ptrdiff_t
slice_rindex(struct slice s, char c)
{
    const char *at = s.n > 0 ? memrchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

struct slice
slice_sub(struct slice s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return s.p ? (struct slice){s.p + from, to - from} : SLICE_NONE;
}

static bool
is_ows(char c)
{
    return c == ' ' || c == '\t';
}

struct slice
slice_trim(struct slice s)
{
    while (s.n > 0 && is_ows(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_ows(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool
slice_next(struct slice *rest, char sep, struct slice *element)
{
    if (!rest->p)
        return false;

    ptrdiff_t at = slice_index(*rest, sep);
    if (at < 0) {
        *element = slice_trim(*rest);
        *rest = SLICE_NONE;
    } else {
        *element = slice_trim((struct slice){rest->p, (size_t)at});
        *rest = (struct slice){rest->p + at + 1, rest->n - (size_t)at - 1};
    }
    return true;
}

int
slice_u64(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0 || (s.p[0] == '0' && s.n > 1))
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || v > max / 10 || digit > max - v * 10)
            return -1;
        v = v * 10 + digit;
    }
    *out = v;
    return 0;
}

int
slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool
slice_eq_secret(struct slice a, struct slice b)
{
    volatile unsigned char differ = 0;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        differ = (unsigned char)(differ | ((unsigned char)a.p[i] ^ (unsigned char)b.p[i]));
    return differ == 0;
}

size_t
slice_copy(struct slice s, char *dst, size_t cap)
{
    if (cap == 0)
        return 0;

    size_t n = s.n < cap ? s.n : cap - 1;
    if (n > 0)
        memcpy(dst, s.p, n);
    dst[n] = '\0';
    return n;
}
