/* SPDX-License-Identifier: BSD-2-Clause */
/* admin_priv.h: what admin.c (connections, dispatch, verbs) and admin_show.c (what is shown) share.
 * */
#ifndef ROUSE_GATEWAY_ADMIN_PRIV_H
#define ROUSE_GATEWAY_ADMIN_PRIV_H

#include "base/idtable.h"
#include "gateway/admin.h"
#include "http/exchange.h"
#include "http/h1_server.h"

/* Longest answer; a list that would be longer is cut and says so. */
#define ADMIN_BODY_MAX (150u * 1024)
#define ADMIN_INPUT_MAX (64u * 1024)

struct admin {
    struct control *control;
    struct list sessions;
    struct listener *listener[2];
    unsigned listeners, trusted;
    struct idtable open; /* requests that wait for a verb's end -> struct admin_call */
    struct h1_server_options options;
    struct listener_door {
        struct admin *admin;
        bool trusted;
        unsigned open; /* sessions */
    } door[2];
};

/* One admin request. */
struct admin_call {
    struct exchange ex; /* first */
    struct admin *admin;
    bool trusted;
    bool pausing;            /* what it waits for is a pause */
    uint64_t request;        /* in admin.open; 0: answered at once */
    struct exchange_end sink; /* collects the body of a PUT */
    struct buf input;
    struct slice path, query;
    struct sandbox_key key;
};

/* Each writes a whole JSON (or text) body. */
void admin_show_status(struct admin *a, struct buf *out);
void admin_show_ready(struct admin *a, struct buf *out);
void admin_show_sandboxes(struct admin *a, struct buf *out);
/* false: not known. */
bool admin_show_sandbox(struct admin *a, const struct sandbox_key *key, struct buf *out);
void admin_show_holds(struct admin *a, struct buf *out);
void admin_show_errors(struct admin *a, struct buf *out);
void admin_show_metrics(struct admin *a, struct buf *out);

#endif
