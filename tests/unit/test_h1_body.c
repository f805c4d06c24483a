/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies: RELIABILITY A6 to A9 and E10 at every cut, the limits one below, at and one above, and
 * that data is never copied nor lost.
 */
#include "config.h"

#include "http/h1_body.h"

#include "h1_lab.h"
#include "unit.h"

#include <stdio.h>

static struct lab lab;
static struct random dice;

static int
set_up(void **state)
{
    (void)state;
    random_seed(&dice, 31);
    lab_init(&lab, LAB_CHUNKED);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    lab_fini(&lab);
    return 0;
}

/* What is told of in begins so. */
static void
check(const char *id, struct slice in, const char *told)
{
    lab_cut(&lab, in, &dice, 20);
    if (strncmp(buf_cstr(&lab.told), told, strlen(told)) != 0)
        fail_msg("%s: %.*s\nwanted %s\ntold %s", id, (int)in.n, in.p, told, buf_cstr(&lab.told));
}

static void
check_bad_size(const char *size)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s\r\nhello\r\n0\r\n\r\n", size);

    check(size, (struct slice){text, (size_t)n}, "body [] bad\n");
}

static void
test_a6_sizes(void **state)
{
    static const char *const wrong[] = {
        "", " ", " 5", "5 ", "\t5", "5\t", "+5", "-5", "-0", "0x5", "0X5", "x5", "5x", "5h", "$5",
        "5_0", "_5", "5.", "5.0", "5,5", "5 5", "\"5\"", "'5'", "5\x0b", "5\xa0", "\xd9\xa5", "g",
        "5g", "z", "#5", "5#", "(5)", "5\\", "5/", "%35", "5:", "=5", "5=", "00000000000000005",
        "10000000000000005", "fffffffffffffffff", "FFFFFFFFFFFFFFFFFF", "123456789abcdef01",
        "5\x7f", "5\x01", "5 ;a", "5 ; a", "5\t;a", "five", "0o5", "5h;a", "5-", "5+", "1e+1",
        "5e+1", "\r", "5\r", "\xef\xbb\xbf",
    };
    static const struct { const char *size; unsigned at; } fine[] = {
        {"5", 0}, {"05", 1}, {"005", 2}, {"0000000000000005", 15},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        check_bad_size(wrong[i]);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        char text[256], want[64];
        int n = snprintf(text, sizeof text, "%s\r\nhello\r\n0\r\n\r\n", fine[i].size);
        snprintf(want, sizeof want, "body [hello] end %u\n", 15 + fine[i].at);
        check("A6", (struct slice){text, (size_t)n}, want);
    }
    check("A6", SLICE("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
          "body [01234567890123456789] end 35\n");
    check("A6", SLICE("ffffffffffffffff\r\nabc"), "body [abc] more");
    check("A6", SLICE("7fffffffffffffff\r\nabc"), "body [abc] more");
    check("A6", SLICE("100000005\r\nhello\r\n0\r\n\r\n"), "body [hello\r\n0\r\n\r\n] more");
    check("A6", SLICE("5\n"), "body [] bad\n");
    check("A6", SLICE("5\r\r\n"), "body [] bad\n");
    check("A6", SLICE("5\0\r\n"), "body [] bad\n");
}

static void
test_a7_extensions(void **state)
{
    static const char *const fine[] = {
        ";a", ";a=b", ";a=b;c", ";a;b;c=d", ";a=\"b\"", ";a=\"b c\"", ";a=\"\\\"\"", ";a=\"b;c\"",
        ";a=\"\";b", ";!#$%&'*+-.^_`|~=1", ";a=\"\t\xe4\"",
    };
    static const char *const wrong[] = {
        ";", ";a;", ";;a", ";a;;b", ";a=;b", ";a=b;;c", ";a=\"b\";;c", ";a=,", ";a==b", ";a=b=c",
        ";a=", ";=b", "; a", ";a =b", ";a= b", ";a b", ";a=b c",
        ";a=\"b",
        ";a=\"b\"c", ";a=\"b\r\n\"", ";a=\"b\n\"", ";a\rb", ";a\nb", ";a=b\rc", ";a=b\nc",
        ";a=\"\\\r\n\"", ";a\x01", ";a=\x01", ";a=\"\x01\"", ";a\x7f", ";a=\x7f", ";a(", ";a=(",
        ";a,b", ";\xe4", ";a=\xe4", ";a\t", "\t;a", ";a=\"b\" ", " ;a", ";\"a\"", ";a\\",
    };
    char text[256], want[64];

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        int n = snprintf(text, sizeof text, "5%s\r\nhello\r\n0%s\r\n\r\n", fine[i], fine[i]);
        snprintf(want, sizeof want, "body [hello] end %d\n", n);
        check(fine[i], (struct slice){text, (size_t)n}, want);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int n = snprintf(text, sizeof text, "5%s\r\nhello\r\n0\r\n\r\n", wrong[i]);
        check(wrong[i], (struct slice){text, (size_t)n}, "body [] bad\n");
        n = snprintf(text, sizeof text, "1\r\na\r\n0%s\r\n\r\n", wrong[i]);
        check(wrong[i], (struct slice){text, (size_t)n}, "body [a] bad\n");
    }
    check("A7", SLICE("5;a\0b\r\n"), "body [] bad\n");
    check("A7", SLICE("5;a=\0\r\n"), "body [] bad\n");
    check("A7", SLICE("5;a=\"\0\"\r\n"), "body [] bad\n");
}

