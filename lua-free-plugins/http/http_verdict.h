/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_verdict.h: what a status of the hook means for each call (CONTRACT section 6, the table
 * "answer to resume"), and Retry-After. Pure.
 */
#ifndef ROUSE_HTTP_VERDICT_H
#define ROUSE_HTTP_VERDICT_H

#include <stdbool.h>

#include "rouse/plugin.h"

/*
 * For status 200-299 but 202 the outcome when all is well with the body; `no_capacity`: the body
 * says so.
 */
enum rouse_outcome http_verdict(enum rouse_op op, int status, bool no_capacity);
/* NULL, or one clause for people on what is wrong with the hook or its configuration. */
const char *http_verdict_detail(int status);
/*
 * Retry-After, in seconds or as a date (RFC 9110 section 10.2.3), in microseconds from wall_s; 0:
 * not understood, or past; at most an hour.
 */
int64_t http_retry_after(struct rouse_text value, int64_t wall_s);

#endif
