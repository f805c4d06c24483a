/* SPDX-License-Identifier: BSD-2-Clause */
/* The lazy wheel: never early, late by a tick at most, moving later costs nothing. */
#include "config.h"

#include "base/wheel.h"

#include "base/random.h"
#include "unit.h"

#define TICK ((usec_t)1000)

struct timer {
    struct wheel_timer t;
    struct wheel *wheel;
    unsigned fired;
    usec_t due; /* what the model knows */
    void (*then)(struct timer *);
    struct timer *other;
};

static void
on_fire(struct wheel_timer *t)
{
    struct timer *timer = container_of(t, struct timer, t);

    timer->fired++;
    assert_true(t->deadline == USEC_NEVER);
    if (timer->then)
        timer->then(timer);
}

static void
timer_init(struct timer *timer, struct wheel *w)
{
    *timer = (struct timer){.wheel = w, .due = USEC_NEVER};
    wheel_timer_init(&timer->t, on_fire);
}

static void
test_fires_once_and_not_early(void **state)
{
    static struct wheel w;
    struct timer a;

    (void)state;
    wheel_init(&w, TICK, 1234567);
    timer_init(&a, &w);
    assert_true(wheel_next(&w) == USEC_NEVER);
    wheel_set(&w, &a.t, 1240500);
    assert_int_equal(w.armed, 1);
    assert_true(wheel_next(&w) >= 1240500 && wheel_next(&w) <= 1240500 + TICK);
    wheel_advance(&w, 1240499);
    assert_int_equal(a.fired, 0);
    wheel_advance(&w, 1240500 + TICK);
    assert_int_equal(a.fired, 1);
    wheel_advance(&w, 1240500 + 5000 * TICK);
    assert_int_equal(a.fired, 1);
    assert_int_equal(w.armed, 0);
    assert_true(wheel_next(&w) == USEC_NEVER);
}

static void
test_past_deadline_fires_next_tick(void **state)
{
    static struct wheel w;
    struct timer a;

    (void)state;
    wheel_init(&w, TICK, 5000);
    timer_init(&a, &w);
    wheel_set(&w, &a.t, INT64_MIN);
    wheel_advance(&w, 5999);
    assert_int_equal(a.fired, 0);
    assert_int_equal(wheel_next(&w), 6000);
    wheel_advance(&w, 6000);
    assert_int_equal(a.fired, 1);
}

static void
test_later_does_not_relink(void **state)
{
    static struct wheel w;
    struct timer a;

    (void)state;
    wheel_init(&w, TICK, 0);
    timer_init(&a, &w);
    wheel_set(&w, &a.t, 10 * TICK);
    usec_t stands = a.t.slot_at;
    for (usec_t i = 11; i < 500; i++) {
        wheel_set(&w, &a.t, i * TICK);
        assert_int_equal(a.t.slot_at, stands);
    }
    wheel_advance(&w, 10 * TICK);
    assert_int_equal(a.fired, 0);
    assert_int_equal(a.t.slot_at, 499 * TICK);
    wheel_set(&w, &a.t, 20 * TICK);
    assert_int_equal(a.t.slot_at, 20 * TICK);
    wheel_advance(&w, 20 * TICK);
    assert_int_equal(a.fired, 1);
}

static void
test_beyond_one_turn(void **state)
{
    static struct wheel w;
    struct timer a;
    usec_t due = (10 * WHEEL_SLOTS + 7) * TICK;

    (void)state;
    wheel_init(&w, TICK, 0);
    timer_init(&a, &w);
    wheel_set(&w, &a.t, due);
    for (usec_t now = 0; now < due; now += 7 * TICK) {
        wheel_advance(&w, now);
        assert_int_equal(a.fired, 0);
        assert_true(wheel_next(&w) > now);
    }
    wheel_advance(&w, due);
    assert_int_equal(a.fired, 1);
    /* And in one jump. */
    wheel_set(&w, &a.t, due + 5000 * WHEEL_SLOTS * TICK);
    wheel_advance(&w, due + 5000 * WHEEL_SLOTS * TICK - 1);
    assert_int_equal(a.fired, 1);
    wheel_advance(&w, due + 5000 * WHEEL_SLOTS * TICK);
    assert_int_equal(a.fired, 2);
    wheel_set(&w, &a.t, USEC_NEVER - 1);
    wheel_advance(&w, due * 4096);
    assert_int_equal(a.fired, 2);
    wheel_cancel(&w, &a.t);
    wheel_cancel(&w, &a.t);
    assert_int_equal(w.armed, 0);
}

