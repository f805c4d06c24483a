/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * escape.c: eight plain bytes at a time; whatever is not plain is looked at alone. Besides
 * controls, the characters that some reader takes for the end of a line or the start of a
 * terminal command (C1 controls, U+2028, U+2029) are escaped.
 */
#include "config.h"

#include "base/escape.h"

#include <stdint.h>
#include <string.h>

#define ONES (UINT64_MAX / 255)
#define HIGHS (0x80 * ONES)

/* Which of eight bytes is zero: its high bit (exact for the lowest one, enough for "any"). */
static uint64_t
zeros(uint64_t x)
{
    return (x - ONES) & ~x & HIGHS;
}

/* Is any of eight bytes a control, DEL, '"', '\' or beyond ASCII? */
static bool
any_special(uint64_t x)
{
    uint64_t control = (x - 0x20 * ONES) & ~x & HIGHS;

    return ((x & HIGHS) | control | zeros(x ^ '"' * ONES) | zeros(x ^ '\\' * ONES) |
            zeros(x ^ 0x7f * ONES)) != 0;
}

static bool
is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Length of the well-formed UTF-8 sequence of two to four bytes at p (RFC 3629), or 0. */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
    unsigned char a = p[0];
    unsigned char least = 0x80, most = 0xbf;
    size_t len = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;

    if (a < 0xc2 || a > 0xf4 || n < len)
        return 0;
    if (a == 0xe0)
        least = 0xa0;
    else if (a == 0xed)
        most = 0x9f;
    else if (a == 0xf0)
        least = 0x90;
    else if (a == 0xf4)
        most = 0x8f;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!is_tail(p[i]))
            return 0;
    return len;
}

static size_t
put_u(char *out, unsigned code)
{
    static const char hex[] = "0123456789abcdef";

    memcpy(out, "\\u", 2);
    out[2] = hex[code >> 12 & 15];
    out[3] = hex[code >> 8 & 15];
    out[4] = hex[code >> 4 & 15];
    out[5] = hex[code & 15];
    return 6;
}

/* One character beyond ASCII; *len is how much of the input it was. */
static size_t
put_wide(char *out, const unsigned char *p, size_t n, size_t *len)
{
    *len = utf8_length(p, n);
    if (*len == 0) {
        *len = 1;
        memcpy(out, "\xef\xbf\xbd", 3);
        return 3;
    }
    if (p[0] == 0xc2 && p[1] < 0xa0)
        return put_u(out, p[1]);
    if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
        return put_u(out, 0x2000u + (p[2] & 0x3f));
    memcpy(out, p, *len);
    return *len;
}

static size_t
escape(char *dst, size_t room, struct slice s, size_t *used, bool quoted)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t in = 0, out = 0;

    while (in < s.n) {
        uint64_t word;
        char unit[ESCAPE_MAX];
        size_t n = 1, len = 1;

        if (s.n - in >= 8 && room - out >= 8) {
            memcpy(&word, p + in, 8);
            if (!any_special(word)) {
                memcpy(dst + out, p + in, 8);
                in += 8;
                out += 8;
                continue;
            }
        }
        if (p[in] >= 0x20 && p[in] < 0x7f && p[in] != '"' && p[in] != '\\') {
            if (out == room)
                break;
            dst[out++] = (char)p[in++];
            continue;
        }
        if (p[in] >= 0x80) {
            n = put_wide(unit, p + in, s.n - in, &len);
        } else if (p[in] < 0x20 || p[in] == 0x7f) {
            n = put_u(unit, p[in]);
        } else {
            unit[0] = '\\';
            unit[quoted] = (char)p[in];
            n = 1 + (size_t)quoted;
        }
        if (n > room - out)
            break;
        memcpy(dst + out, unit, n);
        in += len;
        out += n;
    }
    *used = in;
    return out;
}

size_t
escape_json(char *dst, size_t room, struct slice s, size_t *used)
{
    return escape(dst, room, s, used, true);
}

size_t
escape_text(char *dst, size_t room, struct slice s, size_t *used)
{
    return escape(dst, room, s, used, false);
}

bool
escape_bare(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return s.n > 0;
}
