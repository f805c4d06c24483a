/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_h2_server_random.c: everything at once on an HTTP/2 front, in an order that a seed decides:
 * clients that cancel, backs that break, sessions that close at any step, allocations that fail.
 * What counts is that each exchange ends once and that nothing is left (rig_fini), under the
 * sanitizers above all.
 */
#include "config.h"

#include "h2_server_rig.h"

#include "base/random.h"
#include "failalloc.h"
#include "unit.h"

#include <stdio.h>

#define STEPS 300
#define SEEDS 60

static uint32_t
roll(struct random *dice, uint32_t n)
{
    return (uint32_t)(random_u64(dice) % n);
}

static struct rig_exchange *
any_exchange(struct h2_rig *r, struct random *dice)
{
    uint32_t n = 0, pick;

    list_each_safe(at, next, &r->exchanges)
        n++;
    if (n == 0)
        return NULL;
    pick = roll(dice, n);
    list_each_safe(at, next, &r->exchanges)
        if (pick-- == 0)
            return container_of(at, struct rig_exchange, link);
    return NULL;
}

static void
push_back(struct rig_exchange *x, struct random *dice)
{
    struct exchange *ex = &x->ex;

    if (!ex->back_is_real || roll(dice, 5) == 0)
        rig_break(x, REASON_UPSTREAM_RESET);
    else if (!x->answered)
        rig_answer(x, 200, FRAMING_CHUNKED, 0);
    else if (pipe_closed(&ex->to_front))
        return;
    else if (roll(dice, 3) == 0)
        rig_finish(x);
    else
        rig_send(x, roll(dice, 9000));
}

/* Something that a back or the handler may do. */
static void
push(struct h2_rig *r, struct random *dice)
{
    struct rig_exchange *x = any_exchange(r, dice);

    if (!x || x->ex.ended || !x->ex.announced)
        return;
    if (roll(dice, 7) == 0)
        exchange_abort(&x->ex, REASON_SHUTDOWN);
    else if (x->ex.back)
        push_back(x, dice);
    else if (!x->ex.answer_here)
        rig_attach(x);
}

/* Something that a client may do. */
static void
pull(struct h2_rig *r, struct random *dice, int32_t *next)
{
    int32_t id = *next > 1 ? (int32_t)(1 + 2 * roll(dice, (uint32_t)*next / 2)) : 1;

    switch (roll(dice, 8)) {
    case 0:
    case 1:
        rig_get(r, *next);
        *next += 2;
        break;
    case 2:
    case 3:
        rig_post(r, *next);
        *next += 2;
        break;
    case 4:
        if (*next > 1)
            rig_data(r, *next - 2, roll(dice, 5000), roll(dice, 3) == 0);
        break;
    case 5:
        if (*next > 1)
            rig_frame32(r, NGHTTP2_RST_STREAM, 0, id, NGHTTP2_CANCEL);
        break;
    case 6:
        rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 5000);
        break;
    default:
        if (*next > 1)
            rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, id, 5000);
        break;
    }
}

static void
run(uint64_t seed, bool ends)
{
    struct h2_rig *r;
    struct random dice;
    void *state;
    int32_t next = 1;

    random_seed(&dice, seed);
    rig_set_up(&state);
    r = state;
    r->o.resets = r->o.glitches = (struct rate){UINT32_MAX, 1};
    r->o.stall = r->o.stream_stall = 20 * USEC_MS;
    rig_open(r);
    for (int i = 0; i < STEPS && r->s; i++) {
        r->mode = (enum rig_mode)roll(&dice, 4);
        r->mute = roll(&dice, 4) == 0;
        if (roll(&dice, 2))
            pull(r, &dice, &next);
        else
            push(r, &dice);
        if (roll(&dice, 3) == 0)
            loop_turn(&r->loop, 0);
        if (roll(&dice, 10) == 0)
            rig_turn(r);
        if (ends && roll(&dice, STEPS) == 0 && r->s)
            session_drain(r->s);
        if (ends && roll(&dice, STEPS) == 0 && r->s)
            session_close(r->s, REASON_SHUTDOWN);
    }
    r->mute = false;
    rig_quiet(r);
    rig_tear_down(&state);
}

static void
test_random(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed, seed % 2 == 0);
}

/* A small life, with the n-th allocation and all after it failing. False: none failed. */
static bool
run_torture(unsigned n)
{
    struct h2_rig *r;
    void *state;
    bool failed;

    rig_set_up(&state);
    r = state;
    rig_open(r);
    r->mode = RIG_HOLD;
    failalloc_from(n);
    rig_get(r, 1);
    rig_post(r, 3);
    rig_data(r, 3, 3000, false);
    RIG_FIELDS(r, 5, NGHTTP2_FLAG_END_STREAM, ":method", "GET", ":scheme", "ftp", ":path", "/",
               ":authority", "h.test");
    for (int i = 0; i < 3; i++)
        loop_turn(&r->loop, 0);
    r->mode = RIG_ANSWER;
    rig_get(r, 7);
    for (int i = 0; i < 3; i++)
        loop_turn(&r->loop, 0);
    failalloc_from(0);
    rig_quiet(r);
    failed = !r->s || r->requests < 3 || r->outcomes[END_ANSWERED] != 1 || r->refusals != 1 ||
             rig_stream(r, 5)->status != 400;
    rig_tear_down(&state);
    return failed;
}

static void
test_torture(void **state)
{
    unsigned n = 1, fine = 0;

    (void)state;
    for (; fine < 5 && n < 500; n++)
        fine = run_torture(n) ? 0 : fine + 1;
    assert_in_range(n, 20, 499);
}

/* Opening fails at every allocation. */
static void
test_torture_open(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 40; n++) {
        struct h2_rig *r;
        void *rig;

        rig_set_up(&rig);
        r = rig;
        failalloc_from(n);
        rig_try_open(r, SLICE(NGHTTP2_CLIENT_MAGIC));
        for (int i = 0; i < 3; i++)
            loop_turn(&r->loop, 0);
        failalloc_from(0);
        rig_tear_down(&rig);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_torture),
        cmocka_unit_test(test_torture_open),
    };

    return cmocka_run_group_tests_name("h2_server_random", tests, NULL, NULL);
}
