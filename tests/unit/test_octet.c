/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte classes against the RFCs' words, and the vector loops against plain ones at every length and
 * place. Built twice: the second time without the machine's own instructions (OCTET_PORTABLE).
 */
#include "config.h"

#include "http/octet.h"

#include "base/random.h"
#include "http/octet_priv.h"
#include "unit.h"

static bool
is_alnum(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_one_of(unsigned c, const char *set)
{
    return c != 0 && c < 0x80 && strchr(set, (int)c) != NULL;
}

static void
test_classes(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9';
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_int_equal(octet_is((char)c, OCTET_TOKEN),
                         is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"));
        assert_int_equal(octet_is((char)c, OCTET_TARGET),
                         c > 0x20 && c < 0x7f && c != '#' && c != '\\');
        assert_int_equal(octet_is((char)c, OCTET_DIGIT), digit);
        assert_int_equal(octet_is((char)c, OCTET_HEX), hex);
        assert_int_equal(octet_is((char)c, OCTET_HOST), is_alnum(c) || is_one_of(c, "._-"));
    }
}

/* Each byte value at each place of each length: the loops agree with the table. */
static void
test_loops(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 50; n++) {
        char *text = malloc(n > 0 ? n : 1);
        assert_non_null(text);
        for (size_t at = 0; at < n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                struct slice s = {text, n};
                bool control = (c < 0x20 && c != '\t') || c == 0x7f;
                memset(text, 'x', n);
                text[at] = (char)c;
                assert_int_equal(octet_all_target(s), octet_is((char)c, OCTET_TARGET));
                assert_int_equal(octet_all(s, OCTET_TOKEN), octet_is((char)c, OCTET_TOKEN));
                assert_int_equal(octet_find_control(text, n), control ? at : n);
                assert_int_equal(octet_find(text, n, (char)c), c == 'x' ? 0 : at);
            }
        }
        memset(text, '\t', n);
        assert_int_equal(octet_find_control(text, n), n);
        assert_int_equal(octet_find(text, n, 'a'), n);
        free(text);
    }
}

static void
test_plain(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char text[OCTETS];
        for (unsigned at = 0; at < OCTETS; at++) {
            memset(text, ':', sizeof text);
            text[at] = (char)c;
            unsigned want = is_alnum(c) || c == '-' ? 1u << at : 0;
            assert_int_equal(octets_mask(octets_plain(octets_load(text))), want);
        }
    }
}

static void
test_lines(void **state)
{
    enum { MOST = 20000 };
    char *text = malloc(MOST + OCTET_PADDING);
    struct random r;

    (void)state;
    assert_non_null(text);
    random_seed(&r, 7);
    for (unsigned round = 0; round < 2000; round++) {
        size_t n = (size_t)random_below(&r, round < 1900 ? 200 : MOST), lines = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t dice = random_below(&r, 40);
            text[i] = dice == 0 ? '\t' : dice == 1 ? (char)0xe4 : 'a';
            if (dice == 2 && i + 1 < n) {
                text[i++] = '\r';
                text[i] = '\n';
                lines++;
            }
        }
        assert_true(octet_has_lines(text, n, lines));
        if (n == 0)
            continue;
        size_t at = (size_t)random_below(&r, n);
        char was = text[at];
        if (was == '\r' || was == '\n')
            continue;
        text[at] = "\r\n\0\x01\x1f"[random_below(&r, 5)];
        assert_false(octet_has_lines(text, n, lines));
    }
    /* All line ends, more than a lane counts to. */
    for (size_t i = 0; i < MOST; i++)
        text[i] = i % 2 == 0 ? '\r' : '\n';
    assert_true(octet_has_lines(text, MOST, MOST / 2));
    assert_false(octet_has_lines(text, MOST, MOST / 2 - 128));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
