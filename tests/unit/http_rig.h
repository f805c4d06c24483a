/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_rig.h: a front session and its back sessions over real loopback connections, with the test
 * at both far ends, byte by byte; one loop, turned by hand.
 */
#ifndef ROUSE_TESTS_HTTP_RIG_H
#define ROUSE_TESTS_HTTP_RIG_H

#include "http/h1_client.h"
#include "http/h1_server.h"
#include "net/arrival.h"

/* 1: clients come through an arrival, and the session is made when it is ready. */
#ifndef RIG_ARRIVES
#define RIG_ARRIVES 0
#endif

/* What the handler does with a request. */
enum rig_mode { RIG_RELAY, RIG_HOLD, RIG_ANSWER };

/* Where the handler closes the front session. */
enum rig_place {
    RIG_NOWHERE,
    RIG_NEW_EXCHANGE,
    RIG_ON_REQUEST,
    RIG_ON_ANSWER,
    RIG_ON_BACK_LOST,
    RIG_ON_END,
    RIG_ON_BAD_REQUEST,
    RIG_PLACES
};

/* One far end, of the test. */
struct rig_peer {
    int fd;
    struct buf got;
    bool eof, reset;
};

struct rig {
    struct loop loop;
    struct h1_server_options front;
    struct h1_client_options back;
    enum rig_mode mode;
    enum rig_place close_at;
    bool local;           /* socket pairs: no ports used up, but no RST either */
    bool resend;          /* on_back_lost may try again */
    bool retain;          /* the request's body is kept for that */
    const char *answer;   /* RIG_ANSWER: the body of 200 */
    struct rig_peer client, origin; /* origin: of the latest back connection */
    struct arrival_hall hall;
    struct arrival_options arrival_options;
    struct arrival *arrival;   /* the client's, until it is ready or gone */
    struct session *server;    /* NULL once closed */
    enum reason server_why;
    struct back *session; /* the latest back session; NULL once closed */
    enum reason session_why;
    bool session_idle;
    unsigned backs; /* connections made */
    bool half_close_waits;
    struct exchange *ex;
    unsigned requests, answers, losses, silences, ends, releases, refusals;
    enum exchange_end_kind outcome; /* the latest */
    unsigned outcomes[END_CLIENT_LEFT + 1];
    enum reason reason, lost_why, refused_why;
    enum delivered delivered;
    bool upgrade;
};

/* With a tick of 1 ms. The session is open, the client connected. */
void rig_init(struct rig *r, bool local);
/* Closes and checks that every exchange ended once and that nothing is left. */
void rig_fini(struct rig *r);
/* A new client connection and session; the old ones must be closed. */
void rig_connect(struct rig *r);
/* The front's side of the client's connection is open, be it a session or about to be one. */
bool rig_is_open(const struct rig *r);
void rig_drain(struct rig *r);
void rig_close(struct rig *r);
/* One turn, waiting at most 5 ms; then what came to the far ends is read. */
void rig_turn(struct rig *r);
/* The same without waiting. */
void rig_turn_now(struct rig *r);
/* Turns until nothing more is to be expected. */
void rig_quiet(struct rig *r);
/* RIG_HOLD: gives the held exchange a back now. */
void rig_release(struct rig *r);

void peer_send(struct rig_peer *p, const char *text);
void peer_send_bytes(struct rig_peer *p, const char *bytes, size_t n);
/* FIN; RST; orderly close. */
void peer_fin(struct rig_peer *p);
void peer_reset(struct rig_peer *p);
void peer_close(struct rig_peer *p);
/* Did exactly that text come? It is taken. */
bool peer_got(struct rig_peer *p, const char *text);
/* Does what came hold that text? */
bool peer_has(const struct rig_peer *p, const char *text);

/* A connected pair of loopback sockets: one for a conn, one for the test. */
void rig_pair(int *ours, int *theirs);

/* Turns until cond holds; fails after two seconds. */
#define UNTIL(r, cond) \
    do { \
        for (int turns_ = 0; !(cond); turns_++) { \
            if (turns_ > 400) \
                fail_msg("never: %s; client has: %s; origin has: %s", #cond, \
                         buf_cstr(&(r)->client.got), buf_cstr(&(r)->origin.got)); \
            rig_turn(r); \
        } \
    } while (0)

#endif
