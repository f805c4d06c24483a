/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchange with ends in memory, in every order: a seed decides who does what and when, in
 * each callback too. on_request and on_end pair, release comes once, no op reaches an end that was
 * let go, and what arrives is what was sent.
 */
#include "config.h"

#include "exchange_rig.h"
#include "http/memory_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEEDS 4000
#define STEPS 120

/* Over all random lives: each kind of thing must have happened often. */
static struct {
    unsigned outcome[4], answers, losses, resent, cut;
    uint64_t forth, back;
} tally;

/* --- what sides do -------------------------------------------------------------------------- */

static void
fill(struct rig *r, struct pipe *p, struct exchange_end *reader, size_t n)
{
    if (p->written + n > RIG_STREAM || pipe_closed(p))
        return;
    if (random_below(&r->rnd, 2))
        assert_int_equal(pipe_lend(p, (struct slice){rig_stream() + p->written, n}), 0);
    else
        assert_int_equal(pipe_write(p, (struct slice){rig_stream() + p->written, n}), 0);
    exchange_signal(reader, MARK_KICK);
}

static void
drain(struct side *s, struct pipe *p, struct exchange_end *writer, size_t n)
{
    struct iovec v;

    while (n > 0 && pipe_peek(p, &v, 1) == 1) {
        size_t take = v.iov_len < n ? v.iov_len : n;

        for (size_t i = 0; i < take; i++)
            assert_int_equal(((const char *)v.iov_base)[i], rig_byte(p->taken + i));
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
            fill(r, &ex->to_back, ex->back, n);
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
            fill(r, &ex->to_front, ex->front, n);
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
try_attach(struct rig *r, struct exchange *ex)
{
    if (ex->to_back.taken > 0 && !pipe_can_rewind(&ex->to_back))
        exchange_abort(ex, REASON_UPSTREAM_RESET);
    else
        rig_attach(r);
}

static void
handler_acts(struct rig *r, struct exchange *ex)
{
    switch (random_below(&r->rnd, 16)) {
    case 0:
        if (!ex->back && !ex->answer_here && r->requests > 0)
            try_attach(r, ex);
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
                              (struct slice){rig_stream(), random_below(&r->rnd, 3000)}) < 0)
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

    if (r->requests > 0 && ex->to_back.drained == 0 && random_below(&r->rnd, 8) == 0)
        pipe_retain(&ex->to_back);
    if (r->losses > 0 && !ex->back && exchange_can_resend(ex) && random_below(&r->rnd, 2)) {
        tally.resent++;
        rig_attach(r);
    }
    handler_acts(r, ex);
    if (!ex->ended && ex->front)
        front_acts(r, ex);
    if (!ex->ended && ex->back == &r->back.end)
        back_acts(r, ex);
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
    r.act = act;
    rig_begin(&r);
    r.ex->req.method = random_below(&r.rnd, 2) ? METHOD_GET : METHOD_POST;
    for (int i = 0; i < STEPS && r.releases == 0; i++) {
        unsigned acts = (unsigned)random_below(&r.rnd, 4);

        while (acts-- > 0 && !r.gone && !r.ex->ended)
            act(&r);
        loop_turn(&r.loop, 0);
        settle(&r);
    }
    if (r.ex && !r.ex->ended)
        exchange_abort(r.ex, REASON_SHUTDOWN);
    r.act = NULL;
    for (int i = 0; i < 3; i++)
        loop_turn(&r.loop, 0);
    assert_int_equal(r.releases, 1);
    assert_int_equal(r.ends, r.requests); /* both 0, or both 1 */
    tally.outcome[r.outcome]++;
    tally.answers += r.answers;
    tally.losses += r.losses;
    tally.cut += r.cut;
    tally.forth += r.forth;
    tally.back += r.back_bytes;
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_interleavings),
    };
    return cmocka_run_group_tests_name("exchange_random", tests, NULL, NULL);
}
