/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_pause.c: our own way into a pause (DESIGN section 5): idle or asked for, the handshake
 * with the workers, the platform's call under a lease, what its answers mean. Never under a request
 * that is being relayed: whatever is in flight, or comes before the call, aborts it, or is waited
 * for when somebody asked for the pause.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

/* How late a pause is thought to be executed whose answer never came. */
#define LOOSE_FOR (60 * USEC_SEC)
#define PAUSE_AGAIN (500 * USEC_MS)

static bool
asked_for(const struct sandbox *s)
{
    list_each(n, &s->errands) {
        if (container_of(n, struct errand, link)->pause)
            return true;
    }
    return false;
}

static bool
flight_is_pause(const struct sandbox *s)
{
    return s->flight.state != FLIGHT_NONE && s->flight.intent == INTENT_PAUSE &&
           !s->flight.cancelled;
}

/* On our own way into a pause, and the platform does not know it yet. */
static bool
retractable(const struct sandbox *s)
{
    if (s->state != SANDBOX_PAUSING)
        return false;
    return s->quiesce.asking || (flight_is_pause(s) && !s->flight.called);
}

/* --- beginning, giving up --------------------------------------------------------------------- */

static void
begin(struct keeper *k, struct sandbox *s)
{
    keeper_move(k, s, SANDBOX_PAUSING);
    keeper_new_version(k, s, true);
    quiesce_begin(&s->quiesce, &s->know, s->version, asked_for(s), k->now + QUIESCE_TIMEOUT);
    keeper_story(k, s, STORY_PAUSING, 0, idle_for(&s->idle, k->now), 0, REASON_NONE);
}

void
keeper_pause_abort(struct keeper *k, struct sandbox *s)
{
    quiesce_end(&s->quiesce);
    if (flight_is_pause(s))
        keeper_flight_cancel(k, s);
    if (s->state != SANDBOX_PAUSING)
        return;
    keeper_move(k, s, SANDBOX_RUNNING);
    keeper_new_version(k, s, false);
    idle_touch(&s->idle, k->now);
    metric_add(k->o.metrics, METRIC_PAUSES_ABORTED, 1);
    keeper_story(k, s, STORY_PAUSE_ABORTED, 0, 0, 0, REASON_NONE);
}

void
keeper_pause_later(struct keeper *k, struct sandbox *s)
{
    keeper_pause_abort(k, s);
    s->no_pause_before = k->now + PAUSE_AGAIN + keeper_jitter(k, PAUSE_AGAIN);
}

void
keeper_pause_disturb(struct keeper *k, struct sandbox *s)
{
    if (retractable(s) && !asked_for(s))
        keeper_pause_abort(k, s);
}

static bool
may_begin(const struct sandbox *s)
{
    return s->state == SANDBOX_RUNNING && s->flight.state == FLIGHT_NONE && !s->quiesce.asking &&
           s->held_n == 0 && s->out == 0 && s->look.call.id == 0;
}

/* --- the call --------------------------------------------------------------------------------- */

void
keeper_pause_call(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct driver_call c = {.op = DRIVER_PAUSE, .epoch = f->epoch, .klass = CLASS_OTHER};

    ensure(s->state == SANDBOX_PAUSING);
    keeper_flight_set(k, s, FLIGHT_CALL);
    f->called = true;
    f->called_at = k->now;
    s->pauses++;
    c.attempt_of = k->call_ids + 1;
    c.generation = s->record.generation;
    c.reason = asked_for(s) ? "asked" : "idle";
    c.deadline = usec_add(k->now, keeper_site(k, s->site)->resume_timeout);
    metric_add(k->o.metrics, METRIC_PAUSES, 1);
    keeper_call_driver(k, s, &f->call, CALL_FLIGHT, &c);
}

static void
asleep(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    struct record made;

    if (r->has_record && r->record.state == SANDBOX_PAUSED) {
        keeper_flight_publish(k, s, &r->record);
        return;
    }
    if (r->has_record) {
        keeper_flight_settle(k, s, 0);
        return;
    }
    if (record_copy(&made, &s->record) < 0) {
        keeper_flight_settle(k, s, 0);
        return;
    }
    made.state = SANDBOX_PAUSED;
    keeper_flight_publish(k, s, &made);
    record_fini(&made);
}

/* The platform said a plain no: it runs on, as far as it goes; a look will tell. */
static void
refused(struct keeper *k, struct sandbox *s, enum reason r)
{
    keeper_flight_end(k, s);
    keeper_pause_abort(k, s);
    keeper_look_want(s, true, false);
    keeper_errands_end(k, s, true, r);
}

/* Nobody knows whether it sleeps, or will in a moment. Whoever needs it leads a wake: its higher
 * epoch puts an end to the pause. */
