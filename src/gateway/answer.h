/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer.h: the answers that Rouse makes up (CONTRACT section 5): shape, status, headers, words.
 * One row of reason.def each; texts never name internal addresses; every body is complete without
 * outside resources.
 */
#ifndef ROUSE_GATEWAY_ANSWER_H
#define ROUSE_GATEWAY_ANSWER_H

#include "gateway/gateway_config.h"
#include "http/exchange.h"

/* In which protocol it is said. */
enum answer_shape {
    ANSWER_JSON,
    ANSWER_HTML,           /* to people */
    ANSWER_TEXT,           /* E2B's of a host that names no sandbox */
    ANSWER_CONNECT,        /* Connect, unary: JSON of its own kind */
    ANSWER_CONNECT_STREAM, /* 200 and one end-of-stream envelope */
    ANSWER_GRPC,           /* 200, trailers only: a head without a body */
    ANSWER_GRPC_WEB,       /* 200, the trailers as the body's one frame */
};

/* What an answer is about. Slices are borrowed during the call. */
struct answer {
    enum reason reason;
    enum answer_shape shape;
    struct slice type;      /* CONNECT_STREAM, GRPC_WEB: the request's content type, given back */
    bool e2b;               /* the caller speaks E2B: the table's e2b column, in every dialect */
    enum dialect dialect;
    struct slice sandbox;   /* empty: not known */
    uint16_t port;          /* 0: not known */
    usec_t waited;          /* how long it was held: for the words */
    usec_t retry_after;     /* for RA_GIVEN */
    enum delivered delivered;
    struct slice request_id;
    struct slice origin;    /* of the request's Origin field; empty: no CORS fields */
    const char *detail;     /* one clause for the caller (static text), or NULL */
};

/*
 * Fits an answer to its caller: shape, type, e2b and origin, from the request's head and class; the
 * answer's dialect and port are there already.
 */
void answer_fit(struct answer *a, const struct head *req, enum traffic_class c);
/* The seconds for Retry-After, or 0 for none. */
unsigned answer_retry_after(const struct answer *a, struct random *r);
/* The body alone. */
void answer_body(struct buf *out, const struct answer *a, unsigned retry_after);
/*
 * The whole answer: head with its fields in arena, and body. What the answer borrows must outlive
 * the head. -1: out of arena, or the body is full.
 */
int answer_compose(struct head *h, struct arena *arena, struct buf *body, const struct answer *a,
                   struct random *r) must_check;
/*
 * Answers ex with a memory back: status, fields, body. Falls back to exchange_abort when out of
 * memory.
 */
void answer_send(struct exchange *ex, const struct answer *a);

/*
 * The waiting page (OPERATING section f, plain): 503, Retry-After, no-store, refreshes itself; name
 * is the label in the URL.
 */
void answer_waiting_page(struct exchange *ex, struct slice name, struct slice request_id);

/*
 * Adds to ex->resp what each made-up answer carries: Cache-Control, X-Request-Id, CORS. -1: out of
 * arena.
 */
int answer_common_fields(struct exchange *ex, struct slice request_id, struct slice origin)
    must_check;

#endif
