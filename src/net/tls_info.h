/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_info.h: what a finished handshake agreed on. Given by conn_tls; lives as long as the
 * connection (also through conn_move). */
#ifndef ROUSE_NET_TLS_INFO_H
#define ROUSE_NET_TLS_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct tls_info {
    struct slice sni;            /* server: the client's name, normalised; empty: it gave none */
    const char *version;         /* "TLSv1.3" */
    const char *cipher;          /* "TLS_AES_128_GCM_SHA256" */
    uint32_t policy;             /* server: tls_policy_options.id; 0 without a policy callback */
    bool h2;                     /* ALPN chose h2 */
    bool resumed;
    bool verified;               /* the peer's certificate was asked for, and is good */
    struct slice subject;        /* of a verified client: RFC 2253, cut to 256 bytes */
    struct slice fingerprint;    /* of a verified client: SHA-256, 64 hexadecimal digits */
};

#endif
