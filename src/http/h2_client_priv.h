/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_client_priv.h: the inside of an HTTP/2 back, for its own files: h2_client.c (life, streams,
 * deadlines, what goes out) and h2_client_answer.c (what comes in).
 */
#ifndef ROUSE_HTTP_H2_CLIENT_PRIV_H
#define ROUSE_HTTP_H2_CLIENT_PRIV_H

#include "http/h2_client.h"
#include "http/h2_head_priv.h"

struct h2_client {
    struct back back; /* first: its ops convert by container_of */
    struct h2 h;
    struct list waiting; /* streams whose head may not go out before the peer's SETTINGS */
    struct task tell;    /* the owner: there is room */
    bool said;           /* the peer's SETTINGS came */
    bool leaving;        /* GOAWAY came: no more streams */
};

/* Heads that came while the front had not taken the one before. */
struct h2_late {
    struct h2_late *next;
    struct head head;
};

/* One answer; stream->more, in the exchange's arena. */
struct h2_reply {
    uint64_t before; /* bytes the connection had sent, at most, when the request's head was made */
    struct h2_late *late;
    struct field *trailer;
    uint16_t trailers;
    uint8_t interims;
    enum delivered delivered; /* by other connections before */
    uint32_t bytes; /* of all heads */
};

/* stream->flag */
enum h2_client_flag {
    CLIENT_SENT,     /* all of the request is with the kernel */
    CLIENT_SILENT,   /* that it is silent was told */
    CLIENT_FINAL,    /* the final head came */
    CLIENT_UPGRADES, /* an extended CONNECT was sent */
};

static inline struct h2_client *
h2_client_of(struct h2 *h)
{
    return container_of(h, struct h2_client, h);
}

/* Lets go of the exchange, whose answer did not become complete; code for RST_STREAM. */
void h2_client_lose(struct h2_stream *s, enum reason why, uint32_t code);
/* The exchange is over, well. */
void h2_client_finish(struct h2_stream *s);

/* h2_client_answer.c */
void h2_client_on_head(struct h2 *h, struct h2_stream *s, int32_t id, bool end);
void h2_client_on_end(struct h2_stream *s);
/* The front took an interim head, or bytes. */
void h2_client_on_credit(struct exchange_end *end);

#endif
