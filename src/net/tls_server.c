/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server.c: see tls_server.h. What is decided when: the ClientHello gives the name, the name
 * gives the policy and the certificate; only then OpenSSL looks at tickets. Owner: one loop's
 * thread.
 */
#include "config.h"

#include "net/tls_server.h"

#include "net/tls_certs_priv.h"
#include "net/tls_priv.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

/* Forward secrecy and AEAD only; none of these is in RFC 9113's appendix A. */
#define CIPHERS_12 \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
/* P-256 is there for certificates on it, too (LIBRARIES 4.2). */
#define GROUPS "X25519:P-256"
#define GROUPS_HYBRID "X25519MLKEM768:X25519:P-256"

struct tls_server {
    struct tls_library *lib;
    unsigned refs; /* the owner's, and one for each handshake */
    struct tls_server_options o;
    SSL_CTX *ctx;
    struct tls_ticket_key keys[3]; /* of the epochs before, now, after; in no order */
};

/* --- the ClientHello ------------------------------------------------------------------------ */

/* The one host_name of a server_name extension (RFC 6066 section 3). 0, or -1: malformed. */
static int
name_of_extension(const unsigned char *p, size_t n, struct slice *name)
{
    size_t list, length;

    if (n < 5)
        return -1;
    list = (size_t)p[0] << 8 | p[1];
    length = (size_t)p[3] << 8 | p[4];
    if (list != n - 2 || p[2] != 0 || length != n - 5)
        return -1;
    *name = (struct slice){(const char *)p + 5, length};
    return 0;
}

/* The client's name, into t->info.sni. 0 or -1. */
static int
take_name(struct tls_conn *t, SSL *ssl)
{
    char name[TLS_NAME_MAX + 1], *text;
    const unsigned char *p;
    struct slice raw;
    size_t n;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) != 1)
        return 0;
    if (name_of_extension(p, n, &raw) != 0 || tls_name_parse(raw, name, &n) != 0)
        return -1;
    text = malloc(n);
    if (!text)
        return -1;
    memcpy(text, name, n);
    t->info.sni = (struct slice){text, n};
    return 0;
}

static int
on_client_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls_server *s = arg;
    struct tls_conn *t = s->lib->current;
    const struct tls_policy *policy = NULL;
    const struct tls_pair *pair;

    if (t->hello)
        return SSL_CLIENT_HELLO_SUCCESS; /* the second one, after a HelloRetryRequest */
    t->hello = true;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (take_name(t, ssl) != 0) {
        t->why = "unacceptable server name";
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (s->o.policy) {
        policy = s->o.policy(s->o.ctx, t->info.sni);
        if (!policy) {
            t->why = "unknown server name";
            return SSL_CLIENT_HELLO_ERROR;
        }
    }
    pair = tls_certs_find(s->o.certs, t->info.sni);
    if (!pair) {
        t->why = "no certificate for this server name";
        return SSL_CLIENT_HELLO_ERROR;
    }
    *alert = SSL_AD_INTERNAL_ERROR;
    if (policy) {
        t->info.policy = tls_policy_id(policy);
        if (tls_policy_apply(policy, ssl) != 0)
            return SSL_CLIENT_HELLO_ERROR;
    }
    return tls_pair_use(pair, ssl) == 0 ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

/* --- protocols ------------------------------------------------------------------------------ */

static bool
offers(const unsigned char *in, unsigned n, struct slice wanted, const unsigned char **at)
{
    for (unsigned i = 0; i < n; i += 1u + in[i]) {
        if (in[i] == wanted.n && wanted.n < n - i && memcmp(in + i + 1, wanted.p, wanted.n) == 0) {
            *at = in + i + 1;
            return true;
        }
    }
    return false;
}

static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
        unsigned n, void *arg)
{
    const struct tls_server *s = arg;

    (void)ssl;
    if (!s->o.h1_only && offers(in, n, SLICE("h2"), out)) {
        *out_n = 2;
        return SSL_TLSEXT_ERR_OK;
    }
    if (offers(in, n, SLICE("http/1.1"), out)) {
        *out_n = 8;
        return SSL_TLSEXT_ERR_OK;
    }
    s->lib->current->why = "no common protocol";
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- tickets -------------------------------------------------------------------------------- */

/* The key of an epoch, derived when it is not among the three; NULL: it cannot be. */
static const struct tls_ticket_key *
key_of(struct tls_server *s, int64_t epoch)
{
    struct tls_ticket_key *oldest = &s->keys[0];

    for (unsigned i = 0; i < 3; i++) {
        if (s->keys[i].epoch == epoch)
            return &s->keys[i];
        if (s->keys[i].epoch < oldest->epoch)
            oldest = &s->keys[i];
    }
    return tls_tickets_key(s->o.tickets, s->lib, epoch, oldest) == 0 ? oldest : NULL;
}

static int
set_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac,
                                                  sizeof(key->mac));
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    params[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(mac, params) == 1 ? 0 : -1;
}

