/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_server_priv.h: the inside of an HTTP/2 front session, for its own files: h2_server.c (life),
 * h2_server_request.c (heads that come in), h2_server_answer.c (what goes out).
 */
#ifndef ROUSE_HTTP_H2_SERVER_PRIV_H
#define ROUSE_HTTP_H2_SERVER_PRIV_H

#include "http/h2_priv.h"
#include "http/h2_server.h"

/* A suspect's new streams wait so long: one that is reset before starts nothing (C2). */
#define SUSPECT_WAIT (100 * USEC_MS)
/* Who is answered while its request still comes may send on for a moment; then it is reset. Some
 * clients lose an answer that comes together with RST_STREAM. */
#define EARLY_WAIT (500 * USEC_MS)
/* Bytes of answers that one connection may have waiting here, in all. */
#define ANSWERS_MAX (1024u * 1024)
#define ANSWER_MIN (8u * 1024)
/* Bytes of requests' fields, as RFC 9113 section 6.5.2 counts them, that all streams of a
 * connection may keep together: HPACK makes 30 KiB of 30 bytes, and a sleeping sandbox keeps them
 * (RELIABILITY C6). */
#define HEADS_MAX (1024u * 1024)

/* h2_stream.flag */
enum { CONTINUED /* 100 was said */, WAITING /* on h2_server.waiting */, ASKS_HEAD };

struct h2_server {
    struct session session;
    struct h2 h;
    struct list waiting; /* streams that are not announced yet, by h2_stream.at */
    struct list early;   /* streams answered early, by h2_stream.at */
    uint32_t head_bytes; /* sum of the streams' */
    usec_t old;          /* no longer kept from then on, once it is idle */
    bool draining;
    bool leaving;        /* GOAWAY was said; streams in service go on */
};

struct h2_server *h2_server_of(struct h2 *h);

/* h2_server_request.c */
void h2_server_on_head(struct h2 *h, struct h2_stream *s, int32_t id, bool end);
void h2_server_on_end(struct h2_stream *s);
void h2_server_on_lost(struct h2_stream *s, enum reason why, uint32_t code);
/* Announces who has waited long enough. */
void h2_server_announce(struct h2_server *sv);
/* Resets who was answered early, long enough ago. */
void h2_server_dismiss(struct h2_server *sv);

/* h2_server_answer.c */
extern const struct exchange_end_ops h2_server_end_ops;
void h2_server_on_out(struct h2_stream *s);
void h2_server_on_sent(struct h2_stream *s);
bool h2_server_trailers(struct h2_stream *s);
/* An answer of our own on a stream that has no exchange; everything is copied. */
void h2_server_say(struct h2_stream *s, const struct head *h, struct slice body);

#endif
