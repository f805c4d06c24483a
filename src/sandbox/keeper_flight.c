/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_flight.c: the steps that a wake and a pause share: taking the lease, keeping it, watching
 * another gateway's, waiting, publishing the outcome. What the platform is asked and what its
 * answers mean stand in keeper_wake.c and keeper_pause.c.
 *
 * Fencing: a call goes out only under a lease that is good by our own clock, counted from when we
 * asked for it; every call and every publish carries the lease's epoch; an epoch that the store has
 * superseded is refused there.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#define HELD_POLL (500 * USEC_MS)
#define STORE_TRIES 5
#define STORE_RETRY (100 * USEC_MS)
#define STORE_RETRY_MOST USEC_SEC
#define SETTLE_FIRST (50 * USEC_MS)
#define SETTLE_MOST USEC_SEC

static usec_t
lease_ttl(const struct keeper *k, const struct sandbox *s)
{
    return keeper_site(k, s->site)->lease;
}

void
keeper_flight_set(struct keeper *k, struct sandbox *s, enum flight_state to)
{
    struct flight *f = &s->flight;

    if (!flight_may_move(f->state, to)) {
        metric_add(k->o.metrics, METRIC_ILLEGAL_MOVES, 1);
        log_event(k->o.log, LOG_ERROR, "illegal_move", "flight of %s: %s to %s", s->key.id,
                  flight_state_name(f->state), flight_state_name(to));
    }
    f->state = to;
}

/* --- beginning and end ------------------------------------------------------------------------ */

void
keeper_flight_begin(struct keeper *k, struct sandbox *s, enum intent intent)
{
    struct flight *f = &s->flight;

    if (f->state != FLIGHT_NONE)
        return;
    f->intent = intent;
    f->started = k->now;
    if (intent == INTENT_WAKE) {
        bool room = k->flights < k->o.wakes_in_flight;

        k->flights++;
        metric_add(k->o.metrics, METRIC_WAKES_IN_FLIGHT, 1);
        if (!room) {
            keeper_flight_rest(k, s, FLIGHT_LEASE, 50 * USEC_MS + keeper_jitter(k, 50 * USEC_MS));
            return;
        }
    }
    keeper_flight_lease(k, s);
}

static void
flight_clear(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    if (f->intent == INTENT_WAKE) {
        k->flights--;
        metric_add(k->o.metrics, METRIC_WAKES_IN_FLIGHT, -1);
    }
    keeper_call_forget(k, &f->call);
    keeper_call_forget(k, &f->renew);
    record_fini(&f->outcome);
    f->has_outcome = f->cancelled = f->called = f->charged = f->unknown = false;
    f->epoch = f->attempt_of = 0;
    f->lease_until = f->renew_at = f->next = f->backoff = 0;
    f->tries = f->store_tries = f->conflicts = 0;
    f->conflict = false;
    f->why = REASON_NONE;
    s->recheck = true;
}

void
keeper_flight_end(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    bool out = f->state == FLIGHT_CALL && f->call.id != 0; /* may yet be executed */

    if (f->state == FLIGHT_NONE)
        return;
    if (f->epoch != 0 && !f->unknown && !out)
        keeper_store_send(k, s, STORE_RELEASE, f->epoch, NULL);
    f->state = FLIGHT_NONE;
    flight_clear(k, s);
}

/* No longer wanted. A lease that is being asked for is given back when it comes. */
void
keeper_flight_cancel(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    if (f->state == FLIGHT_NONE)
        return;
    if (f->state == FLIGHT_LEASE && f->call.id != 0) {
        f->cancelled = true;
        return;
    }
    keeper_flight_end(k, s);
}

/* --- steps ------------------------------------------------------------------------------------ */

void
keeper_flight_lease(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct store_call c = {.op = STORE_LEASE, .ttl = lease_ttl(k, s)};

    keeper_flight_set(k, s, FLIGHT_LEASE);
    f->epoch = 0;
    f->unknown = false;
    keeper_call_store(k, s, &f->call, CALL_FLIGHT, &c);
}

