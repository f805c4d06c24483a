/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_input.h: what an HTTP/1 session has read and not used yet. The buffer is borrowed from the
 * loop for the turn; what must stay longer (part of a head, pipelined requests) is kept in a buffer
 * of its own size.
 */
#ifndef ROUSE_HTTP_H1_INPUT_H
#define ROUSE_HTTP_H1_INPUT_H

#include <sys/types.h>

#include "net/conn.h"

#define H1_INPUT_MAX (128u * 1024)

struct h1_input {
    struct loop *loop;
    char *block;       /* borrowed in this turn, or NULL */
    struct pool *pool; /* whose block is; NULL: somebody's who sees to it */
    struct buf kept;   /* what stayed over a turn */
    struct slice cur;  /* read and not used; in block or kept */
};

void h1_input_init(struct h1_input *in, struct loop *l);
void h1_input_fini(struct h1_input *in);
/*
 * Reads once, at most n bytes, into a small or large block; what is in cur stays before it. As
 * conn_read; -1 with ENOMEM when no buffer could be had. Only when no block is borrowed.
 */
ssize_t h1_input_read(struct h1_input *in, struct conn *c, size_t n, bool large) must_check;
/* What somebody else has read already, as if it were read now: it must last until the reap phase of
 * this turn, and rearm must come before that. Only on a new input. */
void h1_input_lend(struct h1_input *in, struct slice s);
void h1_input_use(struct h1_input *in, size_t n);
/* Rearm phase: keeps what is left and gives the block back. -1: out of memory, or too much. */
int h1_input_rearm(struct h1_input *in) must_check;

#endif
