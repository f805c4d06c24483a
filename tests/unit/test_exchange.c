/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of exchange.h, one by one, between two ends in memory. */
#include "config.h"

#include "exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    assert_int_equal(loop_init(&r->loop, &(struct loop_options){.tick = 1000}), 0);
    random_seed(&r->rnd, 1);
    rig_begin(r);
    *state = r;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    if (r->ex && !r->ex->ended)
        exchange_abort(r->ex, REASON_SHUTDOWN);
    loop_turn(&r->loop, 0);
    loop_turn(&r->loop, 0);
    assert_int_equal(r->releases, 1);
    loop_fini(&r->loop);
    free(r);
    return 0;
}

static void
turn(struct rig *r)
{
    loop_turn(&r->loop, 0);
}

static void
test_held_has_no_window(void **state)
{
    struct rig *r = *state;

    turn(r);
    assert_int_equal(r->requests, 1);
    assert_int_equal(pipe_room(&r->ex->to_back), 0);
    assert_int_equal(r->front.credits, 0);
    rig_attach(r);
    turn(r);
    assert_int_equal(r->front.credits, 1);
    assert_int_equal(r->back.heads, 1);
    assert_int_equal(pipe_room(&r->ex->to_back), PIPE_WINDOW);
}

static void
test_client_left_before_on_request(void **state)
{
    struct rig *r = *state;

    exchange_front_lost(r->ex, REASON_CLIENT_LEFT);
    turn(r);
    assert_int_equal(r->requests, 0);
    assert_int_equal(r->ends, 0);
    assert_int_equal(r->releases, 1);
}

static void
test_lost_before_answer_goes_to_the_handler(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    turn(r);
    exchange_back_lost(r->ex, REASON_UPSTREAM_RESET);
    assert_int_equal(r->losses, 0); /* never nested */
    turn(r);
    assert_int_equal(r->losses, 1);
    assert_int_equal(pipe_room(&r->ex->to_back), 0);
    assert_int_equal(r->releases, 0);
}

static void
test_lost_within_answer_cuts_it(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    turn(r);
    exchange_answer_ready(r->ex);
    assert_int_equal(pipe_write(&r->ex->to_front, SLICE("half")), 0);
    exchange_back_lost(r->ex, REASON_UPSTREAM_TRUNCATED);
    turn(r);
    assert_int_equal(r->losses, 0);
    assert_int_equal(r->answers, 1);
    assert_int_equal(r->front.heads, 1);
    assert_int_equal(pipe_pending(&r->ex->to_front), 4);
    pipe_drain(&r->ex->to_front, 4);
    assert_false(pipe_at_end(&r->ex->to_front));
    exchange_front_done(r->ex);
    assert_int_equal(r->ex->outcome, END_ABORTED);
    assert_int_equal(r->ex->reason, REASON_UPSTREAM_TRUNCATED);
    turn(r);
    assert_int_equal(r->ends, 1);
}

static void
test_early_answer_stops_the_request(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    turn(r);
    assert_int_equal(pipe_write(&r->ex->to_back, SLICE("part")), 0);
    r->front.credits = 0;
    exchange_answer_ready(r->ex);
    pipe_end(&r->ex->to_front);
    exchange_back_done(r->ex);
    turn(r);
    assert_true(r->ex->to_back.stopped);
    assert_int_equal(r->front.credits, 1);
    exchange_front_done(r->ex);
    assert_int_equal(r->ex->outcome, END_ANSWERED);
}

static void
test_interim_waits_for_the_front(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    turn(r);
    r->back.credits = 0;
    exchange_interim_ready(r->ex);
    assert_true(r->ex->interim_here);
    turn(r);
    assert_false(r->ex->interim_here);
    assert_int_equal(r->front.heads, 1);
    assert_int_equal(r->back.credits, 1);
    assert_int_equal(r->answers, 0);
}

