/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper and requests that are sent and wait for their answer: slow is not asleep. */
#include "config.h"

#include "keeper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mail
shape(enum ask_why why, const char *id)
{
    struct mail m = {.kind = MAIL_ASK};

    m.u.ask.why = why;
    m.u.ask.klass = CLASS_OTHER;
    m.u.ask.may_wake = true;
    m.u.ask.wait = USEC_OFF;
    m.u.ask.key = rig_key(id);
    m.u.ask.port = 80;
    return m;
}

static void
set_caps(struct rig *r, uint32_t n)
{
    r->site.hold_per_sandbox = n;
    r->site.hold_per_source = n;
    assert_int_equal(keeper_set_site(r->k, 0, &r->site), 0);
}

/* Whoever is relayed already needs no room in the hold, and is not cut for want of it. */
static void
test_slow_answers_are_no_crowd(void **state)
{
    struct record running = rig_record(SANDBOX_RUNNING, "1");
    struct mail slow = shape(ASK_NO_ANSWER, "a"), other = shape(ASK_UNKNOWN, "b");
    uint64_t t, first, last;
    struct rig r;

    (void)state;
    rig_init(&r, 1);
    set_caps(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    rig_verdict(&r, t);
    first = rig_ask(&r, &slow);
    last = rig_ask(&r, &slow);
    t = rig_ask(&r, &other); /* nor do they take it from the same client's other requests */
    assert_false(rig_has_verdict(&r, t));
    assert_false(rig_has_verdict(&r, first));
    assert_false(rig_has_verdict(&r, last));
    rig_advance(&r, 100 * USEC_MS);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    rig_verdict(&r, t);
    rig_advance(&r, 100 * USEC_MS);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(rig_verdict(&r, first).verdict, VERDICT_STAY);
    assert_int_equal(rig_verdict(&r, last).verdict, VERDICT_STAY);
    rig_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_answers_are_no_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
