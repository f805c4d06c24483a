/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * speak.h: how a request's sandbox is spoken to: HTTP/1 or HTTP/2, plain or TLS, and whose
 * certificate is expected. The TLS clients are one worker's, and one configuration's: a CA file is
 * read when the first request needs it, and again after a reload.
 */
#ifndef ROUSE_GATEWAY_SPEAK_H
#define ROUSE_GATEWAY_SPEAK_H

#include "gateway/gateway_config.h"
#include "http/head.h"
#include "net/dialer.h"
#include "net/tls_library.h"

/* One worker_config's TLS clients. */
struct speakers {
    struct list clients;
};

struct speak {
    enum back_kind kind;
    uint64_t identity;     /* for back_key.tls */
    struct dialer_tls tls; /* client NULL: plain */
};

void speakers_init(struct speakers *x);
/* Connections and dialers must not need the clients any more, or own them. */
void speakers_fini(struct speakers *x);

/*
 * What the request, the platform's record and the site say, in this order: gRPC is HTTP/2; else
 * what the record says; else connect.h2_ports and connect.protocol, where auto means HTTP/1.1 or,
 * with TLS, what ALPN chooses. TLS when the record or the site says so. Texts in *out live as long
 * as site and arena. REASON_NONE, or why not, with a clause for the log in *detail (it lives as
 * long as x).
 */
enum reason speak_choose(struct speakers *x, struct tls_library *lib, const struct site *site,
                         struct record_manner manner, uint16_t port, const struct head *req,
                         struct arena *a, struct speak *out, const char **detail) must_check;

#endif
