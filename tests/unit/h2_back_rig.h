/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_back_rig.h: exchanges on one HTTP/2 back, with the test as their front and, frame by frame, as
 * the sandbox at the far end.
 */
#ifndef ROUSE_TESTS_H2_BACK_RIG_H
#define ROUSE_TESTS_H2_BACK_RIG_H

#include "http/h2_client.h"

#include <nghttp2/nghttp2.h>

#define CALLS 128

/* One exchange, and what its front got. */
struct call {
    struct exchange ex;
    struct exchange_end front;
    struct bench *bench;
    struct buf body, interims; /* interims: "103 " */
    bool head, over;           /* the answer's head was taken; the exchange has ended */
    bool hold;                 /* takes no body */
    unsigned lost, silent;
    enum reason why;           /* of the loss */
    bool again;                /* then: it might have been sent again */
    enum delivered delivered;  /* then */
    enum exchange_end_kind outcome;
    enum reason reason;
    uint16_t status, trailers;
    char trailer[64]; /* "name=value" of the first */
};

struct bench {
    struct loop loop;
    struct h2_options o;
    struct back *back; /* NULL once closed */
    enum reason closed_why;
    unsigned rooms;
    int far; /* -1: closed */
    struct buf got, text; /* what the client sent; DATA of all streams */
    bool greeted, eof;
    unsigned frames[32]; /* by type */
    uint32_t reset_code, goaway_code;
    int32_t last_id; /* of HEADERS */
    uint8_t last_flags;
    struct buf fields; /* of the last HEADERS: "name: value\n" */
    nghttp2_hd_inflater *inflater;
    struct call call[CALLS];
    unsigned calls;
};

void bench_init(struct bench *b);
/* Another connection; the earlier one must be closed. */
void bench_connect(struct bench *b);
void bench_fini(struct bench *b);
/* One turn; then what came to the far end is taken apart. */
void bench_turn(struct bench *b);
/* Turns until nothing more is to be expected. */
void bench_quiet(struct bench *b);

/* An exchange with that method and path, not yet served; fields may be added to ex.req. */
struct call *call_new(struct bench *b, const char *method, const char *path);
/* Gives it to the back. body: NULL for none; more: it does not end here. */
void call_serve(struct call *c, const char *body, bool more);
void call_write(struct call *c, const char *bytes, size_t n, bool end);
/* call_new and call_serve of a GET, and the turn in which it goes out. */
struct call *call_get(struct bench *b, const char *path);

/* The far end writes. */
void far_bytes(struct bench *b, const void *p, size_t n);
void far_frame(struct bench *b, uint8_t type, uint8_t flags, int32_t id, const void *p, size_t n);
void far_settings(struct bench *b, uint16_t name, uint32_t value); /* name 0: an empty one */
/* block: HPACK as it is: "\x88" is :status 200. */
void far_head(struct bench *b, int32_t id, const char *block, size_t n, bool end);
void far_status(struct bench *b, int32_t id, const char *status, bool end);
void far_data(struct bench *b, int32_t id, const char *text, bool end);
void far_reset(struct bench *b, int32_t id, uint32_t code);
void far_goaway(struct bench *b, int32_t last, uint32_t code);
void far_window(struct bench *b, int32_t id, uint32_t n);
/* Appends a literal field to an HPACK block. */
size_t far_field(char *block, size_t at, const char *name, const char *value);
void far_close(struct bench *b, bool reset);

#define STREAM(n) (2 * (n) - 1) /* of the n-th request on a connection */

#define UNTIL(b, cond) \
    do { \
        for (int turns_ = 0; !(cond); turns_++) { \
            if (turns_ > 400) \
                fail_msg("never: %s", #cond); \
            bench_turn(b); \
        } \
    } while (0)

#endif
