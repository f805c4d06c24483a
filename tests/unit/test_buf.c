/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers keep their limit and their contents, whatever fails. */
#include "config.h"

#include "base/buf.h"

#include "failalloc.h"
#include "unit.h"

static void
test_appends(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(buf_add_str(&b, "a"), 0);
    assert_int_equal(buf_add_char(&b, 'b'), 0);
    assert_int_equal(buf_add_slice(&b, SLICE("cd")), 0);
    assert_int_equal(buf_add_slice(&b, SLICE_NONE), 0);
    assert_int_equal(buf_add_u64(&b, 0), 0);
    assert_int_equal(buf_add_u64(&b, UINT64_MAX), 0);
    assert_int_equal(buf_printf(&b, "<%s>", "e"), 0);
    assert_string_equal(buf_cstr(&b), "abcd018446744073709551615<e>");
    assert_slice(buf_slice(&b), "abcd018446744073709551615<e>");
    assert_false(b.full);
    buf_fini(&b);
}

static void
test_limit_is_exact_and_keeps_contents(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_add_char(&b, 'x'), 0);
    assert_int_equal(buf_add_char(&b, 'y'), -1);
    assert_true(b.full);
    assert_int_equal(b.n, 100);
    assert_int_equal(strlen(buf_cstr(&b)), 100);
    buf_clear(&b);
    assert_false(b.full);
    assert_int_equal(buf_printf(&b, "%099d", 7), 0);
    assert_int_equal(buf_printf(&b, "%s", "ab"), -1);
    assert_true(b.full);
    assert_int_equal(b.n, 99);
    assert_int_equal(buf_printf(&b, "%s", "a"), 0);
    assert_int_equal(b.n, 100);
    buf_fini(&b);

    buf_init(&b, 0);
    assert_int_equal(buf_add_char(&b, 'x'), -1);
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_fini(&b);
    buf_init(&b, SIZE_MAX);
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(buf_add_char(&b, 'x'), 0);
    buf_fini(&b);
}

static void
test_fixed(void **state)
{
    char storage[8];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, storage, sizeof storage);
    assert_int_equal(buf_add_str(&b, "1234567"), 0);
    assert_string_equal(buf_cstr(&b), "1234567");
    assert_int_equal(buf_add_str(&b, "8"), -1);
    buf_clear(&b);
    assert_int_equal(buf_printf(&b, "%d", 1234567), 0);
    assert_int_equal(buf_printf(&b, "%d", 1), -1);
    assert_string_equal(buf_cstr(&b), "1234567");
    buf_fini(&b);
    buf_init_fixed(&b, storage, 0);
    assert_int_equal(buf_add_str(&b, "8"), -1);
    assert_string_equal(buf_cstr(&b), "");
}

static void
test_consume(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 64);
    buf_add_str(&b, "abcdef");
    buf_consume(&b, 2);
    assert_slice(buf_slice(&b), "cdef");
    buf_consume(&b, 0);
    buf_consume(&b, 4);
    assert_slice(buf_slice(&b), "");
    buf_fini(&b);
    buf_consume(&b, 0);
}

static void
test_no_memory(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    failalloc_from(1);
    assert_int_equal(buf_add_str(&b, "a"), -1);
    assert_int_equal(buf_printf(&b, "%s", "a"), -1);
    assert_string_equal(buf_cstr(&b), "");
    failalloc_from(0);
    buf_clear(&b);
    assert_int_equal(buf_add_str(&b, "kept"), 0);
    failalloc_from(1);
    assert_null(buf_reserve(&b, 500));
    failalloc_from(0);
    assert_true(b.full);
    assert_string_equal(buf_cstr(&b), "kept");
    buf_fini(&b);
}

static void
test_reserve_then_write(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    char *at = buf_reserve(&b, 300);
    assert_non_null(at);
    memset(at, 'r', 300);
    b.n += 300;
    assert_ptr_equal(buf_reserve(&b, 0), b.p + 300);
    assert_null(buf_reserve(&b, 701));
    assert_non_null(buf_reserve(&b, 700));
    assert_int_equal(strlen(buf_cstr(&b)), 300);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),   cmocka_unit_test(test_limit_is_exact_and_keeps_contents),
        cmocka_unit_test(test_fixed),     cmocka_unit_test(test_consume),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_reserve_then_write),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
