/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_parse.h: a whole head block to a head, or a refusal. llhttp tokenises, the validator
 * (h1_valid.c) judges: RELIABILITY A1-A8, A11, A14, B1-B7 for requests, E1, E2, E5, E7-E9 for
 * answers. LIBRARIES.md 1.3 lists what llhttp lets through.
 */
#ifndef ROUSE_HTTP_H1_PARSE_H
#define ROUSE_HTTP_H1_PARSE_H

#include "http/head.h"

/* block: what h1_scan found; it must stay in memory as long as the head (the caller copies it to
 * the arena first). REASON_NONE, or why not: BAD_HOST, REQUEST_INVALID, NOT_IMPLEMENTED, ...
 * *detail: static text for the log. */
enum reason h1_parse_request(struct head *h, struct arena *a, struct slice block,
                             const char **detail);
/*
 * request: what it answers (HEAD, CONNECT change the framing). REASON_NONE or UPSTREAM_MALFORMED.
 */
enum reason h1_parse_answer(struct head *h, struct arena *a, struct slice block,
                            const struct head *request, const char **detail);

#endif
