/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caller.h: who a request comes from when the peer is a proxy that the listener trusts: what
 * X-Forwarded-* and Forwarded (RFC 7239) say is believed as far as trusted proxies wrote it. Each
 * proxy adds its own peer at the end: so the client is the last one in the list that is no trusted
 * proxy, and what stands before it is its own invention. Where a hop is hidden or no address, the
 * one behind it counts as the client. Pure.
 *
 * Both lists: X-Forwarded-For counts, since a proxy that writes only that lets a client's Forwarded
 * through; Forwarded is believed besides only if it names the same client. A malformed one counts
 * for nothing.
 */
#ifndef ROUSE_GATEWAY_CALLER_H
#define ROUSE_GATEWAY_CALLER_H

#include "gateway/gateway_config.h"
#include "http/head.h"

struct caller {
    struct endpoint client; /* without port; the peer itself, if it is not trusted */
    bool trusted;           /* the peer is one of the listener's trusted proxies */
    bool https;             /* the client spoke TLS, as far as known */
    bool listed;            /* X-Forwarded-For names the client */
    bool forwarded;         /* Forwarded is well-formed and names the client */
    struct slice host;      /* what the client asked for, by a trusted proxy's word; or empty */
};

/* https: the connection is TLS. */
void caller_find(struct caller *c, const struct head *h, const struct listener_config *l,
                 const struct endpoint *peer, bool https);

#endif
