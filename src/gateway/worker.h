/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker.h: one data worker: a thread with its loop, its listeners, its client sessions, its
 * back-connection pool and its view of the sandboxes. Workers share nothing but the immutable
 * configuration snapshot; with control they talk by mail only (sandbox/mail.h).
 *
 * worker.c runs the thread and carries the mail; proxy.c tells what becomes of a request.
 */
#ifndef ROUSE_GATEWAY_WORKER_H
#define ROUSE_GATEWAY_WORKER_H

#include <pthread.h>

#include "base/idtable.h"
#include "base/metric.h"
#include "gateway/gateway_config.h"
#include "gateway/route.h"
#include "gateway/speak.h"
#include "gateway/worker_door.h"
#include "net/mailbox.h"
#include "sandbox/view.h"

struct gateway;
struct proxy;
struct sources;

/*
 * A snapshot as one worker uses it, with its index; kept until the last exchange that began under
 * it is over.
 */
struct worker_config {
    struct gateway_config *c;
    struct route_table *routes;
    struct speakers speakers; /* TLS to sandboxes */
    uint32_t users;
    bool current;
};

/* What travels through a mailbox: a note's kind, then for NOTE_MAIL a packed mail. */
enum note_kind { NOTE_MAIL, NOTE_CONFIG, NOTE_DRAIN, NOTE_STOP };
struct note {
    uint64_t kind;
    uint64_t worker; /* sender, towards control */
    unsigned char mail[MAIL_PACKED_MAX];
};
#define NOTE_HEAD offsetof(struct note, mail)
#define NOTE_VERDICT_ROOM (NOTE_HEAD + MAIL_VERDICT_ROOM)

struct worker {
    unsigned number;
    struct gateway *gateway;
    pthread_t thread;
    struct loop loop;
    struct mailbox *inbox;          /* control's and the main thread's notes */
    struct mailbox *control;        /* control's inbox */
    struct worker_config *config;   /* the current one */
    struct h1_server_options front; /* the current one's; sessions point here over reloads */
    struct h2_options front_h2;     /* likewise */
    struct doors *doors;            /* TLS: of the listeners, and of all connections here */
    struct view *view;
    struct back_pool *pool;
    struct idtable tickets;         /* of ASKs without a verdict -> struct proxy */
    struct pool proxies;            /* memory of struct proxy */
    struct pool dials;              /* memory of struct proxy_dial */
    struct worker_door door[CONFIG_LISTENERS];
    struct arrival_hall hall;
    struct list arrivals;           /* of struct arrival */
    struct list sessions;           /* of struct session */
    struct list streams;            /* of struct proxy: see proxy_stream.h */
    struct sources *sources;        /* open connections and rate by client address */
    struct wheel_timer activity;    /* the next ACTIVITY that is due */
    struct wheel_timer drain_timer; /* the next step of draining */
    usec_t tunnels_until;           /* draining: then tunnels end, too */
    struct metrics metrics;
    uint32_t open;                  /* arrivals and sessions */
    uint32_t exchanges;             /* in service */
    bool draining, restart_told;
};

/* Listens on dup'ed or own sockets fd[0..n). Starts no thread yet. NULL: *why is a sentence. */
struct worker *worker_new(struct gateway *g, unsigned number, struct mailbox *control,
                          struct gateway_config *c, struct log *log, const int *fd, unsigned n,
                          struct buf *why);
/* 0, or -1 with errno. */
int worker_start(struct worker *w) must_check;
/* Waits for the thread to end (after NOTE_STOP). Harmless when it never started. */
void worker_join(struct worker *w);
/* After worker_join of all workers and control_join: they post into each other's mailboxes. */
void worker_free(struct worker *w);
/* Any thread: a note without mail. Urgent: never refused but for memory. */
void worker_note(struct worker *w, enum note_kind k);

/* For proxy.c, on the worker's thread. */
/* Posts mail to control. -1: its mailbox is full. */
int worker_post(struct worker *w, const struct mail *m) must_check;
/* Like worker_post, but for mail that must not be lost (LEAVE, CONNECTED, ANSWERED, ...). */
void worker_post_urgent(struct worker *w, const struct mail *m);
/*
 * Posts an ASK with the room of its verdict reserved in our own inbox. -1: no room on either side.
 */
int worker_ask(struct worker *w, const struct mail *m) must_check;
/* A request began or ended at a sandbox: sends the ACTIVITY that is due. */
void worker_activity(struct worker *w);
/* An exchange that began under wc is over. */
void worker_config_release(struct worker *w, struct worker_config *wc);
/* worker_drain.c: accepts nothing more; requests may go on for `limit`, tunnels for `tunnels`. */
void worker_drain(struct worker *w, usec_t limit, usec_t tunnels);
void worker_drain_init(struct worker *w);
/* An exchange is over: while draining, the last one ends the worker. */
void worker_exchange_over(struct worker *w);
/* For worker_door.c: a connection is closed; the same. */
void worker_check_drained(struct worker *w);

#endif
