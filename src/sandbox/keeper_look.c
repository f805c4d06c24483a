/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_look.c: finding out how a sandbox is: the store first, then the platform; only the
 * platform when its word is needed (a refused connect, a request without an answer, a stale
 * record). One look at a time, joined by all; and the slow poll of what is in motion without our
 * doing.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#define LOOK_TRIES 3
#define LOOK_EVERY (100 * USEC_MS) /* between two inspects of one sandbox */
#define LOOK_RETRY (100 * USEC_MS)
#define LOOK_HURRY USEC_SEC /* for a look that nobody's verdict depends on but its own */
#define SUSPECT_EVERY (10 * USEC_SEC)
#define POLL_FIRST (100 * USEC_MS)
#define POLL_MOST USEC_SEC
#define GLANCE_EVERY USEC_SEC

void
keeper_look_want(struct sandbox *s, bool truth, bool patient)
{
    s->look.wanted = true;
    s->look.truth_wanted |= truth;
    s->look.patient |= patient;
}

void
keeper_look_suspect(struct keeper *k, struct sandbox *s)
{
    if (k->now - s->suspected_at < SUSPECT_EVERY) {
        s->look.suspect_at = s->suspected_at + SUSPECT_EVERY;
        return;
    }
    s->suspected_at = k->now;
    s->look.suspect_at = USEC_NEVER;
    keeper_look_want(s, true, true);
}

static void
start_inspect(struct keeper *k, struct sandbox *s)
{
    struct look *l = &s->look;
    usec_t timeout = keeper_site(k, s->site)->inspect_timeout;
    struct driver_call c = {.op = DRIVER_INSPECT};

    if (s->state == SANDBOX_RUNNING && !l->patient)
        timeout = usec_min(timeout, LOOK_HURRY);
    l->state = LOOK_INSPECT;
    l->truth_wanted = false;
    l->patient = false;
    l->wanted = false;
    l->started++;
    c.deadline = usec_add(k->now, timeout);
    keeper_call_driver(k, s, &l->call, CALL_LOOK, &c);
}

static void
start(struct keeper *k, struct sandbox *s)
{
    struct store_call c = {.op = STORE_GET};

    s->look.tries = 0;
    if (s->look.truth_wanted) {
        start_inspect(k, s);
        return;
    }
    s->look.state = LOOK_GET;
    s->look.wanted = false;
    keeper_call_store(k, s, &s->look.call, CALL_LOOK, &c);
}

static void
ended(struct keeper *k, struct sandbox *s, bool failed)
{
    struct look *l = &s->look;

    l->state = LOOK_NONE;
    l->finished = l->started;
    l->failed = failed;
    s->doubted = false;
    l->ended = k->now;
    l->next = k->now + LOOK_EVERY;
    s->recheck = true;
}

/* The platform did not say. What is known goes on to hold; who knows nothing has to be told so. */
static void
inspect_failed(struct keeper *k, struct sandbox *s)
{
    struct look *l = &s->look;

    l->tries++;
    if (s->state != SANDBOX_RUNNING && l->tries < LOOK_TRIES) {
        l->state = LOOK_REST;
        l->next = k->now + LOOK_RETRY * (1 << l->tries) + keeper_jitter(k, LOOK_RETRY);
        metric_add(k->o.metrics, METRIC_HOOK_RETRIES, 1);
        return;
    }
    ended(k, s, true);
    if (!s->known || s->state == SANDBOX_KILLED || s->state == SANDBOX_FAILED) {
        s->no = REASON_PLATFORM_UNREACHABLE;
        s->no_until = k->now + NEGATIVE_SHORT;
        keeper_errands_end(k, s, false, s->no);
        keeper_errands_end(k, s, true, s->no);
    }
}

void
keeper_not_found(struct keeper *k, struct sandbox *s)
{
    keeper_forget_all(k, s);
    keeper_store_send(k, s, STORE_FORGET, 0, NULL);
    s->no = REASON_SANDBOX_NOT_FOUND;
    s->no_until = k->now + NEGATIVE;
    keeper_refuse_all(k, s, s->no, 0);
    keeper_errands_end(k, s, false, s->no);
    keeper_errands_end(k, s, true, s->no);
}

/* The platform says it was killed; it may not say more. */
void
keeper_killed(struct keeper *k, struct sandbox *s)
{
    struct record r;

    if (record_copy(&r, &s->record) < 0)
        return;
    r.state = SANDBOX_KILLED;
    keeper_learn(k, s, &r, FROM_PLATFORM);
    keeper_store_send(k, s, STORE_PUBLISH, 0, &r);
    record_fini(&r);
}

