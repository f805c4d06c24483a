/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_judge.c: what is to happen with one waiter, by what is known of its sandbox: the policy of
 * DESIGN section 4 in one place. Changes nothing, but for the rate limits when told to charge them.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#include <string.h>

static const uint8_t *
token_of(const struct waiter *w)
{
    return w->has_token ? caller_token(w->caller) : NULL;
}

/* Was the record heard so long ago that it needs another look? Being in use is as good as news. */
static bool
is_stale(const struct keeper *k, const struct sandbox *s)
{
    if (k->o.fresh == USEC_OFF || s->idle.open > 0)
        return false;
    return k->now - s->known_at > k->o.fresh && k->now - s->used_at > k->o.fresh &&
           k->now - s->look.ended > k->o.fresh;
}

static enum judgement
judge_running(const struct keeper *k, const struct waiter *w)
{
    const struct sandbox *s = w->sandbox;

    if (w->truth > s->look.finished)
        return JUDGE_TRUTH;
    if (w->why == ASK_NO_ANSWER)
        return JUDGE_STAY;
    if (s->doubted || is_stale(k, s))
        return JUDGE_TRUTH;
    return JUDGE_GO;
}

static bool
was_denied(const struct keeper *k, const struct waiter *w)
{
    const struct sandbox *s = w->sandbox;

    if (k->now >= s->denied_until || s->denied_has_token != w->has_token)
        return false;
    return !w->has_token || memcmp(s->denied, caller_token(w->caller), TOKEN_DIGEST) == 0;
}

static bool
flight_is_wake(const struct sandbox *s)
{
    const struct flight *f = &s->flight;

    return f->state != FLIGHT_NONE && f->intent == INTENT_WAKE && !f->cancelled;
}

static enum judgement
judge_paused(struct keeper *k, const struct waiter *w, enum reason *why, usec_t *retry_after)
{
    const struct sandbox *s = w->sandbox;
    const struct record *r = &s->record;

    *why = REASON_SANDBOX_PAUSED;
    if (!r->auto_resume)
        return JUDGE_REFUSE;
    *why = REASON_WAKE_NOT_ALLOWED;
    if (!record_may_wake(r, w->port, caller_method(w->caller), caller_path(w->caller)))
        return JUDGE_REFUSE;
    if (flight_is_wake(s))
        return JUDGE_WAIT;
    if (!w->may_wake)
        return JUDGE_REFUSE;
    *why = REASON_WAKE_DENIED;
    if (was_denied(k, w))
        return JUDGE_REFUSE;
    if (s->flight.state != FLIGHT_NONE)
        return JUDGE_WAIT;
    *why = REASON_WAKE_RATE_LIMITED;
    return keeper_rate(k, (struct waiter *)w, false, retry_after) ? JUDGE_LEAD : JUDGE_REFUSE;
}

enum judgement
keeper_judge(struct keeper *k, const struct waiter *w, enum reason *why, usec_t *retry_after)
{
    const struct sandbox *s = w->sandbox;

    if (s->no != REASON_NONE && k->now < s->no_until && s->state != SANDBOX_RUNNING) {
        *why = s->no;
        *retry_after = usec_max(0, s->no_retry_at - k->now);
        return JUDGE_REFUSE;
    }
    if (s->state == SANDBOX_KILLED || s->state == SANDBOX_FAILED)
        return JUDGE_TRUTH;
    if (!s->known)
        return JUDGE_LOOK;
    if (!record_admits(&s->record, token_of(w))) {
        *why = w->has_token ? REASON_AUTH_INVALID : REASON_AUTH_REQUIRED;
        return JUDGE_REFUSE;
    }
    switch (s->state) {
    case SANDBOX_RUNNING:
        return judge_running(k, w);
    case SANDBOX_PAUSED:
        return judge_paused(k, w, why, retry_after);
    case SANDBOX_PAUSING:
    case SANDBOX_SNAPSHOTTING:
        *why = REASON_WAKE_NOT_ALLOWED;
        return w->may_wake ? JUDGE_WAIT : JUDGE_REFUSE;
    case SANDBOX_UNKNOWN:
    case SANDBOX_STARTING:
    case SANDBOX_RESUMING:
    case SANDBOX_FAILED:
    case SANDBOX_KILLED:
    case SANDBOX_STATE_COUNT:
        break;
    }
    return JUDGE_WAIT;
}

bool
keeper_in_grace(const struct keeper *k, const struct waiter *w)
{
    return k->now - w->sandbox->running_at < keeper_site(k, w->site)->wake_grace;
}

/* What a port's queue has to say for itself. */
static enum reason
late_at_port(const struct waiter *w)
{
    return w->pair->proven ? REASON_UPSTREAM_TIMEOUT : REASON_PORT_CLOSED;
}

enum reason
keeper_late_reason(const struct keeper *k, const struct waiter *w, usec_t *retry_after)
{
    const struct sandbox *s = w->sandbox;
    const struct flight *f = &s->flight;

    if (w->pair)
        return late_at_port(w);
    if (f->state != FLIGHT_NONE && f->why != REASON_NONE) {
        if (f->why == REASON_CAPACITY_EXHAUSTED)
            *retry_after = usec_max(USEC_SEC, f->retry_at - k->now);
        return f->why;
    }
    if (!s->known)
        return s->look.store_down ? REASON_STATE_UNAVAILABLE : REASON_PLATFORM_UNREACHABLE;
    return s->state == SANDBOX_UNKNOWN ? REASON_STATE_UNAVAILABLE : REASON_RESUME_TIMEOUT;
}

bool
keeper_rate(struct keeper *k, struct waiter *w, bool charge, usec_t *wait)
{
    const struct keeper_site *site = keeper_site(k, w->site);
    struct bucket sandbox = w->sandbox->wakes_rate, all = k->wakes, source;
    bool limited = w->source && !w->has_token;

    if (!bucket_take(&sandbox, site->wake_per_sandbox, k->now, wait))
        return false;
    if (limited) {
        source = w->source->wakes;
        if (!bucket_take(&source, site->wake_per_client, k->now, wait))
            return false;
    }
    if (!bucket_take(&all, k->o.wakes_global, k->now, wait))
        return false;
    if (!charge)
        return true;
    w->sandbox->wakes_rate = sandbox;
    k->wakes = all;
    if (limited)
        w->source->wakes = source;
    return true;
}
