/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.h: how one request gets its connection: what to do when it is refused, silent, reset or
 * has to wait (DESIGN section 4). Pure: told what happened and the time, says what to do next. The
 * worker's dialer does it.
 */
#ifndef ROUSE_SANDBOX_ATTEMPT_H
#define ROUSE_SANDBOX_ATTEMPT_H

#include "sandbox/mail.h"

struct attempt_limits {
    usec_t timeout;      /* connect.timeout: silence in GO_DIRECT and GO_RETRY */
    usec_t silent_check; /* 250 ms: then ask */
    usec_t parallel;     /* 25 ms: a further attempt into silence while probing */
    usec_t attempt_ttl;  /* 1 s: of each */
};
#define ATTEMPT_LIMITS_DEFAULT {USEC_SEC, 250 * USEC_MS, 25 * USEC_MS, USEC_SEC}

enum attempt_do {
    ATTEMPT_WAIT,   /* nothing now; call attempt_on_timer at attempt->next (USEC_NEVER: no timer) */
    ATTEMPT_DIAL,   /* start one connect to attempt->to with attempt->ttl; then as ATTEMPT_WAIT */
    ATTEMPT_ASK,    /* stop dialing, report as the verdict wants, ask again with attempt->why */
    ATTEMPT_FAIL,   /* stop, report; answer with attempt->reason */
    ATTEMPT_ACCEPT, /* use the connection */
    ATTEMPT_DROP,   /* not for this request: for the pool, while its version is current */
};

struct attempt {
    struct attempt_limits limits;
    enum verdict mode;
    struct endpoint to;
    usec_t started, since, until, last_dial;
    usec_t next; /* precise when probing */
    usec_t ttl;
    unsigned open;
    bool silent;   /* the last thing seen was silence */
    bool accepted; /* a connection carries the request */
    enum ask_why why;
    enum reason reason;
};

/* After a GO verdict, or a view hit (mode GO_DIRECT; until: the hold deadline). */
enum attempt_do attempt_start(struct attempt *a, const struct attempt_limits *l, enum verdict mode,
                              const struct endpoint *to, usec_t since, usec_t until, usec_t now);
/* One connect ended: refused (also reset, unreachable), or its ttl passed in silence. */
enum attempt_do attempt_on_refused(struct attempt *a, usec_t now);
enum attempt_do attempt_on_silent(struct attempt *a, usec_t now);
enum attempt_do attempt_on_timer(struct attempt *a, usec_t now);
/* One completed. current: view_current of the route's version. */
enum attempt_do attempt_on_connected(struct attempt *a, bool current, usec_t now);
/* The connection was accepted and reset with no answer byte, the request may be sent again. The
 * ticket stays the same: CONNECTED is reported once, at the first ACCEPT; a later ASK or FAIL is
 * then reported as ANSWERED (not ok) instead of CONNECT_FAILED. */
enum attempt_do attempt_on_reset(struct attempt *a, usec_t now);
/* The route is no longer current (view_current says no): to be asked whenever a timer fires, so
 * that a probe of a sandbox that went to sleep again, or moved, does not go on until its deadline.
 * Says ATTEMPT_ASK. */
enum attempt_do attempt_on_stale(struct attempt *a);
/*
 * The pause before the next try: max(1 ms, 1 % of the time since the first refusal), at most 20 ms.
 */
usec_t attempt_pause(usec_t since, usec_t now);

#endif
