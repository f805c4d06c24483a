/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML texts, good, bad and hostile, and the tree with places that comes of them. */
#include "config.h"

#include "app/config_tree.h"
#include "unit.h"

#include <stdio.h>

struct lab {
    struct pool pool;
    struct arena arena;
    struct mistakes m;
    const struct config_node *root;
};

static void
read_bytes(struct lab *l, const char *p, size_t n)
{
    memset(l, 0, sizeof *l);
    pool_init(&l->pool, 4096, 0, 0);
    arena_init(&l->arena, &l->pool, (size_t)64 << 20);
    mistakes_init(&l->m);
    l->root = config_tree_read((struct slice){p, n}, &l->arena, &l->m);
}

static void
end(struct lab *l)
{
    mistakes_fini(&l->m);
    arena_reset(&l->arena);
    pool_fini(&l->pool);
}

static void
test_places(void **state)
{
    static const char text[] = "a: 1\nb:\n  - x\n  - {c: \"q\", d: [1, 2]}\n";
    struct lab l;

    (void)state;
    read_bytes(&l, text, sizeof text - 1);
    assert_non_null(l.root);
    const struct config_node *b = config_node_get(l.root, "b");
    assert_int_equal(b->key_line, 2);
    assert_int_equal(b->pub.line, 3);
    assert_int_equal(b->pub.column, 3);
    const struct config_node *second = config_node_next(config_node_child(b));
    const struct config_node *d = config_node_get(second, "d");
    assert_int_equal(d->pub.line, 4);
    assert_int_equal(d->key_column, 14);
    assert_int_equal(d->pub.column, 17);
    assert_true(config_node_get(second, "c")->quoted);
    assert_slice(config_node_text(config_node_child(d)), "1");
    assert_null(config_node_get(second, "e"));
    assert_null(config_node_get(config_node_child(b), "e"));
    end(&l);
}

/* JSON is YAML; blocks, comments and document marks are read. */
static void
test_good(void **state)
{
    static const char *const texts[] = {
        "{\"a\": [1, 2, {\"b\": null}], \"c\": \"\\u00e9\"}",
        "--- # comment\na: |\n  text\n  more\nb: >\n  folded\n...\n",
        ("\xef\xbb\xbf" "a: 1\r\nb: 2\r\n"),
        "a: &x {k: 1}\nb: *x\nc: *x\n",
        "a: ~\nb:\nc: ''\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct lab l;
        read_bytes(&l, texts[i], strlen(texts[i]));
        if (!l.root || l.m.n)
            mistakes_print(&l.m, stderr);
        assert_non_null(l.root);
        assert_int_equal(l.m.n, 0);
        end(&l);
    }
}

static void
test_bad(void **state)
{
    static const struct {
        const char *text, *says;
        int line, column;
    } cases[] = {
        {"a: 1\n\tb: 2\n", "tab character", 2, 1},
        {"a:\n\tb: 2\n", "cannot start any token", 2, 1},
        {"a: [1, 2\nb: 3\n", "did not find expected", 2, 2},
        {"a: 1\n b: 2\n", "mapping values are not allowed", 2, 3},
        {"a: b: c\n", "mapping values are not allowed", 1, 5},
        {"a: 'x\n", "unexpected end of stream", 2, 1},
        {"a: *x\n", "undefined alias", 1, 4},
        {"a: 1\na: 2\n", "\"a\" is given twice; first on line 1", 2, 1},
        {"a: {b: 1, c: 2, b: 3}\n", "\"b\" is given twice", 1, 17},
        {"? [a]\n: 1\n", "a key must be a plain name", 1, 3},
        {"a: &x {b: 1}\nc:\n  <<: *x\n", "merge keys", 3, 3},
        {"a: 1\n---\nb: 2\n", "a second document", 3, 1},
        {"", "is empty", 1, 1},
        {"# nothing\n", "is empty", 1, 1},
        {"a: \xff\n", "not text in UTF-8", 1, 4},
        {"a: \xc3\xa9\nb: \xc0\xaf\n", "not text in UTF-8", 2, 4},
        {"a: \xed\xa0\x80\n", "not text", 1, 4},
        {"a: \x01\n", "not text", 1, 4},
        {"a: \xf4\x90\x80\x80\n", "not text", 1, 4},
        {"a: ${ROUSE_TEST_UNSET}\n", "ROUSE_TEST_UNSET is not set", 1, 4},
        {"a: ${1x}\n", "is not a variable", 1, 4},
        {"a: ${X\n", "without its \"}\"", 1, 4},
        {"a: ${X-y}\n", "is not a variable", 1, 4},
        {"a: !!binary \xe2\x82\n", "not text in UTF-8", 1, 13},
    };
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab l;
        read_bytes(&l, cases[i].text, strlen(cases[i].text));
        const struct mistake *x = &l.m.list[0];
        if (l.m.n == 0 || !strstr(x->what, cases[i].says) || x->line != cases[i].line ||
            x->column != cases[i].column) {
            fprintf(stderr, "# %zu: %d:%d %s\n", i, x->line, x->column, x->what);
            wrong++;
        }
        end(&l);
    }
    assert_int_equal(wrong, 0);
}

