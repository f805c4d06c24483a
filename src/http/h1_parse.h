/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_parse.h: a whole head block to a head, or a refusal. The strict validator (h1_valid.c) cuts
 * and judges: RELIABILITY A1-A8, A11, A14, B1-B7 for requests, E1, E2, E5, E7-E9 for answers.
 * Whatever frames a request's body or a chunked answer, llhttp must read in the same way
 * (h1_agree.c). LIBRARIES.md 1.3 lists what llhttp alone lets through.
 */
#ifndef ROUSE_HTTP_H1_PARSE_H
#define ROUSE_HTTP_H1_PARSE_H

#include "base/ensure.h"
#include "http/head.h"

/* block: what h1_scan found; it must stay in memory as long as the head (the caller copies it to
 * the arena first). REASON_NONE, or why not: BAD_HOST, REQUEST_INVALID, NOT_IMPLEMENTED, ...
 * *detail: static text for the log. */
enum reason h1_parse_request(struct head *h, struct arena *a, struct slice block,
                             const char **detail) must_check;
/*
 * request: what it answers. h->framing is what the fields tell, also where no body follows (HEAD,
 * 304): ask head_bodiless before reading one; 1xx and 204 have FRAMING_NONE. REASON_NONE,
 * UPSTREAM_MALFORMED, or OUT_OF_MEMORY.
 */
enum reason h1_parse_answer(struct head *h, struct arena *a, struct slice block,
                            const struct head *request, const char **detail) must_check;

#endif
