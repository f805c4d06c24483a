/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_crypto.c: HMAC and base64. */
#include "config.h"

#include "gateway/plugin_crypto.h"

#include "base/ensure.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>

void
plugin_hmac_sha256(struct rouse_text key, struct rouse_text data, uint8_t out[32])
{
    unsigned n = 32;

    ensure(key.n <= INT_MAX);
    ensure(HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)data.p, data.n, out, &n));
}

int
plugin_base64_encode(struct rouse_text in, char *out, size_t n)
{
    size_t need = (in.n + 2) / 3 * 4;

    if (in.n > INT_MAX / 2 || need >= n)
        return -1;
    return EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)in.p, (int)in.n);
}

int
plugin_base64_decode(struct rouse_text in, uint8_t *out, size_t n)
{
    unsigned char block[3];
    size_t done = 0;

    if (in.n % 4 != 0)
        return -1;
    for (size_t i = 0; i < in.n; i += 4) {
        bool last = i + 4 == in.n;
        size_t pad = (size_t)(last && in.p[i + 3] == '=') + (last && in.p[i + 2] == '=');
        for (size_t k = 0; k < 4 - pad; k++)
            if (!in.p[i + k] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789+/", in.p[i + k]))
                return -1;
        if ((pad == 2 && in.p[i + 3] != '=') || done + 3 - pad > n ||
            EVP_DecodeBlock(block, (const unsigned char *)in.p + i, 4) != 3)
            return -1;
        memcpy(out + done, block, 3 - pad);
        done += 3 - pad;
    }
    return done > INT_MAX ? -1 : (int)done;
}
