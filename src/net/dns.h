/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h: c-ares on a loop: one question, one answer. The cache and the callers are resolver.h's.
 */
#ifndef ROUSE_NET_DNS_H
#define ROUSE_NET_DNS_H

#include "base/endpoint.h"
#include "net/loop.h"

#define DNS_MAX_ADDRESSES 8

struct dns;

struct dns_answer {
    size_t n; /* 0: see why */
    struct endpoint address[DNS_MAX_ADDRESSES];
    usec_t ttl;
    const char *why;
};

/* The system's configuration (resolv.conf, hosts); read again when resolv.conf has changed. */
struct dns *dns_new(struct loop *l);
/* Open questions are dropped, on_answer is not called for them. */
void dns_free(struct dns *d);
int dns_set_servers(struct dns *d, const char *servers) must_check;
/* on_answer is called once, maybe from within this call. */
void dns_ask(struct dns *d, const char *name,
             void (*on_answer)(void *ctx, const struct dns_answer *a), void *ctx);

#endif
