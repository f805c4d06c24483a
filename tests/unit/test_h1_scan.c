/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a head ends, and every limit one below, at and one above (RELIABILITY B6, E6): with the
 * defaults, and with small ones at every cut.
 */
#include "config.h"

#include "h1_lab.h"
#include "unit.h"

#include <stdio.h>

static struct random dice;

static void
add_many(struct buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_str(b, text);
}

/* "refused slug" or what begins the model. */
static void
check(struct lab *l, struct buf *b, const char *told)
{
    lab_cut(l, buf_slice(b), &dice, 30);
    if (strncmp(buf_cstr(&l->told), told, strlen(told)) != 0)
        fail_msg("%zu bytes: wanted %s, told %.100s", b->n, told, buf_cstr(&l->told));
}

/* n bytes of request line. */
static void
request_line(struct buf *b, size_t n)
{
    buf_clear(b);
    buf_add_str(b, "GET /");
    add_many(b, "a", n - 14);
    buf_add_str(b, " HTTP/1.1\r\nHost: a\r\n");
}

static void
test_line(void **state)
{
    struct lab l;
    struct buf b;

    (void)state;
    lab_init(&l, LAB_REQUEST);
    buf_init(&b, 1 << 20);
    for (size_t limit = 64; limit <= 8192; limit += 8192 - 64) {
        l.limits.line = (uint32_t)limit;
        for (size_t n = limit - 1; n <= limit + 1; n++) {
            request_line(&b, n);
            buf_add_str(&b, "\r\n");
            check(&l, &b, n <= limit ? "GET /a" : "refused uri_too_long");
            /* And before the line, or the head, is complete. */
            b.n -= 4;
            check(&l, &b, n <= limit ? "more" : "refused uri_too_long");
            b.n = n;
            check(&l, &b, n <= limit ? "more" : "refused uri_too_long");
        }
    }
    buf_fini(&b);
    lab_fini(&l);
}

static void
test_field(void **state)
{
    struct lab l;
    struct buf b;

    (void)state;
    lab_init(&l, LAB_REQUEST);
    buf_init(&b, 1 << 20);
    for (size_t limit = 64; limit <= 8192; limit += 8192 - 64) {
        l.limits.field = (uint32_t)limit;
        for (size_t n = limit - 1; n <= limit + 1; n++) {
            request_line(&b, 20);
            buf_add_str(&b, "X: ");
            add_many(&b, "a", n - 3);
            check(&l, &b, n <= limit ? "more" : "refused header_too_large");
            buf_add_str(&b, "\r\n\r\n");
            check(&l, &b, n <= limit ? "GET /a" : "refused header_too_large");
        }
    }
    buf_fini(&b);
    lab_fini(&l);
}

