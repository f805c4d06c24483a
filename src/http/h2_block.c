/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_block.c: a block of fields while it is decoded. What HPACK makes is kept by reference, so that
 * each byte is copied once, when the head is made; limits count while it comes in, crumbs of Cookie
 * among them, and beyond a limit nothing is kept (RELIABILITY C6). Owner: the connection, from
 * HEADERS to the end of the block.
 */
#include "config.h"

#include "http/h2_block_priv.h"

#define PAIRS ((LOOP_READ_SMALL - sizeof(struct h2_block)) / sizeof(struct h2_pair))
#define OVERHEAD 32 /* RFC 9113 section 6.5.2 */
#define REFUSED_MAX 3 /* times list_bytes */

static struct slice
text_of(nghttp2_rcbuf *r)
{
    nghttp2_vec v = nghttp2_rcbuf_get_buf(r);

    return (struct slice){(const char *)v.base, v.len};
}

/* Lets go of the fields; the block stays. */
static void
release(struct h2_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        nghttp2_rcbuf_decref(b->pair[i].name);
        nghttp2_rcbuf_decref(b->pair[i].value);
    }
    b->n = 0;
}

int
h2_block_begin(struct h2 *h, int32_t id, uint32_t wire)
{
    h2_block_drop(h);
    h->block = pool_take(&h->loop->small_reads);
    if (!h->block)
        return -1;
    *h->block = (struct h2_block){.id = id, .began = h->loop->now, .wire = wire};
    return 0;
}

void
h2_block_drop(struct h2 *h)
{
    if (!h->block)
        return;
    release(h->block);
    pool_give(&h->loop->small_reads, h->block);
    h->block = NULL;
}

static void
refuse(struct h2_block *b, enum reason why, const char *detail)
{
    b->why = why;
    b->detail = detail;
    release(b);
}

/* REASON_NONE, or what it is too much of. */
static void
judge(struct h2_block *b, const struct h2_options *o, struct slice name, size_t value)
{
    size_t size = name.n + value + OVERHEAD;
    bool pseudo = name.n > 0 && name.p[0] == ':';

    b->bytes += (uint32_t)(size < UINT16_MAX ? size : UINT16_MAX); /* wire bounds how often */
    if (pseudo && value > o->line && slice_eq(name, SLICE(":path")))
        refuse(b, REASON_URI_TOO_LONG, ":path over the limit");
    else if (size - OVERHEAD > o->field)
        refuse(b, REASON_HEADER_TOO_LARGE, "field over the limit");
    else if (b->bytes > o->list_bytes)
        refuse(b, REASON_HEADER_TOO_LARGE, "fields over the limit of bytes");
    else if (slice_eq(name, SLICE("cookie")) && ++b->crumbs > 1) {
        if (b->crumbs > o->crumbs)
            refuse(b, REASON_HEADER_TOO_LARGE, "too many crumbs of Cookie");
    } else if (!pseudo && ++b->fields > o->fields)
        refuse(b, REASON_HEADER_TOO_LARGE, "too many fields");
    if (b->why == REASON_NONE && b->n == PAIRS)
        refuse(b, REASON_HEADER_TOO_LARGE, "too many fields");
}

int
h2_block_add(struct h2 *h, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
    struct h2_block *b = h->block;

    if (!b)
        return 0;
    if (b->why != REASON_NONE) {
        b->refused += (uint32_t)(text_of(name).n + text_of(value).n + OVERHEAD);
        return b->refused / REFUSED_MAX > h->o->list_bytes ? -1 : 0;
    }
    judge(b, h->o, text_of(name), text_of(value).n);
    if (b->why != REASON_NONE)
        return 0;
    nghttp2_rcbuf_incref(name);
    nghttp2_rcbuf_incref(value);
    b->pair[b->n++] = (struct h2_pair){name, value};
    return 0;
}

struct slice
h2_block_pseudo(const struct h2_block *b, struct slice name)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct slice at = text_of(b->pair[i].name);

        if (at.n == 0 || at.p[0] != ':')
            break; /* they come first: nghttp2 sees to it */
        if (slice_eq(at, name))
            return text_of(b->pair[i].value);
    }
    return SLICE_NONE;
}
