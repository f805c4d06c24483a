/* SPDX-License-Identifier: BSD-2-Clause */
/* The dialer: refusal, silence, several attempts at once, surplus, caps, stopping in
 * callbacks. */
#include "config.h"

#include "net/dialer.h"

#include "net_rig.h"

#include <sys/resource.h>

struct rig {
    struct loop loop;
    unsigned fds;
    struct dialer dialer;
    struct conn taken[4];
    unsigned take, connected, failed, open;
    int error;
    bool told, stop_in_callback, again_in_callback;
    struct endpoint at;
    usec_t took;
};

static void
on_taken(struct conn *c, unsigned events)
{
    (void)c;
    (void)events;
}

static const struct conn_owner taker = {"taker", on_taken};

static void
on_connected(struct dialer *d, struct conn *c, usec_t took)
{
    struct rig *r = container_of(d, struct rig, dialer);

    assert_false(c->connecting);
    assert_true(took >= 0);
    r->took = took;
    if (r->connected < r->take)
        assert_int_equal(conn_move(&r->taken[r->connected], c, &taker), 0);
    r->connected++;
    r->told = true;
    if (r->stop_in_callback)
        dialer_stop(d);
}

static void
on_failed(struct dialer *d, int error, unsigned open)
{
    struct rig *r = container_of(d, struct rig, dialer);

    r->failed++;
    r->error = error;
    r->open = open;
    r->told = true;
    if (r->stop_in_callback)
        dialer_stop(d);
    if (r->again_in_callback)
        assert_int_equal(dialer_start(d, &r->at, USEC_SEC), 0);
}

static const struct dialer_owner owner = {on_connected, on_failed};

static int
set_up(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    r->fds = rig_open_fds();
    rig_loop(&r->loop);
    dialer_init(&r->dialer, &r->loop, &owner);
    for (int i = 0; i < 4; i++)
        conn_init(&r->taken[i]);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 4; i++)
        conn_close(&r->taken[i], false);
    assert_int_equal(r->dialer.open, 0);
    assert_int_equal(r->loop.dials, 0);
    assert_int_equal(r->loop.wheel.armed, 0);
    loop_fini(&r->loop);
    assert_int_equal(rig_open_fds(), r->fds);
    free(r);
    return 0;
}

static void
test_the_first_completes(void **state)
{
    struct rig *r = *state;
    int listening = rig_listen(&r->at, 8);

    r->take = 1;
    assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    assert_false(r->told);
    rig_until(&r->loop, &r->told);
    assert_int_equal(r->connected, 1);
    assert_true(r->taken[0].writable);
    assert_int_equal(r->dialer.open, 0);
    assert_int_equal(r->dialer.started, 1);
    close(listening);
}

static void
test_refused_is_told_later(void **state)
{
    struct rig *r = *state;

    r->at = rig_closed_port();
    assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    assert_int_equal(r->failed, 0);
    rig_until(&r->loop, &r->told);
    assert_int_equal(r->error, ECONNREFUSED);
    assert_int_equal(r->open, 0);
}

static void
test_refused_and_started_again_from_the_callback(void **state)
{
    struct rig *r = *state;

    r->at = rig_closed_port();
    r->again_in_callback = true;
    assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    while (r->failed < 100)
        loop_turn(&r->loop, USEC_SEC);
    r->again_in_callback = false;
    dialer_stop(&r->dialer);
}

static void
test_silence_ends_with_the_time_to_live(void **state)
{
    struct rig *r = *state;
    struct rig_silent s;
    usec_t before = loop_clock();

    rig_silent(&s);
    assert_int_equal(dialer_start(&r->dialer, &s.at, 50 * USEC_MS), 0);
    assert_int_equal(dialer_start(&r->dialer, &s.at, 300 * USEC_MS), 0);
    rig_until(&r->loop, &r->told);
    assert_int_equal(r->error, ETIMEDOUT);
    assert_int_equal(r->open, 1);
    assert_true(loop_clock() - before >= 45 * USEC_MS);
    while (r->failed < 2)
        loop_turn(&r->loop, USEC_SEC);
    assert_int_equal(r->open, 0);
    rig_silent_end(&s);
}