/* Which epoch's key made this ticket? Now's first, it nearly always is. */
static const struct tls_ticket_key *
key_named(struct tls_server *s, const unsigned char *name, int64_t now)
{
    static const int order[] = {0, -1, 1};

    for (unsigned i = 0; i < 3; i++) {
        const struct tls_ticket_key *key = now + order[i] < 0 ? NULL : key_of(s, now + order[i]);

        if (key && memcmp(key->name, name, sizeof(key->name)) == 0)
            return key;
    }
    return NULL;
}

/* 1: use it; 2: use it and give a new one; 0: no ticket; -1: failed. TLS 1.3 wants a ticket used
 * once (RFC 8446 appendix C.4), so each use gives the next. */
static int
on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
              EVP_MAC_CTX *mac, int encrypting)
{
    struct tls_server *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    int64_t now = tls_tickets_epoch(s->o.tickets, tls_library_wall(s->lib));
    const struct tls_ticket_key *key = encrypting ? key_of(s, now) : key_named(s, name, now);

    if (!key)
        return 0;
    if (encrypting) {
        memcpy(name, key->name, sizeof(key->name));
        if (RAND_bytes_ex(s->lib->ctx, iv, 16, 0) != 1 ||
            EVP_EncryptInit_ex2(cipher, s->lib->ticket_cipher, key->cipher, iv, NULL) != 1)
            return -1;
    } else if (EVP_DecryptInit_ex2(cipher, s->lib->ticket_cipher, key->cipher, iv, NULL) != 1) {
        return -1;
    }
    if (set_mac(mac, key) != 0)
        return -1;
    return encrypting || (key->epoch == now && SSL_version(ssl) < TLS1_3_VERSION) ? 1 : 2;
}

/* --- life ----------------------------------------------------------------------------------- */

static int
set_up_tickets(struct tls_server *s)
{
    static const unsigned char context[] = "rouse";

    if (!s->o.tickets) {
        SSL_CTX_set_options(s->ctx, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(s->ctx, 0) == 1 ? 0 : -1;
    }
    for (unsigned i = 0; i < 3; i++)
        s->keys[i].epoch = -1;
    SSL_CTX_set_app_data(s->ctx, s);
    SSL_CTX_set_timeout(s->ctx, TLS_TICKETS_LIFETIME);
    if (SSL_CTX_set_num_tickets(s->ctx, 1) != 1 ||
        SSL_CTX_set_session_id_context(s->ctx, context, sizeof(context) - 1) != 1)
        return -1;
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(s->ctx, on_ticket_key) == 1 ? 0 : -1;
}

static int
set_up(struct tls_server *s)
{
    s->ctx = tls_library_ssl_ctx(s->lib, TLS_server_method());
    if (!s->ctx)
        return -1;
    if (s->o.tls13_only && SSL_CTX_set_min_proto_version(s->ctx, TLS1_3_VERSION) != 1)
        return -1;
    SSL_CTX_set_options(s->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_max_early_data(s->ctx, 0);
    SSL_CTX_set_client_hello_cb(s->ctx, on_client_hello, s);
    SSL_CTX_set_alpn_select_cb(s->ctx, on_alpn, s);
    if (SSL_CTX_set_cipher_list(s->ctx, CIPHERS_12) != 1 ||
        SSL_CTX_set_ciphersuites(s->ctx, CIPHERS_13) != 1)
        return -1;
    if (!(s->o.hybrid_groups && SSL_CTX_set1_groups_list(s->ctx, GROUPS_HYBRID) == 1) &&
        SSL_CTX_set1_groups_list(s->ctx, GROUPS) != 1)
        return -1;
    ERR_clear_error(); /* an OpenSSL without the hybrid group */
    return set_up_tickets(s);
}

static void
unref(struct tls_server *s)
{
    if (--s->refs > 0)
        return;
    SSL_CTX_free(s->ctx);
    tls_tickets_unref(s->o.tickets);
    tls_certs_free(s->o.certs);
    OPENSSL_cleanse(s->keys, sizeof(s->keys));
    s->lib->users--;
    free(s);
}

struct tls_server *
tls_server_new(struct tls_library *lib, const struct tls_server_options *o, char *text,
               size_t room)
{
    struct tls_server *s = calloc(1, sizeof(*s));

    ERR_clear_error();
    if (s) {
        s->lib = lib;
        s->refs = 1;
        s->o = *o;
        tls_tickets_ref(s->o.tickets);
        tls_certs_ref(s->o.certs);
        lib->users++;
        if (set_up(s) == 0)
            return s;
    }
    tls_error_text(text, room, "TLS");
    if (s)
        unref(s);
    return NULL;
}

void
tls_server_free(struct tls_server *s)
{
    if (s)
        unref(s);
}

void
tls_server_ref(struct tls_server *s)
{
    s->refs++;
}

struct tls_library *
tls_server_library(const struct tls_server *s)
{
    return s->lib;
}

SSL *
tls_server_ssl(struct tls_server *s)
{
    SSL *ssl = SSL_new(s->ctx);

    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}