void
keeper_flight_rest(struct keeper *k, struct sandbox *s, enum flight_state then, usec_t delay)
{
    struct flight *f = &s->flight;

    keeper_flight_set(k, s, FLIGHT_REST);
    f->after_rest = then;
    f->next = usec_add(k->now, delay);
}

void
keeper_flight_held(struct keeper *k, struct sandbox *s, usec_t lease_for)
{
    struct flight *f = &s->flight;
    usec_t over = lease_for + USEC_MS + keeper_jitter(k, 50 * USEC_MS);

    if (f->intent == INTENT_PAUSE) { /* somebody is waking it */
        keeper_flight_end(k, s);
        keeper_pause_later(k, s);
        return;
    }
    if (f->state != FLIGHT_HELD)
        keeper_flight_set(k, s, FLIGHT_HELD);
    f->epoch = 0;
    f->unknown = false;
    f->next = k->now + usec_min(over, HELD_POLL);
    if (s->state == SANDBOX_PAUSED)
        keeper_move(k, s, SANDBOX_RESUMING);
}

void
keeper_flight_settle(struct keeper *k, struct sandbox *s, usec_t delay)
{
    struct flight *f = &s->flight;

    if (f->state != FLIGHT_SETTLE) {
        f->backoff = 0;
        keeper_flight_set(k, s, FLIGHT_SETTLE);
    }
    if (delay <= 0)
        delay = flight_backoff(f, SETTLE_FIRST, SETTLE_MOST, random_u64(&k->random));
    f->next = k->now + usec_min(delay, SETTLE_MOST);
}

void
keeper_flight_publish(struct keeper *k, struct sandbox *s, const struct record *r)
{
    struct flight *f = &s->flight;
    struct store_call c = {.op = STORE_PUBLISH, .epoch = f->epoch};

    record_fini(&f->outcome);
    f->has_outcome = record_copy(&f->outcome, r) == 0;
    c.record = &f->outcome;
    keeper_flight_set(k, s, FLIGHT_PUBLISH);
    keeper_call_store(k, s, &f->call, CALL_FLIGHT, &c);
}

static void
call_platform(struct keeper *k, struct sandbox *s)
{
    if (!flight_leased(&s->flight, k->now))
        keeper_flight_lease(k, s);
    else if (s->flight.intent == INTENT_WAKE)
        keeper_wake_call(k, s);
    else
        keeper_pause_call(k, s);
}

/* --- the store's answers ---------------------------------------------------------------------- */

static void
store_failed(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    if (f->intent == INTENT_PAUSE) {
        keeper_flight_end(k, s);
        keeper_pause_later(k, s);
        return;
    }
    f->why = REASON_STATE_UNAVAILABLE;
    if (++f->store_tries >= STORE_TRIES || !keeper_wake_wanted(k, s)) {
        keeper_wake_fail(k, s, REASON_STATE_UNAVAILABLE, NEGATIVE_SHORT);
        return;
    }
    keeper_flight_rest(k, s, FLIGHT_LEASE,
                       flight_backoff(f, STORE_RETRY, STORE_RETRY_MOST, random_u64(&k->random)));
}

static void
on_leased(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    struct flight *f = &s->flight;
    struct store_call c = {.op = STORE_GET};
    usec_t ttl = lease_ttl(k, s);

    f->epoch = r->epoch;
    if (r->epoch > s->epoch)
        s->epoch = r->epoch;
    f->lease_until = f->call.sent + ttl;
    f->renew_at = k->now + ttl / 3;
    f->store_tries = 0;
    if (f->why == REASON_STATE_UNAVAILABLE)
        f->why = REASON_NONE;
    if (f->cancelled) {
        keeper_flight_end(k, s);
    } else if (!flight_leased(f, k->now)) {
        store_failed(k, s);
    } else if (f->intent == INTENT_PAUSE) {
        call_platform(k, s);
    } else {
        keeper_flight_set(k, s, FLIGHT_REREAD);
        keeper_call_store(k, s, &f->call, CALL_FLIGHT, &c);
    }
}