/* The listener's backlog is full; room is made while several attempts are open. */
static void
test_a_later_attempt_gets_through(void **state)
{
    struct rig *r = *state;
    struct rig_silent s;
    usec_t end = loop_clock() + RIG_PATIENCE;

    rig_silent(&s);
    r->take = 1;
    assert_int_equal(dialer_start(&r->dialer, &s.at, RIG_PATIENCE), 0);
    rig_settle(&r->loop);
    assert_false(r->told);
    assert_int_equal(listen(s.listening, 64), 0);
    while (!r->told) {
        if (r->dialer.open < DIALER_MAX_PARALLEL)
            assert_int_equal(dialer_start(&r->dialer, &s.at, RIG_PATIENCE), 0);
        loop_turn(&r->loop, 25 * USEC_MS);
        assert_true(loop_clock() < end);
    }
    assert_true(r->connected >= 1);
    assert_true(r->dialer.open >= 1); /* the first SYN is still unanswered */
    dialer_stop(&r->dialer);
    rig_settle(&r->loop);
    assert_int_equal(r->failed, 0);
    rig_silent_end(&s);
}

static void
test_surplus_ones_are_offered_then_closed(void **state)
{
    struct rig *r = *state;
    int listening = rig_listen(&r->at, 16), peer[5], eof = 0;
    char byte;

    r->take = 2;
    for (int i = 0; i < 5; i++)
        assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    while (r->connected < 5)
        loop_turn(&r->loop, USEC_SEC);
    for (int i = 0; i < 5; i++)
        peer[i] = accept(listening, NULL, NULL);
    for (int i = 0; i < 5; i++)
        eof += recv(peer[i], &byte, 1, MSG_DONTWAIT) == 0;
    assert_int_equal(eof, 3);
    for (int i = 0; i < 5; i++)
        close(peer[i]);
    close(listening);
}

static void
test_stopping_in_a_callback(void **state)
{
    struct rig *r = *state;
    int listening = rig_listen(&r->at, 16);

    r->stop_in_callback = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    rig_until(&r->loop, &r->told);
    rig_settle(&r->loop);
    assert_int_equal(r->connected, 1);
    close(listening);
    r->at = rig_closed_port();
    for (int i = 0; i < 5; i++)
        assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    rig_settle(&r->loop);
    assert_int_equal(r->failed, 1);
}

static void
test_caps(void **state)
{
    struct rig *r = *state;
    struct rig_silent s;

    rig_silent(&s);
    for (int i = 0; i < DIALER_MAX_PARALLEL; i++)
        assert_int_equal(dialer_start(&r->dialer, &s.at, RIG_PATIENCE), 0);
    assert_int_equal(dialer_start(&r->dialer, &s.at, RIG_PATIENCE), -1);
    assert_int_equal(errno, EAGAIN);
    dialer_stop(&r->dialer);
    r->loop.dials = DIALER_MAX_OPEN; /* as if others had them open */
    assert_int_equal(dialer_start(&r->dialer, &s.at, RIG_PATIENCE), -1);
    assert_int_equal(errno, EAGAIN);
    r->loop.dials = 0;
    rig_settle(&r->loop);
    assert_int_equal(r->failed, 0);
    rig_silent_end(&s);
}

static void
test_no_descriptors(void **state)
{
    struct rig *r = *state;
    struct rlimit old, now;
    int next = dup(0);

    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    now = old;
    now.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    r->at = (struct endpoint){.family = 4, .port = 9, .ip = {127, 0, 0, 1}};
    assert_int_equal(dialer_start(&r->dialer, &r->at, USEC_SEC), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    rig_until(&r->loop, &r->told);
    assert_int_equal(r->error, EMFILE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_completes),
        TEST(test_refused_is_told_later),
        TEST(test_refused_and_started_again_from_the_callback),
        TEST(test_silence_ends_with_the_time_to_live),
        TEST(test_a_later_attempt_gets_through),
        TEST(test_surplus_ones_are_offered_then_closed),
        TEST(test_stopping_in_a_callback),
        TEST(test_caps),
        TEST(test_no_descriptors),
    };
    return cmocka_run_group_tests_name("dialer", tests, NULL, NULL);
}
