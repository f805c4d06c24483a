/* SPDX-License-Identifier: BSD-2-Clause */
/* digest.c: see digest.h. It must not know what is digested. No state. */
#include "config.h"

#include "net/digest.h"

#include <openssl/err.h>
#include <openssl/sha.h>

int
digest_sha1(struct slice s, uint8_t out[DIGEST_SHA1])
{
    if (SHA1((const unsigned char *)s.p, s.n, out))
        return 0;
    ERR_clear_error();
    return -1;
}

void
digest_base64(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        uint32_t v = (uint32_t)p[i] << 16;

        v |= have > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= have > 2 ? (uint32_t)p[i + 2] : 0;
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = have > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = have > 2 ? digits[v & 63] : '=';
    }
    *out = '\0';
}
