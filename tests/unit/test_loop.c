/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of a turn, waking, stopping, waiting, and the precise timer. */
#include "config.h"

#include "net/loop.h"
#include "net/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What ran, in order, as letters. */
struct trace {
    struct loop loop;
    char text[64];
    size_t n;
};

struct step {
    struct task task;
    struct trace *trace;
    char letter;
    void (*then)(struct step *);
    struct step *other;
};

static void
note(struct trace *t, char letter)
{
    assert_true(t->n + 1 < sizeof(t->text));
    t->text[t->n++] = letter;
    t->text[t->n] = '\0';
}

static void
run_step(struct task *t)
{
    struct step *s = container_of(t, struct step, task);

    note(s->trace, s->letter);
    if (s->then)
        s->then(s);
}

static void
step_init(struct step *s, struct trace *t, char letter)
{
    *s = (struct step){.trace = t, .letter = letter};
    task_init(&s->task, run_step);
}

static int
set_up(void **state)
{
    struct trace *t = calloc(1, sizeof(*t));
    struct loop_options o = {.tick = USEC_MS};

    assert_non_null(t);
    assert_int_equal(loop_init(&t->loop, &o), 0);
    *state = t;
    return 0;
}

static int
tear_down(void **state)
{
    struct trace *t = *state;

    loop_fini(&t->loop);
    free(t);
    return 0;
}

static void
test_a_turn_has_its_order(void **state)
{
    struct trace *t = *state;
    struct step run, flush, rearm, reap, again;

    step_init(&run, t, 'r');
    step_init(&flush, t, 'f');
    step_init(&rearm, t, 'a');
    step_init(&reap, t, 'z');
    step_init(&again, t, 'e');
    loop_queue_reap(&t->loop, &reap.task);
    loop_queue_rearm(&t->loop, &rearm.task);
    loop_queue_flush(&t->loop, &flush.task);
    loop_queue_run(&t->loop, &run.task);
    loop_queue_again(&t->loop, &again.task);
    loop_turn(&t->loop, USEC_SEC);
    assert_string_equal(t->text, "erfaz");
    loop_turn(&t->loop, 0);
    assert_string_equal(t->text, "erfaz");
}

static void
queue_other_run(struct step *s)
{
    loop_queue_run(&s->trace->loop, &s->other->task);
}

static void
test_a_task_queued_by_a_task_runs_in_the_same_turn(void **state)
{
    struct trace *t = *state;
    struct step a, b;

    step_init(&a, t, 'a');
    step_init(&b, t, 'b');
    a.then = queue_other_run;
    a.other = &b;
    loop_queue_run(&t->loop, &a.task);
    loop_turn(&t->loop, USEC_SEC);
    assert_string_equal(t->text, "ab");
}

static void
test_a_phase_that_is_over_waits_for_the_next_turn(void **state)
{
    struct trace *t = *state;
    struct step flush, run;
    usec_t before = loop_clock();

    step_init(&flush, t, 'f');
    step_init(&run, t, 'r');
    flush.then = queue_other_run;
    flush.other = &run;
    loop_queue_flush(&t->loop, &flush.task);
    loop_turn(&t->loop, 0);
    assert_string_equal(t->text, "f");
    loop_turn(&t->loop, 10 * USEC_SEC);
    assert_string_equal(t->text, "fr");
    assert_true(loop_clock() - before < 5 * USEC_SEC);
}

static void
requeue_again(struct step *s)
{
    if (s->trace->n < 4)
        loop_queue_again(&s->trace->loop, &s->task);
}

static void
test_again_comes_once_a_turn(void **state)
{
    struct trace *t = *state;
    struct step a;

    step_init(&a, t, 'a');
    a.then = requeue_again;
    loop_queue_again(&t->loop, &a.task);
    loop_turn(&t->loop, 0);
    assert_string_equal(t->text, "a");
    loop_turn(&t->loop, 10 * USEC_SEC);
    assert_string_equal(t->text, "aa");
    task_cancel(&a.task);
    loop_turn(&t->loop, 0);
    assert_string_equal(t->text, "aa");
}

