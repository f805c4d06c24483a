/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_server.h: one client connection speaking HTTP/2 (RFC 9113): each stream is an exchange's front
 * end. RFC 8441 extended CONNECT opens WebSockets; CONNECT without a protocol is refused;
 * priorities are ignored. Flow control is by hand: a held stream's body stops at its own window,
 * and the sum of all streams' windows never exceeds the connection's: nobody starves (RELIABILITY
 * C12).
 */
#ifndef ROUSE_HTTP_H2_SERVER_H
#define ROUSE_HTTP_H2_SERVER_H

#include "http/h2.h"
#include "http/session.h"

/*
 * Takes over an open conn (conn_move; `c` is unused memory afterwards) with the bytes that were
 * read from it already: the client's preface is checked here. o must outlive the session. NULL: out
 * of memory; the conn is closed then.
 */
struct session *h2_server_open(struct loop *l, struct conn *c, struct slice early,
                               const struct h2_options *o, const struct session_owner *owner,
                               void *ctx);

#endif