static void
on_lease(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    struct flight *f = &s->flight;

    if (r->status == STORE_OK)
        on_leased(k, s, r);
    else if (f->cancelled)
        keeper_flight_end(k, s);
    else if (r->status == STORE_HELD)
        keeper_flight_held(k, s, r->lease_for);
    else
        store_failed(k, s);
}

/* Read again under the lease: another gateway may have woken it just before. */
static void
on_reread(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    if (r->has_record) {
        keeper_learn(k, s, &r->record, FROM_STORE);
        if (s->flight.state != FLIGHT_REREAD)
            return; /* it runs, or was killed: the flight has ended */
    }
    call_platform(k, s);
}

static void
on_watched(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    struct flight *f = &s->flight;

    if (r->status != STORE_OK && r->status != STORE_NONE) {
        f->why = REASON_STATE_UNAVAILABLE;
        f->next = k->now + HELD_POLL;
        return;
    }
    f->why = REASON_NONE;
    if (r->lease_for > 0) {
        keeper_flight_held(k, s, r->lease_for);
        return;
    }
    if (r->has_record)
        keeper_learn(k, s, &r->record, FROM_STORE);
    if (f->state != FLIGHT_HELD)
        return;
    if (keeper_wake_wanted(k, s))
        keeper_flight_lease(k, s);
    else
        keeper_wake_fail(k, s, REASON_NONE, 0);
}

static void
on_published(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    struct flight *f = &s->flight;

    if (r->status == STORE_STALE && f->intent == INTENT_WAKE) {
        f->epoch = 0;
        keeper_flight_held(k, s, 0);
    } else if (f->intent == INTENT_WAKE) {
        keeper_wake_published(k, s);
    } else {
        keeper_pause_published(k, s);
    }
}

void
keeper_flight_on_store(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    switch (s->flight.state) {
    case FLIGHT_LEASE:
        on_lease(k, s, r);
        break;
    case FLIGHT_REREAD:
        on_reread(k, s, r);
        break;
    case FLIGHT_HELD:
        on_watched(k, s, r);
        break;
    case FLIGHT_PUBLISH:
        on_published(k, s, r);
        break;
    case FLIGHT_NONE:
    case FLIGHT_CALL:
    case FLIGHT_SETTLE:
    case FLIGHT_REST:
    case FLIGHT_STATE_COUNT:
        break;
    }
}

void
keeper_flight_on_driver(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    struct flight *f = &s->flight;

    if (f->state == FLIGHT_CALL && f->intent == INTENT_WAKE)
        keeper_wake_on_call(k, s, r);
    else if (f->state == FLIGHT_CALL)
        keeper_pause_on_call(k, s, r);
    else if (f->state == FLIGHT_SETTLE && f->intent == INTENT_WAKE)
        keeper_wake_on_settle(k, s, r);
    else if (f->state == FLIGHT_SETTLE)
        keeper_pause_on_settle(k, s, r);
}

/* --- keeping the lease ------------------------------------------------------------------------ */

static bool
renews(const struct flight *f)
{
    return f->epoch != 0 && !f->unknown && f->state != FLIGHT_NONE && f->state != FLIGHT_LEASE &&
           f->state != FLIGHT_HELD;
}

void
keeper_renew_on_store(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    struct flight *f = &s->flight;
    usec_t ttl = lease_ttl(k, s);

    if (!renews(f))
        return;
    if (r->status == STORE_OK) {
        f->lease_until = f->renew.sent + ttl;
        f->renew_at = k->now + ttl / 3;
    } else if (r->status == STORE_LOST || r->status == STORE_STALE) {
        f->lease_until = k->now;
        f->renew_at = USEC_NEVER;
    } else {
        f->renew_at = k->now + ttl / 6;
    }
}

