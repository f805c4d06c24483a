/* SPDX-License-Identifier: BSD-2-Clause */
/* What users write, what they get, and what they are told when it is wrong. */
#include "config.h"

#include "base/units.h"

#include "base/random.h"
#include "unit.h"

struct case_ {
    const char *text;
    uint64_t value;
    const char *back; /* how it is written; NULL: as read */
};

struct slip {
    const char *text, *says;
};

static void
test_durations(void **state)
{
    static const struct case_ cases[] = {
        {"0", 0, NULL},         {"0s", 0, "0"},            {"1us", 1, NULL},
        {"250ms", 250000, NULL}, {"45s", 45000000, NULL},  {"10m", 600000000, NULL},
        {"1h", 3600000000, NULL}, {"7d", 604800000000, NULL}, {"60s", 60000000, "1m"},
        {"90s", 90000000, NULL}, {"1500ms", 1500000, NULL}, {"1000us", 1000, "1ms"},
        {"off", USEC_OFF, NULL}, {"24h", 86400000000, "1d"},
        {"9223372036854775806us", USEC_OFF - 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        usec_t v = -1;
        const char *hint = NULL;
        char text[64];
        struct buf b;
        assert_int_equal(units_duration(slice_of(cases[i].text), &v, &hint), 0);
        assert_true((uint64_t)v == cases[i].value);
        buf_init_fixed(&b, text, sizeof text);
        units_add_duration(&b, v);
        assert_string_equal(buf_cstr(&b), cases[i].back ? cases[i].back : cases[i].text);
    }
}

static void
test_duration_slips(void **state)
{
    static const struct slip slips[] = {
        {"", "missing"},           {"45", "add a unit"},       {"45 s", "without a blank"},
        {"1.5s", "whole numbers"}, {"1,5s", "whole numbers"},  {"-1s", "negative"},
        {"+1s", "without a sign"}, {"10min", "written m"},     {"10M", "written m"},
        {"45sec", "written s"},    {"45S", "durations end"},   {"s", "durations end"},
        {"1h30m", "durations end"}, {"unlimited", "write off"}, {"never", "write off"},
        {"Off", "lower case"},     {"none", "0 for none"},     {"045s", "leading zeros"},
        {"1w", "7d"}, {"10x", "durations end"}, {"9223372036854775807us", "too large"},
        {"99999999999999999999s", "too large"}, {"9999999999d", "too large"},
        {"zehn", "durations end"},
        {"1hours", "written h"},   {"00", "leading zeros"},    {"false", "write off"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        usec_t v = 77;
        const char *hint = NULL;
        assert_int_equal(units_duration(slice_of(slips[i].text), &v, &hint), -1);
        assert_non_null(hint);
        if (!strstr(hint, slips[i].says))
            fail_msg("\"%s\": %s", slips[i].text, hint);
        assert_int_equal(v, 77);
    }
}

static void
test_sizes(void **state)
{
    static const struct case_ cases[] = {
        {"0", 0, NULL},          {"1", 1, NULL},       {"512", 512, NULL},
        {"64k", 65536, NULL},    {"1m", 1048576, NULL}, {"1024k", 1048576, "1m"},
        {"2g", UINT64_C(2) << 30, NULL}, {"1t", UINT64_C(1) << 40, NULL}, {"0k", 0, "0"},
        {"off", UNITS_SIZE_OFF, NULL}, {"18446744073709551614", UINT64_MAX - 1, NULL},
        {"16777215t", UINT64_C(16777215) << 40, NULL},
    };
    static const struct slip slips[] = {
        {"64kb", "without b"}, {"64KiB", "without b"}, {"64K", "lower case"}, {"1 m", "blank"},
        {"", "missing"},       {"1.5m", "whole"},      {"-1", "negative"},    {"k", "sizes end"},
        {"x", "sizes end"},    {"16777216t", "too large"}, {"18446744073709551615", "too large"},
        {"1e6", "sizes end"},  {"0x10", "sizes end"},  {"unlimited", "write off"},
    };
    const char *hint = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t v = 7;
        char text[64];
        struct buf b;
        assert_int_equal(units_size(slice_of(cases[i].text), &v, &hint), 0);
        assert_true(v == cases[i].value);
        buf_init_fixed(&b, text, sizeof text);
        units_add_size(&b, v);
        assert_string_equal(buf_cstr(&b), cases[i].back ? cases[i].back : cases[i].text);
    }
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        uint64_t v = 7;
        assert_int_equal(units_size(slice_of(slips[i].text), &v, &hint), -1);
        if (!strstr(hint, slips[i].says))
            fail_msg("\"%s\": %s", slips[i].text, hint);
        assert_int_equal(v, 7);
    }
}

