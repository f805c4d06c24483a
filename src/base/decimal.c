/* SPDX-License-Identifier: BSD-2-Clause */
/* decimal.c: two digits a step, as fast as it needs to be. */
#include "config.h"

#include "base/decimal.h"

#include <string.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

size_t
decimal_u64(char *dst, uint64_t v)
{
    char tmp[DECIMAL_MAX];
    char *at = tmp + sizeof tmp;

    while (v >= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        at -= 2;
        memcpy(at, pairs + 2 * v, 2);
    } else {
        *--at = (char)('0' + v);
    }

    size_t n = (size_t)(tmp + sizeof tmp - at);
    memcpy(dst, at, n);
    return n;
}

size_t
decimal_i64(char *dst, int64_t v)
{
    if (v >= 0)
        return decimal_u64(dst, (uint64_t)v);
    *dst = '-';
    return 1 + decimal_u64(dst + 1, 0 - (uint64_t)v);
}

void
decimal_fixed(char *dst, uint64_t v, size_t width)
{
    while (width > 0) {
        dst[--width] = (char)('0' + v % 10);
        v /= 10;
    }
}