void
keeper_look_on_store(struct keeper *k, struct sandbox *s, const struct store_result *r)
{
    struct look *l = &s->look;

    if (l->state != LOOK_GET)
        return;
    l->store_down = r->status != STORE_OK && r->status != STORE_NONE;
    if (r->epoch > s->epoch)
        s->epoch = r->epoch;
    if (r->has_record)
        keeper_learn(k, s, &r->record, FROM_STORE);
    if (!s->known || s->state == SANDBOX_UNKNOWN || l->truth_wanted) {
        start_inspect(k, s);
        return;
    }
    l->state = LOOK_NONE;
    s->recheck = true;
}

void
keeper_look_on_driver(struct keeper *k, struct sandbox *s, const struct driver_result *r)
{
    if (s->look.state != LOOK_INSPECT)
        return;
    switch (r->outcome) {
    case OUTCOME_RUNNING:
        if (!r->has_record) {
            inspect_failed(k, s);
            return;
        }
        ended(k, s, false);
        /* Our own flight knows better what goes on, and publishes under its epoch. */
        if (keeper_learn(k, s, &r->record, FROM_PLATFORM) && s->flight.state == FLIGHT_NONE)
            keeper_store_send(k, s, STORE_PUBLISH, 0, &r->record);
        return;
    case OUTCOME_NOT_FOUND:
        ended(k, s, false);
        keeper_not_found(k, s);
        return;
    case OUTCOME_GONE:
        ended(k, s, false);
        keeper_killed(k, s);
        return;
    case OUTCOME_PENDING:
    case OUTCOME_CONFLICT:
    case OUTCOME_DISABLED:
    case OUTCOME_DENIED:
    case OUTCOME_CAPACITY:
    case OUTCOME_STALE_EPOCH:
    case OUTCOME_FAILED:
    case OUTCOME_UNREACHABLE:
    case OUTCOME_UNKNOWN:
    case OUTCOMES:
        break;
    }
    inspect_failed(k, s);
}

/* Does it move without our doing, so that only looking tells when it has arrived? */
static bool
in_motion(const struct sandbox *s)
{
    if (s->flight.state != FLIGHT_NONE || s->quiesce.asking)
        return false;
    if (s->state == SANDBOX_PAUSING || s->state == SANDBOX_SNAPSHOTTING)
        return true;
    return s->known && (s->held_n > 0 || !list_empty(&s->errands)) &&
           (s->state == SANDBOX_STARTING || s->state == SANDBOX_RESUMING ||
            s->state == SANDBOX_UNKNOWN);
}

static void
poll(struct keeper *k, struct sandbox *s)
{
    struct look *l = &s->look;

    if (!in_motion(s)) {
        l->poll = 0;
        return;
    }
    if (l->state != LOOK_NONE || l->truth_wanted)
        return;
    l->poll = l->poll == 0 ? POLL_FIRST : usec_min(POLL_MOST, l->poll * 2);
    l->next = usec_max(l->next, k->now + l->poll + keeper_jitter(k, l->poll / 4));
    keeper_look_want(s, true, true);
}

/*
 * When to have a look because a port is late that is being probed: its sandbox may have moved, or
 * sleep again, and nobody said so. Every second at first, less often as time passes.
 */
static usec_t
glance_due(const struct sandbox *s)
{
    const struct look *l = &s->look;

    if (s->state != SANDBOX_RUNNING || l->state != LOOK_NONE || l->truth_wanted)
        return USEC_NEVER;
    list_each(n, &s->pairs) {
        const struct pair *p = container_of(n, struct pair, link);

        if (!p->proven && p->since != 0 && (p->queued > 0 || p->out > 0))
            return usec_max(p->since, l->ended) +
                   usec_max(GLANCE_EVERY, (l->ended - p->since) / 4);
    }
    return USEC_NEVER;
}

void
keeper_look_step(struct keeper *k, struct sandbox *s)
{
    struct look *l = &s->look;

    if (keeper_call_overdue(k, &l->call)) {
        keeper_call_forget(k, &l->call);
        if (l->state == LOOK_GET) {
            l->store_down = true;
            start_inspect(k, s);
        } else {
            inspect_failed(k, s);
        }
    }
    if (k->now >= l->suspect_at) {
        l->suspect_at = USEC_NEVER;
        s->recheck = s->held_n > 0;
    }
    poll(k, s);
    if (k->now >= glance_due(s))
        keeper_look_want(s, true, false);
    if (l->state == LOOK_REST && k->now >= l->next)
        start_inspect(k, s);
    else if (l->state == LOOK_NONE && (l->wanted || l->truth_wanted) && k->now >= l->next)
        start(k, s);
}

usec_t
keeper_look_due(const struct sandbox *s)
{
    const struct look *l = &s->look;

    if (l->call.id != 0)
        return usec_min(l->call.deadline, l->suspect_at);
    if (l->state == LOOK_REST || l->wanted || l->truth_wanted)
        return usec_min(l->next, l->suspect_at);
    return usec_min(l->suspect_at, glance_due(s));
}
