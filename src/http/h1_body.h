/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_body.h: takes the body out of an HTTP/1 byte stream: counted, chunked (llhttp tokenises,
 * strictly; extensions are counted and dropped; RELIABILITY A6-A9) or until the end of file. Data
 * comes out as slices of the input: nothing is copied.
 */
#ifndef ROUSE_HTTP_H1_BODY_H
#define ROUSE_HTTP_H1_BODY_H

#include "http/head.h"

struct h1_body;

enum h1_body_says {
    H1_BODY_DATA, /* *data is body; go on with the rest */
    H1_BODY_MORE, /* all input used, the body goes on */
    H1_BODY_END,  /* the message is complete; what follows *used is the next one's */
    H1_BODY_BAD,  /* malformed or over a limit */
};

#define H1_CHUNK_EXTENSION_MAX 256
#define H1_CHUNK_EXTENSIONS_MAX (16 * 1024)
#define H1_TRAILER_FIELDS_MAX 32
#define H1_TRAILER_BYTES_MAX 8192

/* State for one message; chunked ones take it from the arena. NULL: out of arena. A body of
 * length 0 or FRAMING_NONE is at its END at once. */
struct h1_body *h1_body_new(struct arena *a, enum framing f, uint64_t length);
/*
 * Looks at in; *used bytes are done with; see above for *data. With FRAMING_CLOSE all input is
 * DATA.
 */
enum h1_body_says h1_body_next(struct h1_body *b, struct slice in, size_t *used,
    struct slice *data);
/* The peer's end of file: true when the body may end here (FRAMING_CLOSE, or it had ended). */
bool h1_body_eof(const struct h1_body *b);
/* Bytes still to come when the length is known, else UINT64_MAX. */
uint64_t h1_body_left(const struct h1_body *b);
/* Trailers of a chunked message, validated, after H1_BODY_END; in the arena. */
unsigned h1_body_trailers(const struct h1_body *b, struct field **trailers);

#endif
