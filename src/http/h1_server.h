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

#include "http/h1_scan.h"
#include "http/session.h"

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

/* Serves an accepted descriptor. o must outlive the session. NULL: out of memory, fd closed. */
struct session *h1_server_open(struct loop *l, int fd, const struct endpoint *peer,
                               const struct h1_server_options *o,
                               const struct session_owner *owner, void *ctx);
/*
 * The same for an open connection from which somebody has read already (net/arrival.h): conn_move
 * from c. early is served as if it were read in this turn, the first byte of it at since, in the
 * events phase; it stays until the reap phase. Calls nobody from within. NULL: out of memory; c is
 * as it was.
 */
struct session *h1_server_adopt(struct loop *l, struct conn *c, struct slice early, usec_t since,
                                const struct h1_server_options *o,
                                const struct session_owner *owner, void *ctx);

#endif
