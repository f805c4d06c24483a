/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.h: a listening socket of one loop (SO_REUSEPORT: each worker has its own), with an
 * accept budget per turn and a pause when descriptors run out. The sockets are bound once, before
 * the workers start, and survive a reload.
 */
#ifndef ROUSE_NET_LISTENER_H
#define ROUSE_NET_LISTENER_H

#include "base/buf.h"
#include "base/endpoint.h"
#include "net/loop.h"

#define LISTENER_BACKLOG 4096
#define LISTENER_ACCEPT_BUDGET 64
/* Accepting pauses this long after EMFILE, ENFILE, ENOBUFS or ENOMEM. */
#define LISTENER_PAUSE (100 * USEC_MS)

struct listener;
struct listener_owner {
    /* fd is non-blocking and close-on-exec, and the callee's from now on. */
    void (*on_accept)(void *ctx, struct listener *l, int fd, const struct endpoint *peer);
};

/* Where to listen: "127.0.0.1:8080", "[::]:8080" or "unix:/path". A bound, listening descriptor,
 * or -1 and a sentence in why. reuseport is ignored for unix sockets: share that descriptor by
 * dup. */
int listener_bind(struct slice address, bool reuseport, struct buf *why) must_check;
/* The address that fd is really bound to (port 0 was asked for), as text. */
void listener_address(int fd, struct buf *out);

/* Accepts on fd (taken over) until closed. NULL: out of memory, fd closed. */
struct listener *listener_new(struct loop *l, int fd, const struct listener_owner *o, void *ctx);
/* Accepts what waits in the backlog, then closes: nobody who got through is reset. */
void listener_drain(struct listener *l);
/* Stops accepting; closes the descriptor; freed by the reaper. */
void listener_close(struct listener *l);

#endif
