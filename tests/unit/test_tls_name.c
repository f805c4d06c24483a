/* SPDX-License-Identifier: BSD-2-Clause */
/* Two functions judge host names, one a layer below the other: they must agree. */
#include "config.h"

#include "http/host.h"
#include "net/tls_name.h"

#include "unit.h"

#include "base/random.h"

/* The lower one knows neither ports nor addresses. */
static void
compare(struct slice s)
{
    char name[TLS_NAME_MAX + 1];
    struct host h;
    size_t n = 0;
    bool upper = host_parse(s, &h) == 0 && !h.has_port && !h.literal;
    bool lower = tls_name_parse(s, name, &n) == 0;

    if (slice_index(s, ':') >= 0)
        assert_false(lower);
    else if (upper != lower)
        fail_msg("%.*s: %d %d", SLICE_ARG(s), upper, lower);
    if (lower) {
        assert_int_equal(n, h.n);
        assert_string_equal(name, h.name);
    }
}

static void
test_chosen(void **state)
{
    static const char *const names[] = {
        "a", "A.b", "a.", "a..", ".", "", ".a", "a.b.c.d", "_x.y", "-a", "a-", "1.2.3.4", "1.2.3",
        "1", "0x1", "a.0x1f", "a.0x", "a.1a", "1a", "a.12", "a.1.", "0X1", "a:1", "a:", "[::1]",
        "a b", "a\x80", "a%41", "a/b", "a,b", "a@b", "*.a", "xn--a", "..", "a.b..", "::1",
    };
    char text[300];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        compare(slice_of(names[i]));
    for (unsigned c = 0; c < 256; c++) {
        char s[3] = {'a', (char)c, 'b'};

        compare((struct slice){s, 3});
    }
    for (size_t n = 1; n < 300; n++) {
        memset(text, 'a', n);
        compare((struct slice){text, n});
        for (size_t i = 63; i < n; i += 64)
            text[i] = '.';
        compare((struct slice){text, n});
        text[n - 1] = '.';
        compare((struct slice){text, n});
    }
}

static void
test_random(void **state)
{
    static const char some[] = "aaZz09.-_..x0F: \x01";
    struct random r;
    char text[260];

    (void)state;
    random_seed(&r, 7);
    for (unsigned i = 0; i < 200000; i++) {
        size_t n = (size_t)random_below(&r, i % 10 == 0 ? sizeof(text) : 12);
        size_t most = i % 3 == 0 ? sizeof(some) - 1 : 9;

        for (size_t j = 0; j < n; j++)
            text[j] = some[random_below(&r, most)];
        compare((struct slice){text, n});
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("tls_name", tests, NULL, NULL);
}
