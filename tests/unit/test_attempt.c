/* SPDX-License-Identifier: BSD-2-Clause */
/* One request's connect attempts: the rhythm, silence, deadlines. */
#include "config.h"

#include "sandbox/attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct attempt_limits limits = ATTEMPT_LIMITS_DEFAULT;
static const struct endpoint to = {.family = 4, .port = 80};

static void
test_pause(void **state)
{
    (void)state;
    assert_int_equal(attempt_pause(0, 5), USEC_MS);
    assert_int_equal(attempt_pause(5, 5 + 50 * USEC_MS), USEC_MS);
    assert_int_equal(attempt_pause(5, 5 + 500 * USEC_MS), 5 * USEC_MS);
    assert_int_equal(attempt_pause(5, 5 + 50 * USEC_SEC), 20 * USEC_MS);
}

static void
test_direct(void **state)
{
    struct attempt a;

    (void)state;
    assert_int_equal(attempt_start(&a, &limits, VERDICT_GO_DIRECT, &to, 0, 50 * USEC_SEC, 1),
                     ATTEMPT_DIAL);
    assert_int_equal(a.next, 1 + 250 * USEC_MS);
    assert_int_equal(attempt_on_refused(&a, 2), ATTEMPT_ASK);
    assert_int_equal(a.why, ASK_REFUSED);
    attempt_start(&a, &limits, VERDICT_GO_DIRECT, &to, 0, 50 * USEC_SEC, 1);
    assert_int_equal(attempt_on_timer(&a, a.next), ATTEMPT_ASK);
    assert_int_equal(a.why, ASK_SILENT);
    attempt_start(&a, &limits, VERDICT_GO_DIRECT, &to, 0, 50 * USEC_SEC, 1);
    assert_int_equal(attempt_on_connected(&a, true, 5), ATTEMPT_ACCEPT);
    attempt_start(&a, &limits, VERDICT_GO_DIRECT, &to, 0, 50 * USEC_SEC, 1);
    assert_int_equal(attempt_on_connected(&a, false, 5), ATTEMPT_ASK);
    assert_int_equal(a.why, ASK_UNKNOWN);
}

static void
test_probe_refused(void **state)
{
    struct attempt a;
    usec_t now = 1;
    unsigned dials = 1;
    enum attempt_do what = attempt_start(&a, &limits, VERDICT_GO_PROBE, &to, 0, 10 * USEC_SEC, now);

    (void)state;
    while (what == ATTEMPT_DIAL) {
        what = attempt_on_refused(&a, now);
        assert_int_equal(what, ATTEMPT_WAIT);
        assert_true(a.next > now && a.next <= now + 20 * USEC_MS);
        now = a.next;
        what = attempt_on_timer(&a, now);
        dials++;
    }
    assert_int_equal(what, ATTEMPT_FAIL);
    assert_int_equal(a.reason, REASON_PORT_CLOSED);
    assert_int_equal(now, 10 * USEC_SEC);
    assert_in_range(dials, 600, 1000);
}

static void
test_probe_silent(void **state)
{
    struct attempt a;
    usec_t now = 1;
    enum attempt_do what = attempt_start(&a, &limits, VERDICT_GO_PROBE, &to, 0, 10 * USEC_SEC, now);

    (void)state;
    for (int i = 1; i < 40; i++) {
        assert_int_equal(what, ATTEMPT_DIAL);
        assert_int_equal(a.next, now + 25 * USEC_MS);
        now = a.next;
        what = attempt_on_timer(&a, now);
    }
    assert_int_equal(a.open, 40);
    now = a.next;
    assert_int_equal(attempt_on_timer(&a, now), ATTEMPT_WAIT);
    assert_int_equal(attempt_on_silent(&a, now), ATTEMPT_WAIT);
    assert_int_equal(attempt_on_connected(&a, true, now), ATTEMPT_ACCEPT);
    assert_int_equal(attempt_on_connected(&a, true, now), ATTEMPT_DROP);
    assert_int_equal(attempt_on_reset(&a, now), ATTEMPT_WAIT);
    assert_int_equal(a.next, now + USEC_MS);
    assert_int_equal(attempt_on_stale(&a), ATTEMPT_ASK);
}

/* What refused for its whole time is closed, also when a last try is under way at the deadline. */
static void
test_refused_to_the_end(void **state)
{
    struct attempt a;
    usec_t until = 200 * USEC_MS, now = 1;

    (void)state;
    for (int by_timer = 0; by_timer < 2; by_timer++) {
        assert_int_equal(attempt_start(&a, &limits, VERDICT_GO_RETRY, &to, 0, until, now),
                         ATTEMPT_DIAL);
        assert_int_equal(attempt_on_refused(&a, now), ATTEMPT_WAIT);
        assert_int_equal(attempt_on_timer(&a, until - 300), ATTEMPT_DIAL);
        assert_int_equal(by_timer ? attempt_on_timer(&a, until) : attempt_on_silent(&a, until),
                         ATTEMPT_FAIL);
        assert_int_equal(a.reason, REASON_PORT_CLOSED);
    }
    /* But one that refused first and then fell silent has not answered. */
    attempt_start(&a, &limits, VERDICT_GO_RETRY, &to, 0, until, now);
    attempt_on_refused(&a, now);
    attempt_on_timer(&a, until - 30 * USEC_MS);
    assert_int_equal(attempt_on_timer(&a, until), ATTEMPT_FAIL);
    assert_int_equal(a.reason, REASON_CONNECT_TIMEOUT);
}

static void
test_retry(void **state)
{
    struct attempt a;

    (void)state;
    assert_int_equal(attempt_start(&a, &limits, VERDICT_GO_RETRY, &to, 0, USEC_SEC, 1),
                     ATTEMPT_DIAL);
    assert_int_equal(a.ttl, USEC_SEC - 1);
    assert_int_equal(attempt_on_timer(&a, a.next), ATTEMPT_FAIL);
    assert_int_equal(a.reason, REASON_CONNECT_TIMEOUT);
    attempt_start(&a, &limits, VERDICT_GO_RETRY, &to, 0, USEC_SEC, 1);
    assert_int_equal(attempt_on_refused(&a, 1), ATTEMPT_WAIT);
    assert_int_equal(attempt_on_timer(&a, a.next), ATTEMPT_DIAL);
    assert_int_equal(attempt_on_refused(&a, USEC_SEC), ATTEMPT_FAIL);
    assert_int_equal(a.reason, REASON_PORT_CLOSED);
    assert_int_equal(attempt_start(&a, &limits, VERDICT_GO_RETRY, &to, 0, USEC_SEC, USEC_SEC),
                     ATTEMPT_FAIL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause),        cmocka_unit_test(test_direct),
        cmocka_unit_test(test_probe_refused), cmocka_unit_test(test_probe_silent),
        cmocka_unit_test(test_refused_to_the_end),
        cmocka_unit_test(test_retry),
    };

    return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
