/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_certs_priv.h: a loaded pair of certificate and key, and where one is looked for. */
#ifndef ROUSE_NET_TLS_CERTS_PRIV_H
#define ROUSE_NET_TLS_CERTS_PRIV_H

#include "net/tls_certs.h"
#include "net/tls_name.h"

#include <openssl/ssl.h>

#include <sys/stat.h>

/* What tells one version of a file from the next. */
struct tls_file_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};
struct tls_pair_stamp {
    struct tls_file_stamp cert, key;
};

/* Immutable once loaded. */
struct tls_pair {
    X509 *cert;
    STACK_OF(X509) *chain; /* may be empty */
    EVP_PKEY *key;
    int64_t ends; /* notAfter, seconds since 1970 */
    bool p384;    /* the key is on that curve, which must be offered then */
};

enum tls_pair_found {
    TLS_PAIR_ABSENT,     /* no certificate */
    TLS_PAIR_INCOMPLETE, /* a certificate without a key */
    TLS_PAIR_THERE,
};

/* Paths of a pair: DIRECTORY/STEM.crt and .key, where the stem may be "NAME/tls". */
#define TLS_PATH_MAX 4096
struct tls_pair_path {
    char cert[TLS_PATH_MAX], key[TLS_PATH_MAX];
};
/* -1: too long. */
int tls_pair_path(struct tls_pair_path *path, const char *directory, struct slice stem) must_check;
enum tls_pair_found tls_pair_look(const struct tls_pair_path *path, struct tls_pair_stamp *stamp);
/* NULL: text says which file and why. */
struct tls_pair *tls_pair_load(struct tls_library *lib, const struct tls_pair_path *path,
                               char *text, size_t room);
void tls_pair_free(struct tls_pair *p);
/* The SSL takes references of its own. 0 or -1. */
int tls_pair_use(const struct tls_pair *p, SSL *ssl) must_check;

void tls_certs_ref(struct tls_certs *c);
/* The pair for a normalised name (SLICE_NONE: the default one), or NULL. Valid until the next
 * call. */
const struct tls_pair *tls_certs_find(struct tls_certs *c, struct slice name);

#endif
