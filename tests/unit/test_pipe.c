/* SPDX-License-Identifier: BSD-2-Clause */
/* A pipe keeps every byte, in order, whatever its writer lends and its reader leaves. */
#include "config.h"

#include "http/pipe.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK 128

struct rig {
    struct pool pool;
    struct pipe pipe;
};

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    pool_init(&r->pool, BLOCK, 8, 0);
    pipe_init(&r->pipe, &r->pool, PIPE_WINDOW);
    *state = r;
    return r ? 0 : -1;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    pipe_fini(&r->pipe);
    pool_fini(&r->pool); /* ensures that no block is out */
    free(r);
    return 0;
}

/* Byte i of the stream. */
static char
byte_at(uint64_t i)
{
    return (char)(i * 131 + i / 251);
}

static void
check_pending(const struct pipe *p)
{
    struct iovec iov[600];
    int n = pipe_peek(p, iov, 600);
    uint64_t at = p->taken;

    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < iov[i].iov_len; k++, at++)
            assert_int_equal(((const char *)iov[i].iov_base)[k], byte_at(at));
    assert_int_equal(at, p->written);
}

static void
test_lends_and_settles(void **state)
{
    struct rig *r = *state;
    struct iovec v;

    assert_int_equal(pipe_lend(&r->pipe, SLICE("hello")), 0);
    assert_int_equal(r->pool.out, 0);
    assert_int_equal(pipe_peek(&r->pipe, &v, 1), 1);
    assert_int_equal(v.iov_len, 5);
    pipe_drain(&r->pipe, 2);
    assert_int_equal(pipe_settle(&r->pipe), 0);
    assert_int_equal(r->pool.out, 1);
    assert_int_equal(pipe_peek(&r->pipe, &v, 1), 1);
    assert_memory_equal(v.iov_base, "llo", 3);
    pipe_drain(&r->pipe, 3);
    assert_int_equal(r->pool.out, 0);
    pipe_end(&r->pipe);
    assert_true(pipe_at_end(&r->pipe));
}

static void
test_room_and_window(void **state)
{
    struct rig *r = *state;
    struct pipe *p = &r->pipe;

    p->window = 0;
    assert_int_equal(pipe_room(p), 0);
    assert_int_equal(pipe_write(p, SLICE("0123456789")), 0); /* what had come already */
    p->window = 16;
    assert_int_equal(pipe_room(p), 6);
    pipe_drain(p, 4);
    assert_int_equal(pipe_room(p), 10);
    pipe_stop(p);
    assert_true(pipe_room(p) == SIZE_MAX);
    assert_int_equal(pipe_pending(p), 0);
    assert_int_equal(pipe_write(p, SLICE("more")), 0);
    assert_int_equal(p->drained, 14); /* window credit goes on */
}

static void
test_retained_is_rewound(void **state)
{
    struct rig *r = *state;
    struct pipe *p = &r->pipe;
    struct iovec v[4];

    pipe_retain(p);
    assert_int_equal(pipe_lend(p, SLICE("abc")), 0);
    pipe_drain(p, 3);
    assert_int_equal(pipe_lend(p, SLICE("def")), 0);
    pipe_drain(p, 1);
    assert_true(pipe_can_rewind(p));
    pipe_rewind(p);
    assert_int_equal(pipe_pending(p), 6);
    assert_int_equal(p->drained, 4); /* monotonic */
    assert_int_equal(pipe_peek(p, v, 4), 1);
    assert_memory_equal(v[0].iov_base, "abcdef", 6);
    pipe_drain(p, 2);
    pipe_forget(p);
    assert_false(pipe_can_rewind(p));
    assert_int_equal(pipe_pending(p), 4);
}

