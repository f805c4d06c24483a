/* SPDX-License-Identifier: BSD-2-Clause */
/* Token buckets: the burst, the rate, and the exact wait. */
#include "config.h"

#include "base/bucket.h"

#include "base/random.h"
#include "unit.h"

static const struct rate ten_a_minute = {10, 60 * USEC_SEC};

static void
test_burst_then_exact_wait(void **state)
{
    struct bucket b;
    usec_t wait = -1, now = 5 * USEC_SEC;

    (void)state;
    bucket_init(&b);
    assert_true(bucket_idle(&b, now));
    for (int i = 0; i < 10; i++) {
        assert_true(bucket_take(&b, ten_a_minute, now, &wait));
        assert_int_equal(wait, 0);
    }
    assert_false(bucket_idle(&b, now));
    assert_false(bucket_take(&b, ten_a_minute, now, &wait));
    assert_int_equal(wait, 6 * USEC_SEC);
    assert_false(bucket_take(&b, ten_a_minute, now + 6 * USEC_SEC - 1, &wait));
    assert_int_equal(wait, 1);
    assert_true(bucket_take(&b, ten_a_minute, now + 6 * USEC_SEC, &wait));
    assert_false(bucket_take(&b, ten_a_minute, now + 6 * USEC_SEC, &wait));
    assert_false(bucket_idle(&b, now + 66 * USEC_SEC - 1));
    assert_true(bucket_idle(&b, now + 66 * USEC_SEC));
}

static void
test_off_and_none(void **state)
{
    struct bucket b;
    usec_t wait;

    (void)state;
    bucket_init(&b);
    for (int i = 0; i < 1000; i++)
        assert_true(bucket_take(&b, (struct rate){UINT32_MAX, USEC_SEC}, 0, &wait));
    assert_false(bucket_take(&b, (struct rate){0, USEC_SEC}, 0, &wait));
    assert_true(wait == USEC_NEVER);
    assert_true(bucket_idle(&b, 0));
}

static void
test_extremes(void **state)
{
    static const struct rate rates[] = {
        {1, 1}, {UINT32_MAX - 1, 1}, {UINT32_MAX - 1, USEC_NEVER / 2}, {1, USEC_NEVER / 2}};
    usec_t wait;

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct bucket b;
        bucket_init(&b);
        assert_true(bucket_take(&b, rates[i], 0, &wait));
        assert_true(bucket_take(&b, rates[i], USEC_NEVER / 2, &wait));
        bucket_take(&b, rates[i], USEC_NEVER - 1, &wait);
        assert_true(wait >= 0);
    }
}

/* In any window no more than burst + rate, and who waits as told gets one. */
static void
test_never_exceeds_the_rate(void **state)
{
    const struct rate r = {7, USEC_SEC};
    struct random rnd;
    struct bucket b;
    usec_t now = 0, wait;
    int64_t taken = 0;

    (void)state;
    random_seed(&rnd, 10);
    bucket_init(&b);
    for (int i = 0; i < 20000; i++) {
        now += (usec_t)random_below(&rnd, 200000);
        if (bucket_take(&b, r, now, &wait)) {
            taken++;
        } else {
            assert_true(wait > 0);
            now += wait;
            assert_true(bucket_take(&b, r, now, &wait));
            taken++;
        }
        assert_true(taken <= 7 + now * 7 / USEC_SEC);
    }
    assert_true(taken >= now * 7 / USEC_SEC / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_exact_wait),
        cmocka_unit_test(test_off_and_none),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_never_exceeds_the_rate),
    };
    return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