static void
test_a8_terminators(void **state)
{
    static const struct { const char *text; size_t n; } wrong[] = {
        {"", 0}, {"\n", 1}, {"\r", 1}, {"\n\n", 2}, {"\n\r", 2}, {"\r\r", 2}, {"xy", 2}, {"x\n", 2},
        {"\ra", 2}, {"\0\n", 2}, {"\r\0", 2}, {"  ", 2}, {"\r\r\n", 3}, {"x\r\n", 3}, {" \r\n", 3},
        {"\t\r\n", 3}, {"\r\n\r\n", 4},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        for (int at = 0; at < 3; at++) {
            struct buf b;
            char want[32];
            buf_init(&b, 256);
            for (int k = 0; k < 3; k++) {
                buf_add_str(&b, "2\r\nab");
                if (k == at)
                    buf_add(&b, wrong[i].text, wrong[i].n);
                else
                    buf_add_str(&b, "\r\n");
            }
            buf_add_str(&b, "0\r\n\r\n");
            snprintf(want, sizeof want, "body [%.*s] bad\n", 2 * (at + 1), "ababab");
            check("A8", buf_slice(&b), want);
            buf_fini(&b);
        }
        /* Behind the last chunk's size. */
        int n = snprintf(text, sizeof text, "2\r\nab\r\n0");
        memcpy(text + n, wrong[i].text, wrong[i].n);
        memcpy(text + n + wrong[i].n, "\r\nx", 3);
        if (wrong[i].n > 0 && wrong[i].n < 4)
            check("A8", (struct slice){text, (size_t)n + wrong[i].n + 3}, "body [ab] bad\n");
    }
    check("A8", SLICE("2\r\nabc\r\n0\r\n\r\n"), "body [ab] bad\n");
    check("A8", SLICE("0\r\n\n"), "body [] bad\n");
    check("A8", SLICE("0\r\n\r\r"), "body [] bad\n");
    check("A8", SLICE("0\r\n \r\n\r\n"), "body [] bad\n");
}

