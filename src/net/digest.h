/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest.h: the one digest that protocols above net/ need (RFC 6455 asks for SHA-1, as a check that
 * the peer understood, not as a secret), and base64 to write it down. Pure.
 */
#ifndef ROUSE_NET_DIGEST_H
#define ROUSE_NET_DIGEST_H

#include <stdint.h>

#include "base/ensure.h"
#include "base/slice.h"

#define DIGEST_SHA1 20
/* Characters of n bytes in base64 with padding, without a zero byte. */
#define DIGEST_BASE64(n) (((n) + 2) / 3 * 4)

/* SHA-1 of s. -1: out of memory. */
int digest_sha1(struct slice s, uint8_t out[DIGEST_SHA1]) must_check;
/* RFC 4648 section 4, with padding; out has room for DIGEST_BASE64(n) + 1 bytes and becomes a
 * string. */
void digest_base64(const uint8_t *p, size_t n, char *out);

#endif
