/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_wake.c: asking the platform to resume a sandbox, and what each of its answers means
 * (DESIGN section 6, CONTRACT section 6). The wake is detached once the call is made; if the last
 * waiter left before, it is not made.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#include <string.h>

#define CALL_TRIES 3
#define CALL_RETRY (200 * USEC_MS)
#define CALL_RETRY_MOST (2 * USEC_SEC)
#define CONFLICT_RETRY USEC_SEC
#define CONFLICT_MOST (10 * USEC_SEC)
#define CAPACITY_RETRY (500 * USEC_MS)
#define CAPACITY_MOST (10 * USEC_SEC)

/* A joiner of somebody else's wake may not be one who can cause it. */
static bool
may_lead(const struct waiter *w)
{
    const struct record *r = &w->sandbox->record;

    return w->may_wake && !w->pair && r->auto_resume &&
           record_may_wake(r, w->port, caller_method(w->caller), caller_path(w->caller));
}

bool
keeper_wake_wanted(const struct keeper *k, const struct sandbox *s)
{
    (void)k;
    if (keeper_errand_wakes(s))
        return true;
    list_each(n, &s->held) {
        if (may_lead(container_of(n, struct waiter, link)))
            return true;
    }
    return false;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Over without success; whoever waits is told so (REASON_NONE: nobody does). */
void
keeper_wake_fail(struct keeper *k, struct sandbox *s, enum reason r, usec_t remember)
{
    if (s->state == SANDBOX_RESUMING)
        keeper_move(k, s, SANDBOX_PAUSED);
    if (r != REASON_NONE) {
        s->no = r;
        s->no_until = k->now + remember;
        s->no_retry_at = s->no_until;
        metric_add(k->o.metrics, METRIC_WAKES_FAILED, s->flight.called ? 1 : 0);
        keeper_story(k, s, STORY_WAKE_FAILED, 0, k->now - s->flight.started, s->held_n, r);
    }
    keeper_flight_end(k, s);
    if (r == REASON_NONE)
        return;
    keeper_refuse_all(k, s, r, 0);
    keeper_errands_end(k, s, false, r);
}

void
keeper_wake_published(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct record r;
    usec_t took = k->now - f->started;

    if (!f->has_outcome) { /* out of memory: the next look tells */
        keeper_wake_fail(k, s, REASON_OUT_OF_MEMORY, 0);
        return;
    }
    r = f->outcome;
    record_init(&f->outcome);
    keeper_flight_end(k, s);
    s->wake_took = took;
    keeper_learn(k, s, &r, FROM_CALL);
    record_fini(&r);
    metric_add(k->o.metrics, METRIC_WAKES_OK, 1);
    keeper_story(k, s, STORY_WOKEN, 0, took, s->held_n, REASON_NONE);
    keeper_errands_end(k, s, false, REASON_NONE);
}

/* --- the call --------------------------------------------------------------------------------- */

/* The first who may lead and whose limits allow it; those whose limits do not are told. */
static struct waiter *
take_leader(struct keeper *k, struct sandbox *s)
{
    list_each_safe(n, tmp, &s->held) {
        struct waiter *w = container_of(n, struct waiter, link);
        usec_t wait = 0;

        if (!may_lead(w))
            continue;
        if (s->flight.charged || keeper_rate(k, w, true, &wait))
            return w;
        keeper_say_no(k, w, REASON_WAKE_RATE_LIMITED, wait);
    }
    return NULL;
}

static void
describe(struct driver_call *c, struct flight *f, const struct waiter *w)
{
    c->port = w->port;
    c->klass = (enum traffic_class)w->klass;
    c->has_token = w->has_token;
    if (w->has_token)
        memcpy(c->token, caller_token(w->caller), sizeof(c->token));
    c->client = caller_client(w->caller);
    c->method = caller_method(w->caller);
    c->host = caller_host(w->caller);
    c->path = caller_path(w->caller);
    f->has_token = c->has_token;
    memcpy(f->token, c->token, sizeof(f->token));
}

/* To be called under a good lease only. */
void
keeper_wake_call(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct driver_call c = {.op = DRIVER_RESUME, .epoch = f->epoch, .klass = CLASS_OTHER};
    struct waiter *w = take_leader(k, s);

    if (!w && !keeper_errand_wakes(s)) {
        keeper_wake_fail(k, s, REASON_NONE, 0);
        return;
    }
    f->has_token = false;
    if (w) {
        w->leader = true;
        f->charged = true;
        describe(&c, f, w);
    }
    keeper_flight_set(k, s, FLIGHT_CALL);
    if (s->state == SANDBOX_PAUSED)
        keeper_move(k, s, SANDBOX_RESUMING);
    if (!f->called) {
        s->wakes++;
        f->called_at = k->now;
        metric_add(k->o.metrics, METRIC_WAKES_JOINED, s->held_n > 0 ? s->held_n - 1 : 0);
    } else {
        metric_add(k->o.metrics, METRIC_HOOK_RETRIES, 1);
    }
    f->called = true;
    if (f->attempt_of == 0)
        f->attempt_of = k->call_ids + 1;
    c.attempt_of = f->attempt_of;
    c.deadline = usec_add(k->now, keeper_site(k, s->site)->resume_timeout);
    metric_add(k->o.metrics, METRIC_WAKES, 1);
    keeper_story(k, s, STORY_WAKE, c.port, 0, s->held_n, REASON_NONE);
    keeper_call_driver(k, s, &f->call, CALL_FLIGHT, &c);
}

static void
try_again(struct keeper *k, struct sandbox *s, usec_t first, usec_t most, usec_t retry_after)
{
    struct flight *f = &s->flight;
    usec_t delay = flight_backoff(f, first, most, random_u64(&k->random));

    if (retry_after > 0)
        delay = usec_min(most, retry_after) + keeper_jitter(k, 50 * USEC_MS);
    keeper_flight_rest(k, s, FLIGHT_CALL, delay);
}

/* The leader may not: nor may those with the same token; the others lead a new flight. */
static void
on_denied(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    s->denied_has_token = f->has_token;
    memcpy(s->denied, f->token, sizeof(s->denied));
    s->denied_until = k->now + NEGATIVE;
    keeper_story(k, s, STORY_WAKE_FAILED, 0, k->now - f->started, s->held_n, REASON_WAKE_DENIED);
    list_each_safe(n, tmp, &s->held) {
        struct waiter *w = container_of(n, struct waiter, link);

        if (w->has_token == f->has_token &&
            (!w->has_token || memcmp(caller_token(w->caller), f->token, TOKEN_DIGEST) == 0))
            keeper_say_no(k, w, REASON_WAKE_DENIED, 0);
    }
    if (!f->has_token)
        keeper_errands_end(k, s, false, REASON_WAKE_DENIED);
    metric_add(k->o.metrics, METRIC_WAKES_FAILED, 1);
    keeper_wake_fail(k, s, REASON_NONE, 0);
}

/*
 * Another transition is under way, most likely a pause. It is watched to its end; only then is the
 * call repeated: at once when that end was seen, otherwise ever more rarely.
 */
static void
on_conflict(struct keeper *k, struct sandbox *s, usec_t retry_after)
{
    struct flight *f = &s->flight;
    usec_t rest = CONFLICT_RETRY << (f->conflicts < 4 ? f->conflicts : 4);

    rest = usec_min(retry_after > 0 ? retry_after : rest, CONFLICT_MOST);
    f->conflict = true;
    f->conflicts++;
    f->again_at = k->now + rest + keeper_jitter(k, rest / 8);
    keeper_flight_settle(k, s, 0);
}

static void
on_capacity(struct keeper *k, struct sandbox *s, usec_t retry_after)
{
    struct flight *f = &s->flight;

    f->why = REASON_CAPACITY_EXHAUSTED;
    try_again(k, s, CAPACITY_RETRY, CAPACITY_MOST, retry_after);
    f->retry_at = retry_after > 0 ? k->now + retry_after : k->now + CAPACITY_MOST;
}

static void
on_unreachable(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    f->why = REASON_PLATFORM_UNREACHABLE;
    if (++f->tries >= CALL_TRIES)
        keeper_wake_fail(k, s, REASON_PLATFORM_UNREACHABLE, NEGATIVE_SHORT);
    else
        try_again(k, s, CALL_RETRY, CALL_RETRY_MOST, 0);
}

/* Somebody newer has taken over, of whom the store may know nothing: look, and do not insist. */
static void
on_stale(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    keeper_store_send(k, s, STORE_RELEASE, f->epoch, NULL);
    keeper_flight_held(k, s, 0);
    f->next = k->now + flight_backoff(f, CALL_RETRY, CALL_RETRY_MOST, random_u64(&k->random));
    keeper_look_want(s, true, false);
}

static bool
is_up(const struct driver_result *r)
{
    return r->has_record && r->record.state == SANDBOX_RUNNING &&
           (r->record.address.family != 0 || r->record.ports_n > 0);
}

void
keeper_wake_on_call(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    struct flight *f = &s->flight;

    f->why = REASON_NONE;
    f->conflict = false;
    if (r->outcome == OUTCOME_RUNNING || r->outcome == OUTCOME_PENDING)
        s->loose_until = NEVER_BEFORE;
    switch (r->outcome) {
    case OUTCOME_RUNNING:
        if (is_up(r))
            keeper_flight_publish(k, s, &r->record);
        else
            keeper_flight_settle(k, s, USEC_MS);
        return;
    case OUTCOME_PENDING:
        keeper_flight_settle(k, s, r->retry_after);
        return;
    case OUTCOME_CONFLICT:
        on_conflict(k, s, r->retry_after);
        return;
    case OUTCOME_DISABLED:
        keeper_wake_fail(k, s, REASON_SANDBOX_PAUSED, NEGATIVE);
        return;
    case OUTCOME_DENIED:
        on_denied(k, s);
        return;
    case OUTCOME_NOT_FOUND:
        keeper_not_found(k, s);
        return;
    case OUTCOME_GONE:
        keeper_killed(k, s);
        return;
    case OUTCOME_CAPACITY:
        on_capacity(k, s, r->retry_after);
        return;
    case OUTCOME_STALE_EPOCH:
        on_stale(k, s);
        return;
    case OUTCOME_UNREACHABLE:
        on_unreachable(k, s);
        return;
    case OUTCOME_UNKNOWN:
        f->unknown = true;
        f->why = REASON_PLATFORM_UNREACHABLE;
        keeper_flight_settle(k, s, 0);
        return;
    case OUTCOME_FAILED:
    case OUTCOMES:
        break;
    }
    keeper_wake_fail(k, s, REASON_RESUME_FAILED, NEGATIVE);
}

/* --- waiting for it to show ------------------------------------------------------------------- */

/* It is still asleep although a resume was, or may have been, accepted. */
static void
still_asleep(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    if (f->conflict) {
        if (k->now >= f->again_at)
            keeper_flight_rest(k, s, FLIGHT_CALL, 0);
        else
            keeper_flight_settle(k, s, 0);
        return;
    }
    if (!f->unknown && k->now - f->called_at > keeper_site(k, s->site)->resume_timeout)
        f->unknown = true; /* it was forgotten: let the lease run out */
    if (f->unknown && k->now >= f->lease_until) {
        if (++f->tries >= CALL_TRIES) {
            keeper_wake_fail(k, s, REASON_PLATFORM_UNREACHABLE, NEGATIVE_SHORT);
            return;
        }
        if (!keeper_wake_wanted(k, s)) {
            keeper_wake_fail(k, s, REASON_NONE, 0);
            return;
        }
        f->called_at = k->now;
        keeper_flight_lease(k, s);
        return;
    }
    keeper_flight_settle(k, s, 0);
}

/* The platform does not say how it is. Once an uncertain call's lease is over that is no reason to
 * wait on: a new epoch puts an end to the old call. */
static void
unseen(struct keeper *k, struct sandbox *s)
{
    if (s->flight.unknown && k->now >= s->flight.lease_until)
        still_asleep(k, s);
    else
        keeper_flight_settle(k, s, 0);
}

/* Nobody waits, and it has taken too long: whoever comes next begins anew. */
static bool
abandoned(struct keeper *k, struct sandbox *s)
{
    usec_t limit = 2 * keeper_site(k, s->site)->resume_timeout;

    if (keeper_wake_wanted(k, s) || k->now - s->flight.called_at < limit)
        return false;
    keeper_wake_fail(k, s, REASON_NONE, 0);
    return true;
}

void
keeper_wake_on_settle(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    if (r->outcome == OUTCOME_NOT_FOUND) {
        keeper_not_found(k, s);
    } else if (r->outcome == OUTCOME_GONE) {
        keeper_killed(k, s);
    } else if (abandoned(k, s)) {
        return;
    } else if (r->outcome != OUTCOME_RUNNING || !r->has_record) {
        unseen(k, s);
    } else if (is_up(r) && k->now >= s->loose_until) {
        keeper_flight_publish(k, s, &r->record);
    } else if (r->record.state == SANDBOX_KILLED) {
        keeper_learn(k, s, &r->record, FROM_PLATFORM);
    } else if (r->record.state == SANDBOX_FAILED) {
        keeper_wake_fail(k, s, REASON_RESUME_FAILED, NEGATIVE);
    } else if (r->record.state == SANDBOX_PAUSED || is_up(r)) {
        still_asleep(k, s);
    } else {
        s->flight.again_at = k->now; /* the other transition shows */
        keeper_flight_settle(k, s, 0);
    }
}
