/* SPDX-License-Identifier: BSD-2-Clause */
/* http_verdict.c: see http_verdict.h. */
#include "config.h"

#include "http/http_verdict.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1000000
#define LONGEST 3600 /* seconds */

/* What the statuses mean that mean the same for every call; FAILED for the rest below 500. */
static enum rouse_outcome
common(int status)
{
    switch (status) {
    case 403:
        return ROUSE_DENIED;
    case 404:
        return ROUSE_NOT_FOUND;
    case 410:
        return ROUSE_GONE;
    case 412:
        return ROUSE_STALE_EPOCH;
    default:
        return status >= 500 ? ROUSE_UNKNOWN : ROUSE_FAILED;
    }
}

static enum rouse_outcome
resume(int status)
{
    switch (status) {
    case 202:
    case 408:
        return ROUSE_PENDING;
    case 409:
    case 423:
    case 425:
        return ROUSE_CONFLICT;
    case 428:
        return ROUSE_DISABLED;
    case 429:
        return ROUSE_CAPACITY;
    default:
        return common(status);
    }
}

/* It changes nothing, so whatever is no answer is one that did not come. */
static enum rouse_outcome
inspect(int status)
{
    switch (status) {
    case 202:
    case 408:
    case 409:
    case 423:
    case 425:
    case 429:
        return ROUSE_PENDING;
    default:
        return common(status);
    }
}

static enum rouse_outcome
pause_or_kill(enum rouse_op op, int status)
{
    switch (status) {
    case 202:
        return ROUSE_PENDING;
    case 408:
    case 409:
    case 423:
    case 425:
    case 429:
        return ROUSE_CONFLICT;
    case 404:
        return op == ROUSE_KILL ? ROUSE_GONE : ROUSE_NOT_FOUND;
    default:
        return common(status);
    }
}

enum rouse_outcome
http_verdict(enum rouse_op op, int status, bool no_capacity)
{
    if (status >= 200 && status <= 299 && status != 202)
        return op == ROUSE_KILL ? ROUSE_GONE : ROUSE_RUNNING;
    if (no_capacity && (status == 429 || status == 503) && op != ROUSE_INSPECT)
        return op == ROUSE_RESUME ? ROUSE_CAPACITY : ROUSE_CONFLICT;
    switch (op) {
    case ROUSE_INSPECT:
        return inspect(status);
    case ROUSE_RESUME:
        return resume(status);
    case ROUSE_PAUSE:
    case ROUSE_KILL:
        break;
    }
    return pause_or_kill(op, status);
}

const char *
http_verdict_detail(int status)
{
    if (status == 401)
        return "the hook does not accept our credentials: look at `secret` and `headers`";
    if (status >= 300 && status <= 399)
        return "the hook redirects, which is not followed: configure the final URL";
    if (status == 405 || status == 501)
        return "the hook does not take this method here";
    return NULL;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, month 1-12. */
static int64_t
days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool
within(int n, int least, int most)
{
    return n >= least && n <= most;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; -1: it is not such a date. */
static int64_t
date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4], zone[4];
    int day, year, h, m, s, used = 0;
    const char *at;

    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]%n", &day, month, &year,
               &h, &m, &s, zone, &used) != 7 ||
        text[used] || strcmp(zone, "GMT") != 0)
        return -1;
    at = strstr(months, month);
    if (!at || strlen(month) != 3 || (at - months) % 3 != 0)
        return -1;
    if (!within(day, 1, 31) || !within(year, 1970, 9999) || !within(h, 0, 23) ||
        !within(m, 0, 59) || !within(s, 0, 60))
        return -1;
    return days(year, (at - months) / 3 + 1, day) * 86400 + h * 3600 + m * 60 + s;
}

int64_t
http_retry_after(struct rouse_text value, int64_t wall_s)
{
    char text[40];
    int64_t seconds = 0;

    if (value.n == 0 || value.n >= sizeof text)
        return 0;
    memcpy(text, value.p, value.n);
    text[value.n] = 0;
    if (text[strspn(text, "0123456789")] == 0) {
        for (const char *c = text; *c && seconds <= LONGEST; c++)
            seconds = seconds * 10 + (*c - '0');
    } else {
        seconds = date(text);
        seconds = seconds < 0 ? 0 : seconds - wall_s;
    }
    if (seconds <= 0)
        return 0;
    return (seconds < LONGEST ? seconds : LONGEST) * SECOND;
}
