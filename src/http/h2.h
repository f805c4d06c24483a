/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2.h: what HTTP/2 connections of both roles are told (RFC 9113; limits of RELIABILITY section 3).
 * No budget is off by default: nghttp2 announces some of these limits, we enforce all.
 */
#ifndef ROUSE_HTTP_H2_H
#define ROUSE_HTTP_H2_H

#include <stdint.h>

#include "base/bucket.h"
#include "base/usec.h"

struct h2_options {
    uint32_t streams;          /* 100 at once */
    uint32_t stream_window;    /* 16 KiB until the body has a taker */
    uint32_t stream_window_on; /* 64 KiB from then on, while the connection's window allows it */
    uint32_t conn_window;      /* 2 MiB; never less than all open streams' windows together */
    uint32_t list_bytes;       /* 32 KiB of fields (RFC 9113 section 10.5.1), while decoding */
    uint32_t fields;           /* 100 */
    uint32_t crumbs;           /* 200 Cookie fields, joined into one */
    uint32_t line;             /* 8 KiB :path */
    uint32_t field;            /* 8 KiB one field */
    uint32_t continuations;    /* 8 frames, 64 KiB, 10 s for one block */
    struct rate resets;        /* 100 at once + 20/s, theirs and ours: ENHANCE_YOUR_CALM */
    struct rate glitches;      /* 500 + 25/s */
    struct rate pings;         /* 60 + 1/s */
    struct rate settings;      /* 30 + 0.5/s; 32 entries each */
    uint32_t out_frames;       /* 1,000 control frames waiting to be read */
    uint32_t out_bytes;        /* 256 KiB waiting to be read */
    uint32_t max_requests;     /* 10,000 on one connection */
    usec_t settings_ack;       /* 10 s */
    usec_t idle;               /* 180 s without a stream */
    usec_t age;                /* 1 h, give or take 10 % */
    usec_t head_time;          /* 10 s from HEADERS to the end of its block */
    usec_t stream_stall;       /* 30 s with data waiting and no window */
    usec_t conn_stall;         /* 60 s */
    usec_t grace;              /* 20 s before the minimum rate counts */
    uint32_t min_rate;         /* 500 B/s of a body, either way */
    usec_t stall;              /* 30 s without any progress of a body that has a taker */
    uint64_t max_body;         /* UINT64_MAX: off */
    /* clients */
    usec_t first_byte;         /* 120 s: then UPSTREAM_TIMEOUT */
    usec_t silence;            /* 1 s: on_silence; 0: never */
    usec_t answer_stall;       /* 300 s without progress in an answer's body; USEC_OFF */
};

/* A front's limits: what clients may do. */
void h2_options_server(struct h2_options *o);
/* A back's: what sandboxes may do (64 KiB and 200 fields of an answer). */
void h2_options_client(struct h2_options *o);

#endif
