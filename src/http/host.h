/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h: the one function that judges a host name, for Host, :authority and SNI alike (CONTRACT
 * section 3, RELIABILITY B1, H4).
 */
#ifndef ROUSE_HTTP_HOST_H
#define ROUSE_HTTP_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/slice.h"

#define HOST_MAX 253

struct host {
    char name[HOST_MAX + 1]; /* lower case, without trailing dot; without brackets for IPv6 */
    uint8_t n;
    bool literal;  /* an IP address */
    bool has_port;
    uint16_t port; /* 1-65535 */
};

/* RFC 3986 section 3.2.2, narrowed to what DNS and browsers use: [a-z0-9._-] labels <= 63, or an
 * IP literal. 0, or -1: empty, comma, userinfo, percent, blanks, non-ASCII, bad port, too long. */
int host_parse(struct slice s, struct host *out) must_check;
struct slice host_name(const struct host *h);
/* The same name and port. */
bool host_same(const struct host *a, const struct host *b);

#endif
