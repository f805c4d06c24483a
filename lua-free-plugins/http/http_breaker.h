/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_breaker.h: when a hook cannot be reached, calls end at once instead of waiting for its
 * timeout each. Closed: calls pass. After HTTP_BREAKER_FAILURES transport failures in a row: open,
 * and one call a second passes as a probe. Any answer, whatever its status, closes it. The failure
 * of a call older than the last answer says nothing: the hook was there since; so some sandboxes
 * whose calls hang do not stand in the way of the others. Pure.
 */
#ifndef ROUSE_HTTP_BREAKER_H
#define ROUSE_HTTP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_BREAKER_FAILURES 5
#define HTTP_BREAKER_PROBE_US 1000000

struct http_breaker {
    unsigned failed; /* in a row */
    bool open;
    int64_t probe_at;
    int64_t answered_at; /* the last answer; 0: none yet */
};

/* May a call be made now? When open and so answered, it is the probe. */
bool http_breaker_allows(struct http_breaker *b, int64_t now);
/* A call that began at `began` ended: did an answer come? True when that opened or closed it. */
bool http_breaker_ended(struct http_breaker *b, bool answered, int64_t began, int64_t now);

#endif
