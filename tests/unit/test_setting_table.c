/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every row of the settings table: as it should be, mistyped, of a wrong type, out of range,
 * doubled, missing: the mistake is found, at its line and column, with a hint. A new row is tested
 * by being there.
 */
#include "config.h"

#include "settings_rig.h"
#include "unit.h"

#include "net/self_signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A directory with certificates, for the rows whose files are looked into. */
static char certificates[64] = "/tmp/rouse-table-XXXXXX";
static char authority[96];

static int
make_certificates(void **state)
{
    char text[200];
    struct buf why;

    (void)state;
    buf_init_fixed(&why, text, sizeof text);
    if (!mkdtemp(certificates))
        return -1;
    snprintf(authority, sizeof authority, "%s/default.crt", certificates);
    return self_signed_write(certificates, "default", SLICE("localhost"), &why);
}

static int
remove_certificates(void **state)
{
    char key[96];

    (void)state;
    snprintf(key, sizeof key, "%s/default.key", certificates);
    unlink(authority);
    unlink(key);
    return rmdir(certificates);
}

static unsigned
rows_of(void)
{
    unsigned n;

    (void)setting_table(&n);
    return n;
}

/* A value that is right for the row: its example or its default. */
static const char *
right_value(const struct setting *s, struct buf *room)
{
    struct listener_config listener;
    struct gateway_config c;
    struct site site;
    const void *scopes[SCOPES] = {&c, &listener, NULL, &site};

    if (strcmp(s->path, "tls.certificates") == 0)
        return certificates;
    if (strcmp(s->path, "tls.client_ca") == 0 || strcmp(s->path, "connect.tls_ca") == 0)
        return authority;
    if (s->example || s->fallback)
        return s->example ? s->example : s->fallback;
    gateway_config_init(&c);
    site_init(&site);
    listener_config_init(&listener);
    setting_add_value(room, s, scopes[s->scope]);
    return buf_cstr(room);
}

/* Blanks before the row's key, plus one. */
static int
column_of(const struct setting *s)
{
    return (s->scope == SCOPE_GATEWAY ? 0 : 4) + (strchr(s->path, '.') ? 2 : 0) + 1;
}

static void
show(const struct rig *r, const struct setting *s, const char *what)
{
    fprintf(stderr, "# %s: %s\n", s->path, what);
    mistakes_print(&r->m, stderr);
}

/* Exactly one mistake, there, and it has a hint. */
static void
expect(const struct rig *r, const struct setting *s, const char *what, int column)
{
    bool right = !r->config && r->m.n == 1 && r->m.list[0].line == r->line &&
                 r->m.list[0].column == column && r->m.list[0].hint[0];

    if (!right)
        show(r, s, what);
    assert_true(right);
}

static void
test_right(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        char text[600];
        struct buf room;
        buf_init_fixed(&room, text, sizeof text);
        if (s->type == SETTING_LATER || s->type == SETTING_SECRET)
            continue;
        rig_write(&r, s, s, rig_key(s), right_value(s, &room), 1);
        rig_read(&r);
        if (!r.config)
            show(&r, s, right_value(s, &room));
        assert_non_null(r.config);
    }
    rig_fini(&r);
}

/* Whether that name is a key in the same place. */
static bool
is_key_beside(const struct setting *s, const char *name)
{
    char path[400];

    snprintf(path, sizeof path, "%.*s%s", (int)(rig_key(s) - s->path), s->path, name);
    return setting_find(s->scope, slice_of(path)) != NULL;
}

static void
test_mistyped(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        const char *key = rig_key(s);
        char typed[3][80], meant[80];
        size_t k = strlen(key);
        snprintf(meant, sizeof meant, "\"%s\"", key);
        /* a letter too many, one missing, two swapped */
        snprintf(typed[0], sizeof typed[0], "%sx", key);
        snprintf(typed[1], sizeof typed[1], "%.*s", (int)k - 1, key);
        snprintf(typed[2], sizeof typed[2], "%c%c%s", key[1], key[0], key + 2);
        for (int t = 0; t < 3; t++) {
            /* request_fields without its s is another key. */
            if (is_key_beside(s, typed[t]))
                continue;
            rig_write(&r, NULL, s, typed[t], "1", 1);
            rig_read(&r);
            /* A required row is missing as well. */
            const struct mistake *x = rig_find(&r, "unknown key");
            if (!x || x->line != r.line || x->column != column_of(s) || !strstr(x->hint, meant))
                show(&r, s, typed[t]);
            assert_non_null(x);
            assert_int_equal(x->line, r.line);
            assert_int_equal(x->column, column_of(s));
            assert_non_null(strstr(x->hint, meant));
        }
    }
    rig_fini(&r);
}

