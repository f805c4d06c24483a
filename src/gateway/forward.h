/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward.h: what changes in the heads on their way through (CONTRACT section 5, RELIABILITY E9,
 * E12, G1, G2): hop-by-hop fields go, identity fields are ours, tokens stay here.
 */
#ifndef ROUSE_GATEWAY_FORWARD_H
#define ROUSE_GATEWAY_FORWARD_H

#include "gateway/proxy.h"

/* A fresh UUIDv7 without dashes: 32 hex digits and a zero byte. */
void forward_new_id(struct random *r, char *out);
/* The request's id: the caller's when it is 32 hex digits, else a fresh UUIDv7 without dashes. */
void forward_request_id(struct proxy *p);
/* Who the client is, behind trusted proxies: p->client. */
void forward_caller(struct proxy *p);
/* The digest of the presented traffic token into p->token. -1: out of memory. */
int forward_token(struct proxy *p) must_check;
/* Our own mark three times in Via. */
bool forward_is_loop(const struct head *h);
/* Makes ex->req what the sandbox gets. Once per request. -1: out of arena. */
int forward_request(struct proxy *p) must_check;
/* Takes out of an interim head what must not go further. -1: out of arena. */
int forward_interim(struct proxy *p) must_check;
/* Makes ex->resp what the client gets. -1: out of arena. */
int forward_answer(struct proxy *p) must_check;
/* The source for limits: the address, IPv6 cut to /64. */
void forward_source(const struct endpoint *peer, uint8_t source[16]);

#endif
