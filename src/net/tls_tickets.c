/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_tickets.c: see tls_tickets.h. Immutable but for the count of references; any thread. */
#include "config.h"

#include "net/tls_tickets.h"

#include "base/random.h"
#include "net/tls_priv.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tls_tickets {
    unsigned refs;
    int rotation;
    size_t n;
    unsigned char secret[];
};

struct tls_tickets *
tls_tickets_new(struct slice secret, int rotation)
{
    size_t n = secret.p ? secret.n : TLS_TICKETS_SECRET;
    struct tls_tickets *t;

    if (n < TLS_TICKETS_SECRET || rotation < 0) {
        errno = EINVAL;
        return NULL;
    }
    t = malloc(sizeof(*t) + n);
    if (!t)
        return NULL;
    t->refs = 1;
    t->rotation = rotation > 0 ? rotation : TLS_TICKETS_ROTATION;
    t->n = n;
    if (secret.p)
        memcpy(t->secret, secret.p, n);
    else
        random_bytes(t->secret, n);
    return t;
}

struct tls_tickets *
tls_tickets_ref(struct tls_tickets *t)
{
    if (t)
        __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

void
tls_tickets_unref(struct tls_tickets *t)
{
    if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    OPENSSL_cleanse(t->secret, t->n);
    free(t);
}

int64_t
tls_tickets_epoch(const struct tls_tickets *t, int64_t wall)
{
    return wall < 0 ? 0 : wall / t->rotation;
}

/* HKDF-SHA256(secret, info = "rouse ticket " epoch rotation). */
static int
derive(const struct tls_tickets *t, EVP_KDF_CTX *kdf, int64_t epoch, unsigned char *out, size_t n)
{
    unsigned char info[32] = "rouse ticket ";
    char digest[] = "SHA256";
    OSSL_PARAM params[4];
    size_t at = 13;

    for (int shift = 56; shift >= 0; shift -= 8)
        info[at++] = (unsigned char)((uint64_t)epoch >> shift);
    for (int shift = 24; shift >= 0; shift -= 8)
        info[at++] = (unsigned char)((uint32_t)t->rotation >> shift);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                                  (void *)(uintptr_t)t->secret, t->n);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, at);
    params[3] = OSSL_PARAM_construct_end();
    return EVP_KDF_derive(kdf, out, n, params) == 1 ? 0 : -1;
}

int
tls_tickets_key(const struct tls_tickets *t, struct tls_library *lib, int64_t epoch,
                struct tls_ticket_key *key)
{
    unsigned char out[sizeof(key->name) + sizeof(key->cipher) + sizeof(key->mac)];
    EVP_KDF *method = EVP_KDF_fetch(lib->ctx, "HKDF", NULL);
    EVP_KDF_CTX *kdf = method ? EVP_KDF_CTX_new(method) : NULL;
    int r = kdf ? derive(t, kdf, epoch, out, sizeof(out)) : -1;

    if (r == 0) {
        memcpy(key->name, out, sizeof(key->name));
        memcpy(key->cipher, out + sizeof(key->name), sizeof(key->cipher));
        memcpy(key->mac, out + sizeof(key->name) + sizeof(key->cipher), sizeof(key->mac));
        key->epoch = epoch;
        OPENSSL_cleanse(out, sizeof(out));
    }
    EVP_KDF_CTX_free(kdf);
    EVP_KDF_free(method);
    return r;
}
