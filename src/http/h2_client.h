/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_client.h: one connection to a sandbox speaking HTTP/2, by prior knowledge or after ALPN; each
 * exchange is a stream. REFUSED_STREAM, and a stream above the last one of a GOAWAY, mark the
 * exchange `unprocessed`: it may be sent again. Push is off. The peer is not trusted more than a
 * client: the same budgets (RELIABILITY E13).
 */
#ifndef ROUSE_HTTP_H2_CLIENT_H
#define ROUSE_HTTP_H2_CLIENT_H

#include "http/back.h"
#include "http/h2.h"

/* Takes over a connected conn (conn_move). NULL: out of memory; the conn is closed then. */
struct back *h2_client_open(struct loop *l, struct conn *c, const struct h2_options *o,
                            const struct back_owner *owner, void *ctx);

#endif
