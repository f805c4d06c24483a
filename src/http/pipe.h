/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.h: one direction of a body: bounded bytes between a writer end and a reader end on one loop.
 *
 *   writer:  room -> lend or write ... -> end (trailers are in the head) | abort(reason)
 *   reader:  peek -> drain ... -> at_end | stop (discard the rest)
 *
 * Lent bytes are borrowed from the writer's read buffer until the end of the turn: the reader
 * drains what it can (its flush writes them straight to the socket), the writer's rearm settles the
 * rest into blocks. Whoever lends memory that outlives the pipe (the memory end) need not settle.
 * window: how far the writer may go; 0 while held: then HTTP/1 stops reading and HTTP/2 sends no
 * WINDOW_UPDATE. Bytes that had come already may exceed it (<= one read buffer).
 * thirsty: set by a writer that stopped for want of room (HTTP/2: always); exchange_drain clears
 * it and signals credit once half of the window is free.
 * retained: drained bytes are kept, up to PIPE_RETAIN_MAX, so that the reader can be replaced and
 * the stream rewound; above it, or after pipe_forget, it cannot.
 * An aborted pipe still gives what it holds; then it is over without having ended.
 * The pipe calls nobody: whoever changes it signals the other end (exchange.h).
 */
#ifndef ROUSE_HTTP_PIPE_H
#define ROUSE_HTTP_PIPE_H

#include <sys/uio.h>

#include "base/ensure.h"
#include "base/pool.h"
#include "base/reason.h"
#include "base/slice.h"

#define PIPE_WINDOW (64u * 1024)
#define PIPE_RETAIN_MAX (64u * 1024)
/* Loans at once: a read buffer cut by chunk framing. */
#define PIPE_LENT_MAX 4u

struct pipe_block;
struct pipe {
    struct pool *blocks;
    struct pipe_block *first, *last; /* settled bytes; retained ones stand before `at` */
    struct pipe_block *at;           /* where reading is; NULL: no settled byte is pending */
    uint32_t at_off;
    uint32_t window; /* bytes that may be pending; 0: held */
    struct slice lent[PIPE_LENT_MAX]; /* what is still borrowed; comes after the blocks */
    uint64_t written;  /* monotonic: bytes that came in */
    uint64_t drained;  /* monotonic: bytes that went out or were discarded: window credit */
    uint64_t taken;    /* read position: as drained, but a rewind sets it back */
    uint64_t base;     /* position of the oldest byte still here; 0: can be rewound */
    uint8_t lents;
    bool ended;        /* the writer is done, well */
    bool aborted;      /* the writer is done, badly: reason */
    bool stopped;      /* the reader wants no more: writes vanish */
    bool retained;
    bool thirsty;
    enum reason reason;
};

void pipe_init(struct pipe *p, struct pool *blocks, uint32_t window);
void pipe_fini(struct pipe *p);

/* Writer. */
size_t pipe_room(const struct pipe *p); /* 0 when held or full; SIZE_MAX when stopped */
/* Borrows s until pipe_settle; when too many loans stand, they are settled first. -1: out of
 * blocks. */
int pipe_lend(struct pipe *p, struct slice s) must_check;
/* Copies. -1: out of blocks: the exchange must be aborted. */
int pipe_write(struct pipe *p, struct slice s) must_check;
/* Copies what is still lent. -1: out of blocks. To be called before the read buffer goes back. */
int pipe_settle(struct pipe *p) must_check;
void pipe_end(struct pipe *p);
/* Nothing after pipe_end. */
void pipe_abort(struct pipe *p, enum reason r);

/* Reader. */
size_t pipe_pending(const struct pipe *p);
/* Fills at most max slices with pending bytes, in order; returns how many. */
int pipe_peek(const struct pipe *p, struct iovec *iov, int max);
/* n <= pending. */
void pipe_drain(struct pipe *p, size_t n);
/* Ended well and nothing pending. */
bool pipe_at_end(const struct pipe *p);
/* Ended or aborted: no more bytes will come. */
bool pipe_closed(const struct pipe *p);
void pipe_stop(struct pipe *p);

/* Replay. */
void pipe_retain(struct pipe *p);           /* before the first drain */
bool pipe_can_rewind(const struct pipe *p); /* nothing drained is lost */
void pipe_rewind(struct pipe *p);           /* everything is pending again */
void pipe_forget(struct pipe *p);           /* an answer came: kept bytes go, keeping ends */

#endif
