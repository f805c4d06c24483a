/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_scan.h: finds where a head block ends, before anything is tokenised: so no cut of the input
 * can change a verdict (RELIABILITY A16). Sees lines only: a bare LF or CR, any other control
 * but TAB, or a limit passed ends it; h1_parse relies on that.
 */
#ifndef ROUSE_HTTP_H1_SCAN_H
#define ROUSE_HTTP_H1_SCAN_H

#include "base/ensure.h"
#include "base/reason.h"
#include "base/slice.h"

struct h1_limits {
    uint32_t line;   /* 8 KiB: request or status line -> URI_TOO_LONG */
    uint32_t field;  /* 8 KiB: one field line -> HEADER_TOO_LARGE */
    uint32_t block;  /* 32 KiB (answers: 64 KiB), all line ends included */
    uint32_t fields; /* 100 (answers: 200) */
};
#define H1_LIMITS_REQUEST {8192, 8192, 32768, 100}
#define H1_LIMITS_ANSWER {8192, 32768, 65536, 200}

struct h1_scan {
    uint32_t at;         /* looked at so far */
    uint32_t line_start; /* of the line being looked at */
    uint32_t lines;
    bool leading;        /* one leading CRLF was skipped */
};

void h1_scan_init(struct h1_scan *s);
/*
 * data: the block from its first byte, as much as has come; more of it on each call. > 0: the
 * length of the block with its blank line (and a skipped leading CRLF); 0: more is needed; -1:
 * *why (for answers always UPSTREAM_MALFORMED). The verdict on the same bytes is the same
 * however they were cut. Only requests may begin with one CRLF.
 */
ptrdiff_t h1_scan_run(struct h1_scan *s, const struct h1_limits *l, struct slice data, bool request,
                      enum reason *why) must_check;

#endif
