/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel.c: one turn of WHEEL_SLOTS ticks. A timer stands in the slot of the tick by which it is
 * due, or in the last slot of the turn when it is due later than that; whoever finds it there
 * too early puts it on again. `occupied` has a bit for each slot that is not empty, so that
 * neither advancing nor looking for the next moment walks empty slots.
 */
#include "config.h"

#include "base/wheel.h"

#include <stddef.h>

#define WORDS (WHEEL_SLOTS / 64)

void
wheel_init(struct wheel *w, usec_t tick, usec_t now)
{
    ensure(tick > 0 && now >= 0);
    *w = (struct wheel){.tick = tick, .at = now - now % tick};
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        list_init(&w->slot[i]);
}

void
wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *))
{
    *t = (struct wheel_timer){.deadline = USEC_NEVER, .slot_at = USEC_NEVER, .fire = fire};
    list_init(&t->link);
}

static size_t
slot_number(const struct wheel *w, usec_t slot_at)
{
    return (size_t)(slot_at / w->tick) % WHEEL_SLOTS;
}

/* The tick at which a timer due then is looked at: never early, never the one being advanced to. */
static usec_t
place_for(const struct wheel *w, usec_t deadline)
{
    usec_t farthest = usec_add(w->at, (WHEEL_SLOTS - 1) * w->tick);

    if (deadline >= farthest)
        return farthest;
    if (deadline <= w->at + w->tick)
        return w->at + w->tick;
    return (deadline + w->tick - 1) / w->tick * w->tick;
}

static void
put(struct wheel *w, struct wheel_timer *t, usec_t place)
{
    size_t i = slot_number(w, place);

    t->slot_at = place;
    list_push_back(&w->slot[i], &t->link);
    w->occupied[i / 64] |= UINT64_C(1) << i % 64;
}

static void
lift(struct wheel *w, struct wheel_timer *t)
{
    size_t i = slot_number(w, t->slot_at);

    list_unlink(&t->link);
    if (list_empty(&w->slot[i]))
        w->occupied[i / 64] &= ~(UINT64_C(1) << i % 64);
}

void
wheel_set(struct wheel *w, struct wheel_timer *t, usec_t deadline)
{
    if (deadline == USEC_NEVER) {
        wheel_cancel(w, t);
        return;
    }
    bool armed = t->deadline != USEC_NEVER;
    t->deadline = deadline;
    if (armed && deadline >= t->slot_at)
        return;

    usec_t place = place_for(w, deadline);
    if (armed) {
        if (place >= t->slot_at)
            return;
        lift(w, t);
    } else {
        w->armed++;
    }
    put(w, t, place);
}

void
wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
    if (t->deadline == USEC_NEVER)
        return;
    t->deadline = USEC_NEVER;
    lift(w, t);
    w->armed--;
}

/* Fires or re-queues what stands in one slot; w->at is already the tick of now. */
static void
visit(struct wheel *w, size_t i, usec_t now)
{
    struct list due, *link;

    list_init(&due);
    list_splice_back(&due, &w->slot[i]);
    w->occupied[i / 64] &= ~(UINT64_C(1) << i % 64);
    while ((link = list_pop_front(&due)) != NULL) {
        struct wheel_timer *t = container_of(link, struct wheel_timer, link);
        /* Not due; or put here by a callback of this very pass, for the next. */
        if (t->deadline > now || t->slot_at > w->at) {
            put(w, t, place_for(w, t->deadline));
        } else {
            t->deadline = USEC_NEVER;
            w->armed--;
            t->fire(t);
        }
    }
}

/* The first occupied slot among `count` slots from `from` on, as a distance; count when none is. */
static size_t
next_occupied(const struct wheel *w, size_t from, size_t count)
{
    size_t done = 0;

    while (done < count) {
        size_t i = (from + done) % WHEEL_SLOTS;
        uint64_t word = w->occupied[i / 64] >> i % 64;
        if (word != 0) {
            done += (size_t)__builtin_ctzll(word);
            return done < count ? done : count;
        }
        done += 64 - i % 64;
    }
    return count;
}

void
wheel_advance(struct wheel *w, usec_t now)
{
    if (now < w->at + w->tick)
        return;

    usec_t ticks = (now - w->at) / w->tick;
    size_t left = ticks < WHEEL_SLOTS ? (size_t)ticks : WHEEL_SLOTS;
    size_t i = slot_number(w, w->at) + 1;

    w->at += ticks * w->tick;
    while (left > 0 && w->armed > 0) {
        size_t skip = next_occupied(w, i, left);
        if (skip == left)
            break;
        i += skip;
        visit(w, i % WHEEL_SLOTS, now);
        i++;
        left -= skip + 1;
    }
}

usec_t
wheel_next(const struct wheel *w)
{
    if (w->armed == 0)
        return USEC_NEVER;

    size_t skip = next_occupied(w, slot_number(w, w->at) + 1, WHEEL_SLOTS);
    return w->at + (usec_t)(skip + 1) * w->tick;
}