static void
then_cancel_other(struct timer *timer)
{
    wheel_cancel(timer->wheel, &timer->other->t);
}

static void
then_again(struct timer *timer)
{
    wheel_set(timer->wheel, &timer->t, 0);
}

static void
then_delay_other(struct timer *timer)
{
    wheel_set(timer->wheel, &timer->other->t, 100 * TICK);
}

static void
test_callbacks_may_do_anything(void **state)
{
    static struct wheel w;
    struct timer a, b;

    (void)state;
    wheel_init(&w, TICK, 0);
    timer_init(&a, &w);
    timer_init(&b, &w);
    a.other = &b;
    b.other = &a;
    a.then = b.then = then_cancel_other;
    wheel_set(&w, &a.t, 5 * TICK);
    wheel_set(&w, &b.t, 5 * TICK);
    wheel_advance(&w, 9 * TICK);
    assert_int_equal(a.fired + b.fired, 1);
    assert_int_equal(w.armed, 0);

    a.fired = b.fired = 0;
    a.then = then_again;
    wheel_set(&w, &a.t, 0);
    wheel_advance(&w, 5000 * TICK);
    assert_int_equal(a.fired, 1);
    wheel_advance(&w, 5001 * TICK);
    assert_int_equal(a.fired, 2);
    a.then = NULL;
    wheel_cancel(&w, &a.t);

    timer_init(&a, &w);
    timer_init(&b, &w);
    wheel_init(&w, TICK, 0);
    a.other = &b;
    a.then = then_delay_other;
    wheel_set(&w, &a.t, 5 * TICK);
    wheel_set(&w, &b.t, 5 * TICK);
    wheel_advance(&w, 6 * TICK);
    assert_int_equal(a.fired, 1);
    assert_int_equal(b.fired, 0);
    wheel_advance(&w, 100 * TICK);
    assert_int_equal(b.fired, 1);
}

#define TIMERS 100

/* Every timer that is due by a whole tick has fired; none has that is not due. */
static void
check_model(struct timer *timer, usec_t now, size_t armed)
{
    size_t due = 0;

    for (size_t i = 0; i < TIMERS; i++) {
        if (timer[i].fired > 0) {
            assert_true(timer[i].due <= now);
            timer[i].due = USEC_NEVER;
            timer[i].fired = 0;
        }
        assert_true(timer[i].due == timer[i].t.deadline);
        assert_true(timer[i].due == USEC_NEVER || timer[i].due > now - TICK);
        due += timer[i].due != USEC_NEVER;
    }
    assert_int_equal(due, armed);
}

static void
test_against_deadlines(void **state)
{
    static const usec_t reach[] = {3, 50, 2000, 40 * WHEEL_SLOTS};
    static struct timer timer[TIMERS];
    static struct wheel w;
    struct random r;
    usec_t now = 777;

    (void)state;
    random_seed(&r, 5);
    wheel_init(&w, TICK, now);
    for (size_t i = 0; i < TIMERS; i++)
        timer_init(&timer[i], &w);
    for (int step = 0; step < 100000; step++) {
        struct timer *t = &timer[random_below(&r, TIMERS)];
        uint64_t far = (uint64_t)(reach[random_below(&r, 4)] * TICK);
        switch (random_below(&r, 6)) {
        case 0:
            wheel_cancel(&w, &t->t);
            t->due = USEC_NEVER;
            break;
        case 1:
            now += (usec_t)random_below(&r, random_below(&r, 50) == 0 ? far : 3000);
            wheel_advance(&w, now);
            check_model(timer, now, w.armed);
            break;
        default:
            t->due = now + (usec_t)random_below(&r, far);
            wheel_set(&w, &t->t, t->due);
        }
        usec_t next = wheel_next(&w);
        assert_true((next == USEC_NEVER) == (w.armed == 0));
        assert_true(next > w.at);
        for (size_t i = 0; i < TIMERS; i++)
            assert_true(timer[i].due == USEC_NEVER ||
                        next < usec_max(timer[i].due, w.at + 1) + TICK);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fires_once_and_not_early),
        cmocka_unit_test(test_past_deadline_fires_next_tick),
        cmocka_unit_test(test_later_does_not_relink),
        cmocka_unit_test(test_beyond_one_turn),
        cmocka_unit_test(test_callbacks_may_do_anything),
        cmocka_unit_test(test_against_deadlines),
    };
    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
