/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client.h: how TLS is spoken to back ends and platforms: 1.2 and 1.3, the peer's certificate
 * and name verified unless told otherwise, no sessions kept. Connections use it through
 * conn_start_tls_client or a dialer.
 */
#ifndef ROUSE_NET_TLS_CLIENT_H
#define ROUSE_NET_TLS_CLIENT_H

#include "net/tls_library.h"

enum tls_alpn { TLS_ALPN_H2 = 1 << 0, TLS_ALPN_H1 = 1 << 1 };

struct tls_client;
struct tls_client_options {
    const char *ca_file;   /* PEM; NULL: the system's */
    bool insecure;         /* accept any certificate */
    const char *cert_file; /* our own, with its chain, for peers that ask; NULL: none */
    const char *key_file;
    unsigned alpn; /* enum tls_alpn, offered in this order; 0: the extension is not sent */
};

/* NULL: a file cannot be used, or out of memory; text says which and why. */
struct tls_client *tls_client_new(struct tls_library *lib, const struct tls_client_options *o,
                                  char *text, size_t room);
/* Connections that use it go on. NULL is fine. */
void tls_client_free(struct tls_client *c);

#endif
