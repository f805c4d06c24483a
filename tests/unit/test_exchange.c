/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange with ends in memory, in every order: a seed decides who does what and when, in
 * each callback too. on_request and on_end pair, release comes once, no op reaches an end that was
 * let go, and what arrives is what was sent.
 */
#include "config.h"

#include "http/exchange.h"
#include "http/memory_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 4000
#define STEPS 120

struct rig;

/* One side in memory. It belongs to the rig and outlives the exchange. */
struct side {
    struct exchange_end end;
    struct rig *rig;
    bool resets;
    unsigned heads, kicks, credits;
    uint64_t seen; /* bytes read, in this attempt */
};

struct rig {
    struct loop loop;
    struct random rnd;
    struct exchange *ex;
    struct side front, back;
    unsigned requests, answers, losses, ends, releases, silences;
    bool gone; /* on_end was called */
    bool ended_answer;
    bool active; /* random actions in callbacks */
};

static struct rig *the_rig; /* of the exchange's handler */

/* Over all random lives: each kind of thing must have happened often. */
static struct {
    unsigned outcome[4], answers, losses, silences, resent, cut;
    uint64_t forth, back;
} tally;

static bool
chance(struct rig *r, unsigned in)
{
    return r->active && random_below(&r->rnd, in) == 0;
}

static char
byte_at(uint64_t i)
{
    return (char)(i * 7 + i / 200);
}

static char stream[200000];

static void act(struct rig *r);

/* --- ends ----------------------------------------------------------------------------------- */

static struct side *
of_end(struct exchange_end *end)
{
    struct side *s = container_of(end, struct side, end);

    assert_non_null(end->ex); /* no op reaches a detached end */
    assert_ptr_equal(end->ex, s->rig->ex);
    assert_false(end->ex->ended);
    return s;
}

static void
on_head(struct exchange_end *end)
{
    of_end(end)->heads++;
    act(container_of(end, struct side, end)->rig);
}

static void
on_kick(struct exchange_end *end)
{
    of_end(end)->kicks++;
    act(container_of(end, struct side, end)->rig);
}

static void
on_credit(struct exchange_end *end)
{
    of_end(end)->credits++;
    act(container_of(end, struct side, end)->rig);
}

static void
on_reset(struct exchange_end *end, enum reason why)
{
    struct side *s = container_of(end, struct side, end);

    (void)why;
    assert_null(end->ex);
    s->resets = true;
}

static const struct exchange_end_ops ops = {
    .name = "test",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
    .reset = on_reset,
};

/* --- what sides do -------------------------------------------------------------------------- */

static void
fill(struct pipe *p, struct exchange_end *reader, size_t n)
{
    if (p->written + n > sizeof(stream) || pipe_closed(p))
        return;
    if (random_below(&the_rig->rnd, 2))
        assert_int_equal(pipe_lend(p, (struct slice){stream + p->written, n}), 0);
    else
        assert_int_equal(pipe_write(p, (struct slice){stream + p->written, n}), 0);
    exchange_signal(reader, MARK_KICK);
}

static void
drain(struct side *s, struct pipe *p, struct exchange_end *writer, size_t n)
{
    struct iovec v;

    while (n > 0 && pipe_peek(p, &v, 1) == 1) {
        size_t take = v.iov_len < n ? v.iov_len : n;

        for (size_t i = 0; i < take; i++)
            assert_int_equal(((const char *)v.iov_base)[i], byte_at(p->taken + i));
        exchange_drain(p, take, writer);
        n -= take;
        s->seen += take;
    }
}

static void
front_acts(struct rig *r, struct exchange *ex)
{
    size_t n = random_below(&r->rnd, 9000);

    switch (random_below(&r->rnd, 12)) {
    case 0:
    case 1:
    case 2:
        if (pipe_room(&ex->to_back) > 0)
            fill(&ex->to_back, ex->back, n);
        else
            ex->to_back.thirsty = true;
        break;
    case 3:
        pipe_end(&ex->to_back);
        exchange_signal(ex->back, MARK_KICK);
        break;
    case 4:
        if (random_below(&r->rnd, 25) == 0)
            exchange_front_lost(ex, REASON_CLIENT_LEFT);
        break;
    case 5:
        if (random_below(&r->rnd, 10) == 0)
            exchange_stop(&ex->to_front, ex->back);
        break;
    default:
        if (r->front.heads == 0 || !ex->answer_here)
            break;
        drain(&r->front, &ex->to_front, ex->back, n);
        if (n > 0)
            ex->answer_started = true;
        if (pipe_closed(&ex->to_front) && pipe_pending(&ex->to_front) == 0)
            exchange_front_done(ex);
        break;
    }
}

