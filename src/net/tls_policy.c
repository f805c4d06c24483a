/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_policy.c: what a site asks of its clients; see tls_server.h. Owner: one loop's thread. */
#include "config.h"

#include "net/tls_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

#define CHAIN_DEPTH 4

struct tls_policy {
    struct tls_library *lib;
    uint32_t id;
    X509_STORE *store;             /* NULL: no certificate is asked for */
    STACK_OF(X509_NAME) *accepted; /* told to the client */
    unsigned char context[SHA256_DIGEST_LENGTH];
};
_Static_assert(SHA256_DIGEST_LENGTH <= SSL_MAX_SID_CTX_LENGTH, "session id context");

uint32_t
tls_policy_id(const struct tls_policy *p)
{
    return p->id;
}

/* One certificate of the CA file: to the store, to the names, to the identity. */
static int
add_ca(struct tls_policy *p, X509 *x, EVP_MD_CTX *identity)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned n = sizeof(digest);
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));

    if (!name || !sk_X509_NAME_push(p->accepted, name)) {
        X509_NAME_free(name);
        return -1;
    }
    if (!X509_STORE_add_cert(p->store, x) || !X509_digest(x, EVP_sha256(), digest, &n) ||
        !EVP_DigestUpdate(identity, digest, n))
        return -1;
    return 0;
}

static int
read_ca(struct tls_policy *p, const char *file, EVP_MD_CTX *identity)
{
    BIO *in = BIO_new_file(file, "r");
    X509 *x = NULL;
    int n = 0, r = in ? 0 : -1;

    while (r == 0) {
        x = X509_new_ex(p->lib->ctx, NULL);
        if (!x || !PEM_read_bio_X509(in, &x, NULL, NULL))
            break;
        r = add_ca(p, x, identity);
        X509_free(x);
        x = NULL;
        n++;
    }
    X509_free(x);
    BIO_free(in);
    /* The end of the file, or something broken? */
    if (r != 0 || n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return -1;
    ERR_clear_error();
    return 0;
}

static int
fill(struct tls_policy *p, const struct tls_policy_options *o)
{
    EVP_MD_CTX *identity = EVP_MD_CTX_new();
    EVP_MD *sha = EVP_MD_fetch(p->lib->ctx, "SHA256", NULL);
    unsigned char asks = o->ca_file != NULL;
    int r = -1;

    if (!identity || !sha || !EVP_DigestInit_ex(identity, sha, NULL) ||
        !EVP_DigestUpdate(identity, "rouse policy", 12) || !EVP_DigestUpdate(identity, &asks, 1) ||
        !EVP_DigestUpdate(identity, o->name.p, o->name.n))
        goto out;
    if (o->ca_file) {
        p->store = X509_STORE_new();
        p->accepted = sk_X509_NAME_new_null();
        if (!p->store || !p->accepted || read_ca(p, o->ca_file, identity) != 0)
            goto out;
    }
    r = EVP_DigestFinal_ex(identity, p->context, NULL) == 1 ? 0 : -1;
    if (r == 0 && o->before && memcmp(p->context, o->before->context, sizeof(p->context)) == 0)
        p->id = o->before->id;
out:
    EVP_MD_CTX_free(identity);
    EVP_MD_free(sha);
    return r;
}

struct tls_policy *
tls_policy_new(struct tls_library *lib, const struct tls_policy_options *o, char *text,
               size_t room)
{
    struct tls_policy *p = calloc(1, sizeof(*p));

    ERR_clear_error();
    if (p) {
        p->lib = lib;
        p->id = o->id;
        lib->users++;
        if (fill(p, o) == 0)
            return p;
    }
    tls_error_text(text, room, o->ca_file ? o->ca_file : "policy");
    tls_policy_free(p);
    return NULL;
}

void
tls_policy_free(struct tls_policy *p)
{
    if (!p)
        return;
    X509_STORE_free(p->store);
    sk_X509_NAME_pop_free(p->accepted, X509_NAME_free);
    p->lib->users--;
    free(p);
}

/*
 * A session's identity is set in any case: OpenSSL resumes only within the same one. Behind a
 * client's certificate nothing is resumed at all, so that none outlives its term or its CA.
 */
int
tls_policy_apply(const struct tls_policy *p, SSL *ssl)
{
    STACK_OF(X509_NAME) *names;

    if (SSL_set_session_id_context(ssl, p->context, sizeof(p->context)) != 1)
        return -1;
    if (!p->store)
        return 0;
    names = SSL_dup_CA_list(p->accepted);
    if (!names)
        return -1;
    SSL_set0_CA_list(ssl, names);
    if (SSL_set1_verify_cert_store(ssl, p->store) != 1 || SSL_set_num_tickets(ssl, 0) != 1)
        return -1;
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_set_verify_depth(ssl, CHAIN_DEPTH);
    return 0;
}
