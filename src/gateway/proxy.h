/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy.h: one request on its way through the gateway: the exchange, where it is routed, what
 * control said of it, and its connect attempts.
 */
#ifndef ROUSE_GATEWAY_PROXY_H
#define ROUSE_GATEWAY_PROXY_H

#include "gateway/proxy_stream.h"
#include "gateway/worker.h"
#include "http/exchange.h"
#include "net/dialer.h"
#include "net/probe.h"
#include "sandbox/attempt.h"

#include <stddef.h>

/*
 *  routing --> held <--> connecting --> relaying --> over
 *     |          |           |             |
 *     +----------+-----------+-------------+--> answering --> over
 */
enum __attribute__((packed)) proxy_phase {
    PROXY_ROUTING,    /* the head is being looked at */
    PROXY_HELD,       /* an ASK is open: waiting for control's verdict */
    PROXY_CONNECTING, /* dialing, or between two tries */
    PROXY_RELAYING,   /* a back is attached */
    PROXY_ANSWERING,  /* the answer is made up here */
    PROXY_OVER,
};

#define REQUEST_ID_LEN 32

/* Bytes of a request's arena that come with its struct proxy: a head of usual size. */
#define PROXY_ROOM 592

/* What only dialing needs; proxy_connect.c. */
struct proxy_dial {
    struct proxy *p;
    struct attempt attempt;
    struct dialer dialer;
    struct dialer_tls tls;
    struct probe_timer precise;
};

/* What each request needs, also the many that are only held: it is to be small. */
struct proxy {
    struct exchange ex; /* first: exchanges and proxies convert by container_of */
    struct worker *w;
    struct worker_config *wc;
    struct session *session;
    unsigned listener; /* where it came in: whose trusted peers count */
    enum proxy_phase phase;
    enum traffic_class klass;
    struct endpoint client; /* ex.peer, or whom a trusted peer speaks for */
    uint16_t port;
    uint8_t tries;           /* connections the request was given to */
    bool https;              /* over TLS */
    bool asked_silence;      /* an ASK_NO_ANSWER was sent for this request */
    bool woken;              /* a wake was waited for */
    bool leader, splash, pooled, prepared;
    const struct site *site; /* NULL: not routed */
    struct slice id;         /* sandbox, in the arena */
    const uint8_t *token;    /* digest of the one that came, in the arena; NULL: none came */
    /* Towards control. */
    uint64_t ticket;         /* of the open ASK; 0: none */
    uint64_t released;       /* a GO that owes its terminal message; 0: none */
    uint64_t unanswered;     /* a CONNECTED that owes its ANSWERED; 0: none */
    struct view_route route;
    enum back_kind back_kind; /* how route's sandbox is spoken to */
    uint64_t back_identity;   /* for back_key.tls */
    struct view_sandbox *use; /* while relaying */
    struct slice subprotocol; /* to be chosen where the sandbox chooses none; subprotocol.h */
    struct proxy_dial *dial;     /* from w->dials, since a connection was dialed for; else NULL */
    struct proxy_page *page;     /* in the arena, when the waiting page may be due; else NULL */
    struct proxy_stream *stream; /* in the arena, while relaying one; else NULL */
    /* For the log and Server-Timing. */
    const char *up_proto; /* of the last back: "h1", "h2"; NULL: none */
    usec_t hold_began, held_for, wake_took, woken_at, connect_took, connect_began;
    char request_id[REQUEST_ID_LEN + 1];
    _Alignas(max_align_t) char room[PROXY_ROOM]; /* of ex.arena */
};

/* The handler of every exchange with a client. */
extern const struct exchange_handler proxy_handler;

/* Memory for one more exchange on a session of w, or NULL: at the limit. */
struct proxy *proxy_new(struct worker *w, unsigned listener, struct session *session);
/* A VERDICT for a ticket that is still ours. */
void proxy_on_verdict(struct proxy *p, const struct mail *m);

#endif
