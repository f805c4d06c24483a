/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_pair.c: loads a certificate, its chain and its key. Owner: a directory of one thread. */
#include "config.h"

#include "net/tls_certs_priv.h"
#include "net/tls_priv.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Beyond that it is no certificate. */
#define FILE_MAX (256 * 1024)
#define CHAIN_MAX 10

int
tls_pair_path(struct tls_pair_path *path, const char *directory, struct slice stem)
{
    int n = snprintf(path->cert, sizeof(path->cert), "%s/%.*s.crt", directory, SLICE_ARG(stem));
    int m = snprintf(path->key, sizeof(path->key), "%s/%.*s.key", directory, SLICE_ARG(stem));

    return n > 0 && m > 0 && (size_t)n < sizeof(path->cert) && (size_t)m < sizeof(path->key) ? 0
                                                                                             : -1;
}

static bool
look(const char *path, struct tls_file_stamp *stamp)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return false;
    *stamp = (struct tls_file_stamp){s.st_dev, s.st_ino, s.st_size, s.st_mtim};
    return true;
}

enum tls_pair_found
tls_pair_look(const struct tls_pair_path *path, struct tls_pair_stamp *stamp)
{
    memset(stamp, 0, sizeof(*stamp));
    if (!look(path->cert, &stamp->cert))
        return TLS_PAIR_ABSENT;
    return look(path->key, &stamp->key) ? TLS_PAIR_THERE : TLS_PAIR_INCOMPLETE;
}

void
tls_pair_free(struct tls_pair *p)
{
    if (!p)
        return;
    X509_free(p->cert);
    sk_X509_pop_free(p->chain, X509_free);
    EVP_PKEY_free(p->key);
    free(p);
}

/* Nobody sits at a terminal to type one. */
static int
no_password(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static BIO *
open_file(const char *path)
{
    struct tls_file_stamp stamp;

    if (look(path, &stamp) && stamp.size > FILE_MAX) {
        ERR_raise(ERR_LIB_SYS, EFBIG);
        return NULL;
    }
    return BIO_new_file(path, "r");
}

static X509 *
read_one(struct tls_library *lib, BIO *in, bool first)
{
    X509 *x = X509_new_ex(lib->ctx, NULL);

    if (!x)
        return NULL;
    if (first ? PEM_read_bio_X509_AUX(in, &x, no_password, NULL) != NULL
              : PEM_read_bio_X509(in, &x, no_password, NULL) != NULL)
        return x;
    X509_free(x);
    return NULL;
}

static int
read_chain(struct tls_library *lib, struct tls_pair *p, BIO *in)
{
    X509 *x;

    p->cert = read_one(lib, in, true);
    p->chain = sk_X509_new_null();
    if (!p->cert || !p->chain)
        return -1;
    while ((x = read_one(lib, in, false)) != NULL) {
        if (sk_X509_num(p->chain) >= CHAIN_MAX || !sk_X509_push(p->chain, x)) {
            X509_free(x);
            return -1;
        }
    }
    /* The end of the file, or something broken? */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return -1;
    ERR_clear_error();
    return 0;
}

static void
describe(struct tls_pair *p)
{
    struct tm tm;
    char curve[32] = "";

    if (ASN1_TIME_to_tm(X509_get0_notAfter(p->cert), &tm) == 1)
        p->ends = (int64_t)timegm(&tm);
    if (EVP_PKEY_get_group_name(p->key, curve, sizeof(curve), NULL) == 1)
        p->p384 = strcmp(curve, "secp384r1") == 0;
    ERR_clear_error();
}

struct tls_pair *
tls_pair_load(struct tls_library *lib, const struct tls_pair_path *path, char *text, size_t room)
{
    struct tls_pair *p = calloc(1, sizeof(*p));
    const char *file = path->cert;
    BIO *in = NULL;

    ERR_clear_error();
    if (!p)
        goto fail;
    in = open_file(file);
    if (!in || read_chain(lib, p, in) != 0)
        goto fail;
    BIO_free(in);
    file = path->key;
    in = open_file(file);
    if (!in)
        goto fail;
    p->key = PEM_read_bio_PrivateKey_ex(in, NULL, no_password, NULL, lib->ctx, NULL);
    if (!p->key || X509_check_private_key(p->cert, p->key) != 1)
        goto fail;
    BIO_free(in);
    describe(p);
    return p;
fail:
    tls_error_text(text, room, file);
    BIO_free(in);
    tls_pair_free(p);
    return NULL;
}

int
tls_pair_use(const struct tls_pair *p, SSL *ssl)
{
    if (SSL_use_cert_and_key(ssl, p->cert, p->key, p->chain, 1) != 1)
        return -1;
    return p->p384 && SSL_set1_groups_list(ssl, "X25519:P-256:P-384") != 1 ? -1 : 0;
}
