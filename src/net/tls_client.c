/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_client.c: see tls_client.h. Owner: one loop's thread. */
#include "config.h"

#include "net/tls_client.h"

#include "net/tls_name.h"
#include "net/tls_priv.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

struct tls_client {
    struct tls_library *lib;
    bool insecure;
    SSL_CTX *ctx;
};

static int
no_password(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

/* 0, or -1 and *what: the file that cannot be used. */
static int
set_up_trust(struct tls_client *c, const struct tls_client_options *o, const char **what)
{
    if (o->insecure)
        return 0;
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    *what = o->ca_file ? o->ca_file : "the system's certificates";
    if (o->ca_file)
        return SSL_CTX_load_verify_file(c->ctx, o->ca_file) == 1 ? 0 : -1;
    return SSL_CTX_set_default_verify_paths(c->ctx) == 1 ? 0 : -1;
}

static int
set_up_own(struct tls_client *c, const struct tls_client_options *o, const char **what)
{
    if (!o->cert_file)
        return 0;
    SSL_CTX_set_default_passwd_cb(c->ctx, no_password);
    *what = o->cert_file;
    if (SSL_CTX_use_certificate_chain_file(c->ctx, o->cert_file) != 1)
        return -1;
    *what = o->key_file;
    return SSL_CTX_use_PrivateKey_file(c->ctx, o->key_file, SSL_FILETYPE_PEM) == 1 ? 0 : -1;
}

static int
set_up_alpn(struct tls_client *c, unsigned alpn)
{
    static const unsigned char both[] = "\2h2\10http/1.1";
    const unsigned char *p = alpn & TLS_ALPN_H2 ? both : both + 3;
    unsigned n = (alpn & TLS_ALPN_H2 ? 3u : 0u) + (alpn & TLS_ALPN_H1 ? 9u : 0u);

    return n == 0 || SSL_CTX_set_alpn_protos(c->ctx, p, n) == 0 ? 0 : -1; /* 0 is success */
}

struct tls_client *
tls_client_new(struct tls_library *lib, const struct tls_client_options *o, char *text,
               size_t room)
{
    struct tls_client *c = calloc(1, sizeof(*c));
    const char *what = "TLS";

    ERR_clear_error();
    if (c) {
        c->lib = lib;
        c->insecure = o->insecure;
        lib->users++;
        c->ctx = tls_library_ssl_ctx(lib, TLS_client_method());
        if (c->ctx && set_up_trust(c, o, &what) == 0 && set_up_own(c, o, &what) == 0 &&
            set_up_alpn(c, o->alpn) == 0) {
            ERR_clear_error();
            return c;
        }
    }
    tls_error_text(text, room, what);
    tls_client_free(c);
    return NULL;
}

void
tls_client_free(struct tls_client *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    c->lib->users--;
    free(c);
}

struct tls_library *
tls_client_library(const struct tls_client *c)
{
    return c->lib;
}

/* An address in text, with or without brackets: its bytes. 0: it is none. */
static size_t
address_of(struct slice name, unsigned char ip[16])
{
    char text[INET6_ADDRSTRLEN];

    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = slice_sub(name, 1, name.n - 1);
    if (name.n == 0 || name.n >= sizeof(text) || slice_index(name, '\0') >= 0)
        return 0;
    slice_copy(name, text, sizeof(text));
    if (inet_pton(AF_INET, text, ip) == 1)
        return 4;
    return inet_pton(AF_INET6, text, ip) == 1 ? 16 : 0;
}

/* What the certificate must be for. Names go in with their length. */
static int
expect(const struct tls_client *c, SSL *ssl, struct slice server_name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    char name[TLS_NAME_MAX + 1];
    unsigned char ip[16];
    size_t n = address_of(server_name, ip);

    if (n > 0)
        return X509_VERIFY_PARAM_set1_ip(param, ip, n) == 1 ? 0 : -1;
    if (server_name.n == 0 && c->insecure)
        return 0;
    if (tls_name_parse(server_name, name, &n) != 0) {
        errno = EINVAL;
        return -1;
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, n) == 1 &&
                   SSL_set_tlsext_host_name(ssl, name) == 1
               ? 0
               : -1;
}

SSL *
tls_client_ssl(struct tls_client *c, struct slice name)
{
    SSL *ssl = SSL_new(c->ctx);

    errno = ENOMEM;
    if (!ssl)
        return NULL;
    SSL_set_connect_state(ssl);
    if (expect(c, ssl, name) == 0)
        return ssl;
    SSL_free(ssl);
    return NULL;
}