static void
test_retaining_has_a_limit(void **state)
{
    struct rig *r = *state;
    struct pipe *p = &r->pipe;
    static char big[PIPE_RETAIN_MAX];

    pipe_retain(p);
    assert_int_equal(pipe_lend(p, (struct slice){big, sizeof(big)}), 0);
    pipe_drain(p, sizeof(big));
    assert_true(pipe_can_rewind(p));
    assert_int_equal(pipe_lend(p, SLICE("x")), 0);
    assert_false(pipe_can_rewind(p));
    assert_int_equal(r->pool.out, 0);
    pipe_drain(p, 1);
}

static void
test_undrained_can_always_be_rewound(void **state)
{
    struct rig *r = *state;

    assert_int_equal(pipe_write(&r->pipe, SLICE("abc")), 0);
    assert_true(pipe_can_rewind(&r->pipe));
    pipe_drain(&r->pipe, 1);
    assert_false(pipe_can_rewind(&r->pipe));
}

static void
test_aborted_gives_what_it_holds(void **state)
{
    struct rig *r = *state;
    struct pipe *p = &r->pipe;

    assert_int_equal(pipe_write(p, SLICE("abc")), 0);
    pipe_abort(p, REASON_UPSTREAM_RESET);
    pipe_end(p);
    assert_true(pipe_closed(p));
    assert_int_equal(pipe_pending(p), 3);
    pipe_drain(p, 3);
    assert_false(pipe_at_end(p));
    assert_int_equal(p->reason, REASON_UPSTREAM_RESET);
}

static void
test_end_is_not_aborted_later(void **state)
{
    struct rig *r = *state;

    pipe_end(&r->pipe);
    pipe_abort(&r->pipe, REASON_UPSTREAM_RESET);
    assert_true(pipe_at_end(&r->pipe));
}

/* One step of a random life; the reading side is checked against byte_at. */
static void
step(struct pipe *p, struct random *rnd, const char *stream)
{
    size_t n = random_below(rnd, 300), pending = pipe_pending(p);

    switch (random_below(rnd, 6)) {
    case 0:
    case 1:
        assert_int_equal(pipe_lend(p, (struct slice){stream + p->written, n}), 0);
        break;
    case 2:
        assert_int_equal(pipe_write(p, (struct slice){stream + p->written, n}), 0);
        break;
    case 3:
        pipe_drain(p, n < pending ? n : pending);
        break;
    case 4:
        assert_int_equal(pipe_settle(p), 0);
        break;
    case 5:
        if (p->retained && pipe_can_rewind(p) && random_below(rnd, 4) == 0)
            pipe_rewind(p);
        break;
    }
    check_pending(p);
}

static void
test_random_lives(void **state)
{
    static char stream[70000];

    (void)state;
    for (size_t i = 0; i < sizeof(stream); i++)
        stream[i] = byte_at(i);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rig r;
        struct random rnd;

        random_seed(&rnd, seed);
        pool_init(&r.pool, BLOCK, 8, 0);
        pipe_init(&r.pipe, &r.pool, PIPE_WINDOW);
        if (seed % 2)
            pipe_retain(&r.pipe);
        for (int i = 0; i < 200 && r.pipe.written + 300 < sizeof(stream); i++)
            step(&r.pipe, &rnd, stream);
        pipe_fini(&r.pipe);
        pool_fini(&r.pool);
    }
}

static void
test_out_of_blocks(void **state)
{
    struct rig *r = *state;
    char big[3 * BLOCK] = {0};

    r->pool.max_out = 1;
    assert_int_equal(pipe_lend(&r->pipe, (struct slice){big, sizeof(big)}), 0);
    assert_int_equal(pipe_settle(&r->pipe), -1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_lends_and_settles),
        T(test_room_and_window),
        T(test_retained_is_rewound),
        T(test_retaining_has_a_limit),
        T(test_undrained_can_always_be_rewound),
        T(test_aborted_gives_what_it_holds),
        T(test_end_is_not_aborted_later),
        T(test_random_lives),
        T(test_out_of_blocks),
    };
    return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}
