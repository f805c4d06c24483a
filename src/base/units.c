/* SPDX-License-Identifier: BSD-2-Clause */
/* units.c: a number and a unit, in one spelling each; a slip is told how it should have been. */
#include "config.h"

#include "base/units.h"

/* So long that arithmetic on spans (bucket.c) need not care for overflow. */
#define RATE_SPAN_MAX (USEC_NEVER / 2)

struct unit {
    const char *name;
    uint64_t factor;
};

/* From the largest to the smallest: what is written takes the first that divides it. */
static const struct unit spans[] = {
    {"d", UINT64_C(86400000000)}, {"h", UINT64_C(3600000000)}, {"m", 60000000},
    {"s", 1000000},               {"ms", 1000},                {"us", 1},
    {NULL, 0},
};
static const struct unit rate_spans[] = {
    {"d", UINT64_C(86400000000)}, {"h", UINT64_C(3600000000)}, {"min", 60000000},
    {"s", 1000000},               {"ms", 1000},                {"us", 1},
    {NULL, 0},
};
static const struct unit sizes[] = {
    {"t", UINT64_C(1) << 40}, {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"", 1}, {NULL, 0},
};

static const char hint_unit[] = "durations end in us, ms, s, m, h or d: 250ms, 45s, 10m, 1h";
static const char hint_size[] = "sizes end in k, m, g or t (powers of 1024), or are bytes: 64k, 1m";
static const char hint_rate[] = "rates are a count per time: 10/s, 60/min, 12/10min";
static const char hint_rate_unit[] =
    "the time of a rate ends in ms, s, min, h or d: 10/min, 12/10min";

/* Hints for the slips that all quantities share; NULL when it is another one. */
static const char *
common_slip(struct slice s)
{
    static const char *const endless[] = {"none",     "never",    "unlimited", "infinite", "inf",
                                          "infinity", "disabled", "false",     "no"};

    if (s.n == 0)
        return "a value is missing; off means unlimited, 0 means none";
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++)
        if (slice_ieq(s, slice_of(endless[i])))
            return "write off for unlimited, 0 for none";
    if (slice_ieq(s, SLICE("off")))
        return "write off in lower case";
    if (s.p[0] == '-')
        return "it cannot be negative; off means unlimited, 0 means none";
    if (s.p[0] == '+')
        return "write the number without a sign";
    if (slice_index(s, ' ') >= 0 || slice_index(s, '\t') >= 0)
        return "write number and unit without a blank between";
    if (slice_index(s, '.') >= 0 || slice_index(s, ',') >= 0)
        return "only whole numbers: take the next smaller unit, 1500ms for 1.5 s";
    return NULL;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Splits "10m" into number and unit: 0 and the product in *out. Otherwise -1 and a hint: `wrong`
 * when nothing better is known.
 */
static int
number_of_units(struct slice s, const struct unit *units, uint64_t max, const char *wrong,
                uint64_t *out, const char **hint)
{
    size_t digits = 0;
    uint64_t v;

    while (digits < s.n && is_digit(s.p[digits]))
        digits++;
    *hint = wrong;
    if (digits == 0)
        return -1;
    if (digits > 1 && s.p[0] == '0') {
        *hint = "write the number without leading zeros";
        return -1;
    }
    struct slice name = slice_sub(s, digits, s.n);
    for (const struct unit *u = units; u->name; u++) {
        if (!slice_eq(name, slice_of(u->name)))
            continue;
        if (slice_u64(slice_sub(s, 0, digits), max / u->factor, &v)) {
            *hint = "too large; off means unlimited";
            return -1;
        }
        *out = v * u->factor;
        return 0;
    }
    return -1;
}

int
units_duration(struct slice s, usec_t *out, const char **hint)
{
    static const struct {
        const char *seen, *hint;
    } slips[] = {
        {"min", "minutes are written m: 10m"},    {"mins", "minutes are written m: 10m"},
        {"minutes", "minutes are written m: 10m"}, {"minute", "minutes are written m: 10m"},
        {"sec", "seconds are written s: 45s"},    {"secs", "seconds are written s: 45s"},
        {"seconds", "seconds are written s: 45s"}, {"second", "seconds are written s: 45s"},
        {"msec", "milliseconds are written ms: 250ms"}, {"hr", "hours are written h: 1h"},
        {"hours", "hours are written h: 1h"},     {"hour", "hours are written h: 1h"},
        {"days", "days are written d: 7d"},       {"day", "days are written d: 7d"},
        {"w", "there are no weeks: 1w is 7d"},    {"M", "minutes are written m: 10m"},
    };
    uint64_t v;
    size_t digits = 0;

    if (slice_eq(s, SLICE("off"))) {
        *out = USEC_OFF;
        return 0;
    }
    if (slice_eq(s, SLICE("0"))) {
        *out = 0;
        return 0;
    }
    if ((*hint = common_slip(s)) != NULL)
        return -1;
    if (number_of_units(s, spans, USEC_OFF - 1, hint_unit, &v, hint) == 0) {
        *out = (usec_t)v;
        return 0;
    }
    while (digits < s.n && is_digit(s.p[digits]))
        digits++;
    if (digits == s.n && *hint == hint_unit)
        *hint = "add a unit: 250ms, 45s, 10m, 1h";
    for (size_t i = 0; digits > 0 && i < sizeof slips / sizeof slips[0]; i++)
        if (slice_eq(slice_sub(s, digits, s.n), slice_of(slips[i].seen)))
            *hint = slips[i].hint;
    return -1;
}

