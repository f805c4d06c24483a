/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper, story by story: the wake, its outcomes, the release, limits, the verbs. */
#include "config.h"

#include "keeper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mail
shape(unsigned worker)
{
    struct mail m = {.kind = MAIL_ASK, .ticket = worker};

    m.u.ask.klass = CLASS_OTHER;
    m.u.ask.may_wake = true;
    m.u.ask.keep_alive = true;
    m.u.ask.wait = USEC_OFF;
    m.u.ask.key = rig_key("a");
    m.u.ask.port = 80;
    return m;
}

static bool
on_each(void *ctx, const struct keeper_sandbox *s)
{
    *(struct keeper_sandbox *)ctx = *s;
    return true;
}

static struct keeper_sandbox
look(struct rig *r)
{
    struct keeper_sandbox s = {.state = SANDBOX_STATE_COUNT};
    struct sandbox_key a = rig_key("a");

    keeper_each(r->k, &a, r->now, on_each, &s);
    return s;
}

/* Reports with the version that is current. */
static void
say(struct rig *r, unsigned worker, uint64_t ticket, enum mail_kind kind, bool ok)
{
    struct mail m = {.kind = kind, .ticket = ticket};

    if (kind == MAIL_ANSWERED)
        m.u.answered.ok = ok;
    m.version = look(r).version;
    rig_send(r, worker, m);
}

