/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written: any valid model, written and read, is the same model; nothing that could split
 * gets out (RELIABILITY D1); chunk heads; full buffers.
 */
#include "config.h"

#include "http/h1_write.h"

#include "base/random.h"
#include "http/h1_parse.h"
#include "http/h1_scan.h"
#include "http/octet.h"
#include "unit.h"

#define CASES 50000 /* of each kind */

static struct pool pool;
static struct arena arena;
static struct random dice;
static struct buf out;

static int
set_up(void **state)
{
    (void)state;
    pool_init(&pool, 16384, 16, 0);
    arena_init(&arena, &pool, 512 * 1024);
    random_seed(&dice, 51);
    buf_init(&out, 1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&out);
    arena_reset(&arena);
    pool_fini(&pool);
    return 0;
}

static size_t
roll(size_t n)
{
    return (size_t)random_below(&dice, n);
}

/* n bytes of a class. */
static struct slice
text_of(size_t n, unsigned classes)
{
    char *p = arena_bytes(&arena, n > 0 ? n : 1);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        do
            p[i] = (char)(0x21 + (random_u64(&dice) >> 57) % (0x7f - 0x21));
        while (!octet_is(p[i], classes));
    }
    return (struct slice){p, n};
}

/* No blank at its ends; TAB, blanks and bytes of any other alphabet within. */
static struct slice
random_value(void)
{
    struct slice s = text_of(roll(40), OCTET_TARGET);

    for (size_t i = 1; i + 1 < s.n; i++)
        if (roll(8) == 0)
            ((char *)(uintptr_t)s.p)[i] = " \t\x80\xff"[roll(4)];
    return s;
}

static struct slice
random_name(void)
{
    struct slice s;

    if (roll(3) > 0) {
        enum field_id id = (enum field_id)(1 + roll(FIELD_COUNT - 1));
        if ((field_traits_of(id) & (HOP | JUDGED)) == 0)
            return field_name_of(id);
    }
    do {
        s = text_of(1 + roll(30), OCTET_TOKEN);
        for (size_t i = 0; i < s.n; i++)
            if (s.p[i] == '_')
                ((char *)(uintptr_t)s.p)[i] = '-';
    } while (field_id_of(s) != FIELD_OTHER);
    return s;
}

static void
random_fields(struct head *h)
{
    for (size_t n = roll(12); n > 0; n--) {
        struct slice name = random_name();
        assert_int_equal(head_add(h, &arena, field_id_of(name), name, random_value()), 0);
    }
}

static void
random_framing(struct head *h)
{
    static const enum framing framings[] = {FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED};

    h->framing = framings[roll(3)];
    if (h->framing == FRAMING_LENGTH)
        h->length = random_u64(&dice) >> (1 + roll(63));
}

static void
random_request(struct head *h)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH",
                                          "OPTIONS", "QUERY", "PROPFIND"};
    static const char *const hosts[] = {"a", "3000-demo.localhost:8080", "[::1]:80", "10.1.4.7",
                                        "A.b-c_d.Example."};

    head_init(h);
    h->method_text = slice_of(methods[roll(sizeof methods / sizeof methods[0])]);
    h->method = method_of(h->method_text);
    h->host = slice_of(hosts[roll(sizeof hosts / sizeof hosts[0])]);
    struct slice target = text_of(1 + roll(60), OCTET_TARGET);
    ((char *)(uintptr_t)target.p)[0] = '/';
    h->target = target;
    random_framing(h);
    /* What the writer adds is part of the model that comes back. */
    if (h->framing == FRAMING_NONE && (h->method == METHOD_POST || h->method == METHOD_PUT ||
                                       h->method == METHOD_PATCH))
        h->framing = FRAMING_LENGTH;
    random_fields(h);
}

