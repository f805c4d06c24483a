/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A framer of HTTP/1 messages that accepts nearly everything and says what was odd about it.
 *
 * It finds where a message begins and ends the way a lax server would (a bare LF ends a line,
 * Transfer-Encoding beats Content-Length) and raises a flag for each thing that a strict server
 * would refuse.  The witness must never be the strict one: what it cannot read it cannot report.
 */
#ifndef TOOLHTTP_H
#define TOOLHTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolbuf.h"
#include "toolsha.h"

enum toolhttp_phase {
    TOOLHTTP_HEAD,
    TOOLHTTP_BODY,          /* counted by Content-Length */
    TOOLHTTP_CHUNK_LINE,
    TOOLHTTP_CHUNK_DATA,
    TOOLHTTP_CHUNK_END,
    TOOLHTTP_TRAILER,
    TOOLHTTP_UNTIL_CLOSE,   /* an answer without a length */
    TOOLHTTP_DONE,
};

#define TOOLHTTP_ODD(X)                                                                     \
    X(BARE_LF, "bare_lf") X(BARE_CR, "bare_cr") X(NUL, "nul") X(FOLD, "fold")               \
    X(LEADING_LINE, "leading_line") X(START_LINE, "start_line") X(NO_COLON, "no_colon")     \
    X(NAME, "name") X(CL_AND_TE, "cl_and_te") X(CL_TWICE, "cl_twice") X(CL_VALUE, "cl_value") \
    X(TE_TWICE, "te_twice") X(TE_VALUE, "te_value") X(TE_OLD, "te_in_1.0")                  \
    X(NO_HOST, "no_host") X(HOST_TWICE, "host_twice") X(CHUNK_SIZE, "chunk_size")           \
    X(CHUNK_EXTENSION, "chunk_extension") X(CHUNK_CRLF, "chunk_crlf") X(TRAILERS, "trailers") \
    X(TOO_LONG, "too_long") X(VALUE, "value")

enum toolhttp_odd {
#define X(symbol, text) TOOLHTTP_BIT_##symbol,
    TOOLHTTP_ODD(X)
#undef X
    TOOLHTTP_BITS
};

struct toolhttp {
    bool answer;            /* frames answers instead of requests */
    bool no_body;           /* the answer to a HEAD */
    enum toolhttp_phase phase;
    bool chunked;
    bool has_length;
    bool keep_alive;        /* as the head says; for answers also: the end is not the close */
    bool expect;            /* Expect: 100-continue */
    int status;             /* answers: the code, 0 if there is none */
    int64_t left;
    int64_t body;           /* decoded body bytes so far */
    uint32_t odd;           /* 1 << enum toolhttp_odd */
    struct toolbuf head;    /* start line and fields with their line ends, and the blank line */
    struct toolbuf line;    /* the chunk or trailer line being read */
    struct toolsha *hash;   /* if set, gets the body's bytes */
    struct toolbuf *store;  /* if set, gets the body's bytes */
};

/* Begins a message; buffers are kept for the next one.  toolhttp_fini frees them. */
void toolhttp_start(struct toolhttp *http, bool answer);
void toolhttp_fini(struct toolhttp *http);

/*
 * Takes bytes and returns how many were used: all of them, or less when the head has just been
 * completed (phase leaves HEAD) or the message has (phase DONE).
 */
size_t toolhttp_feed(struct toolhttp *http, const char *data, size_t len);

/* Finds a field by its name in any case: the value's start and length, or NULL. */
const char *toolhttp_field(const struct toolhttp *http, const char *name, size_t *len);

/* The n-th word (from 0) of the start line, or NULL. */
const char *toolhttp_word(const struct toolhttp *http, int n, size_t *len);

/* Appends a JSON list of the names of what was odd. */
void toolhttp_odd_json(const struct toolhttp *http, struct toolbuf *out);

#endif
