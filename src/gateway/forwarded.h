/* SPDX-License-Identifier: BSD-2-Clause */
/* forwarded.h: reads the Forwarded field (RFC 7239), one element at a time. Pure. */
#ifndef ROUSE_GATEWAY_FORWARDED_H
#define ROUSE_GATEWAY_FORWARDED_H

#include "base/endpoint.h"
#include "base/slice.h"

/* One hop. Values are without quotes, borrowed from the field; empty: not given. */
struct forwarded {
    struct slice node;  /* for=: an address, "unknown", or "_name" */
    struct slice proto;
    struct slice host;
};

/*
 * Cuts the next element off a field's value: 1 and *out, 0 at the end (empty elements are passed
 * over), or -1: malformed, and nothing of the field may be believed, since what a reader takes for
 * an element another may take for a part of a string. Blanks around ";" are let pass, and unquoted
 * "host:port" and brackets, because proxies write them; a parameter twice is not.
 */
int forwarded_next(struct slice *rest, struct forwarded *out) must_check;
/* The address of a node, without its port: 0 and *out, or -1: hidden, unknown, or none. */
int forwarded_address(struct slice node, struct endpoint *out) must_check;

#endif
