/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.c: one request's way to a connection. It must not know sockets: the worker's dialer
 * reports what each connect came to and does what is said here.
 *
 *              refused, reset    silent 25 ms     silent 250 ms     `until` reached
 *   DIRECT     ASK refused       -                ASK silent        ASK silent
 *   PROBE      pause, DIAL       DIAL one more    -                 FAIL port_closed or silent
 *   RETRY      pause, DIAL       -                -                 FAIL port_closed or silent
 */
#include "config.h"

#include "sandbox/attempt.h"

#include "base/ensure.h"

#define PAUSE_MIN USEC_MS
#define PAUSE_MAX (20 * USEC_MS)
#define PARALLEL_MAX 40

usec_t
attempt_pause(usec_t since, usec_t now)
{
    usec_t waited = since > 0 && now > since ? now - since : 0;

    return usec_min(usec_max(PAUSE_MIN, waited / 100), PAUSE_MAX);
}

static enum attempt_do
ask(struct attempt *a, enum ask_why why)
{
    a->why = why;
    a->next = USEC_NEVER;
    return ATTEMPT_ASK;
}

static enum attempt_do
fail(struct attempt *a)
{
    a->reason = a->silent ? REASON_CONNECT_TIMEOUT : REASON_PORT_CLOSED;
    a->next = USEC_NEVER;
    return ATTEMPT_FAIL;
}

static enum attempt_do
wait_until(struct attempt *a, usec_t at)
{
    a->next = usec_min(at, a->until);
    return ATTEMPT_WAIT;
}

static enum attempt_do
dial(struct attempt *a, usec_t now)
{
    usec_t live = a->mode == VERDICT_GO_PROBE ? a->limits.attempt_ttl : a->limits.timeout;

    a->open++;
    a->last_dial = now;
    a->ttl = a->mode == VERDICT_GO_DIRECT ? live : usec_min(live, a->until - now);
    if (a->mode == VERDICT_GO_DIRECT)
        a->next = usec_add(now, a->limits.silent_check);
    else if (a->mode == VERDICT_GO_PROBE)
        wait_until(a, usec_add(now, a->limits.parallel));
    else
        wait_until(a, USEC_NEVER);
    return ATTEMPT_DIAL;
}

enum attempt_do
attempt_start(struct attempt *a, const struct attempt_limits *l, enum verdict mode,
              const struct endpoint *to, usec_t since, usec_t until, usec_t now)
{
    ensure(mode == VERDICT_GO_DIRECT || mode == VERDICT_GO_PROBE || mode == VERDICT_GO_RETRY);
    *a = (struct attempt){.limits = *l, .mode = mode, .to = *to};
    a->started = now;
    a->since = since;
    a->until = until;
    a->next = USEC_NEVER;
    if (mode != VERDICT_GO_DIRECT && now >= until)
        return fail(a);
    return dial(a, now);
}

/* The port said no: the next try after the pause. */
static enum attempt_do
again(struct attempt *a, usec_t now)
{
    a->silent = false;
    if (a->since == 0)
        a->since = now;
    if (a->mode == VERDICT_GO_DIRECT)
        return ask(a, ASK_REFUSED);
    if (now >= a->until)
        return fail(a);
    return wait_until(a, now + attempt_pause(a->since, now));
}

enum attempt_do
attempt_on_refused(struct attempt *a, usec_t now)
{
    ensure(a->open > 0);
    a->open--;
    return again(a, now);
}

/*
 * Nothing came until now. That is no silence yet where a port has refused all the time, and the
 * last try was begun a moment before the deadline.
 */
static void
hear_nothing(struct attempt *a, usec_t now)
{
    if (a->since == 0 || now - a->last_dial >= a->limits.parallel)
        a->silent = true;
}

enum attempt_do
attempt_on_silent(struct attempt *a, usec_t now)
{
    ensure(a->open > 0);
    a->open--;
    hear_nothing(a, now);
    if (a->mode == VERDICT_GO_DIRECT)
        return ask(a, ASK_SILENT);
    if (now >= a->until)
        return fail(a);
    if (a->open > 0)
        return ATTEMPT_WAIT;
    return dial(a, now);
}

enum attempt_do
attempt_on_timer(struct attempt *a, usec_t now)
{
    if (now < a->next)
        return ATTEMPT_WAIT;
    if (a->open > 0)
        hear_nothing(a, now);
    if (a->mode == VERDICT_GO_DIRECT)
        return ask(a, ASK_SILENT);
    if (now >= a->until)
        return fail(a);
    if (a->open >= PARALLEL_MAX || (a->mode == VERDICT_GO_RETRY && a->open > 0))
        return wait_until(a, USEC_NEVER);
    return dial(a, now);
}

enum attempt_do
attempt_on_connected(struct attempt *a, bool current, usec_t now)
{
    (void)now;
    ensure(a->open > 0);
    a->open--;
    if (a->accepted)
        return ATTEMPT_DROP;
    if (!current)
        return ask(a, ASK_UNKNOWN);
    a->accepted = true;
    a->silent = false;
    a->next = USEC_NEVER;
    return ATTEMPT_ACCEPT;
}

enum attempt_do
attempt_on_reset(struct attempt *a, usec_t now)
{
    ensure(a->accepted);
    a->accepted = false;
    return again(a, now);
}

enum attempt_do
attempt_on_stale(struct attempt *a)
{
    return ask(a, ASK_UNKNOWN);
}