/* One waiter, asleep, woken: the waiter's ticket, released as the probe. */
static uint64_t
wake(struct rig *r)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    uint64_t t = rig_ask(r, NULL);

    rig_answer(r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    rig_answer(r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    return t;
}

static void
test_wake(void **state)
{
    struct rig r;
    struct mail m;
    struct mail_verdict v;
    uint64_t t[10];

    (void)state;
    rig_init(&r, 2);
    t[0] = wake(&r);
    v = rig_verdict(&r, t[0]);
    assert_int_equal(v.verdict, VERDICT_GO_PROBE);
    assert_true(v.report && v.held && v.leader);
    assert_int_equal(v.to.port, 80);
    assert_int_equal(r.metrics.value[METRIC_WAKES], 1);
    assert_int_equal(r.story[STORY_WOKEN], 1);
    assert_false(rig_take(&r, MAIL_STATE, &m));
    /* While the probe is out the others queue up. */
    for (unsigned i = 1; i < 10; i++)
        t[i] = rig_ask(&r, NULL);
    assert_false(rig_has_verdict(&r, t[1]));
    say(&r, 0, t[0], MAIL_CONNECTED, true);
    assert_false(rig_has_verdict(&r, t[1]));
    say(&r, 0, t[0], MAIL_ANSWERED, true);
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(rig_verdict(&r, t[i]).verdict, VERDICT_GO_DIRECT);
    assert_false(rig_has_verdict(&r, t[3]));
    for (unsigned i = 1; i < 3; i++) {
        say(&r, 0, t[i], MAIL_CONNECTED, true);
        say(&r, 0, t[i], MAIL_ANSWERED, true);
    }
    for (unsigned i = 3; i < 7; i++)
        rig_verdict(&r, t[i]);
    assert_false(rig_has_verdict(&r, t[7]));
    assert_false(rig_take(&r, MAIL_STATE, &m));
    for (unsigned i = 3; i < 7; i++) {
        say(&r, 0, t[i], MAIL_CONNECTED, true);
        say(&r, 0, t[i], MAIL_ANSWERED, true);
    }
    for (unsigned i = 7; i < 10; i++)
        rig_verdict(&r, t[i]);
    assert_true(rig_take(&r, MAIL_STATE, &m));
    assert_true(m.u.state.open);
    assert_int_equal(r.story[STORY_RELEASED], 1);
    rig_fini(&r);
}

static void
test_leader_leaves(void **state)
{
    struct rig r;
    uint64_t a, b;

    (void)state;
    rig_init(&r, 1);
    a = wake(&r);
    b = rig_ask(&r, NULL);
    rig_verdict(&r, a);
    rig_advance(&r, 500 * USEC_MS);
    say(&r, 0, a, MAIL_LEAVE, true);
    {
        struct mail_verdict v = rig_verdict(&r, b);

        assert_int_equal(v.verdict, VERDICT_GO_PROBE);
        assert_int_equal(v.since, r.now - 500 * USEC_MS);
    }
    rig_fini(&r);
}

static void
test_not_made(void **state)
{
    struct rig r;
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    r.auto_store = false;
    t = rig_ask(&r, NULL);
    rig_store(&r);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    say(&r, 0, t, MAIL_LEAVE, true);
    assert_int_equal(rig_verdict(&r, t).reason, REASON_CLIENT_LEFT);
    rig_store(&r);
    rig_store(&r);
    assert_int_equal(r.drivers, 0);
    assert_int_equal(look(&r).state, SANDBOX_PAUSED);
    assert_true(r.lease_until == 0);
    rig_fini(&r);
}

struct outcome_case {
    enum driver_outcome outcome;
    enum reason reason;
};

static void
test_outcomes(void **state)
{
    static const struct outcome_case cases[] = {
        {OUTCOME_DISABLED, REASON_SANDBOX_PAUSED},
        {OUTCOME_DENIED, REASON_WAKE_DENIED},
        {OUTCOME_NOT_FOUND, REASON_SANDBOX_NOT_FOUND},
        {OUTCOME_GONE, REASON_SANDBOX_GONE},
        {OUTCOME_FAILED, REASON_RESUME_FAILED},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record paused = rig_record(SANDBOX_PAUSED, "1");
        struct rig r;
        uint64_t t;

        rig_init(&r, 1);
        t = rig_ask(&r, NULL);
        rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
        rig_answer(&r, DRIVER_RESUME, cases[i].outcome, NULL, 0);
        assert_int_equal(rig_verdict(&r, t).reason, cases[i].reason);
        /* Remembered: at once, nobody is asked. */
        t = rig_ask(&r, NULL);
        assert_int_equal(rig_verdict(&r, t).reason, cases[i].reason);
        assert_int_equal(r.drivers, 0);
        rig_fini(&r);
    }
}

/* 409: it is being paused. Watched until that is over, then called at once. */
static void
test_conflict(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct record pausing = rig_record(SANDBOX_PAUSING, "1");
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    rig_answer(&r, DRIVER_RESUME, OUTCOME_CONFLICT, NULL, 0);
    for (int i = 0; i < 3; i++) {
        rig_advance(&r, 2 * USEC_SEC);
        rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &pausing, 0);
    }
    assert_int_equal(r.drivers, 0);
    rig_advance(&r, 2 * USEC_SEC);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    rig_advance(&r, USEC_MS);
    rig_answer(&r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(rig_verdict(&r, t).verdict, VERDICT_GO_PROBE);
    assert_int_equal(r.metrics.value[METRIC_WAKES], 2);
    rig_fini(&r);
}

/* 409 again and again of what is said to be asleep: called ever more rarely. */
static void
test_conflict_without_end(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    while (!rig_has_verdict(&r, t)) {
        if (r.drivers > 0 && r.driver[0].op == DRIVER_RESUME)
            rig_answer(&r, DRIVER_RESUME, OUTCOME_CONFLICT, NULL, 0);
        else if (r.drivers > 0)
            rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
        rig_advance(&r, 50 * USEC_MS);
    }
    assert_int_equal(rig_verdict(&r, t).reason, REASON_RESUME_TIMEOUT);
    assert_in_range(r.metrics.value[METRIC_WAKES], 5, 9); /* of 50 s */
    rig_fini(&r);
}

static void
test_capacity(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct mail_verdict v;
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    for (int i = 0; i < 10 && !rig_has_verdict(&r, t); i++) {
        rig_answer(&r, DRIVER_RESUME, OUTCOME_CAPACITY, NULL, 7 * USEC_SEC);
        rig_advance(&r, 7 * USEC_SEC + 100 * USEC_MS);
    }
    v = rig_verdict(&r, t);
    assert_int_equal(v.reason, REASON_CAPACITY_EXHAUSTED);
    assert_in_range(v.retry_after, USEC_SEC, 7 * USEC_SEC);
    rig_fini(&r);
}

static void
test_unknown(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    struct rig r;
    uint64_t t, epoch;
    unsigned inspects = 0;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    epoch = r.driver[0].epoch;
    rig_answer(&r, DRIVER_RESUME, OUTCOME_UNKNOWN, NULL, 0);
    /* Not called again before the lease is over: only looked at. */
    while (r.now < 1000 * USEC_SEC + 16 * USEC_SEC) {
        rig_advance(&r, 50 * USEC_MS);
        if (r.drivers == 0)
            continue;
        if (r.driver[0].op == DRIVER_RESUME)
            break;
        rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
        inspects++;
    }
    assert_true(inspects > 5);
    assert_true(r.now >= 1000 * USEC_SEC + 15 * USEC_SEC);
    assert_true(r.driver[0].epoch > epoch);
    rig_answer(&r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(rig_verdict(&r, t).verdict, VERDICT_GO_PROBE);
    rig_fini(&r);
}

/* A platform that knows a higher epoch than the store: asked ever more rarely. */
static void
test_stale(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct rig r;
    unsigned calls = 0;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    while (!rig_has_verdict(&r, t)) {
        if (r.drivers > 0 && r.driver[0].op == DRIVER_RESUME) {
            calls++;
            rig_answer(&r, DRIVER_RESUME, OUTCOME_STALE_EPOCH, NULL, 0);
        } else if (r.drivers > 0) {
            rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
        }
        rig_advance(&r, 10 * USEC_MS);
    }
    assert_in_range(calls, 10, 40);
    assert_int_equal(rig_verdict(&r, t).reason, REASON_RESUME_TIMEOUT);
    rig_fini(&r);
}

static void
test_denied_others(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    struct mail m = shape(0);
    struct rig r;
    uint64_t a, b, c;

    (void)state;
    rig_init(&r, 1);
    a = rig_ask(&r, NULL);
    m.u.ask.has_token = true;
    m.u.ask.token[0] = 1;
    b = rig_ask(&r, &m);
    c = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    rig_answer(&r, DRIVER_RESUME, OUTCOME_DENIED, NULL, 0);
    assert_int_equal(rig_verdict(&r, a).reason, REASON_WAKE_DENIED);
    assert_int_equal(rig_verdict(&r, c).reason, REASON_WAKE_DENIED);
    assert_false(rig_has_verdict(&r, b));
    assert_int_equal(r.driver[0].token[0], 1);
    rig_answer(&r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(rig_verdict(&r, b).verdict, VERDICT_GO_PROBE);
    rig_fini(&r);
}

static void
test_rate(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct mail_verdict v;
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    r.site.wake_per_sandbox = (struct rate){1, 600 * USEC_SEC};
    assert_int_equal(keeper_set_site(r.k, 0, &r.site), 0);
    rig_verdict(&r, wake(&r));
    keeper_on_news(r.k, &(struct sandbox_key){.n = 1, .id = "a"}, &paused, r.now);
    paused = rig_record(SANDBOX_PAUSED, "2");
    keeper_on_news(r.k, &(struct sandbox_key){.n = 1, .id = "a"}, &paused, r.now);
    rig_advance(&r, 20 * USEC_SEC);
    t = rig_ask(&r, NULL);
    v = rig_verdict(&r, t);
    assert_int_equal(v.reason, REASON_WAKE_RATE_LIMITED);
    assert_int_equal(v.retry_after, 580 * USEC_SEC);
    rig_fini(&r);
}

static void
test_dead_port(void **state)
{
    struct record running = rig_record(SANDBOX_RUNNING, "1");
    struct mail m = shape(0);
    struct mail_verdict v;
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(rig_verdict(&r, t).verdict, VERDICT_GO_DIRECT);
    m.u.ask.why = ASK_REFUSED;
    t = rig_ask(&r, &m);
    rig_advance(&r, 100 * USEC_MS);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    v = rig_verdict(&r, t);
    assert_int_equal(v.verdict, VERDICT_GO_RETRY);
    assert_int_equal(v.until, r.now + USEC_SEC);
    assert_int_equal(r.metrics.value[METRIC_WAKES], 0);
    rig_fini(&r);
}

static void
test_found_asleep(void **state)
{
    struct record running = rig_record(SANDBOX_RUNNING, "1");
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct mail m = shape(0);
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    rig_verdict(&r, t);
    m.u.ask.why = ASK_NO_ANSWER;
    t = rig_ask(&r, &m);
    rig_advance(&r, 100 * USEC_MS);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    assert_int_equal(r.story[STORY_ASLEEP], 1);
    assert_true(rig_take(&r, MAIL_STATE, &m));
    running = rig_record(SANDBOX_RUNNING, "1");
    rig_answer(&r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(rig_verdict(&r, t).verdict, VERDICT_STAY);
    rig_fini(&r);
}

static void
test_idle(void **state)
{
    struct mail m;
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 2);
    r.site.pause_after = 5 * USEC_SEC;
    assert_int_equal(keeper_set_site(r.k, 0, &r.site), 0);
    t = wake(&r);
    rig_verdict(&r, t);
    say(&r, 0, t, MAIL_CONNECTED, true);
    say(&r, 0, t, MAIL_ANSWERED, true);
    rig_advance(&r, 5 * USEC_SEC);
    assert_true(rig_take(&r, MAIL_QUIESCE, &m));
    assert_false(rig_take(&r, MAIL_QUIESCE, &m)); /* the other worker knows nothing */
    assert_int_equal(r.drivers, 0);
    /* In flight: given up. */
    m = (struct mail){.kind = MAIL_QUIESCED, .sandbox = m.sandbox, .version = m.version};
    m.u.quiesced.in_flight = 1;
    rig_send(&r, 0, m);
    assert_int_equal(look(&r).state, SANDBOX_RUNNING);
    assert_int_equal(r.story[STORY_PAUSE_ABORTED], 1);
    m = (struct mail){.kind = MAIL_ACTIVITY, .sandbox = m.sandbox};
    rig_send(&r, 0, m);
    rig_advance(&r, 5 * USEC_SEC);
    assert_true(rig_take(&r, MAIL_QUIESCE, &m));
    m = (struct mail){.kind = MAIL_QUIESCED, .sandbox = m.sandbox, .version = m.version};
    rig_send(&r, 0, m);
    assert_int_equal(r.driver[0].op, DRIVER_PAUSE);
    /* Who comes now waits for the end of it, and wakes. */
    t = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_PAUSE, OUTCOME_RUNNING, NULL, 0);
    assert_int_equal(r.story[STORY_PAUSED], 1);
    assert_int_equal(r.driver[0].op, DRIVER_RESUME);
    assert_false(rig_has_verdict(&r, t));
    rig_fini(&r);
}

static void
test_new_ask_aborts_pause(void **state)
{
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    struct mail m;
    struct rig r;
    uint64_t t;

    (void)state;
    rig_init(&r, 1);
    r.site.pause_after = 5 * USEC_SEC;
    assert_int_equal(keeper_set_site(r.k, 0, &r.site), 0);
    t = wake(&r);
    rig_verdict(&r, t);
    say(&r, 0, t, MAIL_CONNECTED, true);
    say(&r, 0, t, MAIL_ANSWERED, true);
    rig_advance(&r, 5 * USEC_SEC);
    assert_true(rig_take(&r, MAIL_QUIESCE, &m));
    t = rig_ask(&r, NULL);
    assert_int_equal(look(&r).state, SANDBOX_RUNNING);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0); /* its record is stale */
    assert_int_equal(rig_verdict(&r, t).verdict, VERDICT_GO_PROBE);
    m = (struct mail){.kind = MAIL_QUIESCED, .sandbox = m.sandbox, .version = m.version};
    rig_send(&r, 0, m);
    assert_int_equal(r.drivers, 0);
    rig_fini(&r);
}

static void
test_caps(void **state)
{
    struct mail m = shape(0);
    struct rig r;
    uint64_t first, t = 0;

    (void)state;
    rig_init(&r, 1);
    r.site.hold_per_sandbox = 3;
    assert_int_equal(keeper_set_site(r.k, 0, &r.site), 0);
    first = rig_ask(&r, NULL);
    for (int i = 0; i < 3; i++)
        t = rig_ask(&r, NULL);
    assert_false(rig_has_verdict(&r, first));
    assert_int_equal(rig_verdict(&r, t).reason, REASON_HOLD_QUEUE_FULL);
    m.u.ask.wait = 0;
    m.u.ask.key = rig_key("b");
    t = rig_ask(&r, &m);
    rig_advance(&r, 1);
    assert_int_equal(rig_verdict(&r, t).verdict, VERDICT_NO);
    rig_advance(&r, 60 * USEC_SEC);
    assert_int_equal(rig_verdict(&r, first).reason, REASON_PLATFORM_UNREACHABLE);
    rig_fini(&r);
}

static void
test_verbs(void **state)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    struct sandbox_key a = rig_key("a");
    struct rig r;
    uint64_t ticket;

    (void)state;
    rig_init(&r, 1);
    keeper_wake(r.k, &a, 0, 77, r.now);
    rig_store(&r);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    rig_answer(&r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    assert_int_equal(r.dones, 1);
    assert_int_equal(r.done[0].request, 77);
    assert_int_equal(r.done[0].reason, REASON_NONE);
    keeper_pause(r.k, &a, 0, 78, USEC_SEC, r.now);
    rig_store(&r);
    rig_answer(&r, DRIVER_PAUSE, OUTCOME_RUNNING, NULL, 0);
    assert_int_equal(r.dones, 2);
    assert_int_equal(r.done[1].reason, REASON_NONE);
    assert_int_equal(look(&r).state, SANDBOX_PAUSED);
    assert_int_equal(keeper_forget(r.k, &a, r.now), 0);
    assert_int_equal(look(&r).state, SANDBOX_UNKNOWN);
    keeper_drain(r.k, r.now);
    ticket = rig_ask(&r, NULL);
    rig_advance(&r, USEC_SEC);
    rig_store(&r);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    assert_int_equal(rig_verdict(&r, ticket).reason, REASON_DRAINING);
    rig_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_leader_leaves),
        cmocka_unit_test(test_not_made),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_conflict_without_end),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_denied_others),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_dead_port),
        cmocka_unit_test(test_found_asleep),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_new_ask_aborts_pause),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_verbs),
    };

    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
