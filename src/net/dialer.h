/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer.h: gets a connected descriptor to an endpoint that may be refusing or silent. One dialer
 * is one exchange's wish; it runs as many attempts as its rhythm allows and hands over the first
 * that completes, with TLS after its handshake; further completed ones are surplus.
 *
 * It does not decide whether to go on: sandbox/attempt.h does, through the owner.
 */
#ifndef ROUSE_NET_DIALER_H
#define ROUSE_NET_DIALER_H

#include "base/endpoint.h"
#include "base/list.h"
#include "net/conn.h"
#include "net/probe.h"

/* Attempts open at once over a whole loop; beyond it there is no room (EAGAIN) until one ends. */
#define DIALER_MAX_OPEN 4096
/* Attempts of one dialer open at once (DESIGN section 4: <= 40 into silence). */
#define DIALER_MAX_PARALLEL 40

struct dialer;
struct dialer_owner {
    /* A connection completed, in `took` since its start: the callee moves it away with
     * conn_move, or leaves it to be closed. Later ones of the same dialer come the same way. */
    void (*on_connected)(struct dialer *d, struct conn *c, usec_t took);
    /* One attempt ended without a connection; error is an errno (ECONNREFUSED, ETIMEDOUT when
     * its time to live passed, EHOSTUNREACH, EMFILE...; with TLS also EKEYREJECTED, EPROTO: see
     * conn.h). open: attempts still under way. */
    void (*on_failed)(struct dialer *d, int error, unsigned open);
};

/* TLS for all attempts of a dialer. */
struct dialer_tls {
    struct tls_client *client;
    struct slice server_name; /* as conn_start_tls_client wants it */
};

struct dialer {
    struct loop *loop;
    const struct dialer_owner *owner; /* embeds the dialer */
    const struct dialer_tls *tls;     /* NULL: plain. May be set after dialer_init. */
    struct list attempts;
    unsigned open, started;
    const char *why; /* within on_failed: why TLS failed, in words for a log line, or "" */
};

void dialer_init(struct dialer *d, struct loop *l, const struct dialer_owner *o);
/* Starts one more attempt now, that lives at most ttl. The outcome comes from the run list,
 * never from within this call. -1: no room (EAGAIN, see above) or out of memory; nothing is
 * called then. The time to live is kept by the wheel: it may last a tick longer. */
int dialer_start(struct dialer *d, const struct endpoint *to, usec_t ttl) must_check;
/* Closes all attempts; no callback comes any more. */
void dialer_stop(struct dialer *d);

#endif
