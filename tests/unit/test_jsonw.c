/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer: nesting, numbers, and that any bytes at all become one valid line. */
#include "config.h"

#include "base/jsonw.h"

#include "base/escape.h"
#include "base/random.h"
#include "failalloc.h"
#include "unit.h"

static void
test_nesting(void **state)
{
    struct buf b;
    struct jsonw j;

    (void)state;
    buf_init(&b, 4096);
    jsonw_init(&j, &b);
    jsonw_object(&j);
    jsonw_kv_str(&j, "a", "x");
    jsonw_kv_str(&j, "none", NULL);
    jsonw_kv_slice(&j, "empty", SLICE_NONE);
    jsonw_key(&j, "list");
    jsonw_array(&j);
    jsonw_i64(&j, INT64_MIN);
    jsonw_u64(&j, UINT64_MAX);
    jsonw_milli(&j, 12345);
    jsonw_milli(&j, -7);
    jsonw_milli(&j, INT64_MIN);
    jsonw_array(&j);
    jsonw_array_end(&j);
    jsonw_object(&j);
    jsonw_object_end(&j);
    jsonw_bool(&j, true);
    jsonw_null(&j);
    jsonw_array_end(&j);
    jsonw_kv_i64(&j, "i", -1);
    jsonw_kv_u64(&j, "u", 1);
    jsonw_kv_bool(&j, "q\"", false);
    jsonw_object_end(&j);
    assert_false(b.full);
    assert_string_equal(buf_cstr(&b),
                        "{\"a\":\"x\",\"none\":null,\"empty\":\"\",\"list\":[-9223372036854775808,"
                        "18446744073709551615,12.345,-0.007,-9223372036854775.808,[],{},true,null],"
                        "\"i\":-1,\"u\":1,\"q\\\"\":false}");
    buf_fini(&b);
}

static void
check_escape(struct slice in, const char *want)
{
    struct buf b;

    buf_init(&b, 4096);
    jsonw_escape(&b, in);
    assert_string_equal(buf_cstr(&b), want);
    buf_fini(&b);
}

static void
test_escapes(void **state)
{
    (void)state;
    check_escape(SLICE("plain text, long enough for words"), "plain text, long enough for words");
    check_escape(SLICE("a\"b\\c/"), "a\\\"b\\\\c/");
    check_escape((struct slice){"\0\n\t\x1f\x7f", 5}, "\\u0000\\u000a\\u0009\\u001f\\u007f");
    check_escape(SLICE("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    check_escape(SLICE("\xc2\x80\xc2\x9b\xc2\xa0"), "\\u0080\\u009b\xc2\xa0");
    check_escape(SLICE("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"), "\\u2028\\u2029\xe2\x80\xaa");
}

#define BAD "\xef\xbf\xbd"

static void
test_bad_utf8(void **state)
{
    (void)state;
    check_escape(SLICE("\xff"), BAD);
    check_escape(SLICE("\x80x"), BAD "x");
    check_escape(SLICE("\xc0\x80"), BAD BAD);
    check_escape(SLICE("\xc1\xbf"), BAD BAD);
    check_escape(SLICE("\xe0\x9f\xbf"), BAD BAD BAD);
    check_escape(SLICE("\xed\xa0\x80"), BAD BAD BAD);
    check_escape(SLICE("\xed\x9f\xbf"), "\xed\x9f\xbf");
    check_escape(SLICE("\xf0\x8f\xbf\xbf"), BAD BAD BAD BAD);
    check_escape(SLICE("\xf4\x90\x80\x80"), BAD BAD BAD BAD);
    check_escape(SLICE("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf");
    check_escape(SLICE("\xf5\x80\x80\x80"), BAD BAD BAD BAD);
    check_escape(SLICE("\xc3"), BAD);
    check_escape(SLICE("\xe2\x82"), BAD BAD);
    check_escape(SLICE("\xf0\x9f\x98"), BAD BAD BAD);
    check_escape(SLICE("\xc3("), BAD "(");
    check_escape(SLICE("\xe2\x82\""), BAD BAD "\\\"");
}

/* Any bytes, cut at any room: visible, whole escapes, and never more than fits. */
static void
test_random_bytes_any_room(void **state)
{
    struct random r;
    char in[40], out[sizeof in * ESCAPE_MAX + 1], whole[sizeof out];

    (void)state;
    random_seed(&r, 11);
    for (int round = 0; round < 50000; round++) {
        size_t n = random_below(&r, sizeof in), used;
        unsigned kind = (unsigned)random_below(&r, 3);
        for (size_t i = 0; i < n; i++)
            in[i] = (char)(kind == 0 ? 'a' + random_below(&r, 26) : random_u64(&r) >> 8);
        if (n > 0 && kind == 2)
            memset(in, 'p', n - 1);
        size_t all = escape_json(whole, sizeof whole, (struct slice){in, n}, &used);
        assert_int_equal(used, n);
        for (size_t i = 0; i < all; i++) {
            unsigned char c = (unsigned char)whole[i];
            assert_true(c >= 0x20 && c != 0x7f);
        }
        size_t room = random_below(&r, all + 1);
        memset(out, '#', sizeof out);
        size_t got = escape_json(out, room, (struct slice){in, n}, &used);
        assert_true(got <= room && room - got < ESCAPE_MAX);
        assert_memory_equal(out, whole, got);
        assert_int_equal(out[room], '#');
        got += escape_json(out + got, sizeof out - got, (struct slice){in + used, n - used}, &used);
        assert_int_equal(got, all);
        assert_memory_equal(out, whole, all);
    }
}

static void
test_text_and_bare(void **state)
{
    char out[32];
    size_t used;

    (void)state;
    size_t n = escape_text(out, sizeof out, SLICE("a\"\\\x1b[m\xff"), &used);
    assert_slice(((struct slice){out, n}), "a\"\\\\u001b[m" BAD);
    assert_true(escape_bare(SLICE("/path?x~!")));
    assert_false(escape_bare(SLICE("")));
    assert_false(escape_bare(SLICE("a b")));
    assert_false(escape_bare(SLICE("a=b")));
    assert_false(escape_bare(SLICE("a\"")));
    assert_false(escape_bare(SLICE("a\\")));
    assert_false(escape_bare(SLICE("\x7f")));
    assert_false(escape_bare(SLICE("\xc3\xa4")));
}

static void
test_limit(void **state)
{
    struct buf b;
    char storage[8];

    (void)state;
    buf_init(&b, 10);
    jsonw_escape(&b, SLICE("0123456789"));
    assert_int_equal(b.n, 10);
    assert_false(b.full);
    buf_clear(&b);
    jsonw_escape(&b, SLICE("0\"2\"4\"6\"8\""));
    assert_int_equal(b.n, 0);
    assert_true(b.full);
    buf_fini(&b);
    buf_init_fixed(&b, storage, sizeof storage);
    jsonw_escape(&b, SLICE("ab\"c\"d"));
    assert_int_equal(b.n, 0);
    assert_true(b.full);
    buf_clear(&b);
    jsonw_escape(&b, SLICE("ab\"cde"));
    assert_false(b.full);
    assert_string_equal(buf_cstr(&b), "ab\\\"cde");
    buf_init(&b, 100);
    failalloc_from(1);
    jsonw_escape(&b, SLICE("x"));
    failalloc_from(0);
    assert_true(b.full);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting),  cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_bad_utf8), cmocka_unit_test(test_random_bytes_any_room),
        cmocka_unit_test(test_text_and_bare), cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
