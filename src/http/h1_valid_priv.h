/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_valid_priv.h: the strict validator: cuts lines that h1_scan has seen into the parts of RFC
 * 9112 and refuses what more than one reading is possible of. Used by h1_parse and h1_body
 * (trailers).
 */
#ifndef ROUSE_HTTP_H1_VALID_PRIV_H
#define ROUSE_HTTP_H1_VALID_PRIV_H

#include "base/ensure.h"
#include "http/head.h"

/* What the fields say about framing, connection and destination, gathered while they are cut. */
struct h1_facts {
    struct slice host, length, coding;
    uint8_t hosts, lengths, codings, expects; /* how many lines; they stop counting at 2 */
    bool expect_continue;
    bool close, keep_alive, upgrade; /* options of Connection */
    bool has_upgrade;                /* an Upgrade field */
    bool te_trailers;
};

struct h1_verdict {
    enum reason reason;
    const char *detail; /* static text */
};

/*
 * Cuts field lines from p, each ending in CRLF, up to the blank line, and appends them to h.
 * Returns what follows the blank line; NULL: v says why not.
 */
const char *h1_valid_fields(struct head *h, struct arena *a, const char *p, const char *end,
                            struct h1_facts *facts, struct h1_verdict *v) must_check;
/*
 * Sets framing and length from the facts (RFC 9112 section 6.3, narrowed by RELIABILITY A1-A4,
 * E1). Leaves FRAMING_NONE when nothing is told. -1: v says why not.
 */
int h1_valid_framing(struct head *h, const struct h1_facts *facts, struct h1_verdict *v) must_check;
/* A field whose traits say JUDGED. -1: more connection options than there can be. */
int h1_valid_note(struct h1_facts *facts, const struct field *f) must_check;
/* Sets method and method_text. -1: v says why it is refused. */
int h1_valid_method(struct head *h, struct slice text, struct h1_verdict *v) must_check;
/* Sets expect_continue. -1: something else is expected. */
int h1_valid_expect(struct head *h, const struct h1_facts *facts, struct h1_verdict *v) must_check;
/* "HTTP/1.0" or "HTTP/1.1": 10, 11; another "HTTP/d.d": 1; anything else: 0. */
uint8_t h1_valid_version(struct slice s);

#endif