static void
test_block(void **state)
{
    struct lab l;
    struct buf b;

    (void)state;
    lab_init(&l, LAB_REQUEST);
    buf_init(&b, 1 << 20);
    for (size_t limit = 256; limit <= 32768; limit *= 128) {
        l.limits.block = (uint32_t)limit;
        for (size_t n = limit - 1; n <= limit + 1; n++) {
            request_line(&b, 20);
            while (b.n + 1000 < n)
                buf_add_str(&b, "Accept: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
            buf_add_str(&b, "X: ");
            add_many(&b, "a", n - 4 - b.n);
            buf_add_str(&b, "\r\n\r\n");
            assert_int_equal(b.n, n);
            check(&l, &b, n <= limit ? "GET /a" : "refused header_too_large");
        }
    }
    /* The leading CRLF counts. */
    l.limits.block = 31;
    buf_clear(&b);
    buf_add_str(&b, "\r\nGET / HTTP/1.1\r\nHost: ab\r\n\r\n");
    assert_int_equal(b.n, 30);
    check(&l, &b, "GET /");
    l.limits.block = 30;
    check(&l, &b, "GET /");
    l.limits.block = 29;
    check(&l, &b, "refused header_too_large");
    buf_fini(&b);
    lab_fini(&l);
}

static void
test_count(void **state)
{
    struct lab l;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (unsigned limit = 3; limit <= 100; limit += 97) {
        lab_init(&l, LAB_REQUEST);
        l.limits.fields = limit;
        for (unsigned n = limit - 1; n <= limit + 1; n++) {
            request_line(&b, 20);
            add_many(&b, "a:\r\n", n - 1);
            buf_add_str(&b, "\r\n");
            check(&l, &b, n <= limit ? "GET /a" : "refused header_too_large");
        }
        lab_fini(&l);
    }
    lab_init(&l, LAB_ANSWER);
    for (unsigned n = 199; n <= 201; n++) {
        buf_clear(&b);
        buf_add_str(&b, "HTTP/1.1 204 X\r\n");
        add_many(&b, "a:\r\n", n);
        buf_add_str(&b, "\r\n");
        check(&l, &b, n <= 200 ? "HTTP/11 204" : "refused upstream_malformed");
    }
    lab_fini(&l);
    buf_fini(&b);
}

/* All limits of an answer are the sandbox's fault. */
static void
test_answer_limits(void **state)
{
    struct lab l;
    struct buf b;

    (void)state;
    lab_init(&l, LAB_ANSWER);
    buf_init(&b, 1 << 20);
    for (size_t n = 8191; n <= 8193; n++) {
        buf_clear(&b);
        buf_add_str(&b, "HTTP/1.1 204 ");
        add_many(&b, "a", n - b.n);
        buf_add_str(&b, "\r\n\r\n");
        check(&l, &b, n <= 8192 ? "HTTP/11 204" : "refused upstream_malformed");
    }
    for (size_t n = 32767; n <= 32769; n++) {
        buf_clear(&b);
        buf_add_str(&b, "HTTP/1.1 204 X\r\nA: ");
        add_many(&b, "a", n - 3);
        buf_add_str(&b, "\r\n\r\n");
        check(&l, &b, n <= 32768 ? "HTTP/11 204" : "refused upstream_malformed");
    }
    for (size_t n = 65535; n <= 65537; n++) {
        buf_clear(&b);
        buf_add_str(&b, "HTTP/1.1 204 X\r\n");
        for (int i = 0; i < 2; i++) {
            buf_add_str(&b, "A: ");
            add_many(&b, "a", 30000);
            buf_add_str(&b, "\r\n");
        }
        buf_add_str(&b, "B: ");
        add_many(&b, "a", n - 4 - b.n);
        buf_add_str(&b, "\r\n\r\n");
        check(&l, &b, n <= 65536 ? "HTTP/11 204" : "refused upstream_malformed");
    }
    buf_fini(&b);
    lab_fini(&l);
}

/* What breaks first decides: a limit passed before a bad byte, and the other way round. */
static void
test_order(void **state)
{
    struct lab l;
    struct buf b;

    (void)state;
    lab_init(&l, LAB_REQUEST);
    l.limits.line = 64;
    buf_init(&b, 1024);
    request_line(&b, 80);
    b.p[65] = '\0';
    check(&l, &b, "refused uri_too_long");
    b.p[64] = '\0';
    check(&l, &b, "refused request_invalid");
    b.p[64] = '\r';
    check(&l, &b, "refused request_invalid");
    buf_fini(&b);
    lab_fini(&l);
}

/* Each byte is looked at once, however many calls there are. */
static void
test_progress(void **state)
{
    struct slice in = SLICE("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest");
    struct h1_limits limits = H1_LIMITS_REQUEST;
    struct h1_scan s;
    enum reason why;

    (void)state;
    h1_scan_init(&s);
    for (size_t n = 0; n < 29; n++) {
        assert_int_equal(h1_scan_run(&s, &limits, slice_sub(in, 0, n), true, &why), 0);
        assert_true(s.at + 1 >= n && s.at <= n);
    }
    assert_int_equal(h1_scan_run(&s, &limits, in, true, &why), 29);
    assert_true(s.leading);
    assert_int_equal(s.lines, 2);
}

static int
set_up(void **state)
{
    (void)state;
    random_seed(&dice, 41);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),          cmocka_unit_test(test_field),
        cmocka_unit_test(test_block),         cmocka_unit_test(test_count),
        cmocka_unit_test(test_answer_limits), cmocka_unit_test(test_order),
        cmocka_unit_test(test_progress),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
