/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sources.h: how many connections each client address has open, and how fast it opens them
 * (RELIABILITY conn.per_source). IPv6 counts by /64. Of one worker. Bounded: when the table is full
 * of addresses in use, a new one is not counted, rather than refused.
 */
#ifndef ROUSE_GATEWAY_SOURCES_H
#define ROUSE_GATEWAY_SOURCES_H

#include "base/bucket.h"
#include "base/endpoint.h"

struct sources;

struct sources *sources_new(size_t max, uint64_t seed0, uint64_t seed1);
void sources_free(struct sources *s);
/* A connection from peer. True: let in; sources_leave follows when it closes. */
bool sources_enter(struct sources *s, const struct endpoint *peer, uint32_t max_open,
                   struct rate rate, usec_t now);
void sources_leave(struct sources *s, const struct endpoint *peer);

#endif
