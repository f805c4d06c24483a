/* SPDX-License-Identifier: BSD-2-Clause */
/* How mistakes are shown; what is meant by a mistyped word; every error has its help. */
#include "config.h"

#include "app/mistake.h"

#include "app/reason_help.h"
#include "app/suggest.h"
#include "unit.h"

static const char *
printed(const struct mistakes *m, char *text, size_t n)
{
    FILE *f = fmemopen(text, n, "w");

    assert_non_null(f);
    mistakes_print(m, f);
    fclose(f);
    return text;
}

static void
test_shape(void **state)
{
    char text[4096];
    struct mistakes m;

    (void)state;
    mistakes_init(&m);
    slice_copy(SLICE("rouse.yaml"), m.file, sizeof m.file);
    buf_add_str(&m.source, "a: 1\nlisen:\n\tx: \xc3\xa9 y\nlast");
    mistakes_add(&m, 4, 1, "the last");
    mistakes_add(&m, 2, 1, "unknown key \"%s\"", "lisen");
    mistakes_hint(&m, "did you mean \"%s\"?", "listen");
    mistakes_add(&m, 3, 7, "what is y");
    mistakes_add(&m, 0, 0, "of it all");
    mistakes_add(&m, 2, 1, "unknown key \"lisen\"");
    assert_int_equal(m.n, 4);
    assert_string_equal(printed(&m, text, sizeof text),
                        "rouse.yaml: error: of it all\n"
                        "rouse.yaml:2:1: error: unknown key \"lisen\"\n"
                        "    lisen:\n"
                        "    ^\n"
                        "hint: did you mean \"listen\"?\n"
                        "rouse.yaml:3:7: error: what is y\n"
                        "     x: \xc3\xa9 y\n"
                        "          ^\n"
                        "rouse.yaml:4:1: error: the last\n"
                        "    last\n"
                        "    ^\n");
    mistakes_fini(&m);
}

/* Long lines are shown around the place, controls are not sent to a terminal. */
static void
test_line(void **state)
{
    char text[4096];
    struct mistakes m;

    (void)state;
    mistakes_init(&m);
    for (int i = 0; i < 500; i++)
        buf_add_str(&m.source, "0123456789");
    buf_add_str(&m.source, "X\x1b[31mred\n");
    mistakes_add(&m, 1, 5001, "here");
    printed(&m, text, sizeof text);
    const char *line = strchr(text, '\n') + 1, *caret = strchr(line, '\n') + 1;
    assert_true(caret - line < 200);
    assert_null(strchr(text, '\x1b'));
    assert_int_equal(line[strchr(caret, '^') - caret], 'X');
    mistakes_fini(&m);
}

static void
test_at_most(void **state)
{
    char text[65536];
    struct mistakes m;

    (void)state;
    mistakes_init(&m);
    for (int i = 0; i < 30; i++) {
        mistakes_add(&m, 30 - i, 1, "number %d", i);
        mistakes_hint(&m, "hint %d", i);
    }
    assert_int_equal(m.n, MISTAKES_MAX);
    assert_int_equal(m.more, 10);
    assert_non_null(strstr(printed(&m, text, sizeof text), "and 10 more"));
    assert_string_equal(m.list[MISTAKES_MAX - 1].hint, "hint 19");
    mistakes_fini(&m);
}

static void
test_json(void **state)
{
    struct mistakes m;
    struct buf b;

    (void)state;
    mistakes_init(&m);
    buf_init(&b, 65536);
    slice_copy(SLICE("f"), m.file, sizeof m.file);
    mistakes_add(&m, 1, 2, "say \"x\"");
    mistakes_json(&m, &b);
    assert_string_equal(buf_cstr(&b), "[{\"file\":\"f\",\"line\":1,\"column\":2,"
                                      "\"error\":\"say \\\"x\\\"\",\"hint\":\"\"}]");
    buf_fini(&b);
    mistakes_fini(&m);
}

static void
test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned d;
    } cases[] = {
        {"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"listen", "listen", 0}, {"lisen", "listen", 1},
        {"lsiten", "listen", 1}, {"Listen", "listen", 0}, {"kitten", "sitting", 3},
        {"ca", "abc", 3}, {"platfrom", "platform", 1},
    };
    struct suggest g;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice a = slice_of(cases[i].a), b = slice_of(cases[i].b);
        assert_int_equal(suggest_distance(a, b), cases[i].d);
        assert_int_equal(suggest_distance(b, a), cases[i].d);
    }
    suggest_init(&g, SLICE("timout"));
    suggest_offer(&g, SLICE("total"));
    suggest_offer(&g, SLICE("timeout"));
    suggest_offer(&g, SLICE("ssh"));
    assert_slice(suggest_best(&g), "timeout");
    suggest_init(&g, SLICE("colour"));
    suggest_offer(&g, SLICE("timeout"));
    assert_null(suggest_best(&g).p);
    suggest_init(&g, SLICE("a"));
    suggest_offer(&g, SLICE("b"));
    assert_null(suggest_best(&g).p);
}

static void
test_reason_help(void **state)
{
    (void)state;
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        struct reason_help h = reason_help((enum reason)r);
        if (h.meaning[0] == '(')
            fprintf(stderr, "# %s has no help\n", reason_slug((enum reason)r));
        assert_true(h.meaning[0] != '(' && h.remedy[0] != '(');
        assert_true(reason_of_slug(slice_of(reason_slug((enum reason)r))) == (enum reason)r);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),    cmocka_unit_test(test_line),
        cmocka_unit_test(test_at_most),  cmocka_unit_test(test_json),
        cmocka_unit_test(test_distance), cmocka_unit_test(test_reason_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
