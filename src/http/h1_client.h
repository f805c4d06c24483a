/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_client.h: one connection to a sandbox (or platform) speaking HTTP/1. Serves one exchange at a
 * time, then goes idle and may be pooled, iff the request was fully sent, the answer fully read and
 * nothing else came (RELIABILITY A12, E3, E4). The owner decides what idle and closed mean.
 */
#ifndef ROUSE_HTTP_H1_CLIENT_H
#define ROUSE_HTTP_H1_CLIENT_H

#include "http/exchange.h"
#include "http/h1_scan.h"
#include "net/conn.h"

struct h1_client;

struct h1_client_options {
    struct h1_limits limits; /* of the answer */
    usec_t first_byte;       /* 120 s: then UPSTREAM_TIMEOUT */
    usec_t silence;          /* 1 s: on_silence; 0: never */
    usec_t stall;            /* 300 s without progress in an answer's body; USEC_OFF */
    usec_t write_stall;      /* 30 s in which it takes nothing of the request */
    usec_t head_time;        /* 30 s from the first byte of an answer to the end of its head */
};
void h1_client_options_init(struct h1_client_options *o);

struct h1_client_owner {
    /* The exchange is over and the connection may be used again. */
    void (*on_idle)(void *ctx, struct h1_client *c);
    /* It is closed; c is dead after this. */
    void (*on_closed)(void *ctx, struct h1_client *c, enum reason why);
};

/* Takes over a connected conn (conn_move). NULL: out of memory; the conn is closed then. */
struct h1_client *h1_client_open(struct loop *l, struct conn *c, const struct h1_client_options *o,
                                 const struct h1_client_owner *owner, void *ctx);
/* Serves ex: exchange_attach_back with this session's end. Only when idle. */
void h1_client_serve(struct h1_client *c, struct exchange *ex);
void h1_client_close(struct h1_client *c, enum reason why);
struct conn *h1_client_conn(struct h1_client *c);
/* What the owner gave as ctx. */
void *h1_client_ctx(struct h1_client *c);
/* How many exchanges it has served; when it became idle. */
uint32_t h1_client_served(const struct h1_client *c);
usec_t h1_client_idle_since(const struct h1_client *c);

#endif