static void
test_rates(void **state)
{
    static const struct {
        const char *text;
        uint32_t count;
        usec_t span;
        const char *back;
    } cases[] = {
        {"10/min", 10, 60 * USEC_SEC, NULL},      {"12/10min", 12, 600 * USEC_SEC, NULL},
        {"50/s", 50, USEC_SEC, NULL},             {"1/h", 1, 3600 * USEC_SEC, NULL},
        {"5/1s", 5, USEC_SEC, "5/s"},             {"5/60s", 5, 60 * USEC_SEC, "5/min"},
        {"1/100ms", 1, 100000, NULL},             {"0", 0, USEC_SEC, NULL},
        {"0/min", 0, 60 * USEC_SEC, NULL},        {"off", UINT32_MAX, USEC_SEC, NULL},
        {"4294967294/d", UINT32_MAX - 1, 86400 * USEC_SEC, NULL},
    };
    static const struct slip slips[] = {
        {"10", "per what"}, {"10/m", "min"}, {"10/", "ends in"}, {"/min", "count per time"},
        {"10/0s", "cannot be 0"}, {"10 / min", "blank"}, {"-1/s", "negative"},
        {"4294967295/s", "too large"},
        {"x/s", "count per"}, {"10/s/s", "ends in"}, {"10min", "count per"},
        {"unlimited", "write off"},
        {"10/minute", "ends in"}, {"1.5/s", "whole"},   {"10/999999999999d", "too large"},
        {"10/9999999999999999999999999999999999999999min", "ends in"}, {"", "missing"},
    };
    const char *hint = NULL;
    struct rate r = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        struct buf b;
        assert_int_equal(units_rate(slice_of(cases[i].text), &r, &hint), 0);
        assert_true(r.count == cases[i].count && r.span == cases[i].span);
        buf_init_fixed(&b, text, sizeof text);
        units_add_rate(&b, r);
        assert_string_equal(buf_cstr(&b), cases[i].back ? cases[i].back : cases[i].text);
    }
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        assert_int_equal(units_rate(slice_of(slips[i].text), &r, &hint), -1);
        if (!strstr(hint, slips[i].says))
            fail_msg("\"%s\": %s", slips[i].text, hint);
    }
    assert_int_equal(units_rate((struct slice){"10/min\0x", 8}, &r, &hint), -1);
}

/* Whatever is written reads back as the same value. */
static void
test_round_trip(void **state)
{
    struct random r;

    (void)state;
    random_seed(&r, 9);
    for (int i = 0; i < 20000; i++) {
        static const uint64_t grain[] = {1, 1000, 1000000, 60000000, 1024, 1 << 20};
        uint64_t v = (random_u64(&r) >> (20 + random_below(&r, 40))) * grain[random_below(&r, 6)];
        uint64_t size;
        usec_t span;
        char text[64];
        const char *hint;
        struct buf b;
        v &= INT64_MAX;
        buf_init_fixed(&b, text, sizeof text);
        units_add_duration(&b, (usec_t)v);
        assert_int_equal(units_duration(buf_slice(&b), &span, &hint), 0);
        assert_true((uint64_t)span == v);
        buf_clear(&b);
        units_add_size(&b, v);
        assert_int_equal(units_size(buf_slice(&b), &size, &hint), 0);
        assert_true(size == v);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations), cmocka_unit_test(test_duration_slips),
        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_rates),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
