/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_client_priv.h: the inside of a back session, for its own files: h1_client.c (life, events,
 * deadlines, what goes out), h1_client_answer.c (what comes in), h1_client_tunnel.c (WebSockets).
 */
#ifndef ROUSE_HTTP_H1_CLIENT_PRIV_H
#define ROUSE_HTTP_H1_CLIENT_PRIV_H

#include "http/h1_body.h"
#include "http/h1_client.h"
#include "http/h1_input.h"
#include "http/h1_output.h"

/* idle <-> busy; both -> closed */
enum h1_client_state { H1_CLIENT_IDLE, H1_CLIENT_BUSY, H1_CLIENT_CLOSED };

struct h1_client {
    struct back back; /* first: its ops convert by container_of */
    struct exchange_end end;
    struct loop *loop;
    const struct h1_client_options *o;
    struct task run, flush, rearm, reap;
    struct wheel_timer timer;
    enum h1_client_state state;
    struct h1_scan scan;
    struct h1_input in;
    struct h1_output out;
    struct h1_body *body;     /* of the answer in progress, in the exchange's arena */
    struct exchange *lent_to; /* in this turn: settle at rearm */
    usec_t moved;             /* the last byte, or the last time we began to wait */
    usec_t head_began;        /* of an answer; 0: none has begun */
    uint32_t head_bytes;      /* of all heads of this answer */
    bool head_made;    /* the request's head is in out, or gone */
    bool sent_any;     /* a byte of the request in service was taken by the kernel */
    bool request_sent; /* all of it was */
    bool broken;       /* the peer takes no more; it may still have answered */
    bool blocked;      /* waiting for the peer to take more */
    bool answering;    /* the final head is here */
    bool silence_told;
    bool fin_sent;     /* tunnels: that direction is over */
    bool bulk;         /* tunnels: the last read was long: read more at once */
};

/* Closes now and tells the owner; an exchange in service loses its back for that reason. */
void h1_client_close(struct h1_client *c, enum reason why);
void h1_client_arm(struct h1_client *c);

/* h1_client_tunnel.c. Makes the request one that can be answered with 101. -1: out of arena. */
int h1_client_tunnel_ask(struct h1_client *c) must_check;
/* A 101 is in resp. */
void h1_client_tunnel_take(struct h1_client *c);
/* All of to_back is sent, to its end: FIN. */
void h1_client_tunnel_sent(struct h1_client *c);
/* The peer's FIN. */
void h1_client_tunnel_eof(struct h1_client *c);
/* Lets go when both directions are over. */
void h1_client_tunnel_check(struct h1_client *c);

/* h1_client_answer.c */
void h1_client_input(struct h1_client *c);
bool h1_client_wants_input(const struct h1_client *c);

#endif
