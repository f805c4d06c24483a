/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_tickets.h: the secret behind session tickets. It never changes; all threads read it, and
 * replicas that are given the same key file resume each other's sessions. The keys in use follow
 * from it and the wall clock:
 *
 *     key(epoch) = HKDF-SHA256(secret, epoch),  epoch = now / rotation
 *
 * so that rotation needs no shared state. A ticket of the epoch before is accepted and renewed,
 * one of the epoch after (another replica's clock) is accepted.
 */
#ifndef ROUSE_NET_TLS_TICKETS_H
#define ROUSE_NET_TLS_TICKETS_H

#include "base/ensure.h"
#include "base/slice.h"

/* A key file must hold at least so many bytes; all of them count. */
#define TLS_TICKETS_SECRET 32u
#define TLS_TICKETS_ROTATION (12 * 3600)
/* A session can be resumed for so long, in seconds. */
#define TLS_TICKETS_LIFETIME 3600

struct tls_tickets;

/* secret: a key file's bytes (copied), or SLICE_NONE: random ones, gone with the process.
 * rotation in seconds, 0: the default. NULL: secret too short (EINVAL), or out of memory. */
struct tls_tickets *tls_tickets_new(struct slice secret, int rotation);
/* Any thread. */
struct tls_tickets *tls_tickets_ref(struct tls_tickets *t);
/* The last one wipes the secret. NULL is fine. */
void tls_tickets_unref(struct tls_tickets *t);

#endif