static void
requeue_run(struct step *s)
{
    s->trace->text[0] = s->letter;
    s->trace->n = 0;
    loop_queue_run(&s->trace->loop, &s->task);
}

static void
test_a_busy_task_does_not_lock_up_the_turn(void **state)
{
    struct trace *t = *state;
    struct step busy, reap;

    step_init(&busy, t, 'b');
    step_init(&reap, t, 'z');
    busy.then = requeue_run;
    loop_queue_run(&t->loop, &busy.task);
    loop_queue_reap(&t->loop, &reap.task);
    loop_turn(&t->loop, USEC_SEC);
    assert_string_equal(t->text, "z");
    task_cancel(&busy.task);
}

static void
test_queueing_twice_is_once_and_cancel_takes_out(void **state)
{
    struct trace *t = *state;
    struct step a, b;

    step_init(&a, t, 'a');
    step_init(&b, t, 'b');
    loop_queue_run(&t->loop, &a.task);
    loop_queue_run(&t->loop, &a.task);
    loop_queue_run(&t->loop, &b.task);
    task_cancel(&b.task);
    task_cancel(&b.task);
    loop_turn(&t->loop, 0);
    assert_string_equal(t->text, "a");
}

struct alarm {
    struct wheel_timer timer;
    struct probe_timer probe;
    struct trace *trace;
    usec_t fired_at;
};

static void
on_alarm(struct wheel_timer *timer)
{
    struct alarm *a = container_of(timer, struct alarm, timer);

    a->fired_at = a->trace->loop.now;
    note(a->trace, 't');
}

static void
test_the_wheel_ends_the_wait(void **state)
{
    struct trace *t = *state;
    struct alarm a = {.trace = t};
    usec_t at = loop_clock() + 30 * USEC_MS;
    unsigned turns = 0;

    wheel_timer_init(&a.timer, on_alarm);
    loop_timer_set(&t->loop, &a.timer, at);
    while (t->n == 0) {
        loop_turn(&t->loop, 10 * USEC_SEC);
        turns++;
    }
    assert_true(a.fired_at >= at);
    assert_true(a.fired_at < at + 5 * USEC_SEC);
    assert_in_range(turns, 1, 8); /* no spinning towards the deadline */
    loop_timer_set(&t->loop, &a.timer, loop_clock());
    loop_timer_cancel(&t->loop, &a.timer);
    loop_turn(&t->loop, 5 * USEC_MS);
    assert_int_equal(t->n, 1);
}

static void
test_a_turn_waits_no_longer_than_told(void **state)
{
    struct trace *t = *state;
    usec_t before = loop_clock(), took;

    loop_turn(&t->loop, 20 * USEC_MS);
    took = loop_clock() - before;
    assert_in_range(took, 15 * USEC_MS, 5 * USEC_SEC); /* the coarse clock: 4 ms early */
    assert_true(t->loop.now >= before + 15 * USEC_MS);
}

static void
on_probe(struct probe_timer *timer)
{
    struct alarm *a = container_of(timer, struct alarm, probe);

    a->fired_at = loop_clock();
    note(a->trace, 'p');
}

static void
test_the_probe_timer_is_precise(void **state)
{
    struct trace *t = *state;
    struct alarm a = {.trace = t};
    usec_t best = USEC_SEC;

    probe_timer_init(&a.probe, on_probe);
    for (unsigned i = 0; i < 20; i++) {
        usec_t at = loop_clock() + 1500;

        assert_int_equal(probe_set(&t->loop, &a.probe, at), 0);
        t->n = 0;
        while (t->n == 0)
            loop_turn(&t->loop, USEC_SEC);
        assert_true(a.fired_at >= at);
        best = usec_min(best, a.fired_at - at);
    }
    assert_true(best < 900); /* a millisecond clock would be at 500 to 1500 */
}

