/* SPDX-License-Identifier: BSD-2-Clause */
/* The same seed gives the same numbers for ever: seeds of the simulator are written down. */
#include "config.h"

#include "base/random.h"

#include "unit.h"

static void
test_known_numbers(void **state)
{
    struct random r = {{1, 2, 3, 4}};

    (void)state;
    /* From the authors' own code with the state 1, 2, 3, 4. */
    assert_true(random_u64(&r) == 11520);
    assert_true(random_u64(&r) == 0);
    assert_true(random_u64(&r) == 1509978240);
    assert_true(random_u64(&r) == 1215971899390074240);
    /* splitmix64 of 0 begins so. */
    random_seed(&r, 0);
    assert_true(r.s[0] == 0xe220a8397b1dcdaf);
    assert_true(r.s[1] == 0x6e789e6aa1b965f4);
}

static void
test_below_is_even(void **state)
{
    struct random r;
    unsigned count[7] = {0};

    (void)state;
    random_seed(&r, 8);
    for (int i = 0; i < 70000; i++)
        count[random_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9500, 10500);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(random_below(&r, 1), 0);
        assert_true(random_below(&r, UINT64_MAX) < UINT64_MAX);
        assert_true(random_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

static void
test_bytes_differ(void **state)
{
    unsigned char a[300] = {0}, b[300] = {0};

    (void)state;
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, b, 16);
    random_bytes(a, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_numbers),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_bytes_differ),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
