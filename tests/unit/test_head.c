/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of fields: found, added, removed; growth and its limits; what stripping leaves. */
#include "config.h"

#include "http/head.h"

#include "unit.h"

static struct pool pool;
static struct arena arena;
static struct head head;

static int
set_up(void **state)
{
    (void)state;
    pool_init(&pool, 4096, 16, 0);
    arena_init(&arena, &pool, 256 * 1024);
    head_init(&head);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_reset(&arena);
    pool_fini(&pool);
    return 0;
}

static void
add(const char *name, const char *value)
{
    struct slice n = slice_of(name);

    assert_int_equal(head_add(&head, &arena, field_id_of(n), n, slice_of(value)), 0);
}

/* The names in order, one blank between. */
static void
assert_names(const char *want)
{
    char got[1024] = "";
    size_t n = 0;

    for (unsigned i = 0; i < head.fields; i++) {
        if (n > 0)
            got[n++] = ' ';
        n += slice_copy(head.field[i].name, got + n, sizeof got - n);
    }
    assert_string_equal(got, want);
}

static void
test_find(void **state)
{
    (void)state;
    assert_null(head_find(&head, FIELD_HOST));
    add("A", "1");
    add("Cookie", "2");
    add("a", "3");
    add("COOKIE", "4");
    assert_slice(head_value(&head, FIELD_COOKIE), "2");
    const struct field *f = head_find(&head, FIELD_COOKIE);
    f = head_find_next(&head, f);
    assert_slice(f->value, "4");
    assert_null(head_find_next(&head, f));
    f = head_find_name(&head, SLICE("a"));
    assert_slice(f->value, "1");
    assert_slice(head_find_next(&head, f)->value, "3");
    assert_null(head_find_name(&head, SLICE("b")));
    assert_int_equal(head_value(&head, FIELD_HOST).n, 0);
}

static void
test_remove_and_set(void **state)
{
    (void)state;
    add("a", "1");
    add("Cookie", "2");
    add("b", "3");
    add("cookie", "4");
    add("A", "5");
    assert_int_equal(head_remove(&head, FIELD_COOKIE), 2);
    assert_names("a b A");
    assert_int_equal(head_remove_name(&head, SLICE("A")), 2);
    assert_names("b");
    assert_int_equal(head_remove(&head, FIELD_HOST), 0);
    assert_int_equal(head_set(&head, &arena, FIELD_VIA, SLICE("Via"), SLICE("1")), 0);
    assert_int_equal(head_set(&head, &arena, FIELD_VIA, SLICE("via"), SLICE("2")), 0);
    assert_int_equal(head_set(&head, &arena, FIELD_OTHER, SLICE("B"), SLICE("6")), 0);
    assert_names("via B");
    assert_slice(head_value(&head, FIELD_VIA), "2");
}

static void
test_growth(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        add(i % 2 ? "odd" : "even", "x");
    assert_int_equal(head.fields, 300);
    assert_slice(head.field[299].name, "odd");
    assert_slice(head.field[0].name, "even");
    int result = 0;
    for (unsigned i = 0; i < 2000 && result == 0; i++)
        result = head_add(&head, &arena, FIELD_OTHER, SLICE("x"), SLICE("y"));
    assert_int_equal(result, -1);
    assert_true(head.fields <= 1024);
}

static void
test_strip(void **state)
{
    (void)state;
    add("Host", "a");
    add("Connection", "x-a, close, Cookie, x-forwarded-for, accept, no-such");
    add("X-A", "1");
    add("x_b", "2");
    add("Accept", "3");
    add("Cookie", "4");
    add("Keep-Alive", "5");
    add("Transfer-Encoding", "chunked");
    add("Content-Length", "6");
    add("Expect", "100-continue");
    add("X-Forwarded-For", "7");
    add("TE", "trailers");
    add("x-a", "8");
    add("X-C", "9");
    assert_int_equal(head_strip(&head, true), 1);
    assert_names("Host Cookie X-Forwarded-For X-C");
    assert_int_equal(head_strip(&head, true), 0);
    assert_names("Host Cookie X-Forwarded-For X-C");
}

static void
test_strip_answer(void **state)
{
    (void)state;
    add("x_b", "1");
    add("Expect", "2");
    add("Connection", "Server");
    add("connection", "keep-alive");
    add("Server", "3");
    add("Upgrade", "h2c");
    add("Date", "4");
    assert_int_equal(head_strip(&head, false), 0);
    assert_names("x_b Expect Date");
}

static void
test_methods(void **state)
{
    static const struct { const char *text; enum method m; bool safe, idempotent; } rows[] = {
        {"GET", METHOD_GET, true, true},       {"HEAD", METHOD_HEAD, true, true},
        {"POST", METHOD_POST, false, false},   {"PUT", METHOD_PUT, false, true},
        {"DELETE", METHOD_DELETE, false, true}, {"OPTIONS", METHOD_OPTIONS, true, true},
        {"PATCH", METHOD_PATCH, false, false}, {"TRACE", METHOD_TRACE, true, true},
        {"CONNECT", METHOD_CONNECT, false, false}, {"get", METHOD_OTHER, false, false},
        {"", METHOD_OTHER, false, false},      {"QUERY", METHOD_OTHER, false, false},
        {"GETS", METHOD_OTHER, false, false},  {"PUX", METHOD_OTHER, false, false},
        {"OPTIONX", METHOD_OTHER, false, false}, {"PROPFIND", METHOD_OTHER, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum method m = method_of(slice_of(rows[i].text));
        assert_int_equal(m, rows[i].m);
        assert_int_equal(method_safe(m), rows[i].safe);
        assert_int_equal(method_idempotent(m), rows[i].idempotent);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_find), TEST(test_remove_and_set), TEST(test_growth),
        TEST(test_strip), TEST(test_strip_answer), TEST(test_methods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