static void
test_probe_timers_fire_in_order_and_can_be_cancelled(void **state)
{
    struct trace *t = *state;
    struct alarm a[3];
    usec_t now = loop_clock();

    for (int i = 0; i < 3; i++) {
        a[i] = (struct alarm){.trace = t};
        probe_timer_init(&a[i].probe, on_probe);
    }
    assert_int_equal(probe_set(&t->loop, &a[0].probe, now + 4000), 0);
    assert_int_equal(probe_set(&t->loop, &a[1].probe, now + 2000), 0);
    assert_int_equal(probe_set(&t->loop, &a[2].probe, now + 3000), 0);
    probe_cancel(&t->loop, &a[1].probe);
    probe_cancel(&t->loop, &a[1].probe);
    while (t->n < 2)
        loop_turn(&t->loop, USEC_SEC);
    assert_true(a[2].fired_at <= a[0].fired_at);
    assert_int_equal(a[1].fired_at, 0);
    assert_int_equal(probe_set(&t->loop, &a[1].probe, 0), 0); /* long past */
    while (t->n < 3)
        loop_turn(&t->loop, USEC_SEC);
}

static void
set_again_at_once(struct probe_timer *timer)
{
    struct alarm *a = container_of(timer, struct alarm, probe);

    a->fired_at++;
    assert_int_equal(probe_set(&a->trace->loop, timer, 0), 0);
}

static void
test_a_probe_timer_that_sets_itself_does_not_lock_up(void **state)
{
    struct trace *t = *state;
    struct alarm a = {.trace = t};

    probe_timer_init(&a.probe, set_again_at_once);
    assert_int_equal(probe_set(&t->loop, &a.probe, 0), 0);
    loop_turn(&t->loop, USEC_SEC);
    assert_int_equal(a.fired_at, 1);
    loop_turn(&t->loop, USEC_SEC);
    assert_int_equal(a.fired_at, 2);
    probe_cancel(&t->loop, &a.probe);
}

static void *
run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void
test_stop_from_another_thread(void **state)
{
    struct trace *t = *state;

    for (int i = 0; i < 100; i++) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, run_loop, &t->loop), 0);
        loop_wake(&t->loop);
        loop_stop(&t->loop);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

static void
ping_pong(struct step *s)
{
    if (s->trace->n < 40)
        loop_queue_flush(&s->trace->loop, &s->other->task);
    else
        loop_stop(&s->trace->loop);
}

static void
test_run_serves_what_turns_leave_behind(void **state)
{
    struct trace *t = *state;
    struct step flush, run;

    step_init(&flush, t, 'f');
    step_init(&run, t, 'r');
    flush.then = queue_other_run;
    flush.other = &run;
    run.then = ping_pong;
    run.other = &flush;
    loop_queue_run(&t->loop, &run.task);
    loop_run(&t->loop);
    task_cancel(&flush.task);
    task_cancel(&run.task);
    assert_memory_equal(t->text, "rfrfrfrf", 8);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_turn_has_its_order),
        TEST(test_a_task_queued_by_a_task_runs_in_the_same_turn),
        TEST(test_a_phase_that_is_over_waits_for_the_next_turn),
        TEST(test_again_comes_once_a_turn),
        TEST(test_a_busy_task_does_not_lock_up_the_turn),
        TEST(test_queueing_twice_is_once_and_cancel_takes_out),
        TEST(test_the_wheel_ends_the_wait),
        TEST(test_a_turn_waits_no_longer_than_told),
        TEST(test_the_probe_timer_is_precise),
        TEST(test_probe_timers_fire_in_order_and_can_be_cancelled),
        TEST(test_a_probe_timer_that_sets_itself_does_not_lock_up),
        TEST(test_stop_from_another_thread),
        TEST(test_run_serves_what_turns_leave_behind),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
