/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrival.h: what happens between accept and a session. A fresh connection says whose it is (a
 * PROXY header, where the listener demands one), shakes hands (TLS) and shows what it speaks:
 *
 *     header -> first [-> preface] -> ready
 *            -> hello [-> queued] -> shaking -> ready
 *
 * With TLS, ALPN says what; none of it means HTTP/1. On a plain listener HTTP/2 is what begins with
 * its client preface (RFC 9113 section 3.4); everything else is HTTP/1's to judge, from the first
 * byte that differs. What cannot become a session ends here, in silence: nobody has asked for
 * anything yet.
 *
 * Only so many handshakes are under way at once, so that a flood of them does not starve those who
 * are in. Who finds no room waits for it within its time; and while somebody waits, a handshake
 * that has taken a fifth of its time is given up, so that those that stall do not keep the rest
 * out. Nothing is spent on TLS before the client's first byte.
 *
 * Nothing is copied and no system call is made that a session would not have made itself: the bytes
 * that decided go on to it. The limits of connections are the owner's.
 */
#ifndef ROUSE_NET_ARRIVAL_H
#define ROUSE_NET_ARRIVAL_H

#include "base/reason.h"
#include "net/conn.h"

enum arrival_protocol { ARRIVAL_H1, ARRIVAL_H2 };

#define ARRIVAL_PREFACE 24 /* bytes of HTTP/2's client preface */

/* One listener's; must outlive its arrivals, and may be changed under them. */
struct arrival_options {
    struct tls_server *tls; /* NULL: plain */
    bool proxy_header;      /* every connection must begin with one */
    bool h2;                /* plain: HTTP/2 with prior knowledge; else its preface is refused */
    usec_t header_time;     /* 1 s from accept until the PROXY header is whole */
    usec_t handshake_time;  /* 10 s from accept until the handshake is over */
    usec_t idle;            /* plain: 60 s until the first byte */
    usec_t head_time;       /* 10 s from there for what may be a preface; then HTTP/1 answers 408 */
};
void arrival_options_init(struct arrival_options *o);

/* Memory and shared limits of a loop's arrivals. */
struct arrival_hall {
    struct loop *loop;
    struct pool pool;
    uint32_t handshakes, max_handshakes; /* under way; 1,000, the owner may change it */
    struct list shaking;                 /* the oldest first */
    struct list queue;                   /* of those who wait for room */
    struct task next;
    struct wheel_timer patience;
};

struct arrival;
struct arrival_owner {
    /* The PROXY header has come: a->conn.peer is the client from now on (the socket's own peer, if
     * it names nobody). False: it is turned away, and on_gone follows with CONNECTION_LIMIT. */
    bool (*on_announced)(void *ctx, struct arrival *a);
    /*
     * The last callback: c is to be conn_move'd (else it is closed behind it), early is what was
     * read from it already, the first of it at a->first; it stays until the reap phase of this
     * turn. Comes from the events phase.
     */
    void (*on_ready)(void *ctx, struct arrival *a, struct conn *c, enum arrival_protocol protocol,
                     struct slice early);
    /* The last callback: it is closed behind it. detail: for the log. */
    void (*on_gone)(void *ctx, struct arrival *a, enum reason why, const char *detail);
};

#define ARRIVAL_STATES(X) \
    X(HEADER, header)   /* a PROXY header is to come, or more of it */ \
    X(HELLO, hello)     /* TLS: no byte has come */ \
    X(QUEUED, queued)   /* one has, and there is no room for another handshake */ \
    X(SHAKING, shaking) \
    X(FIRST, first)     /* plain: no byte has come */ \
    X(PREFACE, preface) /* HTTP/2's preface so far, or HTTP/1's PRI... */ \
    X(GONE, gone)

enum arrival_state {
#define X(sym, name) ARRIVAL_IS_##sym,
    ARRIVAL_STATES(X)
#undef X
    ARRIVAL_STATE_COUNT
};

struct arrival {
    struct list link; /* the owner's */
    struct conn conn;
    struct arrival_hall *hall;
    const struct arrival_options *o;
    const struct arrival_owner *owner;
    void *ctx;
    struct wheel_timer timer;
    struct task reap;
    struct list turn; /* in hall.queue or hall.shaking */
    enum arrival_state state;
    bool draining;
    bool known;     /* whose it is: at once, or once the PROXY header was taken */
    usec_t accepted;
    usec_t since;   /* of the state, or of draining within it */
    usec_t first;   /* when the first byte came */
    char *block;    /* with early, until the reaper takes it */
    uint32_t early; /* bytes in preface */
    char preface[ARRIVAL_PREFACE];
};

void arrival_hall_init(struct arrival_hall *h, struct loop *l);
/* When all of them are gone and reaped. */
void arrival_hall_fini(struct arrival_hall *h);

/* Receives an accepted descriptor. NULL: out of memory, fd closed. No callback from within. */
struct arrival *arrival_open(struct arrival_hall *h, int fd, const struct endpoint *peer,
                             const struct arrival_options *o, const struct arrival_owner *owner,
                             void *ctx);
/* Draining: its first byte must come within a second; what becomes ready is for the owner to drain
 * on. */
void arrival_drain(struct arrival *a);
/* Closes now; on_gone is called. */
void arrival_close(struct arrival *a, enum reason why);

#endif
