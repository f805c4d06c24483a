/* SPDX-License-Identifier: BSD-2-Clause */
/* Digits agree with stdio's. */
#include "config.h"

#include "base/decimal.h"

#include "base/random.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>

static void
check(uint64_t v)
{
    char got[DECIMAL_MAX + 1], want[32];

    got[decimal_u64(got, v)] = '\0';
    snprintf(want, sizeof want, "%" PRIu64, v);
    assert_string_equal(got, want);
    got[decimal_i64(got, (int64_t)v)] = '\0';
    snprintf(want, sizeof want, "%" PRId64, (int64_t)v);
    assert_string_equal(got, want);
}

static void
test_same_as_stdio(void **state)
{
    struct random r;

    (void)state;
    random_seed(&r, 7);
    for (uint64_t v = 0; v < 20000; v++)
        check(v);
    for (uint64_t ten = 10; ten < UINT64_MAX / 10; ten *= 10) {
        check(ten - 1);
        check(ten);
        check(ten + 1);
    }
    check(UINT64_MAX);
    check(INT64_MAX);
    check((uint64_t)INT64_MIN);
    for (int i = 0; i < 20000; i++)
        check(random_u64(&r) >> random_below(&r, 64));
}

static void
test_fixed(void **state)
{
    char got[8] = "zzzzzzz";

    (void)state;
    decimal_fixed(got, 42, 6);
    assert_string_equal(got, "000042z");
    decimal_fixed(got, 1234567, 3);
    assert_string_equal(got, "567042z");
    decimal_fixed(got, 9, 0);
    assert_string_equal(got, "567042z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_stdio),
        cmocka_unit_test(test_fixed),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