static void
test_a9_trailers(void **state)
{
    static const char *const wrong[] = {
        "Content-Length: 5", "content-length: 0", "Transfer-Encoding: chunked",
        "TRANSFER-ENCODING:",
        "a", ": b", "a b: c", " a: b", "\ta: b", "a : b", "a: b\r\n c", "a: b\rc: d", "a: b\nc: d",
        "a: \x01", "a: b\x7f", "a(: b", "\xe4: b", "GET / HTTP/1.1",
    };
    static const char *const dropped[] = {
        "Host: b", "Authorization: b", "Cookie: b", "X-Forwarded-For: b", "TE: b", "Trailer: b",
        "Connection: close", "X_Y: z", "Set-Cookie: b", "Content-Type: b", "Rouse-Access-Token: b",
        "E2b-Sandbox-Id: b", "Expect: 100-continue", "Upgrade: b", "Via: b", "Location: b",
    };
    char text[256], want[256];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int n = snprintf(text, sizeof text, "1\r\na\r\n0\r\nX: y\r\n%s\r\n\r\n", wrong[i]);
        check("A9", (struct slice){text, (size_t)n}, "body [a] bad\n");
        n = snprintf(text, sizeof text, "1\r\na\r\n0\r\n%s\r\n\r\n", wrong[i]);
        check("A9", (struct slice){text, (size_t)n}, "body [a] bad\n");
    }
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        int n = snprintf(text, sizeof text, "0\r\nX: y\r\n%s\r\nZ: \r\n\r\n", dropped[i]);
        snprintf(want, sizeof want, "body [] end %d\ntrailer X: y\ntrailer Z: \n", n);
        n += snprintf(text + n, sizeof text - (size_t)n, "GET /");
        check("A9", (struct slice){text, (size_t)n}, want);
    }
    check("A9", SLICE("0\r\na: b\0c\r\n\r\n"), "body [] bad\n");
    check("A9", SLICE("0\r\na: b\r\n"), "body [] more");
    check("A9", SLICE("0\r\n\r"), "body [] more");
}

/* The body that was read last is complete. */
static bool
ended(void)
{
    return strstr(buf_cstr(&lab.told), "] end") != NULL;
}

/* A chunk's line with an extension of n bytes, over all. */
static void
add_extended(struct buf *b, const char *size, size_t n)
{
    buf_add_str(b, size);
    buf_add_str(b, ";");
    for (size_t i = 1; i < n; i++)
        buf_add_str(b, "a");
    buf_add_str(b, "\r\n");
}

static void
test_extension_limits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (size_t n = H1_CHUNK_EXTENSION_MAX - 1; n <= H1_CHUNK_EXTENSION_MAX + 1; n++) {
        buf_clear(&b);
        add_extended(&b, "0000000000000001", n);
        buf_add_str(&b, "x\r\n0\r\n\r\n");
        lab_cut(&lab, buf_slice(&b), &dice, 50);
        assert_int_equal(ended(), n <= H1_CHUNK_EXTENSION_MAX);
    }
    /* 63 of 256 bytes, and one that makes the sum. */
    for (size_t last = 255; last <= 256; last++) {
        buf_clear(&b);
        for (size_t i = 0; i < 63; i++) {
            add_extended(&b, "1", 256);
            buf_add_str(&b, "x\r\n");
        }
        add_extended(&b, "1", last);
        buf_add_str(&b, "x\r\n0\r\n\r\n");
        lab_cut(&lab, buf_slice(&b), &dice, 50);
        assert_true(ended());
        /* One byte more with the last chunk: ";" alone is no extension, so ";a". */
        b.n -= strlen("0\r\n\r\n");
        add_extended(&b, "0", 2);
        buf_add_str(&b, "\r\n");
        lab_cut(&lab, buf_slice(&b), &dice, 50);
        assert_string_equal(strstr(buf_cstr(&lab.told), "] "), "] bad\n");
    }
    /* Without end: noticed within the limit, whatever comes. */
    buf_clear(&b);
    add_extended(&b, "1", 100000);
    lab_cut(&lab, buf_slice(&b), &dice, 50);
    assert_string_equal(buf_cstr(&lab.told), "body [] bad\n");
    buf_fini(&b);
}