static void
random_answer(struct head *h, bool bodiless)
{
    head_init(h);
    h->status = (uint16_t)(200 + roll(400));
    h->phrase = random_value();
    random_framing(h);
    if (h->status == 204 || (h->status == 304 && h->framing == FRAMING_CHUNKED))
        h->framing = FRAMING_NONE;
    else if (h->framing == FRAMING_NONE && h->status != 304 && !bodiless)
        h->framing = roll(2) ? FRAMING_CLOSE : FRAMING_LENGTH;
    if (h->framing != FRAMING_LENGTH)
        h->length = 0;
    random_fields(h);
}

static struct slice
scanned(bool request)
{
    struct h1_limits limits = {65536, 65536, 1 << 20, 100};
    struct h1_scan s;
    enum reason why;

    h1_scan_init(&s);
    assert_int_equal(h1_scan_run(&s, &limits, buf_slice(&out), request, &why), out.n);
    return buf_slice(&out);
}

static void
assert_same_fields(const struct head *sent, struct head *got)
{
    assert_int_equal(head_strip(got, false), 0);
    head_remove(got, FIELD_HOST);
    assert_int_equal(got->fields, sent->fields);
    for (unsigned i = 0; i < sent->fields; i++) {
        assert_true(slice_eq(got->field[i].name, sent->field[i].name));
        assert_true(slice_eq(got->field[i].value, sent->field[i].value));
        assert_int_equal(got->field[i].id, sent->field[i].id);
    }
    assert_int_equal(got->framing, sent->framing);
    assert_int_equal(got->length, sent->length);
    assert_int_equal(got->version, 11);
}

static void
test_requests(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        struct head sent, got;
        const char *detail = "";
        bool close = roll(2);
        random_request(&sent);
        buf_clear(&out);
        assert_int_equal(h1_write_request(&out, &sent, close), 0);
        if (h1_parse_request(&got, &arena, scanned(true), &detail) != REASON_NONE)
            fail_msg("%s: %.*s", detail, (int)out.n, out.p);
        assert_true(slice_eq(got.method_text, sent.method_text) && got.method == sent.method);
        assert_true(slice_eq(got.target, sent.target));
        assert_true(slice_eq(got.host, sent.host));
        assert_int_equal(got.keep_alive, !close);
        assert_same_fields(&sent, &got);
        arena_reset(&arena);
    }
}

static void
test_answers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        struct head sent, got, request;
        const char *detail = "";
        bool close = roll(2), bodiless = roll(4) == 0;
        head_init(&request);
        request.method = bodiless ? METHOD_HEAD : METHOD_GET;
        random_answer(&sent, bodiless);
        buf_clear(&out);
        assert_int_equal(h1_write_answer(&out, &sent, 11, close, bodiless), 0);
        if (h1_parse_answer(&got, &arena, scanned(false), &request, &detail) != REASON_NONE)
            fail_msg("%s: %.*s", detail, (int)out.n, out.p);
        assert_int_equal(got.status, sent.status);
        assert_true(slice_eq(got.phrase, sent.phrase));
        assert_int_equal(got.keep_alive, !close && sent.framing != FRAMING_CLOSE);
        assert_same_fields(&sent, &got);
        arena_reset(&arena);
    }
}

/* A byte that could split, in each text of the model: nothing is written. */
static void
test_forbidden(void **state)
{
    static const char bytes[] = {'\r', '\n', '\0', '\x01', '\x1f'};

    (void)state;
    for (size_t b = 0; b < sizeof bytes; b++) {
        for (unsigned where = 0; where < 6; where++) {
            char bad[] = "aaaa";
            struct head h;
            bad[2] = bytes[b];
            struct slice s[6] = {SLICE("GET"), SLICE("/x"), SLICE("a"), SLICE("N"), SLICE("v"),
                                 SLICE("OK")};
            s[where] = (struct slice){bad, 4};
            head_init(&h);
            h.method_text = s[0];
            h.target = s[1];
            h.host = s[2];
            h.phrase = s[5];
            h.status = 200;
            assert_int_equal(head_add(&h, &arena, FIELD_OTHER, s[3], s[4]), 0);
            buf_clear(&out);
            buf_add_str(&out, "before");
            if (where < 5)
                assert_int_equal(h1_write_request(&out, &h, false), -1);
            if (where > 2)
                assert_int_equal(h1_write_answer(&out, &h, 11, false, false), -1);
            if (where == 3 || where == 4)
                assert_int_equal(h1_write_last_chunk(&out, h.field, 1), -1);
            assert_slice(buf_slice(&out), "before");
        }
    }
    struct head h;
    head_init(&h);
    h.method_text = SLICE("GET");
    h.target = SLICE("/a b");
    assert_int_equal(h1_write_request(&out, &h, false), -1);
    h.target = SLICE("/");
    h.method_text = SLICE("GET /x");
    assert_int_equal(h1_write_request(&out, &h, false), -1);
    assert_slice(buf_slice(&out), "before");
}

