/* SPDX-License-Identifier: BSD-2-Clause */
/* h2_block_priv.h: fields while they are decoded, for the h2_*.c files only (h2_block.c). */
#ifndef ROUSE_HTTP_H2_BLOCK_PRIV_H
#define ROUSE_HTTP_H2_BLOCK_PRIV_H

#include "http/h2_priv.h"

/* A block of fields while it is decoded: references into HPACK's memory, bounded (RELIABILITY C5,
 * C6). Beyond a limit the rest is decoded, but not kept. */
struct h2_pair {
    nghttp2_rcbuf *name, *value;
};
struct h2_block {
    int32_t id;
    usec_t began;
    uint32_t wire; /* bytes of HEADERS and CONTINUATION frames */
    uint32_t frames, bytes, fields, crumbs, n;
    uint32_t refused; /* bytes decoded since a limit was broken */
    enum reason why; /* HEADER_TOO_LARGE, URI_TOO_LONG: over a limit */
    const char *detail;
    struct h2_pair pair[];
};
#define H2_BLOCK_WIRE (64u * 1024)

/* HEADERS begins one; h->block holds it. -1: out of memory. */
int h2_block_begin(struct h2 *h, int32_t id, uint32_t wire);
/*
 * Keeps a field, or notes the limit that it breaks. -1: enough is enough; a request whose fields
 * are over the limit is told so, one with many times as much is not worth the time to read them.
 */
int h2_block_add(struct h2 *h, nghttp2_rcbuf *name, nghttp2_rcbuf *value) must_check;
void h2_block_drop(struct h2 *h);
/* A pseudo field's value; .p is NULL when there is none. */
struct slice h2_block_pseudo(const struct h2_block *b, struct slice name);

#endif