int
units_size(struct slice s, uint64_t *out, const char **hint)
{
    if (slice_eq(s, SLICE("off"))) {
        *out = UNITS_SIZE_OFF;
        return 0;
    }
    if ((*hint = common_slip(s)) != NULL)
        return -1;
    if (number_of_units(s, sizes, UNITS_SIZE_OFF - 1, hint_size, out, hint) == 0)
        return 0;
    char last = slice_lower(s.p[s.n - 1]);
    if (is_digit(s.p[0]) && last == 'b')
        *hint = "sizes are written without b: 64k, 1m (powers of 1024)";
    else if (is_digit(s.p[0]) && last != s.p[s.n - 1])
        *hint = "units of size are lower case: 64k, 1m, 2g";
    return -1;
}

int
units_rate(struct slice s, struct rate *out, const char **hint)
{
    uint64_t count, span = USEC_SEC;
    ptrdiff_t slash = slice_index(s, '/');

    if (slice_eq(s, SLICE("off"))) {
        *out = (struct rate){UINT32_MAX, USEC_SEC};
        return 0;
    }
    if ((*hint = common_slip(s)) != NULL)
        return -1;
    *hint = hint_rate;
    if (slash < 0 && !slice_eq(s, SLICE("0"))) {
        uint64_t ignored;
        if (slice_u64(s, UINT64_MAX, &ignored) == 0)
            *hint = "say per what: 10/s, 60/min, 12/10min";
        return -1;
    }
    struct slice number = slash < 0 ? s : slice_sub(s, 0, (size_t)slash);
    if (slice_u64(number, UINT32_MAX - 1, &count)) {
        if (slice_u64(number, UINT64_MAX, &count) == 0)
            *hint = "too large; off means unlimited";
        return -1;
    }
    if (slash >= 0) {
        struct slice per = slice_sub(s, (size_t)slash + 1, s.n);
        char text[32] = "1";
        bool bare = per.n > 0 && !is_digit(per.p[0]);
        /* "10/min" is "10/1min". */
        if (per.n + 2 > sizeof text) {
            *hint = hint_rate_unit;
            return -1;
        }
        size_t n = bare + slice_copy(per, text + bare, sizeof text - bare);
        if (number_of_units((struct slice){text, n}, rate_spans, RATE_SPAN_MAX, hint_rate_unit,
                            &span, hint))
            return -1;
        if (span == 0) {
            *hint = "the time of a rate cannot be 0: 10/min";
            return -1;
        }
    }
    *out = (struct rate){(uint32_t)count, (usec_t)span};
    return 0;
}

static void
add_units(struct buf *b, uint64_t v, const struct unit *units, bool hide_one)
{
    const struct unit *u = units;

    while (v % u->factor != 0)
        u++;
    if (!hide_one || v != u->factor)
        buf_add_u64(b, v / u->factor);
    buf_add_str(b, u->name);
}

void
units_add_duration(struct buf *b, usec_t v)
{
    if (v == USEC_OFF)
        buf_add_str(b, "off");
    else if (v <= 0)
        buf_add_char(b, '0');
    else
        add_units(b, (uint64_t)v, spans, false);
}

void
units_add_size(struct buf *b, uint64_t v)
{
    if (v == UNITS_SIZE_OFF)
        buf_add_str(b, "off");
    else if (v == 0)
        buf_add_char(b, '0');
    else
        add_units(b, v, sizes, false);
}

void
units_add_rate(struct buf *b, struct rate r)
{
    if (r.count == UINT32_MAX) {
        buf_add_str(b, "off");
        return;
    }
    buf_add_u64(b, r.count);
    if (r.count == 0 && r.span == USEC_SEC)
        return;
    buf_add_char(b, '/');
    add_units(b, (uint64_t)r.span, rate_spans, true);
}