static void
test_trailer_limits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (unsigned n = H1_TRAILER_FIELDS_MAX - 1; n <= H1_TRAILER_FIELDS_MAX + 1; n++) {
        buf_clear(&b);
        buf_add_str(&b, "0\r\n");
        for (unsigned i = 0; i < n; i++)
            buf_add_str(&b, "a: b\r\n");
        buf_add_str(&b, "\r\n");
        lab_cut(&lab, buf_slice(&b), &dice, 50);
        assert_int_equal(ended(), n <= H1_TRAILER_FIELDS_MAX);
    }
    for (size_t n = H1_TRAILER_BYTES_MAX - 1; n <= H1_TRAILER_BYTES_MAX + 1; n++) {
        buf_clear(&b);
        buf_add_str(&b, "0\r\na: ");
        while (b.n < 3 + n - 4)
            buf_add_str(&b, "b");
        buf_add_str(&b, "\r\n\r\nGET");
        lab_cut(&lab, buf_slice(&b), &dice, 50);
        assert_int_equal(ended(), n <= H1_TRAILER_BYTES_MAX);
    }
    buf_clear(&b);
    buf_add_str(&b, "0\r\na:");
    for (unsigned i = 0; i < 50000; i++)
        buf_add_str(&b, " ");
    lab_cut(&lab, buf_slice(&b), &dice, 50);
    assert_string_equal(buf_cstr(&lab.told), "body [] bad\n");
    buf_fini(&b);
}

static void
test_counted(void **state)
{
    struct pool pool;
    struct arena a;
    struct slice data, in = SLICE("hello world");
    size_t used;

    (void)state;
    pool_init(&pool, 4096, 4, 0);
    arena_init(&a, &pool, 65536);
    struct h1_body *b = h1_body_new(&a, FRAMING_LENGTH, 5);
    assert_int_equal(h1_body_left(b), 5);
    assert_int_equal(h1_body_next(b, SLICE_NONE, &used, &data), H1_BODY_MORE);
    assert_int_equal(h1_body_next(b, slice_sub(in, 0, 2), &used, &data), H1_BODY_DATA);
    assert_ptr_equal(data.p, in.p);
    assert_int_equal(used, 2);
    assert_int_equal(h1_body_left(b), 3);
    assert_false(h1_body_eof(b));
    assert_int_equal(h1_body_next(b, slice_sub(in, 2, 11), &used, &data), H1_BODY_DATA);
    assert_ptr_equal(data.p, in.p + 2);
    assert_int_equal(used, 3);
    assert_int_equal(h1_body_next(b, slice_sub(in, 5, 11), &used, &data), H1_BODY_END);
    assert_int_equal(used, 0);
    assert_true(h1_body_eof(b));
    assert_int_equal(h1_body_left(b), 0);

    b = h1_body_new(&a, FRAMING_LENGTH, 0);
    assert_int_equal(h1_body_next(b, in, &used, &data), H1_BODY_END);
    b = h1_body_new(&a, FRAMING_NONE, 7);
    assert_int_equal(h1_body_next(b, SLICE_NONE, &used, &data), H1_BODY_END);

    b = h1_body_new(&a, FRAMING_CLOSE, 0);
    assert_true(h1_body_eof(b));
    assert_true(h1_body_left(b) == UINT64_MAX);
    assert_int_equal(h1_body_next(b, in, &used, &data), H1_BODY_DATA);
    assert_int_equal(used, in.n);
    assert_ptr_equal(data.p, in.p);
    assert_int_equal(h1_body_next(b, SLICE_NONE, &used, &data), H1_BODY_MORE);

    b = h1_body_new(&a, FRAMING_CHUNKED, 0);
    assert_int_equal(h1_body_next(b, SLICE("5\r\nhello\r\n"), &used, &data), H1_BODY_DATA);
    assert_slice(data, "hello");
    assert_false(h1_body_eof(b));
    arena_reset(&a);
    pool_fini(&pool);
}

static void
test_out_of_arena(void **state)
{
    struct pool pool;
    struct arena a;

    (void)state;
    pool_init(&pool, 4096, 4, 1);
    arena_init(&a, &pool, 64);
    assert_null(h1_body_new(&a, FRAMING_CHUNKED, 0));
    arena_reset(&a);
    pool_fini(&pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a6_sizes),         cmocka_unit_test(test_a7_extensions),
        cmocka_unit_test(test_a8_terminators),   cmocka_unit_test(test_a9_trailers),
        cmocka_unit_test(test_extension_limits), cmocka_unit_test(test_trailer_limits),
        cmocka_unit_test(test_counted),          cmocka_unit_test(test_out_of_arena),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
