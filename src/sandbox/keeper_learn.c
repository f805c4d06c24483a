/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_learn.c: taking over what is heard of a sandbox, and the one place where its state
 * changes. Observations may jump anywhere, except out of killed; our own moves follow the table.
 * Every change of state, address or generation mints a route_version, which voids what workers and
 * ports know.
 */
#include "config.h"

#include "sandbox/keeper_priv.h"

#include <string.h>

/* Codes of RFC 6455 section 7.4.1. */
#define CLOSE_GOING_AWAY 1001

/* --- versions --------------------------------------------------------------------------------- */

void
keeper_new_version(struct keeper *k, struct sandbox *s, bool quiesce)
{
    s->version = ++k->versions;
    s->doubted = false;
    s->recheck = true;
    keeper_unqueue_all(s);
    list_each(n, &s->pairs)
        pair_reset(container_of(n, struct pair, link));
    for (unsigned i = 0; i < k->o.workers; i++) {
        struct mail m = {.kind = quiesce ? MAIL_QUIESCE : MAIL_STATE};

        if (!workers_has(&s->know, i))
            continue;
        if (!quiesce) {
            m.u.state.key = s->key;
            m.u.state.incarnation = s->state == SANDBOX_RUNNING ? s->incarnation : 0;
        }
        keeper_post(k, s, i, &m);
    }
}

void
keeper_close_streams(struct keeper *k, struct sandbox *s, unsigned worker, enum reason why)
{
    struct mail m = {.kind = MAIL_CLOSE_STREAMS};

    m.u.close.code = CLOSE_GOING_AWAY;
    m.u.close.why = why;
    if (workers_has(&s->know, worker))
        keeper_post(k, s, worker, &m);
}

static void
close_streams(struct keeper *k, struct sandbox *s, enum reason why)
{
    for (unsigned i = 0; i < k->o.workers; i++)
        keeper_close_streams(k, s, i, why);
}

/* --- states ----------------------------------------------------------------------------------- */

void
keeper_move(struct keeper *k, struct sandbox *s, enum sandbox_state to)
{
    if (!sandbox_may_move(s->state, to)) {
        metric_add(k->o.metrics, METRIC_ILLEGAL_MOVES, 1);
        log_event(k->o.log, LOG_ERROR, "illegal_move", "%s: %s to %s", s->key.id,
                  sandbox_state_name(s->state), sandbox_state_name(to));
    }
    s->state = to;
}

static void
on_killed(struct keeper *k, struct sandbox *s)
{
    s->lives++;
    s->no = REASON_SANDBOX_GONE;
    s->no_until = k->now + NEGATIVE_KILLED;
    close_streams(k, s, REASON_SANDBOX_GONE);
    keeper_refuse_all(k, s, REASON_SANDBOX_GONE, 0);
    keeper_errands_end(k, s, false, REASON_SANDBOX_GONE);
    keeper_errands_end(k, s, true, REASON_SANDBOX_GONE);
    keeper_story(k, s, STORY_GONE, 0, 0, 0, REASON_SANDBOX_GONE);
}

static void
on_failed(struct keeper *k, struct sandbox *s)
{
    s->no = REASON_RESUME_FAILED;
    s->no_until = k->now + NEGATIVE;
    keeper_refuse_all(k, s, REASON_RESUME_FAILED, 0);
    keeper_errands_end(k, s, false, REASON_RESUME_FAILED);
}

static void
on_running(struct keeper *k, struct sandbox *s, enum sandbox_state from)
{
    s->incarnation = ++k->incarnations;
    s->asleep_for_sure = false;
    s->no = REASON_NONE;
    idle_touch(&s->idle, k->now);
    if (from != SANDBOX_RUNNING)
        s->running_at = from == SANDBOX_UNKNOWN ? NEVER_BEFORE : k->now;
}

