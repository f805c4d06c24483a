/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server.h: how TLS is accepted: versions 1.2 and 1.3, forward-secret AEAD ciphers only (none
 * that RFC 9113 forbids with HTTP/2), no renegotiation, compression, or early data. One for each
 * kind of listener and thread. Connections use it through conn_start_tls_server.
 *
 * A policy says what a site asks of its clients. It is found by the client's name (SNI) before
 * anything else happens, and it is part of a session's identity: what was agreed under one policy
 * is never resumed under another (RELIABILITY H6).
 */
#ifndef ROUSE_NET_TLS_SERVER_H
#define ROUSE_NET_TLS_SERVER_H

#include "base/log.h"
#include "base/slice.h"
#include "net/tls_certs.h"
#include "net/tls_tickets.h"

struct tls_policy;
struct tls_policy_options {
    uint32_t id;         /* the caller's; comes back in tls_info.policy */
    struct slice name;   /* of the site: with the CA's bytes, the identity that replicas share */
    const char *ca_file; /* clients must show a certificate of this CA; NULL: none is asked for */
    const struct tls_policy *before; /* its id stays if it asks the same; NULL: there is none */
};

/* NULL: the CA file cannot be used (text says why) or out of memory. Sessions with a client's
 * certificate are not resumed: it is looked at in each handshake. */
struct tls_policy *tls_policy_new(struct tls_library *lib, const struct tls_policy_options *o,
                                  char *text, size_t room);
/* Not from within the policy callback; connections keep what they need of it. NULL is fine. */
void tls_policy_free(struct tls_policy *p);
/* What tls_info.policy is of those who came in by it. */
uint32_t tls_policy_id(const struct tls_policy *p);

struct tls_server;
struct tls_server_options {
    struct tls_certs *certs;
    struct tls_tickets *tickets; /* NULL: nothing is resumed. A reference is taken. */
    /* The policy for a name, as tls_name_parse leaves it; SLICE_NONE: the client gave none. NULL
     * refuses the handshake (unrecognized_name). Called once a handshake, on the loop's thread;
     * also after tls_server_free, for handshakes then under way: ctx lives as long as the loop.
     * NULL: no site asks for anything. */
    const struct tls_policy *(*policy)(void *ctx, struct slice sni);
    void *ctx;
    bool h1_only;       /* do not offer h2 */
    bool tls13_only;    /* refuse TLS 1.2 */
    bool hybrid_groups; /* X25519MLKEM768 first, where OpenSSL has it: 6 KB more a connection */
};

/* NULL: out of memory, or OpenSSL refuses (text says what). */
struct tls_server *tls_server_new(struct tls_library *lib, const struct tls_server_options *o,
                                  char *text, size_t room);
/* Connections that use it go on. NULL is fine. */
void tls_server_free(struct tls_server *s);

#endif