/* Lines that lie in memory as they will be sent are copied together: a CRLF must be no excuse. */
static void
test_neighbours(void **state)
{
    static const char block[] = "A: 1\r\nB: 2\r\nC:3\r\nD: 4 \r\nE: 5\r\n";
    struct head h;
    const char *detail = "";

    (void)state;
    struct slice in = SLICE("GET / HTTP/1.1\r\nHost: a\r\n"
                            "A: 1\r\nB:2\r\nC: 3 \r\nD: 4\r\nE: 5\r\n\r\n");
    assert_int_equal(h1_parse_request(&h, &arena, in, &detail), REASON_NONE);
    head_remove_name(&h, SLICE("D"));
    buf_clear(&out);
    assert_int_equal(h1_write_request(&out, &h, false), 0);
    assert_slice(buf_slice(&out), "GET / HTTP/1.1\r\nHost: a\r\n"
                                  "A: 1\r\nB: 2\r\nC: 3\r\nE: 5\r\n\r\n");

    head_init(&h);
    h.status = 200;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(head_add(&h, &arena, FIELD_OTHER, (struct slice){block + 6 * i, 1},
                                  (struct slice){block + 6 * i + 3, 1}), 0);
    /* One value that holds the next line: refused although it lies there just so. */
    h.field[0].value.n = 7;
    buf_clear(&out);
    assert_int_equal(h1_write_answer(&out, &h, 11, false, false), -1);
    h.field[0].value.n = 1;
    assert_int_equal(h1_write_answer(&out, &h, 11, false, true), 0);
    assert_slice(buf_slice(&out), "HTTP/1.1 200 \r\nA: 1\r\nB: 2\r\n\r\n");
}

static void
test_full(void **state)
{
    char storage[100];
    struct buf small;
    struct head h;

    (void)state;
    head_init(&h);
    h.method_text = SLICE("GET");
    h.target = SLICE("/");
    h.host = SLICE("a");
    buf_init_fixed(&small, storage, sizeof storage);
    assert_int_equal(h1_write_request(&small, &h, false), -1);
    assert_int_equal(small.n, 0);
    assert_int_equal(h1_write_answer(&small, &h, 11, false, false), -1);
    assert_int_equal(h1_write_last_chunk(&small, NULL, 0), 0);
    assert_slice(buf_slice(&small), "0\r\n\r\n");
}

static void
test_chunk_heads(void **state)
{
    static const struct { size_t n; const char *text; } rows[] = {
        {0, "0\r\n"}, {1, "1\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {255, "ff\r\n"},
        {65536, "10000\r\n"}, {0x123456789abcdef, "123456789abcdef\r\n"},
        {SIZE_MAX, "ffffffffffffffff\r\n"},
    };
    char text[H1_CHUNK_HEAD_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_slice(((struct slice){text, h1_write_chunk_head(text, rows[i].n)}), rows[i].text);
    struct field trailers[] = {{.name = SLICE("A"), .value = SLICE("1")},
                               {.name = SLICE("B"), .value = SLICE("")}};
    buf_clear(&out);
    assert_int_equal(h1_write_last_chunk(&out, trailers, 2), 0);
    assert_slice(buf_slice(&out), "0\r\nA: 1\r\nB: \r\n\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),   cmocka_unit_test(test_answers),
        cmocka_unit_test(test_forbidden),  cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_full),       cmocka_unit_test(test_chunk_heads),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
