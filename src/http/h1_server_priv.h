/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_server_priv.h: the inside of a front session, for its own files: h1_server.c (life, events,
 * deadlines), h1_server_request.c (what comes in), h1_server_answer.c (what goes out),
 * h1_server_tunnel.c (WebSockets).
 */
#ifndef ROUSE_HTTP_H1_SERVER_PRIV_H
#define ROUSE_HTTP_H1_SERVER_PRIV_H

#include "http/h1_body.h"
#include "http/h1_input.h"
#include "http/h1_output.h"
#include "http/h1_server.h"
#include "http/pace.h"

/* Bytes of an unwanted request, and time for it, that are discarded before we close. */
#define H1_DISCARD_MAX (64u * 1024)
#define H1_DISCARD_TIME USEC_SEC

/*
 *   idle <-> head -> exchange -> idle | drain | linger
 *   head -> refuse -> linger; drain -> idle | linger; all -> closed
 */
#define FRONT_STATES(X) \
    X(IDLE, idle)         /* between requests: no byte of the next has come */ \
    X(HEAD, head)         /* part of a head has come */ \
    X(EXCHANGE, exchange) /* a request is in service */ \
    X(DRAIN, drain)       /* its answer is out; the rest of the request is discarded */ \
    X(REFUSE, refuse)     /* an answer of our own goes out, then we close */ \
    X(LINGER, linger)     /* FIN is sent; input is discarded for a while */ \
    X(CLOSED, closed)

enum front_state {
#define X(sym, name) FRONT_##sym,
    FRONT_STATES(X)
#undef X
    FRONT_STATE_COUNT
};

/* What a session needs from the first byte of a request to the last of its answer, and no longer:
 * most connections are idle. */
struct front_job {
    struct h1_server *s;
    struct task flush, rearm;
    usec_t came; /* the first byte, when somebody else read it; else 0 */
    struct h1_scan scan;
    struct h1_input in;
    struct h1_output out;
    struct arena arena;       /* of body: it outlives an exchange that was answered early */
    struct h1_body *body;     /* of the request in service; NULL: it has none */
    struct exchange *lent_to; /* in this turn: settle at rearm */
    struct pace reading, writing;
    uint64_t body_bytes;
    uint32_t discarded;
    bool asks_head;    /* the request that is judged or served begins with HEAD */
    bool request_done; /* the request in service is read completely */
    bool head_out;     /* its answer's head is made */
    bool continued;    /* 100 Continue was sent */
    bool close;        /* after the answer */
    bool fin_sent;     /* tunnels: that direction is over */
    bool bulk;         /* tunnels: the last read was long: read more at once */
};
_Static_assert(sizeof(struct front_job) <= LOOP_JOB, "LOOP_JOB is too small");

struct h1_server {
    struct session session;
    struct exchange_end end;
    struct loop *loop;
    const struct h1_server_options *o;
    struct task run, reap;
    struct wheel_timer timer;
    enum front_state state;
    usec_t since; /* of the state */
    bool draining;
    struct front_job *job; /* borrowed from the loop; NULL: idle */
};

void front_set_state(struct h1_server *s, enum front_state to);
/* The session has a job from now on, until it is idle at the end of a turn. -1: out of memory. */
int front_take_job(struct h1_server *s) must_check;
/* Closes now and tells the owner; an exchange in service is lost. abort: with RST. */
void front_close(struct h1_server *s, enum reason why, bool abort);
/* FIN, then discards for a while, so that the answer is not destroyed by an RST. */
void front_linger(struct h1_server *s, enum reason why);
/* Recomputes the deadline; to be called when it may have come nearer. */
void front_arm(struct h1_server *s);

/* h1_server_request.c: reads as much as the state wants. */
void front_input(struct h1_server *s);
bool front_wants_input(const struct h1_server *s);
/* Answers why with a body of the owner's and closes. */
void front_refuse(struct h1_server *s, enum reason why, const char *detail);
/* The request in service broke off: the exchange is lost, and where no answer has begun it is said
 * why. */
void front_broken(struct h1_server *s, enum reason why);

/* h1_server_tunnel.c. Is a head's Upgrade one we serve? Clears req->upgrade where it counts for
 * nothing; a reason where the handshake is broken. */
enum reason front_judge_upgrade(struct head *req, const char **detail);
/* The back said yes: the 101 goes out, and from then on bytes. */
void front_tunnel_head(struct h1_server *s);
bool front_is_tunnel(const struct h1_server *s);
bool front_tunnel_wants(const struct h1_server *s);
void front_tunnel_input(struct h1_server *s);
/* All of to_front is sent, to its end: FIN; and the end of it all once the back is gone. */
void front_tunnel_sent(struct h1_server *s);

/* h1_server_answer.c */
extern const struct exchange_end_ops h1_server_ops;
void front_flush(struct h1_server *s);

#endif
