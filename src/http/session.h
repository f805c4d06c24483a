/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h: one client connection, whatever it speaks: what its owner (a worker, the admin side)
 * does with it and hears of it. h1_server.c carries one exchange at a time, h2_server.c many; both
 * embed a struct session first.
 */
#ifndef ROUSE_HTTP_SESSION_H
#define ROUSE_HTTP_SESSION_H

#include "base/buf.h"
#include "base/list.h"
#include "http/exchange.h"
#include "net/conn.h"

struct session;

#define REQUEST_ID_SIZE 33 /* 32 hex digits and a zero byte */

struct session_ops {
    const char *name; /* "h1", "h2" */
    /*
     * Draining: ends at once when idle, else after the exchanges in service. HTTP/1 says so with
     * "Connection: close"; HTTP/2 serves new streams too while one is open, and says GOAWAY only
     * when none is (clients drop the connection on any GOAWAY). Who has not sent its first request
     * yet gets a second for it.
     */
    void (*drain)(struct session *s);
    /* Closes now; exchanges in service are lost. */
    void (*close)(struct session *s, enum reason why);
};

struct session_owner {
    /* Memory for one exchange, exchange_init'ed; NULL: out of memory or at a limit: 503. */
    struct exchange *(*new_exchange)(void *ctx, struct session *s);
    /*
     * A head was refused before it became an exchange: fill body (JSON) and log it; the session
     * answers status with it (HTTP/1 closes then). detail: static text, for the log. request_id:
     * empty; what is written there (hex digits) becomes X-Request-Id.
     */
    void (*on_bad_request)(void *ctx, struct session *s, enum reason why, const char *detail,
                           struct buf *body, char request_id[REQUEST_ID_SIZE]);
    /* The connection is closed; s is dead after this. */
    void (*on_closed)(void *ctx, struct session *s, enum reason why);
};

struct session {
    const struct session_ops *ops;
    const struct session_owner *owner;
    void *ctx;        /* the owner's */
    struct list link; /* the owner's: all its sessions, for drain and show */
    struct conn conn;
    uint32_t requests; /* exchanges begun so far */
    uint32_t open;     /* exchanges in service */
    bool spared;       /* the owner's: draining, it may go on for longer */
};

static inline void
session_drain(struct session *s)
{
    s->ops->drain(s);
}

static inline void
session_close(struct session *s, enum reason why)
{
    s->ops->close(s, why);
}

#endif