static void
test_nul(void **state)
{
    struct lab l;

    (void)state;
    read_bytes(&l, NULL, 0);
    assert_non_null(strstr(l.m.list[0].what, "is empty"));
    end(&l);
    read_bytes(&l, "a: b\0c\n", 7);
    assert_int_equal(l.m.n, 1);
    assert_int_equal(l.m.list[0].column, 5);
    end(&l);
    read_bytes(&l, "\"a\\0b\": 1\n", 10);
    assert_int_equal(l.m.n, 1);
    end(&l);
}

static void
test_variables(void **state)
{
    static const struct {
        const char *text, *value;
        bool secret;
    } cases[] = {
        {"a: ${ROUSE_TEST_X}\n", "seen", true},
        {"a: \"<${ROUSE_TEST_X}|${ROUSE_TEST_X}>\"\n", "<seen|seen>", true},
        {"a: ${ROUSE_TEST_NO:-other}\n", "other", true},
        {"a: ${ROUSE_TEST_EMPTY:-other}\n", "other", true},
        {"a: ${ROUSE_TEST_EMPTY}\n", "", true},
        {"a: ${ROUSE_TEST_NO:-}\n", "", true},
        {"a: $${ROUSE_TEST_X}\n", "${ROUSE_TEST_X}", false},
        {"a: $5 and $x\n", "$5 and $x", false},
    };

    (void)state;
    setenv("ROUSE_TEST_X", "seen", 1);
    setenv("ROUSE_TEST_EMPTY", "", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab l;
        read_bytes(&l, cases[i].text, strlen(cases[i].text));
        assert_non_null(l.root);
        assert_int_equal(l.m.n, 0);
        const struct config_node *a = config_node_get(l.root, "a");
        assert_slice(config_node_text(a), cases[i].value);
        assert_int_equal(a->secret, cases[i].secret);
        assert_int_equal(a->pub.value.p[a->pub.value.n], 0);
        end(&l);
    }
}

/* Texts made to cost much: bounded in depth, in nodes, and in time. */
static void
test_hostile(void **state)
{
    struct buf b;
    struct lab l;

    (void)state;
    buf_init(&b, 8u << 20);
    buf_add_str(&b, "a: ");
    for (int i = 0; i < 1000000; i++)
        buf_add_char(&b, i % 2 ? '[' : '[');
    read_bytes(&l, b.p, b.n);
    assert_non_null(strstr(l.m.list[0].what, "nested more than"));
    end(&l);
    buf_clear(&b);
    buf_add_str(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buf_printf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_printf(&b, "%s*a%d", k ? "," : "", i - 1);
        buf_add_str(&b, "]\n");
    }
    read_bytes(&l, b.p, b.n);
    assert_null(l.root);
    assert_non_null(strstr(l.m.list[0].what, "too much configuration"));
    end(&l);
    read_bytes(&l, "a: &x [*x]\n", 11);
    assert_null(l.root);
    assert_non_null(strstr(l.m.list[0].what, "nested more than"));
    end(&l);
    buf_clear(&b);
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "k%d: v\n", i);
    read_bytes(&l, b.p, b.n);
    assert_non_null(l.root);
    end(&l);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),    cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),       cmocka_unit_test(test_nul),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
