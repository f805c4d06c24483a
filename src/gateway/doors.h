/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doors.h: what a worker's listeners speak: for each with `tls` a server over its directory of
 * certificates, and for each site with `tls.client_ca` what it asks of its clients. Made anew with
 * each configuration; connections that exist keep what they have, but a certificate of an authority
 * that is no longer the site's lets nobody in. Owner: one worker.
 */
#ifndef ROUSE_GATEWAY_DOORS_H
#define ROUSE_GATEWAY_DOORS_H

#include "gateway/route.h"
#include "net/conn.h"
#include "net/tls_server.h"

struct doors;

/* tickets may be NULL. NULL: out of memory. */
struct doors *doors_new(struct loop *l, struct tls_tickets *tickets);
/* After all connections are closed. */
void doors_free(struct doors *d);
/* What all TLS of this thread hangs on. */
struct tls_library *doors_library(struct doors *d);
/*
 * Follows c; its routes say which site a client's name means. Both must live until the next call.
 * -1 and a sentence in why: what could not be made (a CA file that is gone, memory); but for the
 * routes everything stays as it was then.
 */
int doors_configure(struct doors *d, const struct gateway_config *c,
                    const struct route_table *routes, struct buf *why) must_check;
/* Of listener n of the configuration; NULL: it is plain. */
struct tls_server *doors_server(struct doors *d, unsigned n);
/*
 * May a request for `site` come over this connection? REASON_NONE, or MISDIRECTED with a clause in
 * detail: the name of the handshake means another site (RELIABILITY H5), or the site asks for a
 * client certificate and this connection has none of its authority. Connections are reused and
 * coalesced, so every request is asked for.
 */
enum reason doors_judge(const struct doors *d, const struct conn *c, const struct site *site,
                        const char **detail);

#endif
