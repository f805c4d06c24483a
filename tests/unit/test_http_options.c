/* SPDX-License-Identifier: BSD-2-Clause */
/* The http plugin's options, and Retry-After. */
#include "config.h"

#include "plugin_rig.h"

#include "http/http_verdict.h"

extern const struct rouse_plugin rouse_plugin;

#define BASE "http://127.0.0.1:9000/sandboxes/{id}"
#define SECOND 1000000

static struct rouse_text
text(const char *s)
{
    return (struct rouse_text){s, strlen(s)};
}

static void
test_retry_after(void **state)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } rows[] = {
        {"1", 1}, {"0", 0}, {"120", 120}, {"99999999999999999999", 3600}, {"-1", 0}, {"", 0},
        {"1.5", 0}, {"soon", 0}, {"+3", 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 1}, {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
        {"Sun, 06 Nov 1994 09:49:36 GMT", 3600}, {"Mon, 06 Nov 1995 08:49:36 GMT", 3600},
        {"Sat, 05 Nov 1994 08:49:37 GMT", 0}, {"Sun, 06 Nov 1994 08:49:37 CET", 0},
        {"Sun, 06 Nov 1994 08:49:37 GMTx", 0}, {"Sun, 32 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nox 1994 08:49:37 GMT", 0}, {"Sunday, 06-Nov-94 08:49:37 GMT", 0},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(http_retry_after(text(rows[i].value), 784111776),
                         rows[i].seconds * SECOND);
    /* 29 February, the end of a year: days are counted right. */
    assert_int_equal(http_retry_after(text("Thu, 29 Feb 2024 00:00:05 GMT"), 1709164800),
                     5 * SECOND);
    assert_int_equal(http_retry_after(text("Wed, 01 Jan 2025 00:00:01 GMT"), 1735689599),
                     2 * SECOND);
}

static void
refuses(const struct rig_option *o, const char *why)
{
    struct rig r;

    rig_open(&r, &rouse_plugin, o);
    assert_null(r.self);
    if (!strstr(r.mistake.text, why))
        fail_msg("\"%s\" does not hold \"%s\"", r.mistake.text, why);
}

static void
test_mistakes(void **state)
{
    static const char *const bad_headers[][3] = {
        {"Host", "x", NULL}, {"webhook-ID", "x", NULL}, {"a b", "x", NULL}, {"", "x", NULL},
        {"x", "a\nb", NULL}, {"Content-Length", "0", NULL},
    };
    static const struct {
        const char *inspect, *secret, *why;
    } rows[] = {
        {"hppts://h/{id}", NULL, "must start with http://"},
        {"http://h/", NULL, "without {id}"},
        {"http://h/{name}", NULL, "only {id} may stand in braces"},
        {"http://h/{id", NULL, "only {id} may stand in braces"},
        {"http://h/}", NULL, "only {id} may stand in braces"},
        {"http://{id}.h/", NULL, "in the path only"},
        {"http://h/{id}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "must begin with whsec_"},
        {"http://h/{id}", "whsec_!!!!", "not base64"},
        {"http://h/{id}", "whsec_", "not base64"},
        {"http://h/{id}", "whsec_c2hvcnQ=", "too few"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct rig_option o[] = {
            {"inspect", rows[i].inspect, NULL},
            {rows[i].secret ? "secret" : NULL, rows[i].secret, NULL},
            {NULL, NULL, NULL},
        };
        refuses(o, rows[i].why);
    }
    for (size_t i = 0; i < sizeof bad_headers / sizeof bad_headers[0]; i++) {
        struct rouse_node *map = rig_map(bad_headers[i]);
        const struct rig_option o[] = {
            {"inspect", BASE, NULL}, {"headers", NULL, map}, {NULL, NULL, NULL}};
        struct rig r;

        refuses(o, "headers: ");
        rig_open(&r, &rouse_plugin, o);
        assert_int_equal(r.mistake.line, 7);
        assert_int_equal(r.mistake.column, 1);
        rig_free_node(map);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
