/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_server.h: one client connection speaking HTTP/1 (RFC 9112). One exchange in service at a time;
 * what is pipelined behind it is read ahead at most 64 KiB. States, one at a time:
 *
 *     idle -> head -> body/answer -> (drain) -> idle ... -> closing
 *
 * Owns its conn and its end. An idle session owns no buffer. Deadlines: head_time from the first
 * byte to the blank line (408), idle between requests, progress and minimum rate of bodies both
 * ways. After an answer that came early it discards at most 64 KiB or 1 s of the request, else
 * closes (RELIABILITY A10).
 */
#ifndef ROUSE_HTTP_H1_SERVER_H
#define ROUSE_HTTP_H1_SERVER_H

#include "http/exchange.h"
#include "http/h1_scan.h"
#include "net/conn.h"

struct h1_server;

struct h1_server_options {
    struct h1_limits limits;
    usec_t head_time;      /* 10 s */
    usec_t idle;           /* 60 s */
    uint32_t max_requests; /* 10,000 on one connection */
    usec_t grace;          /* 20 s before the minimum rate counts */
    uint32_t min_rate;     /* 500 B/s */
    usec_t stall;          /* 30 s without any progress, either way */
    uint64_t max_body;     /* UINT64_MAX: off */
};
void h1_server_options_init(struct h1_server_options *o);

#define H1_REQUEST_ID 33 /* 32 hex digits and a zero byte */

struct h1_server_owner {
    /*
     * Memory for one exchange, exchange_init'ed; NULL: out of memory or at a limit: 503 and close.
     */
    struct exchange *(*new_exchange)(void *ctx, struct h1_server *s);
    /* A head was refused before it became an exchange: fill body (JSON) and log it; the session
     * answers status with it and closes. detail: static text, for the log. request_id: empty; what
     * is written there (hex digits) becomes X-Request-Id. */
    void (*on_bad_request)(void *ctx, struct h1_server *s, enum reason why, const char *detail,
                           struct buf *body, char request_id[H1_REQUEST_ID]);
    /* The connection is closed; s is dead after this. */
    void (*on_closed)(void *ctx, struct h1_server *s, enum reason why);
};

/* Serves an accepted descriptor. o must outlive the session. NULL: out of memory, fd closed. */
struct h1_server *h1_server_open(struct loop *l, int fd, const struct endpoint *peer,
                                 const struct h1_server_options *o,
                                 const struct h1_server_owner *owner, void *ctx);
/*
 * Draining: closes at once when idle, else after the exchange in service ("Connection: close").
 * Who has not sent its first request yet gets a second for it.
 */
void h1_server_drain(struct h1_server *s);
/* Closes now; an exchange in service is lost. */
void h1_server_close(struct h1_server *s, enum reason why);
struct conn *h1_server_conn(struct h1_server *s);
struct exchange *h1_server_exchange(struct h1_server *s);
/* All sessions of an owner, for drain and show: link is the owner's to use. */
struct list *h1_server_link(struct h1_server *s);
struct h1_server *h1_server_of_link(struct list *link);

#endif
