/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * back.h: one connection to a sandbox (or platform), whatever it speaks: how it is given exchanges
 * and what its owner (the back pool, fetch, a test) hears of it. h1_client.c carries one exchange
 * at a time, h2_client.c many; both embed a struct back first.
 */
#ifndef ROUSE_HTTP_BACK_H
#define ROUSE_HTTP_BACK_H

#include "http/exchange.h"
#include "net/conn.h"

struct back;

struct back_ops {
    const char *name; /* "h1", "h2" */
    /* Serves ex: exchange_attach_back with an end of this connection. Only when there is room. */
    void (*serve)(struct back *b, struct exchange *ex);
    /* How many more exchanges it takes now; 0: busy (HTTP/1), at the peer's limit, or no more ever
     * (GOAWAY, "Connection: close", broken). */
    uint32_t (*room)(const struct back *b);
    void (*close)(struct back *b, enum reason why);
};

struct back_owner {
    /* An exchange is over, or the peer raised its limit: there is room (again). */
    void (*on_room)(void *ctx, struct back *b);
    /* It is closed; b is dead after this. */
    void (*on_closed)(void *ctx, struct back *b, enum reason why);
};

struct back {
    const struct back_ops *ops;
    const struct back_owner *owner;
    void *ctx;         /* the owner's */
    struct conn conn;
    uint32_t open;     /* exchanges in service */
    uint32_t served;   /* exchanges given to it so far */
    usec_t idle_since; /* when open became 0 */
    usec_t heard;      /* when the peer's last byte came; at first when it was opened */
};

static inline void
back_serve(struct back *b, struct exchange *ex)
{
    b->ops->serve(b, ex);
}

static inline uint32_t
back_room(const struct back *b)
{
    return b->ops->room(b);
}

static inline void
back_close(struct back *b, enum reason why)
{
    b->ops->close(b, why);
}

#endif
