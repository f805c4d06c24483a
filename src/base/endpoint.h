/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint.h: a numeric IP address and port, or a unix socket path's absence of both: where a
 * sandbox listens. No names here: the resolver makes endpoints of them.
 */
#ifndef ROUSE_BASE_ENDPOINT_H
#define ROUSE_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/slice.h"

struct endpoint {
    uint8_t family; /* 0 none, 4, 6 */
    uint16_t port;  /* host order; 0 = not given */
    uint8_t ip[16]; /* network order; IPv4 in the first four */
};

/* A block of addresses, "10.0.0.0/8". */
struct cidr {
    uint8_t family, bits;
    uint8_t ip[16];
};

/*
 * "10.1.4.7", "10.1.4.7:31000", "[::1]:80", "::1": 0 and *out, or -1. IPv4-mapped IPv6 becomes
 * IPv4.
 */
int endpoint_parse(struct slice s, struct endpoint *out) must_check;
/* The same without a length is one address; bits behind the length are cleared. */
int cidr_parse(struct slice s, struct cidr *out) must_check;
bool cidr_has(const struct cidr *c, const struct endpoint *e);
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
/* "10.1.4.7:31000", "[::1]:80"; without ":port" when port is 0; "-" when empty. */
void endpoint_add(struct buf *b, const struct endpoint *e);

#define ENDPOINT_TEXT 56
/* The same into text[ENDPOINT_TEXT], NUL-terminated; returns text. */
const char *endpoint_text(const struct endpoint *e, char *text);

/* 169.254.169.254, 100.100.100.200, fd00:ec2::254: refused always (CONTRACT section 2). */
bool endpoint_is_metadata(const struct endpoint *e);
/* 0.0.0.0/8, ::, multicast, broadcast, no address at all: never a destination. */
bool endpoint_is_unspecified(const struct endpoint *e);
bool endpoint_is_loopback(const struct endpoint *e);
bool endpoint_is_linklocal(const struct endpoint *e);

#endif
