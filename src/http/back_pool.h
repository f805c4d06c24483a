/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * back_pool.h: a worker's connections to sandboxes, keyed by (sandbox, incarnation, endpoint, how
 * it is spoken to): a connection never serves another sandbox, nor another life of the same one
 * (DESIGN section 5, invariant 1). HTTP/1: those that are idle, the most recently used first; a
 * byte or FIN on an idle connection closes it. HTTP/2: shared while there is room, so that the load
 * is kept on few.
 */
#ifndef ROUSE_HTTP_BACK_POOL_H
#define ROUSE_HTTP_BACK_POOL_H

#include "base/list.h"
#include "http/back.h"
#include "http/h1_client.h"
#include "http/h2.h"

struct back_pool;

/* H2 without TLS: by prior knowledge. ALPN: whichever the handshake chose. */
enum __attribute__((packed)) back_kind { BACK_H1, BACK_H2, BACK_ALPN };

struct back_key {
    uint64_t sandbox, incarnation;
    struct endpoint to;
    enum back_kind kind;
    uint64_t tls; /* 0: plain; else who was verified, and how: a keyed hash of the three */
};

struct back_pool_options {
    uint32_t per_key;   /* 16 idle */
    uint32_t total;     /* 4096 idle */
    usec_t idle;        /* 30 s */
    /* 2 s: non-idempotent requests only on younger ones (HTTP/2: or such as answer others); older
     * ones are looked at first */
    usec_t fresh;
    struct h1_client_options client;
    struct h2_options h2; /* but what client says of answers */
    struct metrics *metrics; /* whose connections are counted; NULL: nobody's */
};
void back_pool_options_init(struct back_pool_options *o);

struct back_pool *back_pool_new(struct loop *l, const struct back_pool_options *o);
/* Other limits, at once also for the sessions there are. o->total of back_pool_new stays. */
void back_pool_configure(struct back_pool *p, const struct back_pool_options *o);
/* Closes everything idle; sessions in use close when done, and the last one frees the pool. */
void back_pool_free(struct back_pool *p);
/* A session with room, fit for a request (idempotent or not), or NULL: dial. */
struct back *back_pool_take(struct back_pool *p, const struct back_key *key, bool idempotent);
/*
 * A fresh connection joins: a session owned by the pool, to be served at once or parked
 * (back_pool_park). A surplus one of HTTP/2 is closed: the session that has room already is
 * returned instead. NULL: out of memory.
 */
struct back *back_pool_adopt(struct back_pool *p, const struct back_key *key, struct conn *c);
/* Takes back what was taken or adopted and has served nothing since. It may close it at once. */
void back_pool_park(struct back_pool *p, struct back *b);
/* Closes the idle ones of a sandbox: all, or (keep != 0) those of other incarnations. In use:
 * they take no other exchange and close when theirs are over. */
void back_pool_drop(struct back_pool *p, uint64_t sandbox, uint64_t keep);
uint32_t back_pool_idle(const struct back_pool *p);
uint32_t back_pool_in_use(const struct back_pool *p);

#endif