static void
renew_step(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct store_call c = {.op = STORE_RENEW, .epoch = f->epoch, .ttl = lease_ttl(k, s)};

    if (keeper_call_overdue(k, &f->renew)) {
        keeper_call_forget(k, &f->renew);
        f->renew_at = k->now + c.ttl / 6;
    }
    if (renews(f) && f->renew.id == 0 && k->now >= f->renew_at)
        keeper_call_store(k, s, &f->renew, CALL_RENEW, &c);
}

/* --- time ------------------------------------------------------------------------------------- */

/* A lease may be granted after we gave up: then it is given back at once. */
static void
watch_for_late_lease(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct slice key = {(const char *)&f->late.id, sizeof(f->late.id)};
    uint64_t id = f->call.id;

    keeper_call_forget(k, &f->late);
    keeper_call_forget(k, &f->call);
    f->late = (struct call){.id = id, .sandbox = s, .use = CALL_LATE, .sent = k->now};
    f->late.deadline = k->now + lease_ttl(k, s);
    if (map_insert(&k->calls, &f->late.node, key) < 0)
        f->late.id = 0;
}

static void
on_overdue(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct store_result store = {.status = STORE_DOWN};
    struct driver_result driver = {.outcome = OUTCOME_UNKNOWN};

    if (f->state == FLIGHT_LEASE)
        watch_for_late_lease(k, s);
    else
        keeper_call_forget(k, &f->call);
    if (f->state == FLIGHT_CALL || f->state == FLIGHT_SETTLE)
        keeper_flight_on_driver(k, s, &driver);
    else
        keeper_flight_on_store(k, s, &store);
}

static void
on_next(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct store_call get = {.op = STORE_GET};
    struct driver_call inspect = {.op = DRIVER_INSPECT};

    if (f->state == FLIGHT_HELD) {
        keeper_call_store(k, s, &f->call, CALL_FLIGHT, &get);
    } else if (f->state == FLIGHT_SETTLE) {
        inspect.deadline = usec_add(k->now, keeper_site(k, s->site)->inspect_timeout);
        keeper_call_driver(k, s, &f->call, CALL_FLIGHT, &inspect);
    } else if (f->intent == INTENT_WAKE && !keeper_wake_wanted(k, s)) {
        keeper_wake_fail(k, s, REASON_NONE, 0);
    } else if (f->after_rest == FLIGHT_CALL) {
        call_platform(k, s);
    } else if (f->intent == INTENT_WAKE && k->flights > k->o.wakes_in_flight && !f->called) {
        f->next = k->now + 50 * USEC_MS + keeper_jitter(k, 50 * USEC_MS);
    } else {
        keeper_flight_lease(k, s);
    }
}

static bool
waits_for_next(const struct flight *f)
{
    return f->call.id == 0 && (f->state == FLIGHT_HELD || f->state == FLIGHT_SETTLE ||
                               f->state == FLIGHT_REST);
}

void
keeper_flight_step(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    if (keeper_call_overdue(k, &f->late))
        keeper_call_forget(k, &f->late);
    if (keeper_call_overdue(k, &f->call))
        on_overdue(k, s);
    renew_step(k, s);
    if (waits_for_next(f) && k->now >= f->next)
        on_next(k, s);
}

usec_t
keeper_flight_due(const struct sandbox *s)
{
    const struct flight *f = &s->flight;
    usec_t due = USEC_NEVER;

    if (f->late.id != 0)
        due = f->late.deadline;
    if (f->call.id != 0)
        due = usec_min(due, f->call.deadline);
    if (waits_for_next(f))
        due = usec_min(due, f->next);
    if (f->renew.id != 0)
        due = usec_min(due, f->renew.deadline);
    else if (renews(f))
        due = usec_min(due, f->renew_at);
    return due;
}