static void
test_wrong_type(void **state)
{
    static const char *const wrong[] = {"{ a: 1 }", "", "~"};
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
            rig_write(&r, s, s, rig_key(s), wrong[w], 1);
            rig_read(&r);
            if (r.config || r.m.n == 0 || r.m.list[0].line != r.line)
                show(&r, s, wrong[w]);
            assert_null(r.config);
            assert_int_equal(r.m.list[0].line, r.line);
            if (w != 1)
                assert_int_equal(r.m.list[0].column,
                                 column_of(s) + (int)strlen(rig_key(s)) + 2);
        }
    }
    rig_fini(&r);
}

/* Scalars that are none of that type. */
static void
test_wrong_scalar(void **state)
{
    static const struct {
        enum setting_type type;
        const char *values[6];
    } wrong[] = {
        {SETTING_DURATION, {"5", "5x", "-1s", "many", "1.5s", "5 s"}},
        {SETTING_SIZE, {"5x", "-1", "many", "1.5k", "5 k", "64kb"}},
        {SETTING_COUNT, {"5x", "-1", "many", "1.5", "0x10", "1e3"}},
        {SETTING_RATE, {"5", "5/", "-1/s", "many", "/s", "5/fortnight"}},
        {SETTING_BOOL, {"maybe", "2", "oui", "tru", "10s", "[true]"}},
        {SETTING_CHOICE, {"nothing", "12", "[a]", "OFF!", "x", "y z"}},
        {SETTING_ADDRESS, {"8080", "localhost:80", ":80", "127.0.0.1", "127.0.0.1:99999", "::1"}},
        {SETTING_CIDRS, {"10.0.0.0/8", "[10.0.0.0/33]", "[x]", "[[10.0.0.0/8]]", "[300.0.0.0/8]",
                         "[\"\"]"}},
        {SETTING_CLASSES, {"probe", "[prob]", "[[probe]]", "[12]", "[probe, x]", "[\"\"]"}},
        {SETTING_WORKERS, {"-1", "many", "0", "1.5", "1000", "Auto"}},
        {SETTING_CONNS, {"-1", "many", "0", "1.5", "99999999", "Auto"}},
    };
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
            for (size_t k = 0; k < 6 && wrong[w].type == s->type; k++) {
                rig_write(&r, s, s, rig_key(s), wrong[w].values[k], 1);
                rig_read(&r);
                if (r.config || r.m.n != 1 || r.m.list[0].line != r.line)
                    show(&r, s, wrong[w].values[k]);
                assert_null(r.config);
                assert_int_equal(r.m.n, 1);
                assert_int_equal(r.m.list[0].line, r.line);
                assert_true(r.m.list[0].column >
                            column_of(s) + (int)strlen(rig_key(s)));
            }
        }
    }
    rig_fini(&r);
}

static void
put_number(char *text, size_t n, const struct setting *s, int64_t v)
{
    struct buf b;

    buf_init_fixed(&b, text, n);
    if (s->type == SETTING_DURATION)
        buf_printf(&b, "%lldus", (long long)v);
    else
        buf_printf(&b, "%lld", (long long)v);
    (void)buf_cstr(&b);
}

static void
test_range(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;
    int ranges = 0;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        int64_t values[4] = {s->min, s->max, s->min - 1, s->max + 1};
        char text[64];
        if (s->min == 0 && s->max == 0)
            continue;
        ranges++;
        for (int k = 0; k < 4; k++) {
            if (values[k] < 0)
                continue;
            put_number(text, sizeof text, s, values[k]);
            rig_write(&r, NULL, s, rig_key(s), text, 1);
            rig_read(&r);
            if (k >= 2) {
                expect(&r, s, text, column_of(s) + (int)strlen(rig_key(s)) + 2);
                continue;
            }
            if (!r.config)
                show(&r, s, text);
            assert_non_null(r.config);
        }
        /* off, where it is allowed and where not */
        rig_write(&r, NULL, s, rig_key(s), "off", 1);
        rig_read(&r);
        assert_int_equal(r.config != NULL, (s->flags & SETTING_OFF) != 0);
    }
    assert_true(ranges > 20);
    rig_fini(&r);
}

