/* SPDX-License-Identifier: BSD-2-Clause */
/* Borrowed bytes: comparing, cutting, reading numbers. */
#include "config.h"

#include "base/slice.h"

#include "unit.h"

static void
test_equality(void **state)
{
    (void)state;
    assert_true(slice_eq(SLICE("a"), SLICE("a")));
    assert_false(slice_eq(SLICE("a"), SLICE("A")));
    assert_false(slice_eq(SLICE("a"), SLICE("ab")));
    assert_true(slice_eq(SLICE_NONE, SLICE("")));
    assert_true(slice_ieq(SLICE("Transfer-Encoding"), SLICE("tRANSFER-eNCODING")));
    assert_false(slice_ieq(SLICE("Transfer-Encoding"), SLICE("Transfer_Encoding")));
    assert_slice(slice_of(NULL), "");
    assert_slice(slice_of("x"), "x");
}

/* Only the 26 letters fold: '@' is not '`', '[' is not '{', nothing beyond ASCII folds. */
static void
test_folding_is_exact_at_every_place(void **state)
{
    char a[20], b[20];

    (void)state;
    for (size_t at = 0; at < sizeof a; at++)
        for (int x = 0; x < 256; x++)
            for (int y = 0; y < 256; y++) {
                memset(a, 'q', sizeof a);
                memset(b, 'Q', sizeof b);
                a[at] = (char)x;
                b[at] = (char)y;
                bool lower_x = x >= 'A' && x <= 'Z', lower_y = y >= 'A' && y <= 'Z';
                bool want = (lower_x ? x + 32 : x) == (lower_y ? y + 32 : y);
                if (slice_ieq((struct slice){a, sizeof a}, (struct slice){b, sizeof b}) != want)
                    fail_msg("at %zu: %02x and %02x", at, (unsigned)x, (unsigned)y);
            }
}

static void
test_starts_and_ends(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("rouse.token.x"), SLICE("rouse.token.")));
    assert_true(slice_starts(SLICE("x"), SLICE("")));
    assert_false(slice_starts(SLICE("x"), SLICE("xy")));
    assert_true(slice_istarts(SLICE("Bearer x"), SLICE("bearer ")));
    assert_true(slice_ends(SLICE("a.example.com"), SLICE(".example.com")));
    assert_false(slice_ends(SLICE("com"), SLICE(".com")));
    assert_true(slice_ends(SLICE_NONE, SLICE_NONE));
}

static void
test_index(void **state)
{
    (void)state;
    assert_int_equal(slice_index(SLICE("a:b:c"), ':'), 1);
    assert_int_equal(slice_rindex(SLICE("a:b:c"), ':'), 3);
    assert_int_equal(slice_index(SLICE("abc"), ':'), -1);
    assert_int_equal(slice_rindex(SLICE("abc"), ':'), -1);
    assert_int_equal(slice_index(SLICE_NONE, 'a'), -1);
    assert_int_equal(slice_rindex(SLICE_NONE, 'a'), -1);
}

static void
test_sub_clamps(void **state)
{
    (void)state;
    assert_slice(slice_sub(SLICE("abcdef"), 1, 3), "bc");
    assert_slice(slice_sub(SLICE("abcdef"), 4, 99), "ef");
    assert_slice(slice_sub(SLICE("abcdef"), 99, 99), "");
    assert_slice(slice_sub(SLICE("abcdef"), 3, 1), "");
    assert_slice(slice_sub(SLICE_NONE, 1, 2), "");
}

static void
test_trim(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t a b\t ")), "a b");
    assert_slice(slice_trim(SLICE(" \t ")), "");
    assert_slice(slice_trim(SLICE("\va\r")), "\va\r");
    assert_slice(slice_trim(SLICE_NONE), "");
}

static void
test_next(void **state)
{
    struct slice rest = SLICE(" a ,, b,"), e;

    (void)state;
    assert_true(slice_next(&rest, ',', &e));
    assert_slice(e, "a");
    assert_true(slice_next(&rest, ',', &e));
    assert_slice(e, "");
    assert_true(slice_next(&rest, ',', &e));
    assert_slice(e, "b");
    assert_true(slice_next(&rest, ',', &e));
    assert_slice(e, "");
    assert_false(slice_next(&rest, ',', &e));
    assert_false(slice_next(&rest, ',', &e));
    rest = SLICE("");
    assert_true(slice_next(&rest, ',', &e));
    assert_slice(e, "");
    assert_false(slice_next(&rest, ',', &e));
    rest = SLICE_NONE;
    assert_false(slice_next(&rest, ',', &e));
}

static void
test_u64(void **state)
{
    static const char *const bad[] = {"",   "00", "01",  "+1", "-1",  " 1",  "1 ",
                                      "1x", "x", "0x1", "1_0", "1.0", "1e3",
                                      "18446744073709551616",
                                      "99999999999999999999", "184467440737095516150"};
    uint64_t v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(slice_u64(slice_of(bad[i]), UINT64_MAX, &v), -1);
    assert_int_equal(v, 7);
    assert_int_equal(slice_u64(SLICE("0"), UINT64_MAX, &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(slice_u64(SLICE("18446744073709551615"), UINT64_MAX, &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(slice_u64(SLICE("65535"), 65535, &v), 0);
    assert_int_equal(v, 65535);
    assert_int_equal(slice_u64(SLICE("65536"), 65535, &v), -1);
    assert_int_equal(slice_u64(SLICE("0"), 0, &v), 0);
    assert_int_equal(slice_u64(SLICE("1"), 0, &v), -1);
    assert_int_equal(slice_u64((struct slice){"1\0", 2}, UINT64_MAX, &v), -1);
}

static void
test_order(void **state)
{
    (void)state;
    assert_int_equal(slice_cmp(SLICE("a"), SLICE("a")), 0);
    assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
    assert_true(slice_cmp(SLICE("\xff"), SLICE("a")) > 0);
    assert_true(slice_cmp(SLICE_NONE, SLICE("a")) < 0);
    assert_int_equal(slice_cmp(SLICE_NONE, SLICE("")), 0);
}

static void
test_secret(void **state)
{
    (void)state;
    assert_true(slice_eq_secret(SLICE("abc"), SLICE("abc")));
    assert_false(slice_eq_secret(SLICE("abc"), SLICE("abd")));
    assert_false(slice_eq_secret(SLICE("abc"), SLICE("\xe1"
                                                     "bc")));
    assert_false(slice_eq_secret(SLICE("abc"), SLICE("ab")));
    assert_true(slice_eq_secret(SLICE_NONE, SLICE("")));
}

static void
test_copy(void **state)
{
    char to[4] = "zzz";

    (void)state;
    assert_int_equal(slice_copy(SLICE("abcdef"), to, sizeof to), 3);
    assert_string_equal(to, "abc");
    assert_int_equal(slice_copy(SLICE("a"), to, sizeof to), 1);
    assert_string_equal(to, "a");
    assert_int_equal(slice_copy(SLICE_NONE, to, sizeof to), 0);
    assert_string_equal(to, "");
    assert_int_equal(slice_copy(SLICE("a"), to, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_folding_is_exact_at_every_place),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_sub_clamps),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
