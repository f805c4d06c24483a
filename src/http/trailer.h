/* SPDX-License-Identifier: BSD-2-Clause */
/* trailer.h: which fields may stand behind a body (RFC 9110 section 6.5.1, RELIABILITY A9). */
#ifndef ROUSE_HTTP_TRAILER_H
#define ROUSE_HTTP_TRAILER_H

#include "http/head.h"

/*
 * May this one go further as a trailer? Not what frames, routes, authenticates, describes a body or
 * steers a cache, nor any other field that somebody might take for one of the head; names with an
 * underscore neither.
 */
bool trailer_may_pass(const struct field *f);
/* Keeps those of n that may; returns how many. */
unsigned trailer_keep(struct field *f, unsigned n);

#endif
