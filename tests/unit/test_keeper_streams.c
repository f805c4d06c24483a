/* SPDX-License-Identifier: BSD-2-Clause */
/* What control says of streams: when they are to end, and what keeps a sandbox awake. */
#include "config.h"

#include "keeper_rig.h"
#include "unit.h"

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

/* It runs, and worker 0 has a stream there. */
static void
set_up(struct rig *r)
{
    struct record paused = rig_record(SANDBOX_PAUSED, "1");
    struct record running = rig_record(SANDBOX_RUNNING, "2");
    struct mail m = {.kind = MAIL_CONNECTED};

    rig_init(r, 2);
    m.ticket = rig_ask(r, NULL);
    rig_answer(r, DRIVER_INSPECT, OUTCOME_RUNNING, &paused, 0);
    rig_answer(r, DRIVER_RESUME, OUTCOME_RUNNING, &running, 0);
    rig_verdict(r, m.ticket);
    m.version = look(r).version;
    rig_send(r, 0, m);
    m.kind = MAIL_ANSWERED;
    m.u.answered.ok = true;
    rig_send(r, 0, m);
    m = (struct mail){.kind = MAIL_ACTIVITY, .sandbox = look(r).number, .version = m.version};
    m.u.activity.open = 1;
    rig_send(r, 0, m);
}

static void
check_close(struct rig *r, enum reason why)
{
    struct mail m;

    assert_true(rig_take(r, MAIL_CLOSE_STREAMS, &m));
    assert_int_equal(m.u.close.code, 1001);
    assert_int_equal(m.u.close.why, why);
    assert_int_equal(m.version, look(r).version);
    assert_false(rig_take(r, MAIL_CLOSE_STREAMS, &m)); /* the other worker knows nothing of it */
}

static void
test_news(void **state)
{
    static const struct {
        enum sandbox_state to;
        enum reason why;
    } news[] = {
        {SANDBOX_PAUSING, REASON_SANDBOX_PAUSED},
        {SANDBOX_SNAPSHOTTING, REASON_SANDBOX_PAUSED},
        {SANDBOX_PAUSED, REASON_SANDBOX_PAUSED}, /* it slept before it was heard of */
        {SANDBOX_KILLED, REASON_SANDBOX_GONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
        struct record record = rig_record(news[i].to, "2");
        struct sandbox_key a = rig_key("a");
        struct rig r;

        set_up(&r);
        assert_int_equal(keeper_on_news(r.k, &a, &record, r.now), 0);
        check_close(&r, news[i].why);
        rig_fini(&r);
    }
}

/* Who asks for a pause waits for answers, but ends streams. */
static void
test_asked_for(void **state)
{
    struct sandbox_key a = rig_key("a");
    struct mail m;
    struct rig r;

    (void)state;
    set_up(&r);
    keeper_pause(r.k, &a, 0, 78, 60 * USEC_SEC, r.now);
    assert_true(rig_take(&r, MAIL_QUIESCE, &m));
    m = (struct mail){.kind = MAIL_QUIESCED, .sandbox = m.sandbox, .version = m.version};
    m.u.quiesced.streams = 1;
    rig_send(&r, 0, m);
    check_close(&r, REASON_SANDBOX_PAUSED);
    assert_int_equal(r.drivers, 0);
    m.kind = MAIL_ACTIVITY;
    m.u.activity.open = 0;
    m.u.activity.bytes = 0;
    rig_send(&r, 0, m);
    assert_int_equal(r.drivers, 1);
    assert_int_equal(r.driver[0].op, DRIVER_PAUSE);
    rig_answer(&r, DRIVER_PAUSE, OUTCOME_RUNNING, NULL, 0);
    assert_int_equal(r.dones, 1);
    assert_int_equal(r.done[0].reason, REASON_NONE);
    rig_fini(&r);
}

/* An idle sandbox has none: one that is open, however silent, means that it is used. */
static void
test_never_idle(void **state)
{
    struct mail m;
    struct rig r;

    (void)state;
    set_up(&r);
    r.site.pause_after = 5 * USEC_SEC;
    assert_int_equal(keeper_set_site(r.k, 0, &r.site), 0);
    rig_advance(&r, 3600 * USEC_SEC);
    assert_false(rig_take(&r, MAIL_QUIESCE, &m));
    assert_int_equal(look(&r).state, SANDBOX_RUNNING);
    rig_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_never_idle),
    };
    return cmocka_run_group_tests_name("keeper_streams", tests, NULL, NULL);
}
