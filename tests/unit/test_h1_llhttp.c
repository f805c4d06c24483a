/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tripwire for llhttp itself: the library that is linked must refuse, without any help of ours,
 * what it refuses when built strictly and without lenient flags. And h1_agree: it objects when
 * llhttp objects, and when the two heads are not the same.
 */
#include "config.h"

#include "http/h1_agree_priv.h"
#include "http/h1_parse.h"
#include "unit.h"

#include <llhttp.h>

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static const llhttp_settings_t settings = {.on_headers_complete = NULL};

static llhttp_errno_t
run(llhttp_type_t type, const char *text, size_t n)
{
    llhttp_t p;

    llhttp_init(&p, type, &settings);
    assert_int_equal(p.lenient_flags, 0);
    llhttp_errno_t e = llhttp_execute(&p, text, n);
    return e;
}

struct row {
    const char *text;
    size_t n;
};
#define ROW(text) {text, sizeof(text) - 1}

static void
test_strict(void **state)
{
    /* One for each lenient flag, for LLHTTP_STRICT_MODE of old, and for the fixes since 8.1. */
    static const struct row requests[] = {
        ROW(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
        ROW(POST "Transfer-Encoding: chunked, identity\r\n\r\n"),
        ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"),
        ROW(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        ROW(POST "Content-Length: +1\r\n\r\n"), ROW(POST "Content-Length: 1 1\r\n\r\n"),
        ROW(POST "X: a\x01\r\n\r\n"), ROW(POST "X: a\0\r\n\r\n"), ROW(POST "X : a\r\n\r\n"),
        ROW(POST "X: a\r\n b\r\n\r\n"), ROW(POST ": a\r\n\r\n"), ROW(POST "X: a\nY: b\r\n\r\n"),
        ROW(POST "X: a\rY: b\r\n\r\n"), ROW("POST / HTTP/1.1\nHost: a\r\n\r\n"),
        ROW(POST "\n"), ROW("POST / HTTP/1.5\r\n\r\n"), ROW("POST /\t HTTP/1.1\r\n\r\n"),
        ROW("POST /\xe4 HTTP/1.1\r\n\r\n"), ROW("FOO / HTTP/1.1\r\n\r\n"),
        ROW("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n"),
        ROW(CHUNKED "5 \r\nhello\r\n"), ROW(CHUNKED "5\nhello\r\n"), ROW(CHUNKED "0x5\r\n"),
        ROW(CHUNKED "5\r\nhelloXX"), ROW(CHUNKED "5\r\nhello\n0\r\n"), ROW(CHUNKED "5;a\nb\r\n"),
        ROW(CHUNKED "5;a\rb\r\n"), ROW(CHUNKED "5\rX"), ROW(CHUNKED "-5\r\n"),
        ROW(CHUNKED "10000000000000005\r\n"), ROW(CHUNKED "5;\r\n"),
        ROW(CHUNKED "5;a=\"\r\n\"\r\n"),
        ROW(CHUNKED "0\r\nContent-Length: 1\r\n\r\n"),
    };
    static const struct row answers[] = {
        ROW(OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ROW(OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), ROW(OK "X: a\r\n b\r\n\r\n"),
        ROW(OK "X: a\nY: b\r\n\r\n"), ROW("HTTP/1.1 2x0 OK\r\n\r\n"), ROW("HTTP/1.1 20\r\n\r\n"),
        ROW("HTTP/1.1 200 OK\nX: y\r\n\r\n"), ROW(OK ": a\r\n\r\n"), ROW(OK "X: \0\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (run(HTTP_REQUEST, requests[i].text, requests[i].n) == HPE_OK)
            fail_msg("llhttp takes request %zu:\n%s", i, requests[i].text);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (run(HTTP_RESPONSE, answers[i].text, answers[i].n) == HPE_OK)
            fail_msg("llhttp takes answer %zu:\n%s", i, answers[i].text);
    assert_int_equal(run(HTTP_REQUEST, CHUNKED "5\r\nhello\r\n0\r\n\r\n",
                         sizeof(CHUNKED "5\r\nhello\r\n0\r\n\r\n") - 1), HPE_OK);
}

static struct pool pool;
static struct arena arena;

static void
parse(struct head *h, struct slice block)
{
    const char *detail = "";

    assert_int_equal(h1_parse_request(h, &arena, block, &detail), REASON_NONE);
}

static void
test_agree(void **state)
{
    struct slice block = SLICE("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5 \r\nX:  y\r\n\r\n");
    struct slice target = slice_sub(block, 4, 6);
    struct head h, other;

    (void)state;
    pool_init(&pool, 4096, 4, 0);
    arena_init(&arena, &pool, 65536);
    parse(&h, block);
    assert_null(h1_agree(&h, block, true, target));

    other = h;
    other.length = 6;
    assert_string_equal(h1_agree(&other, block, true, target), "parsers differ on the framing");
    other = h;
    other.framing = FRAMING_CHUNKED;
    assert_string_equal(h1_agree(&other, block, true, target), "parsers differ on the framing");
    other.framing = FRAMING_NONE;
    assert_string_equal(h1_agree(&other, block, true, target), "parsers differ on the framing");
    other = h;
    other.version = 10;
    assert_string_equal(h1_agree(&other, block, true, target), "parsers differ on the version");
    other = h;
    other.fields--;
    assert_string_equal(h1_agree(&other, block, true, target), "parsers differ on a field name");
    assert_string_equal(h1_agree(&h, block, true, slice_sub(block, 4, 5)),
                        "parsers differ on the target");
    h.field[2].value.n--;
    assert_string_equal(h1_agree(&h, block, true, target), "parsers differ on a field value");
    h.field[2].value.n++;
    h.field[2].name.p--;
    assert_string_equal(h1_agree(&h, block, true, target), "parsers differ on a field name");
    h.field[2].name.p++;
    assert_string_equal(h1_agree(&h, slice_sub(block, 0, block.n - 2), true, target),
                        "llhttp refuses it");
    h.fields = 0;
    assert_string_equal(h1_agree(&h, block, true, target), "parsers differ on a field name");
    arena_reset(&arena);
    pool_fini(&pool);
}

static void
test_methods(void **state)
{
    (void)state;
    assert_true(h1_agree_method(SLICE("GET")));
    assert_true(h1_agree_method(SLICE("M-SEARCH")));
    assert_true(h1_agree_method(SLICE("QUERY")));
    assert_false(h1_agree_method(SLICE("FOO")));
    assert_false(h1_agree_method(SLICE("DESCRIBE")));
    assert_false(h1_agree_method(SLICE("PRI")));
    assert_false(h1_agree_method(SLICE("")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_agree),
        cmocka_unit_test(test_methods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