static void
back_acts(struct rig *r, struct exchange *ex)
{
    size_t n = random_below(&r->rnd, 9000);

    if (r->back.heads == 0)
        return;
    switch (random_below(&r->rnd, 12)) {
    case 0:
    case 1:
    case 2:
        if (!ex->answer_here || ex->to_front.ended)
            break;
        if (pipe_room(&ex->to_front) > 0)
            fill(&ex->to_front, ex->front, n);
        else
            ex->to_front.thirsty = true;
        break;
    case 3:
        if (!ex->answer_here && !ex->interim_here)
            exchange_answer_ready(ex);
        break;
    case 4:
        if (!ex->answer_here && !ex->interim_here && ex->interims < EXCHANGE_INTERIMS_MAX)
            exchange_interim_ready(ex);
        break;
    case 5:
        if (random_below(&r->rnd, 6) == 0)
            exchange_back_lost(ex, REASON_UPSTREAM_RESET);
        break;
    case 6:
        if (ex->answer_here && random_below(&r->rnd, 4) == 0) {
            pipe_end(&ex->to_front);
            exchange_back_done(ex);
        }
        break;
    case 7:
        exchange_silence(ex);
        break;
    default:
        if (n > 0)
            ex->delivered = DELIVERED_MAYBE;
        drain(&r->back, &ex->to_back, ex->front, n);
        break;
    }
}

static void
attach(struct rig *r, struct exchange *ex)
{
    if (ex->to_back.taken > 0 && !pipe_can_rewind(&ex->to_back)) {
        exchange_abort(ex, REASON_UPSTREAM_RESET);
        return;
    }
    r->back.heads = 0;
    r->back.seen = 0;
    task_cancel(&r->back.end.task);
    exchange_end_init(&r->back.end, &ops);
    exchange_attach_back(ex, &r->back.end, true);
}

static void
handler_acts(struct rig *r, struct exchange *ex)
{
    switch (random_below(&r->rnd, 16)) {
    case 0:
        if (!ex->back && !ex->answer_here && r->requests > 0)
            attach(r, ex);
        break;
    case 1:
        if (ex->back && random_below(&r->rnd, 6) == 0)
            exchange_detach_back(ex, REASON_GENERATION_OVER);
        break;
    case 2:
        if (random_below(&r->rnd, 25) == 0)
            exchange_abort(ex, REASON_SHUTDOWN);
        break;
    case 3:
        if (!ex->back && !ex->answer_here && r->requests > 0 && random_below(&r->rnd, 8) == 0) {
            head_init(&ex->resp);
            if (memory_answer(ex, 502, SLICE("text/plain"),
                              (struct slice){stream, random_below(&r->rnd, 3000)}) < 0)
                exchange_abort(ex, REASON_OUT_OF_MEMORY);
        }
        break;
    default:
        break;
    }
}

static void
act(struct rig *r)
{
    struct exchange *ex = r->ex;

    if (!r->active || r->gone || !ex || ex->ended)
        return;
    handler_acts(r, ex);
    if (!ex->ended && ex->front)
        front_acts(r, ex);
    if (!ex->ended && ex->back == &r->back.end)
        back_acts(r, ex);
}

/* --- the handler ---------------------------------------------------------------------------- */

static void
on_request(struct exchange *ex)
{
    struct rig *r = the_rig;

    assert_false(ex->ended);
    r->requests++;
    if (chance(r, 2))
        pipe_retain(&ex->to_back);
    act(r);
}

static void
on_answer(struct exchange *ex)
{
    assert_false(ex->ended);
    assert_int_equal(the_rig->requests, 1);
    the_rig->answers++;
    act(the_rig);
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    (void)why;
    assert_false(ex->ended);
    assert_null(ex->back);
    assert_false(ex->answer_here);
    the_rig->losses++;
    if (exchange_can_resend(ex) && chance(the_rig, 2)) {
        tally.resent++;
        attach(the_rig, ex);
    }
    act(the_rig);
}

static void
on_silence(struct exchange *ex)
{
    assert_false(ex->ended);
    assert_false(ex->answer_here);
    the_rig->silences++;
    act(the_rig);
}

static void
on_end(struct exchange *ex)
{
    struct rig *r = the_rig;

    assert_true(ex->ended);
    assert_int_not_equal(ex->outcome, END_NONE);
    assert_null(ex->front);
    assert_null(ex->back);
    assert_int_equal(r->ends, 0);
    tally.outcome[ex->outcome]++;
    tally.cut += ex->to_front.aborted;
    tally.forth += ex->to_back.drained;
    tally.back += ex->to_front.drained;
    r->ends++;
    r->gone = true;
}

static void
release(struct exchange *ex)
{
    the_rig->releases++;
    the_rig->gone = true;
    the_rig->ex = NULL;
    free(ex);
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_silence = on_silence,
    .on_end = on_end,
    .release = release,
};

