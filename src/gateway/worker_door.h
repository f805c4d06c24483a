/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_door.h: one worker's side of a listener: who may come in there, and what becomes of them,
 * from accept to the end of the session. Counts and limits connections, of all and of each client.
 * Owner: the worker's thread.
 */
#ifndef ROUSE_GATEWAY_WORKER_DOOR_H
#define ROUSE_GATEWAY_WORKER_DOOR_H

#include "gateway/gateway_config.h"
#include "net/arrival.h"
#include "net/listener.h"

struct worker;

struct worker_door {
    struct worker *w;
    unsigned number;           /* of the listener in all configurations: reloading keeps them */
    struct listener *listener; /* NULL: closed */
    struct arrival_options arrival;
};

/* Takes fd, listening, over. -1: out of memory. */
int worker_door_open(struct worker_door *d, struct worker *w, unsigned number, int fd) must_check;
/* Follows the worker's configuration, for what comes from now on. */
void worker_door_configure(struct worker_door *d);
/* Accepts what waits in the backlog, then no more. Harmless when closed. */
void worker_door_drain(struct worker_door *d);
void worker_door_close(struct worker_door *d);

#endif