/* An observation's state becomes ours. */
static void
enter(struct keeper *k, struct sandbox *s, enum sandbox_state to, bool differs)
{
    enum sandbox_state from = s->state;
    bool handshake = to == SANDBOX_PAUSING || to == SANDBOX_SNAPSHOTTING;
    bool unannounced = from == SANDBOX_RUNNING && to == SANDBOX_PAUSED;

    if (from == to && !differs)
        return;
    if (s->quiesce.asking)
        quiesce_end(&s->quiesce);
    s->state = to;
    if (to == SANDBOX_RUNNING)
        on_running(k, s, from);
    if (unannounced)
        keeper_story(k, s, STORY_ASLEEP, 0, 0, 0, REASON_NONE);
    keeper_new_version(k, s, handshake);
    if (handshake || unannounced)
        close_streams(k, s, REASON_SANDBOX_PAUSED);
    else if (to == SANDBOX_KILLED)
        on_killed(k, s);
    else if (to == SANDBOX_FAILED)
        on_failed(k, s);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool
same_generation(const struct sandbox *s, const struct record *r)
{
    return r->generation.n == 0 || name_eq(&s->record.generation, &r->generation);
}

/* Both say who they are, and it is somebody else. */
static bool
other_instance(const struct sandbox *s, const struct record *r)
{
    return s->known && s->record.instance.n > 0 && r->instance.n > 0 &&
           !name_eq(&s->record.instance, &r->instance);
}

/* Out of killed only a new instance leads; a platform that names none may say so by a generation,
 * or simply again, once the negative memory is over. */
static bool
reborn(const struct keeper *k, const struct sandbox *s, const struct record *r, enum origin from)
{
    if (r->state == SANDBOX_KILLED)
        return false;
    if (r->instance.n > 0 || s->record.instance.n > 0)
        return other_instance(s, r);
    if (r->generation.n > 0)
        return !same_generation(s, r);
    return from == FROM_PLATFORM && k->now >= s->no_until;
}

static bool
believable(const struct keeper *k, const struct sandbox *s, const struct record *r,
           enum origin from)
{
    if (s->state == SANDBOX_KILLED)
        return reborn(k, s, r, from);
    if (from >= FROM_PLATFORM)
        return true;
    if (sandbox_is_older(s, r))
        return false;
    /* Perhaps a "running" from before the sleep. */
    return !(r->state == SANDBOX_RUNNING && s->asleep_for_sure && same_generation(s, r));
}

static bool
flight_steps_aside(const struct flight *f)
{
    return f->state == FLIGHT_LEASE || f->state == FLIGHT_HELD || f->state == FLIGHT_REREAD ||
           (f->state == FLIGHT_REST && !f->called);
}

/* What a record says of the state, seen against what we have under way ourselves. */
static enum sandbox_state
effective(struct keeper *k, struct sandbox *s, const struct record *r, enum origin from)
{
    struct flight *f = &s->flight;

    if (r->state == SANDBOX_KILLED)
        return SANDBOX_KILLED;
    /* "resuming" is a live lease, never a word that somebody left in the store. */
    if (from == FROM_STORE && r->state == SANDBOX_RESUMING)
        return s->known ? s->state : SANDBOX_UNKNOWN;
    if (r->state == SANDBOX_RUNNING && from != FROM_CALL && k->now < s->loose_until)
        return f->state == FLIGHT_NONE || f->cancelled ? SANDBOX_PAUSED : s->state;
    if (f->state == FLIGHT_NONE || f->cancelled)
        return r->state;
    if (f->intent == INTENT_WAKE && r->state == SANDBOX_RUNNING && flight_steps_aside(f)) {
        keeper_flight_cancel(k, s);
        return SANDBOX_RUNNING;
    }
    return s->state;
}

/* A stored record may be of any age; but for one that another gateway has just published. */
static void
keep(struct keeper *k, struct sandbox *s, const struct record *r, bool fresh)
{
    struct record copy;

    if (record_copy(&copy, r) < 0) {
        /* Nobody is let in by half a record, which asks for no token: it is looked up again. */
        log_event(k->o.log, LOG_ERROR, "out_of_memory", "record of %s", s->key.id);
        s->known = false;
        return;
    }
    record_fini(&s->record);
    s->record = copy;
    s->known = true;
    if (fresh)
        s->known_at = k->now;
}

/* It may have been woken elsewhere, in the same generation: the platform knows. */
static void
doubt(struct sandbox *s, const struct record *r, enum origin from)
{
    if (from == FROM_NEWS && r->state == SANDBOX_RUNNING && s->asleep_for_sure)
        keeper_look_want(s, true, false);
}

bool
keeper_learn(struct keeper *k, struct sandbox *s, const struct record *r, enum origin from)
{
    bool differs, replaced, fresh;
    enum sandbox_state to;

    if (!believable(k, s, r, from)) {
        doubt(s, r, from);
        return false;
    }
    fresh = from != FROM_STORE || s->flight.state == FLIGHT_HELD;
    replaced = other_instance(s, r);
    differs = !s->known || sandbox_route_differs(&s->record, r);
    to = effective(k, s, r, from);
    if (to == r->state && to != SANDBOX_KILLED && to != SANDBOX_FAILED)
        s->no = REASON_NONE;
    keep(k, s, r, fresh);
    if (replaced || (s->state == SANDBOX_KILLED && to != SANDBOX_KILLED)) {
        s->lives++;
        keeper_refuse_all(k, s, REASON_SANDBOX_REPLACED, 0);
    }
    if (to == SANDBOX_KILLED)
        keeper_flight_cancel(k, s);
    enter(k, s, to, differs);
    if (to == SANDBOX_PAUSED && from != FROM_STORE)
        s->asleep_for_sure = true;
    /* Before anybody goes there the platform confirms it. */
    s->doubted |= to == SANDBOX_RUNNING && !fresh;
    s->recheck = true;
    return true;
}

void
keeper_forget_all(struct keeper *k, struct sandbox *s)
{
    keeper_flight_cancel(k, s);
    quiesce_end(&s->quiesce);
    record_fini(&s->record);
    record_init(&s->record);
    s->known = false;
    s->asleep_for_sure = false;
    s->no = REASON_NONE;
    s->state = SANDBOX_UNKNOWN;
    keeper_new_version(k, s, false);
}
