/* SPDX-License-Identifier: BSD-2-Clause */
/* h2_options.c: the default limits of HTTP/2 connections (RELIABILITY section 3). */
#include "config.h"

#include "http/h2.h"

void
h2_options_server(struct h2_options *o)
{
    *o = (struct h2_options){
        .streams = 100,
        .stream_window = 16 * 1024,
        .stream_window_on = 64 * 1024,
        .conn_window = 2 * 1024 * 1024,
        .list_bytes = 32 * 1024,
        .fields = 100,
        .crumbs = 200,
        .line = 8 * 1024,
        .field = 8 * 1024,
        .continuations = 8,
        .resets = {100, 5 * USEC_SEC},
        .glitches = {500, 20 * USEC_SEC},
        .pings = {60, 60 * USEC_SEC},
        .settings = {30, 60 * USEC_SEC},
        .out_frames = 1000,
        .out_bytes = 256 * 1024,
        .max_requests = 10000,
        .settings_ack = 10 * USEC_SEC,
        .idle = 180 * USEC_SEC,
        .age = 3600 * USEC_SEC,
        .head_time = 10 * USEC_SEC,
        .stream_stall = 30 * USEC_SEC,
        .conn_stall = 60 * USEC_SEC,
        .grace = 20 * USEC_SEC,
        .min_rate = 500,
        .stall = 30 * USEC_SEC,
        .max_body = UINT64_MAX,
        .first_byte = 120 * USEC_SEC,
        .silence = USEC_SEC,
        .answer_stall = 300 * USEC_SEC,
    };
}

void
h2_options_client(struct h2_options *o)
{
    h2_options_server(o);
    o->list_bytes = 64 * 1024;
    o->fields = 200;
    o->stream_window = o->stream_window_on; /* an answer has a taker from the start */
    /* A sandbox that froze and nobody said so answers when it was woken. */
    o->settings_ack = 120 * USEC_SEC;
    o->head_time = 30 * USEC_SEC;
    o->stall = o->answer_stall;
    o->min_rate = 0;
    o->idle = USEC_OFF;
    o->age = USEC_OFF;
    o->max_requests = 500 * 1000 * 1000; /* of the 2^30 numbers that streams have */
}