static void
begin(struct rig *r)
{
    the_rig = r;
    r->ex = malloc(sizeof(*r->ex));
    assert_non_null(r->ex);
    exchange_init(r->ex, &r->loop, &handler);
    r->ex->req.method = random_below(&r->rnd, 2) ? METHOD_GET : METHOD_POST;
    r->front.rig = r->back.rig = r;
    exchange_end_init(&r->front.end, &ops);
    exchange_end_init(&r->back.end, &ops);
    exchange_attach_front(r->ex, &r->front.end);
    exchange_request_ready(r->ex);
}

static void
settle(struct rig *r)
{
    if (!r->ex)
        return;
    assert_int_equal(pipe_settle(&r->ex->to_back), 0);
    assert_int_equal(pipe_settle(&r->ex->to_front), 0);
}

static void
one_life(uint64_t seed)
{
    struct rig r = {0};

    assert_int_equal(loop_init(&r.loop, &(struct loop_options){.tick = 1000}), 0);
    random_seed(&r.rnd, seed);
    r.active = true;
    begin(&r);
    for (int i = 0; i < STEPS && r.releases == 0; i++) {
        unsigned acts = (unsigned)random_below(&r.rnd, 4);

        while (acts-- > 0)
            act(&r);
        loop_turn(&r.loop, 0);
        settle(&r);
    }
    if (r.ex && !r.ex->ended)
        exchange_abort(r.ex, REASON_SHUTDOWN);
    r.active = false;
    for (int i = 0; i < 3; i++)
        loop_turn(&r.loop, 0);
    assert_int_equal(r.releases, 1);
    assert_int_equal(r.ends, r.requests); /* both 0, or both 1 */
    tally.answers += r.answers;
    tally.losses += r.losses;
    tally.silences += r.silences;
    loop_fini(&r.loop);
}

static void
test_random_interleavings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_life(seed);
    print_message("outcomes %u %u %u, answers %u, losses %u, resent %u, cut %u, bytes %llu %llu\n",
                  tally.outcome[END_ANSWERED], tally.outcome[END_ABORTED],
                  tally.outcome[END_CLIENT_LEFT], tally.answers, tally.losses, tally.resent,
                  tally.cut, (unsigned long long)tally.forth, (unsigned long long)tally.back);
    for (int i = END_ANSWERED; i <= END_CLIENT_LEFT; i++)
        assert_in_range(tally.outcome[i], SEEDS / 20, SEEDS);
    assert_in_range(tally.answers, SEEDS / 4, SEEDS);
    assert_in_range(tally.losses, SEEDS / 10, SEEDS * 4);
    assert_in_range(tally.resent, SEEDS / 50, SEEDS * 4);
    assert_in_range(tally.cut, SEEDS / 50, SEEDS);
    assert_true(tally.forth > SEEDS * 1000 && tally.back > SEEDS * 1000);
}

/* --- the rules, one by one ------------------------------------------------------------------ */

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    assert_int_equal(loop_init(&r->loop, &(struct loop_options){.tick = 1000}), 0);
    random_seed(&r->rnd, 1);
    begin(r);
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
    attach(r, r->ex);
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
    attach(r, r->ex);
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
    attach(r, r->ex);
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
    attach(r, r->ex);
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
    attach(r, r->ex);
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

static void
test_client_left_resets_the_back(void **state)
{
    struct rig *r = *state;

    turn(r);
    attach(r, r->ex);
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
    attach(r, r->ex);
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
    attach(r, ex);
    assert_int_equal(pipe_write(&ex->to_back, SLICE("body")), 0);
    pipe_drain(&ex->to_back, 4);
    ex->delivered = DELIVERED_MAYBE;
    exchange_back_lost(ex, REASON_UPSTREAM_RESET);
    turn(r);
    assert_true(exchange_can_resend(ex));
    attach(r, ex);
    assert_int_equal(pipe_pending(&ex->to_back), 4);
}

static void
test_silence_only_before_the_answer(void **state)
{
    struct rig *r = *state;

    turn(r);
    attach(r, r->ex);
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
    attach(r, r->ex);
    turn(r);
    exchange_answer_ready(r->ex);
    assert_int_equal(pipe_write(p, (struct slice){stream, PIPE_WINDOW}), 0);
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
        T(test_client_left_resets_the_back),
        T(test_detached_back_is_not_reported_lost),
        T(test_resend_rules),
        T(test_retained_request_is_sent_again),
        T(test_silence_only_before_the_answer),
        T(test_credit_comes_when_half_is_free),
        cmocka_unit_test(test_random_interleavings),
    };

    for (size_t i = 0; i < sizeof(stream); i++)
        stream[i] = byte_at(i);
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
