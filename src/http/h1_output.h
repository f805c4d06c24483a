/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_output.h: what an HTTP/1 session has to send: text (heads, made by h1_write.h) and then one
 * body out of a pipe, framed. One send for all that is ready: head, first bytes, chunk framing.
 */
#ifndef ROUSE_HTTP_H1_OUTPUT_H
#define ROUSE_HTTP_H1_OUTPUT_H

#include "http/exchange.h"
#include "http/h1_write.h"
#include "net/conn.h"

#define H1_OUTPUT_TEXT_MAX (256u * 1024)

struct h1_output {
    struct loop *loop;
    char *block;        /* text's storage, from the pool; NULL: none, or text is on the heap */
    struct buf text;    /* heads */
    size_t text_sent;
    struct slice frame; /* chunk framing that is due after text: in small, or static */
    char small[H1_CHUNK_HEAD_MAX];
    bool open;          /* a message is under way */
    bool finished;      /* its last framing bytes are in text or frame */
    bool whole;         /* see h1_output_open */
    enum framing framing;
    uint64_t left;      /* FRAMING_LENGTH: of the body; FRAMING_CHUNKED: of the announced chunk */
};

enum h1_output_says {
    H1_OUTPUT_MORE,    /* all that was ready is sent; no message is open, or its body goes on */
    H1_OUTPUT_BLOCKED, /* the connection takes no more now */
    H1_OUTPUT_DONE,    /* the message is sent; none is open now */
    H1_OUTPUT_CUT,     /* the pipe was aborted, or does not keep to its length: close, unfinished */
    H1_OUTPUT_FAILED,  /* the connection is broken */
};

void h1_output_init(struct h1_output *o, struct loop *l);
void h1_output_fini(struct h1_output *o);
/* Appends what write(buf, arg) writes. -1: it would not, or out of memory. */
int h1_output_text(struct h1_output *o, int (*write)(struct buf *b, const void *arg),
                   const void *arg) must_check;
/*
 * A body with that framing follows the text. whole: the last byte of one with a length waits until
 * its writer has ended, so that what turns out to be longer never looks complete (RELIABILITY C11).
 */
void h1_output_open(struct h1_output *o, enum framing f, uint64_t length, bool whole);
bool h1_output_pending(const struct h1_output *o);
/*
 * Sends. p: the open message's pipe (NULL: none is open), whose writer is told of room; of: the
 * head whose trailers go with the end of a chunked body, NULL: none do. *sent: bytes taken by the
 * kernel.
 */
enum h1_output_says h1_output_flush(struct h1_output *o, struct conn *c, struct pipe *p,
                                    struct exchange_end *writer, const struct head *of,
                                    size_t *sent);

#endif
