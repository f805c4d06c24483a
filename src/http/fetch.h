/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch.h: an HTTP/1 call of our own (platform hooks): a memory front and an h1 client back. No
 * redirects, capped answer, total deadline, keep-alive connections kept per origin.
 */
#ifndef ROUSE_HTTP_FETCH_H
#define ROUSE_HTTP_FETCH_H

#include "base/endpoint.h"
#include "http/head.h"
#include "net/resolver.h"

struct fetcher; /* one loop's: resolver, connections */
struct tls_library;
struct fetch;

struct fetch_field {
    struct slice name, value;
};

struct fetch_options {
    struct slice method, url; /* http://host[:port]/path, or https: the peer is verified */
    const char *ca;           /* https: a file of authorities; NULL: the system's */
    const struct fetch_field *field;
    unsigned fields;
    struct slice body;      /* copied */
    usec_t connect_timeout; /* 1 s */
    usec_t timeout;         /* in total */
    size_t answer_max;      /* 64 KiB */
};

struct fetch_result {
    enum reason reason; /* NONE: an answer came, whatever its status */
    /* one clause for people: "connection refused", "answer longer than 65536 bytes" */
    const char *detail;
    enum delivered_hint { FETCH_NOT_SENT, FETCH_MAYBE_SENT, FETCH_ANSWERED } sent;
    uint16_t status;
    const struct head *head; /* NULL without an answer; valid during the callback, as is body */
    struct slice body;
    usec_t took;
};

/* tls: of the same loop, to outlive the fetcher; NULL: https is refused. NULL: out of memory. */
struct fetcher *fetcher_new(struct loop *l, struct resolver *r, struct tls_library *tls);
void fetcher_free(struct fetcher *f);
/* on_done is called once, never from within this call. NULL: out of memory, or why (static text)
 * says what is wrong with the URL. */
struct fetch *fetch_start(struct fetcher *f, const struct fetch_options *o,
                          void (*on_done)(void *ctx, const struct fetch_result *r), void *ctx,
                          const char **why);
/* on_done will not be called. */
void fetch_cancel(struct fetch *x);

#endif
