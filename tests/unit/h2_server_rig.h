/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_server_rig.h: an HTTP/2 front session on a socket pair, the test at the far end frame by
 * frame, and a back that does as it is told; one loop, turned by hand.
 */
#ifndef ROUSE_TESTS_H2_SERVER_RIG_H
#define ROUSE_TESTS_H2_SERVER_RIG_H

#include <nghttp2/nghttp2.h>

#include "http/h2_server.h"
#include "net/loop.h"

#define RIG_STREAMS 256 /* stream ids below 2 * that are told apart */
#define RIG_TYPES 12

/* What the handler does with a request. */
enum rig_mode {
    RIG_HOLD,
    RIG_ANSWER, /* 200 "hello", from memory */
    RIG_BACK,   /* attaches a back */
    RIG_ECHO,   /* and that answers 200 with what comes */
};

/* Outlives its exchange: it may still have to hear of its end. */
struct rig_back {
    struct exchange_end end;
    struct h2_rig *rig;
    struct list link;
};

struct rig_exchange {
    struct exchange ex;
    struct h2_rig *rig;
    struct list link;
    int32_t id; /* of its stream: number in X-Id */
    bool answered;
    uint64_t got; /* bytes of the body that its back took */
    bool ended;   /* and its end */
};

/* What came back on one stream. */
struct rig_stream {
    int32_t id;
    int status;
    unsigned interims, heads, data, resets;
    uint32_t code; /* of RST_STREAM */
    size_t bytes;
    bool end;
    bool trailers;
    char body[512];
    char fields[1024]; /* "name: value\n" */
};

struct h2_rig {
    struct loop loop;
    struct h2_options o;
    struct session *s; /* NULL once closed */
    enum reason why;
    int fd;
    bool eof;
    struct buf got;
    nghttp2_hd_deflater *out;
    nghttp2_hd_inflater *in;
    enum rig_mode mode;
    bool lazy; /* the back takes nothing of a body */
    bool mute; /* the test reads nothing */
    struct list exchanges, backs;
    unsigned requests, ends, releases, refusals, made, resets, alive, alive_max;
    unsigned outcomes[END_CLIENT_LEFT + 1];
    enum reason refused_why, last_reason;
    bool no_exchange; /* new_exchange says no */
    unsigned frames[RIG_TYPES];
    struct rig_stream stream[RIG_STREAMS];
    int32_t goaway_last;
    int64_t goaway; /* its code; -1: none came */
    uint32_t window; /* WINDOW_UPDATEs of the connection, in all */
    uint32_t stream_window[RIG_STREAMS];
};

/* With a tick of 1 ms; options as by default: change them before rig_open. */
void rig_init(struct h2_rig *r);
/* The session; the preface, SETTINGS and the ACK of the server's. */
void rig_open(struct h2_rig *r);
/* The session with those bytes as read before; nothing else is sent. */
void rig_open_early(struct h2_rig *r, struct slice early);
/* A session, or none, on the descriptor. */
struct session *rig_try_open(struct h2_rig *r, struct slice early);
/* Closes, and checks that every exchange ended once and that nothing is left. */
void rig_fini(struct h2_rig *r);
void rig_turn(struct h2_rig *r);
/* Until nothing more is to be expected. */
void rig_quiet(struct h2_rig *r);
struct rig_exchange *rig_exchange(struct h2_rig *r, int32_t id);
/* Of the latest 256 streams. */
struct rig_stream *rig_stream(struct h2_rig *r, int32_t id);

/* Sending; rig_flush once more than the socket takes has been gathered. */
void rig_bytes(struct h2_rig *r, const void *p, size_t n);
void rig_frame(struct h2_rig *r, uint8_t type, uint8_t flags, int32_t id, const void *p, size_t n);
void rig_frame32(struct h2_rig *r, uint8_t type, uint8_t flags, int32_t id, uint32_t v);
void rig_data(struct h2_rig *r, int32_t id, size_t n, bool end);
/* "name", "value", ..., NULL as one block of HPACK, in HEADERS with END_HEADERS. */
void rig_fields(struct h2_rig *r, int32_t id, uint8_t flags, const char *const *fields);
/* A GET, or a POST whose body follows. */
void rig_get(struct h2_rig *r, int32_t id);
void rig_post(struct h2_rig *r, int32_t id);
#define RIG_FIELDS(r, id, flags, ...) \
    rig_fields(r, id, flags, (const char *const[]){__VA_ARGS__, NULL})
#define RIG_REQUEST(method, path) \
    ":method", method, ":scheme", "http", ":path", path, ":authority", "h.test"

/* The back's part. */
void rig_attach(struct rig_exchange *x);
void rig_answer(struct rig_exchange *x, uint16_t status, enum framing f, uint64_t length);
void rig_send(struct rig_exchange *x, size_t n);
void rig_finish(struct rig_exchange *x);
void rig_break(struct rig_exchange *x, enum reason why);

/* For cmocka: *state is the rig; with a session that is open, or none yet. */
int rig_set_up(void **state);
int rig_set_up_open(void **state);
int rig_tear_down(void **state);
#define OPEN(name) cmocka_unit_test_setup_teardown(name, rig_set_up_open, rig_tear_down)
#define BARE(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

#define UNTIL(r, cond) \
    do { \
        for (int turns_ = 0; !(cond); turns_++) { \
            if (turns_ > 400) \
                fail_msg("never: %s", #cond); \
            rig_turn(r); \
        } \
    } while (0)

#endif
