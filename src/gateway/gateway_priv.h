/* SPDX-License-Identifier: BSD-2-Clause */
/* gateway_priv.h: the gateway object, for gateway.c and gateway_bind.c. */
#ifndef ROUSE_GATEWAY_GATEWAY_PRIV_H
#define ROUSE_GATEWAY_GATEWAY_PRIV_H

#include <pthread.h>

#include "gateway/address_rules.h"
#include "gateway/gateway.h"
#include "net/loop.h"
#include "net/tls_tickets.h"

/* How often the log rings are emptied. */
#define LOG_TICK (20 * USEC_MS)
#define WORKERS_MAX 256
#define ADMIN_SOCKETS 2

struct gateway {
    struct gateway_options o;
    struct loop loop; /* the main thread's: signals, the log's timer */
    struct log *log;
    pthread_mutex_t lock; /* of config */
    struct gateway_config *config;
    struct tls_tickets *tickets;
    struct control *control;
    struct worker *worker[WORKERS_MAX];
    unsigned workers;
    unsigned over; /* workers that have left their loops; atomic */
    int conns;     /* client connections; atomic */
    unsigned asked; /* bits of gateway.c, from other threads; atomic */
    int fd[CONFIG_LISTENERS * WORKERS_MAX];
    unsigned fds;
    int admin_fd[ADMIN_SOCKETS];
    unsigned admin_fds;
    struct address_own own; /* where it listens; fixed before the threads start */
    bool admin_bound; /* the admin socket's file is ours to remove */
    struct signals *signals;
    struct wheel_timer log_timer;
    usec_t started;
    bool draining, stalled;
};

/*
 * Binds the listeners of every worker into g->fd, and the admin side's into g->admin_fd. -1: *why.
 */
int gateway_bind(struct gateway *g, struct buf *why) must_check;
/* Says where it listens, in the log. */
void gateway_announce(struct gateway *g);

#endif
