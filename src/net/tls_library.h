/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_library.h: one thread's OpenSSL: a library context of its own, so that threads share no
 * lock; what all its TLS connections share; and the order in which handshakes get their turn: a
 * flood of them leaves most of each loop turn to the connections that are established.
 *
 * Order of life: library -> certs, policies -> server, client -> connections; freed the other way
 * round. Everything belongs to the loop's thread.
 */
#ifndef ROUSE_NET_TLS_LIBRARY_H
#define ROUSE_NET_TLS_LIBRARY_H

#include "net/loop.h"

/* Steps of handshakes that one loop turn makes at most; the others wait in a queue. Beyond the
 * first two they take no more time than everything else took since the last ones: who is
 * connected already waits for little, and a busy loop still lets newcomers in. */
#define TLS_STEPS_A_TURN 8u

struct tls_library;

/* l may be NULL where no connection will be made (checking files). NULL: out of memory. */
struct tls_library *tls_library_new(struct loop *l);
/* No connection, server, client, policy or certificate directory may be left. */
void tls_library_free(struct tls_library *lib);
/* Handshakes under way as server, from the first byte on: for the caller's limit. */
unsigned tls_library_handshakes(const struct tls_library *lib);
/* For tests: where the wall clock (seconds since 1970) comes from. NULL: from the system. */
void tls_library_set_clock(struct tls_library *lib, int64_t (*wall)(void *ctx), void *ctx);

#endif
