/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway.h: a whole gateway in one process: N workers, one control thread, and the main thread
 * that owns this object, writes the log and minds the signals.
 */
#ifndef ROUSE_GATEWAY_GATEWAY_H
#define ROUSE_GATEWAY_GATEWAY_H

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"
#include "gateway/gateway_config.h"

struct address_own;
struct gateway;
struct keeper_tale;
struct tls_tickets;

struct gateway_options {
    struct gateway_config *config; /* a reference is taken */
    struct log_hub *hub;
    int log_fd; /* where its lines go; best non-blocking: a reader that stops costs lines only */
    /* Reads the configuration anew for POST /reload and HUP; returns a reference, or NULL and
     * says why (also in the log). Called on the main thread. May be NULL: reload is refused. */
    struct gateway_config *(*reload)(void *ctx, struct buf *why);
    /* Each step of a sandbox's story, on the control thread (the demo's terminal). May be NULL. */
    void (*story)(void *ctx, const struct keeper_tale *t);
    void *ctx;
};

/* Binds, loads, starts the threads. NULL: *why is a sentence. */
struct gateway *gateway_start(const struct gateway_options *o, struct buf *why);
/*
 * Runs the main thread's part until the gateway has ended: TERM and INT drain (a second one cuts
 * short), HUP reloads. Returns 0 when every request was accounted for, else 1.
 */
int gateway_run(struct gateway *g);
/* Joins what is left and frees. */
void gateway_free(struct gateway *g);

/* For the other threads of the gateway. */
/* The current snapshot, with a reference. */
struct gateway_config *gateway_config_now(struct gateway *g);
/* Counts a client connection in, if conn_max allows. */
bool gateway_conn_enter(struct gateway *g, uint32_t max);
void gateway_conn_leave(struct gateway *g);
/* Asks the main thread to drain, or to reload. */
void gateway_ask_drain(struct gateway *g);
void gateway_ask_reload(struct gateway *g);
/* Sum of all threads' counters. */
void gateway_metrics(struct gateway *g, struct metrics *sum);
/* A worker has left its loop: everything it served is over. */
void gateway_worker_over(struct gateway *g);
/* Since gateway_start; the number of workers; connections open now. */
usec_t gateway_uptime(const struct gateway *g);
unsigned gateway_workers(const struct gateway *g);
uint32_t gateway_conns(const struct gateway *g);
/* Was it asked to end? */
bool gateway_draining(const struct gateway *g);
/* Where this gateway listens, really: at most n of it. Returns how many. */
size_t gateway_own(const struct gateway *g, struct endpoint *own, size_t n);
/* The same, fixed at the start, for rules. */
const struct address_own *gateway_own_rules(const struct gateway *g);
/* A story is passed on to options.story. */
void gateway_tell(struct gateway *g, const struct keeper_tale *t);
/* Posts a note to worker n. */
struct worker *gateway_worker(struct gateway *g, unsigned n);
/* The secret of session tickets; any thread may take a reference. */
struct tls_tickets *gateway_tickets(struct gateway *g);
struct log_hub *gateway_log_hub(struct gateway *g);

#endif
