/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_name.h: judges the name a client asked for (SNI), by the rules of http/host.h, which this
 * layer may not include; a test holds the two together (RELIABILITY H4).
 */
#ifndef ROUSE_NET_TLS_NAME_H
#define ROUSE_NET_TLS_NAME_H

#include "base/ensure.h"
#include "base/slice.h"

#define TLS_NAME_MAX 253

/* Lower case, without one trailing dot, into out, with a NUL; *n its length. -1: empty, too long,
 * an empty or overlong label, any byte that is not [A-Za-z0-9._-], an IP address. */
int tls_name_parse(struct slice s, char out[TLS_NAME_MAX + 1], size_t *n) must_check;

#endif
