/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_client.h: one connection to a sandbox (or platform) speaking HTTP/1. Serves one exchange at a
 * time, then goes idle and may be pooled, iff the request was fully sent, the answer fully read and
 * nothing else came (RELIABILITY A12, E3, E4). The owner decides what idle and closed mean.
 */
#ifndef ROUSE_HTTP_H1_CLIENT_H
#define ROUSE_HTTP_H1_CLIENT_H

#include "http/back.h"
#include "http/h1_scan.h"

struct h1_client_options {
    struct h1_limits limits; /* of the answer */
    usec_t first_byte;       /* 120 s: then UPSTREAM_TIMEOUT */
    usec_t silence;          /* 1 s: on_silence; 0: never */
    usec_t stall;            /* 300 s without progress in an answer's body; USEC_OFF */
    usec_t write_stall;      /* 30 s in which it takes nothing of the request */
    usec_t head_time;        /* 30 s from the first byte of an answer to the end of its head */
};
void h1_client_options_init(struct h1_client_options *o);

/*
 * Takes over a connected conn (conn_move); it is idle. o must outlive it. NULL: out of memory; the
 * conn is closed then.
 */
struct back *h1_client_open(struct loop *l, struct conn *c, const struct h1_client_options *o,
                            const struct back_owner *owner, void *ctx);

#endif
