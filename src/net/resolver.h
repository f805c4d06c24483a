/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver.h: names of platforms and back ends to endpoints, by c-ares on the loop. Numeric
 * addresses are answered from within the call's turn without any query. Answers are kept for
 * their TTL, at least 1 s, at most 60 s; failures 1 s. What is resolved is then judged by
 * connect.allow.
 */
#ifndef ROUSE_NET_RESOLVER_H
#define ROUSE_NET_RESOLVER_H

#include "base/endpoint.h"
#include "net/loop.h"

#define RESOLVER_MAX_ADDRESSES 8

struct resolver;
struct resolver_query;

/* NULL: out of memory, or no way to resolve. */
struct resolver *resolver_new(struct loop *l);
/* Asks these servers ("127.0.0.1:5353,...") instead of the system's. -1: not a list of
 * addresses. */
int resolver_set_servers(struct resolver *r, const char *servers) must_check;
/* Cancels what is open without calling back. */
void resolver_free(struct resolver *r);
/*
 * Asks for host (name or numeric). on_done is called once, never from within this call, with n >
 * 0 endpoints whose port is `port`, or n == 0 and why. NULL: out of memory or the name is not
 * one.
 */
struct resolver_query *resolver_ask(struct resolver *r, struct slice host, uint16_t port,
                                    usec_t timeout,
                                    void (*on_done)(void *ctx, const struct endpoint *e, size_t n,
                                                    const char *why),
                                    void *ctx);
/* on_done will not be called. */
void resolver_cancel(struct resolver_query *q);

#endif
