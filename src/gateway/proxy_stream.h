/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_stream.h: answers that may last: tunnels, event streams, and what else has no length. They
 * are listed at their worker, so that they can be ended when their sandbox falls asleep or we stop,
 * and watched, so that one that nobody uses any more ends by itself. See proxy.c for the story.
 */
#ifndef ROUSE_GATEWAY_PROXY_STREAM_H
#define ROUSE_GATEWAY_PROXY_STREAM_H

#include "base/ensure.h"
#include "base/list.h"
#include "base/reason.h"
#include "base/wheel.h"

struct proxy;
struct worker;

enum stream_kind {
    STREAM_NONE,   /* an answer with its length */
    STREAM_ANSWER, /* without length: a page in chunks, most likely */
    STREAM_EVENTS, /* text/event-stream, or messages of gRPC or Connect */
    STREAM_TUNNEL,
};

struct proxy_stream {
    struct proxy *p;
    enum stream_kind kind;    /* not NONE */
    struct list link;         /* of its worker's streams */
    struct wheel_timer timer; /* the next look at it; or, closing, the end */
    uint64_t moved;           /* bytes, both ways, in and out, by the last look */
    usec_t began, since;      /* when it began; when they had moved */
    bool closing;
};

/* The answer's head is in ex.resp, adapted. p->stream, in the arena, if it is one. -1: out of
 * memory. */
int proxy_stream_begin(struct proxy *p) must_check;
/* The request is not at its sandbox any more. Harmless when there is no stream. */
void proxy_stream_end(struct proxy *p);

/*
 * Ends the streams to a sandbox (control's number): tunnels with that code, event streams, and
 * other answers without length that have lasted a while; what merely is being answered goes on.
 */
void proxy_streams_close(struct worker *w, uint64_t sandbox, uint16_t code, enum reason why);
/* Ends all tunnels, because we stop. */
void proxy_streams_restart(struct worker *w);
/* Sets `spared` of each session with a tunnel; returns how many tunnels there are. */
unsigned proxy_streams_spare(struct worker *w);

#endif
