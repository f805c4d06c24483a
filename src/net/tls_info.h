/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_info.h: what a finished handshake agreed on, as far as each request may ask for it. Given by
 * conn_tls; lives as long as the connection (also through conn_move). What is asked for seldom is
 * not kept: struct tls_words. */
#ifndef ROUSE_NET_TLS_INFO_H
#define ROUSE_NET_TLS_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct tls_info {
    struct slice sni;            /* server: the client's name, normalised; empty: it gave none */
    uint32_t policy;             /* server: tls_policy_options.id; 0 without a policy callback */
    bool h2;                     /* ALPN chose h2 */
    bool resumed;
    bool verified;               /* the peer's certificate was asked for, and is good */
};

#define TLS_SUBJECT_MAX 256

/* The same in words. */
struct tls_words {
    const char *version;               /* "TLSv1.3" */
    const char *cipher;                /* "TLS_AES_128_GCM_SHA256" */
    char subject[TLS_SUBJECT_MAX + 1]; /* of a verified client: RFC 2253, cut; else "" */
    char fingerprint[65];              /* of a verified client: SHA-256, hexadecimal; else "" */
};

#endif