static void
assume_asleep(struct keeper *k, struct sandbox *s)
{
    s->flight.unknown = false;
    s->loose_until = k->now + LOOSE_FOR;
    keeper_flight_end(k, s);
    if (s->state == SANDBOX_PAUSING)
        keeper_move(k, s, SANDBOX_PAUSED);
    s->asleep_for_sure = true;
    keeper_new_version(k, s, false);
    keeper_errands_end(k, s, true, REASON_PLATFORM_UNREACHABLE);
}

static void
nobody_knows(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;

    f->unknown = true;
    if (s->held_n > 0 || k->now >= f->lease_until)
        assume_asleep(k, s);
    else
        keeper_flight_settle(k, s, 0);
}

void
keeper_pause_on_call(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    switch (r->outcome) {
    case OUTCOME_RUNNING:
        asleep(k, s, r);
        return;
    case OUTCOME_PENDING:
        keeper_flight_settle(k, s, r->retry_after);
        return;
    case OUTCOME_NOT_FOUND:
        keeper_not_found(k, s);
        return;
    case OUTCOME_GONE:
        keeper_killed(k, s);
        return;
    case OUTCOME_UNKNOWN:
        nobody_knows(k, s);
        return;
    case OUTCOME_UNREACHABLE:
        refused(k, s, REASON_PLATFORM_UNREACHABLE);
        return;
    case OUTCOME_CONFLICT:
    case OUTCOME_DISABLED:
    case OUTCOME_DENIED:
    case OUTCOME_CAPACITY:
    case OUTCOME_STALE_EPOCH:
    case OUTCOME_FAILED:
    case OUTCOMES:
        break;
    }
    refused(k, s, REASON_RESUME_FAILED);
}

void
keeper_pause_on_settle(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    struct flight *f = &s->flight;
    bool moving;

    if (r->outcome == OUTCOME_NOT_FOUND) {
        keeper_not_found(k, s);
        return;
    }
    if (r->outcome == OUTCOME_GONE || (r->has_record && r->record.state == SANDBOX_KILLED)) {
        keeper_killed(k, s);
        return;
    }
    if (r->has_record && r->record.state == SANDBOX_PAUSED) {
        keeper_flight_publish(k, s, &r->record);
        return;
    }
    moving = r->has_record && (r->record.state == SANDBOX_PAUSING ||
                               r->record.state == SANDBOX_SNAPSHOTTING);
    if (!moving && (f->unknown ||
                    k->now - f->called_at > keeper_site(k, s->site)->resume_timeout))
        nobody_knows(k, s);
    else
        keeper_flight_settle(k, s, 0);
}

void
keeper_pause_published(struct keeper *k, struct sandbox *s)
{
    struct flight *f = &s->flight;
    struct record r;

    if (!f->has_outcome) {
        assume_asleep(k, s);
        return;
    }
    r = f->outcome;
    record_init(&f->outcome);
    keeper_flight_end(k, s);
    keeper_learn(k, s, &r, FROM_CALL);
    record_fini(&r);
    keeper_story(k, s, STORY_PAUSED, 0, k->now - f->called_at, 0, REASON_NONE);
    keeper_errands_end(k, s, true, REASON_NONE);
}

/* --- time ------------------------------------------------------------------------------------- */

static void
handshake(struct keeper *k, struct sandbox *s)
{
    struct quiesce *q = &s->quiesce;

    if (quiesce_disturbed(q)) {
        keeper_pause_abort(k, s);
    } else if (quiesce_calm(q)) {
        quiesce_end(q);
        keeper_flight_begin(k, s, INTENT_PAUSE);
    } else if (k->now >= q->deadline && !workers_none(&q->asked)) {
        keeper_pause_abort(k, s);
        keeper_errands_end(k, s, true, REASON_SANDBOX_BUSY);
    }
}

/* The sandbox's own time goes before its site's. */
static usec_t
idle_at(const struct keeper *k, const struct sandbox *s)
{
    usec_t own = s->record.idle;

    return idle_due(&s->idle, own != 0 ? own : keeper_site(k, s->site)->pause_after);
}

/* When a pause is due, as far as nothing stands against it. */
static usec_t
due_at(const struct keeper *k, const struct sandbox *s)
{
    return usec_max(s->no_pause_before, asked_for(s) ? 0 : idle_at(k, s));
}

void
keeper_pause_step(struct keeper *k, struct sandbox *s)
{
    if (s->quiesce.asking)
        handshake(k, s);
    else if (flight_is_pause(s) && s->flight.state == FLIGHT_SETTLE && s->flight.unknown &&
             s->held_n > 0)
        assume_asleep(k, s);
    else if (may_begin(s) && k->now >= due_at(k, s))
        begin(k, s);
}

usec_t
keeper_pause_due(const struct keeper *k, const struct sandbox *s)
{
    if (s->quiesce.asking)
        return workers_none(&s->quiesce.asked) ? USEC_NEVER : s->quiesce.deadline;
    return may_begin(s) ? due_at(k, s) : USEC_NEVER;
}