/* The front was told of it, but has not looked yet: it must not take it for an answer. */
static void
test_interim_of_a_lost_back(void **state)
{
    struct rig *r = *state;

    for (int how = 0; how < 2; how++) {
        turn(r);
        rig_attach(r);
        turn(r);
        exchange_interim_ready(r->ex);
        exchange_signal(r->ex->front, MARK_HEAD);
        if (how == 0)
            exchange_back_lost(r->ex, REASON_UPSTREAM_RESET);
        else
            exchange_detach_back(r->ex, REASON_GENERATION_OVER);
        turn(r);
        assert_int_equal(r->front.heads, 0);
    }
}

static void
test_client_left_resets_the_back(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    turn(r);
    exchange_front_lost(r->ex, REASON_CLIENT_LEFT);
    assert_false(r->back.resets);
    turn(r);
    assert_true(r->back.resets);
    assert_int_equal(r->ends, 1);
}

static void
test_detached_back_is_not_reported_lost(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    turn(r);
    exchange_back_lost(r->ex, REASON_UPSTREAM_RESET);
    exchange_detach_back(r->ex, REASON_GENERATION_OVER);
    turn(r);
    assert_int_equal(r->losses, 0);
}

static void
test_resend_rules(void **state)
{
    struct rig *r = *state;
    struct exchange *ex = r->ex;

    turn(r);
    ex->req.method = METHOD_POST;
    ex->delivered = DELIVERED_NO;
    assert_true(exchange_can_resend(ex));
    ex->delivered = DELIVERED_MAYBE;
    assert_false(exchange_can_resend(ex));
    ex->unprocessed = true;
    assert_true(exchange_can_resend(ex));
    ex->unprocessed = false;
    ex->req.method = METHOD_PUT;
    assert_true(exchange_can_resend(ex));
    assert_int_equal(pipe_write(&ex->to_back, SLICE("body")), 0);
    pipe_drain(&ex->to_back, 1);
    assert_false(exchange_can_resend(ex)); /* not retained */
}

static void
test_retained_request_is_sent_again(void **state)
{
    struct rig *r = *state;
    struct exchange *ex = r->ex;

    turn(r);
    ex->req.method = METHOD_PUT;
    pipe_retain(&ex->to_back);
    rig_attach(r);
    assert_int_equal(pipe_write(&ex->to_back, SLICE("body")), 0);
    pipe_drain(&ex->to_back, 4);
    ex->delivered = DELIVERED_MAYBE;
    exchange_back_lost(ex, REASON_UPSTREAM_RESET);
    turn(r);
    assert_true(exchange_can_resend(ex));
    rig_attach(r);
    assert_int_equal(pipe_pending(&ex->to_back), 4);
}

static void
test_silence_only_before_the_answer(void **state)
{
    struct rig *r = *state;

    turn(r);
    rig_attach(r);
    exchange_silence(r->ex);
    turn(r);
    assert_int_equal(r->silences, 1);
    exchange_silence(r->ex);
    exchange_answer_ready(r->ex);
    turn(r);
    assert_int_equal(r->silences, 1);
}

static void
test_credit_comes_when_half_is_free(void **state)
{
    struct rig *r = *state;
    struct pipe *p = &r->ex->to_front;

    turn(r);
    rig_attach(r);
    turn(r);
    exchange_answer_ready(r->ex);
    assert_int_equal(pipe_write(p, (struct slice){rig_stream(), PIPE_WINDOW}), 0);
    p->thirsty = true;
    turn(r);
    r->back.credits = 0;
    exchange_drain(p, PIPE_WINDOW / 2 - 1, r->ex->back);
    turn(r);
    assert_int_equal(r->back.credits, 0);
    exchange_drain(p, 1, r->ex->back);
    turn(r);
    assert_int_equal(r->back.credits, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_held_has_no_window),
        T(test_client_left_before_on_request),
        T(test_lost_before_answer_goes_to_the_handler),
        T(test_lost_within_answer_cuts_it),
        T(test_early_answer_stops_the_request),
        T(test_interim_waits_for_the_front),
        T(test_interim_of_a_lost_back),
        T(test_client_left_resets_the_back),
        T(test_detached_back_is_not_reported_lost),
        T(test_resend_rules),
        T(test_retained_request_is_sent_again),
        T(test_silence_only_before_the_answer),
        T(test_credit_comes_when_half_is_free),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
