/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_head_priv.h: from decoded fields to a head, and from a head to fields, for the files of both
 * roles (h2_head.c). Text lives in the arena that is given, or is static; each byte is copied once.
 */
#ifndef ROUSE_HTTP_H2_HEAD_PRIV_H
#define ROUSE_HTTP_H2_HEAD_PRIV_H

#include "http/h2_block_priv.h"

/* All of the block's fields but pseudo ones, exactly as many as there are and `spare`
 * empty slots; crumbs of Cookie in one. -1: out of memory. */
int h2_head_fields(const struct h2_block *b, struct head *h, struct arena *a, unsigned spare);
/* Trailers, into *f: at most 32, 8 KiB. Their number, or -1. */
int h2_head_trailers(const struct h2_block *b, struct arena *a, struct field **f);
/* A request's head; b is not over a limit. tls: the scheme must be https, else http.
 * end: no body follows. */
enum reason h2_head_request(const struct h2_block *b, const struct h2_options *o, bool tls,
                            bool end, struct head *h, struct arena *a, const char **detail);
/* Fields for nghttp2 behind n that are there, at most max in all; none that HTTP/2 forbids, nor
 * Host or Content-Length (the role's). The new n; 0: too many, or a byte that cannot be sent. */
size_t h2_head_nv(nghttp2_nv *nv, size_t n, size_t max, const struct field *f, unsigned fields);
#define H2_NV_MAX 272

#endif