static void
test_doubled(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        char text[600];
        struct buf room;
        buf_init_fixed(&room, text, sizeof text);
        if (s->type == SETTING_LATER || s->type == SETTING_SECRET)
            continue;
        rig_write(&r, s, s, rig_key(s), right_value(s, &room), 2);
        rig_read(&r);
        expect(&r, s, "doubled", column_of(s));
        assert_non_null(strstr(r.m.list[0].what, "is given twice; first on line"));
    }
    rig_fini(&r);
}

static void
test_missing(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;
    int required = 0;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        char text[80];
        if (!(s->flags & SETTING_REQUIRED))
            continue;
        required++;
        rig_write(&r, s, NULL, NULL, NULL, 0);
        rig_read(&r);
        snprintf(text, sizeof text, "%s is missing here", s->path);
        const struct mistake *x = s->scope == SCOPE_LISTENER ? &r.m.list[0] : rig_find(&r, text);
        if (!x)
            show(&r, s, text);
        assert_non_null(x);
        assert_true(x->line > 0 && x->column > 0 && x->hint[0]);
        assert_null(r.config);
    }
    assert_int_equal(required, 4);
    rig_fini(&r);
}

/* Rows of later versions are known, and refused as such. */
static void
test_later(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r;

    (void)state;
    rig_init(&r);
    for (unsigned i = 0; i < n; i++, s++) {
        char value[80];
        if (!s->later)
            continue;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(s->later, "|"), s->later);
        if (s->type == SETTING_LATER)
            snprintf(value, sizeof value, "{ a: 1 }");
        rig_write(&r, NULL, s, rig_key(s), value, 1);
        rig_read(&r);
        if (!rig_find(&r, "is not available in this version"))
            show(&r, s, value);
        assert_int_equal(r.m.n, 1);
        assert_non_null(rig_find(&r, "is not available in this version"));
    }
    rig_fini(&r);
}

static const char *
text_of(const struct setting *s, const struct gateway_config *c, char room[600])
{
    const void *scopes[SCOPES] = {c, &c->listener[0], NULL, &c->site[0]};
    struct buf b;

    buf_init_fixed(&b, room, 600);
    setting_add_value(&b, s, scopes[s->scope]);
    return buf_cstr(&b);
}

/* A default that is written out is the default that is left out. */
static void
test_defaults_read_back(void **state)
{
    unsigned n = rows_of();
    const struct setting *s = setting_table(&n);
    struct rig r, plain;

    (void)state;
    rig_init(&r);
    rig_init(&plain);
    rig_write(&plain, NULL, NULL, NULL, NULL, 0);
    rig_read(&plain);
    assert_non_null(plain.config);
    for (unsigned i = 0; i < n; i++, s++) {
        char text[600], before[600], after[600];
        struct buf room;
        const char *was, *is;
        buf_init_fixed(&room, text, sizeof text);
        if (s->example || s->size == 0 || s->type == SETTING_LATER)
            continue;
        rig_write(&r, NULL, s, rig_key(s), right_value(s, &room), 1);
        rig_read(&r);
        assert_non_null(r.config);
        was = text_of(s, plain.config, before);
        is = text_of(s, r.config, after);
        if (strcmp(was, is) != 0)
            show(&r, s, is);
        assert_string_equal(was, is);
    }
    rig_fini(&r);
    rig_fini(&plain);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),        cmocka_unit_test(test_mistyped),
        cmocka_unit_test(test_wrong_type),   cmocka_unit_test(test_wrong_scalar),
        cmocka_unit_test(test_range),        cmocka_unit_test(test_doubled),
        cmocka_unit_test(test_missing),      cmocka_unit_test(test_later),
        cmocka_unit_test(test_defaults_read_back),
    };

    rig_setup();
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
