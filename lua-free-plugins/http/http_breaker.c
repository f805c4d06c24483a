/* SPDX-License-Identifier: BSD-2-Clause */
/* http_breaker.c: see http_breaker.h. */
#include "config.h"

#include "http/http_breaker.h"

bool
http_breaker_allows(struct http_breaker *b, int64_t now)
{
    if (!b->open)
        return true;
    if (now < b->probe_at)
        return false;
    b->probe_at = now + HTTP_BREAKER_PROBE_US;
    return true;
}

bool
http_breaker_ended(struct http_breaker *b, bool answered, int64_t began, int64_t now)
{
    bool was = b->open;

    if (answered) {
        b->failed = 0;
        b->open = false;
        b->answered_at = now;
        return was;
    }
    if (began < b->answered_at)
        return false;
    if (b->failed < HTTP_BREAKER_FAILURES)
        b->failed++;
    b->open = b->failed == HTTP_BREAKER_FAILURES;
    if (b->open && !was)
        b->probe_at = now + HTTP_BREAKER_PROBE_US;
    return b->open != was;
}
