/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_h2_budgets.c: what a client may do how often (RELIABILITY C2-C8), and what it may make us
 * keep.
 */
#include "config.h"

#include "h2_server_rig.h"

#include "unit.h"

#include <stdio.h>

#define SLOW 3600 * USEC_SEC

/* Small budgets that do not refill within a test. */
static int
set_up_strict(void **state)
{
    struct h2_rig *r;

    rig_set_up(state);
    r = *state;
    r->o.resets = (struct rate){20, SLOW};
    r->o.glitches = (struct rate){40, SLOW};
    r->o.pings = (struct rate){10, SLOW};
    r->o.settings = (struct rate){8, SLOW};
    rig_open(r);
    return 0;
}

/* --- floods ---------------------------------------------------------------------------------- */

/* The i-th attempt of a flood; ids rise by two. */
typedef void flood_fn(struct h2_rig *r, unsigned i);

static int32_t
id_of(unsigned i)
{
    return (int32_t)(2 * i + 1);
}

static void
flood_rapid_reset(struct h2_rig *r, unsigned i)
{
    rig_get(r, id_of(i));
    rig_frame32(r, NGHTTP2_RST_STREAM, 0, id_of(i), NGHTTP2_CANCEL);
}

/* Each of these makes us reset a stream that is in service (C3). */
static void
flood_window_zero(struct h2_rig *r, unsigned i)
{
    rig_post(r, id_of(i));
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, id_of(i), 0);
}

static void
flood_window_overflow(struct h2_rig *r, unsigned i)
{
    rig_post(r, id_of(i));
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, id_of(i), 0x7fffffff);
}

static void
flood_after_end(struct h2_rig *r, unsigned i)
{
    rig_get(r, id_of(i));
    rig_data(r, id_of(i), 1, false);
}

static void
flood_bad_priority(struct h2_rig *r, unsigned i)
{
    rig_post(r, id_of(i));
    rig_frame(r, NGHTTP2_PRIORITY, 0, id_of(i), "\0\0\0\0", 4);
}

static void
flood_length_mismatch(struct h2_rig *r, unsigned i)
{
    RIG_FIELDS(r, id_of(i), 0, RIG_REQUEST("POST", "/"), "content-length", "5");
    rig_data(r, id_of(i), 6, false);
}

static void
flood_malformed(struct h2_rig *r, unsigned i)
{
    RIG_FIELDS(r, id_of(i), NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", "/"), "connection", "a");
}

static void
flood_malformed_trailers(struct h2_rig *r, unsigned i)
{
    rig_post(r, id_of(i));
    RIG_FIELDS(r, id_of(i), NGHTTP2_FLAG_END_STREAM, ":path", "/");
}

static void
flood_refused(struct h2_rig *r, unsigned i)
{
    RIG_FIELDS(r, id_of(i), NGHTTP2_FLAG_END_STREAM, ":method", "GET", ":scheme", "ftp", ":path",
               "/", ":authority", "h.test");
}

static void
flood_ping(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame(r, NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void
flood_ping_ack(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame(r, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678", 8);
}

static void
flood_settings(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
}

static void
flood_settings_ack(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame(r, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
}

static void
flood_flips(struct h2_rig *r, unsigned i)
{
    uint8_t entry[6] = {0, 4, 0, 0, (uint8_t)(i & 1 ? 255 : 0), 255};

    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, entry, 6);
}

static void
flood_many_entries(struct h2_rig *r, unsigned i)
{
    uint8_t entries[33 * 6];

    (void)i;
    for (unsigned n = 0; n < 33; n++)
        memcpy(entries + 6 * n, "\x00\x03\x00\x00\x00\x64", 6);
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, entries, sizeof(entries));
}

static void
flood_unknown(struct h2_rig *r, unsigned i)
{
    rig_frame(r, 0x77, 0, (int32_t)(i & 1), "abc", 3);
}

static void
flood_priority(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame(r, NGHTTP2_PRIORITY, 0, 1, "\0\0\0\0\x10", 5);
}

static void
flood_priority_update(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame(r, 0x10, 0, 0, "\0\0\0\x01u=0", 7);
}

static void
flood_window_update(struct h2_rig *r, unsigned i)
{
    (void)i;
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 1);
}

static void
flood_empty_data(struct h2_rig *r, unsigned i)
{
    if (i == 0)
        rig_post(r, 1);
    rig_data(r, 1, 0, false);
}

/* Not in a row. */
static void
flood_empty_between(struct h2_rig *r, unsigned i)
{
    if (i == 0)
        rig_post(r, 1);
    rig_data(r, 1, i & 1, false);
}

static void
flood_padding(struct h2_rig *r, unsigned i)
{
    uint8_t p[257] = {255, 'a'};

    if (i % 50 == 0)
        rig_post(r, id_of(i));
    rig_frame(r, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, id_of(i / 50 * 50), p, sizeof(p));
}

static void
flood_continuations(struct h2_rig *r, unsigned i)
{
    if (i == 0)
        rig_frame(r, NGHTTP2_HEADERS, 0, 1, "\x82", 1);
    rig_frame(r, NGHTTP2_CONTINUATION, 0, 1, "\x84", i > 1);
}

static void
flood_rst_nothing(struct h2_rig *r, unsigned i)
{
    if (i == 0)
        RIG_FIELDS(r, 1, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", "/"), "connection", "a");
    rig_frame32(r, NGHTTP2_RST_STREAM, 0, 1, NGHTTP2_CANCEL);
}

static const struct flood {
    const char *name;
    flood_fn *one;
    unsigned within; /* attempts until it is cut off */
    int64_t code;    /* -1: any */
} floods[] = {
    {"rapid reset", flood_rapid_reset, 30, NGHTTP2_ENHANCE_YOUR_CALM},
    {"window + 0", flood_window_zero, 30, -1},
    {"window overflow", flood_window_overflow, 30, NGHTTP2_ENHANCE_YOUR_CALM},
    {"DATA after END_STREAM", flood_after_end, 30, -1},
    {"bad PRIORITY", flood_bad_priority, 30, -1},
    {"length mismatch", flood_length_mismatch, 30, NGHTTP2_ENHANCE_YOUR_CALM},
    {"malformed", flood_malformed, 30, NGHTTP2_ENHANCE_YOUR_CALM},
    {"malformed trailers", flood_malformed_trailers, 30, NGHTTP2_ENHANCE_YOUR_CALM},
    {"refused", flood_refused, 60, -1},
    {"PING", flood_ping, 20, NGHTTP2_ENHANCE_YOUR_CALM},
    {"PING ACK", flood_ping_ack, 60, -1},
    {"SETTINGS", flood_settings, 20, NGHTTP2_ENHANCE_YOUR_CALM},
    {"SETTINGS ACK", flood_settings_ack, 60, -1},
    {"flips of the window", flood_flips, 20, NGHTTP2_ENHANCE_YOUR_CALM},
    {"33 entries", flood_many_entries, 2, -1},
    {"unknown frames", flood_unknown, 60, -1},
    {"PRIORITY", flood_priority, 200, -1},
    {"PRIORITY_UPDATE", flood_priority_update, 200, -1},
    {"WINDOW_UPDATE", flood_window_update, 200, -1},
    {"empty DATA", flood_empty_data, 20, NGHTTP2_ENHANCE_YOUR_CALM},
    {"empty DATA between", flood_empty_between, 100, NGHTTP2_ENHANCE_YOUR_CALM},
    {"padding", flood_padding, 60, -1},
    {"CONTINUATION", flood_continuations, 10, -1},
    {"RST_STREAM of nothing", flood_rst_nothing, 60, -1},
};

static void
run_flood(const struct flood *f, bool read, unsigned burst)
{
    struct h2_rig *r;
    void *state;
    unsigned i = 0;

    set_up_strict(&state);
    r = state;
    r->mode = RIG_BACK;
    r->mute = !read;
    for (; i < f->within && r->s && r->goaway == -1; i++) {
        f->one(r, i);
        if (i % burst == burst - 1)
            rig_quiet(r);
    }
    r->mute = false;
    rig_quiet(r);
    if (r->goaway == -1 || (f->code != -1 && r->goaway != f->code))
        fail_msg("%s (%s, %u at once): GOAWAY %d after %u", f->name, read ? "read" : "unread",
                 burst, (int)r->goaway, i);
    if (r->alive_max > 30 || r->alive > 0)
        fail_msg("%s: %u alive at once", f->name, r->alive_max);
    rig_tear_down(&state);
}

static void
test_floods(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        run_flood(&floods[i], true, 1);
        run_flood(&floods[i], true, 1000);
        run_flood(&floods[i], false, 7);
    }
}

/* Ordinary clients stay far below all of it. */
static void
test_no_flood(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_ECHO;
    for (unsigned i = 0; i < 2000; i++) {
        rig_post(r, id_of(i));
        rig_data(r, id_of(i), 100, true);
        rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 100);
        rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, id_of(i), 100);
        if (i % 50 == 49)
            rig_quiet(r);
        if (i % 200 == 0)
            rig_frame(r, NGHTTP2_PING, 0, 0, "12345678", 8);
    }
    rig_quiet(r);
    assert_int_equal(r->goaway, -1);
    assert_int_equal(r->outcomes[END_ANSWERED], 2000);
}

/* C2: a suspect's stream that is reset at once starts nothing. */
static void
test_suspects_wait(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    for (unsigned i = 0; i < 11; i++) {
        rig_get(r, id_of(i));
        rig_quiet(r);
        rig_frame32(r, NGHTTP2_RST_STREAM, 0, id_of(i), NGHTTP2_CANCEL);
        rig_quiet(r);
    }
    assert_int_equal(r->requests, 11);
    for (unsigned i = 11; i < 16; i++) {
        rig_get(r, id_of(i));
        rig_quiet(r);
        rig_frame32(r, NGHTTP2_RST_STREAM, 0, id_of(i), NGHTTP2_CANCEL);
        rig_quiet(r);
    }
    assert_int_equal(r->requests, 11);
    assert_int_equal(r->made, 16);
    rig_get(r, id_of(16)); /* who stays is served, a little later */
    rig_quiet(r);
    assert_int_equal(r->requests, 11);
    UNTIL(r, r->requests == 12);
    assert_int_equal(r->goaway, -1);
}

/* Three quarters of the glitches: it ends once nobody is served. */
static void
test_worn(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    rig_get(r, 1);
    for (unsigned i = 0; i < 32; i++)
        flood_unknown(r, i);
    UNTIL(r, rig_exchange(r, 1));
    rig_quiet(r);
    assert_int_equal(r->goaway, -1);
    rig_answer(rig_exchange(r, 1), 200, FRAMING_LENGTH, 0);
    rig_finish(rig_exchange(r, 1));
    UNTIL(r, r->eof);
    assert_int_equal(rig_stream(r, 1)->status, 200);
    assert_int_equal(r->goaway, NGHTTP2_NO_ERROR);
}

/* C4 with the default limits: RSS stays where it is. */
static void
test_unread_answers_to_frames(void **state)
{
    struct h2_rig *r = *state;
    unsigned i = 0;

    r->o.pings = (struct rate){UINT32_MAX, 1};
    rig_open(r);
    r->mute = true;
    for (; i < 200000 && r->s; i++)
        flood_ping(r, i);
    for (int n = 0; n < 400 && r->s; n++)
        loop_turn(&r->loop, 5 * USEC_MS);
    assert_null(r->s);
    assert_in_range(i, 1000, 199999);
}

/* --- heads ----------------------------------------------------------------------------------- */

static void
send_fields(struct h2_rig *r, int32_t id, unsigned fields, const char *name, const char *value)
{
    const char *all[700] = {RIG_REQUEST("GET", "/")};

    for (unsigned i = 0; i < fields; i++) {
        all[8 + 2 * i] = name;
        all[9 + 2 * i] = value;
    }
    rig_fields(r, id, NGHTTP2_FLAG_END_STREAM, all);
}

static void
test_limits_of_heads(void **state)
{
    struct h2_rig *r = *state;
    char kilo[1025];
    char *path = malloc(9001);

    memset(kilo, 'k', 1024);
    kilo[1024] = '\0';
    assert_non_null(path);
    memset(path, '/', 9000);
    path[9000] = '\0';
    r->mode = RIG_ANSWER;
    send_fields(r, 1, 100, "x", "y");
    send_fields(r, 3, 101, "x", "y");
    send_fields(r, 5, 200, "cookie", "a=b");
    send_fields(r, 7, 201, "cookie", "a=b");
    send_fields(r, 9, 30, "x", kilo);
    send_fields(r, 11, 31, "x", kilo);
    send_fields(r, 13, 1, "x", path);
    RIG_FIELDS(r, 15, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", path));
    UNTIL(r, rig_stream(r, 15)->end);
    assert_int_equal(rig_stream(r, 1)->status, 200);
    assert_int_equal(rig_stream(r, 3)->status, 431);
    assert_int_equal(rig_stream(r, 5)->status, 200);
    assert_int_equal(rig_stream(r, 7)->status, 431);
    assert_int_equal(rig_stream(r, 9)->status, 200);
    assert_int_equal(rig_stream(r, 11)->status, 431);
    assert_int_equal(rig_stream(r, 13)->status, 431);
    assert_int_equal(rig_stream(r, 15)->status, 414);
    rig_get(r, 17); /* HPACK's state was kept */
    UNTIL(r, rig_stream(r, 17)->end);
    assert_int_equal(rig_stream(r, 17)->status, 200);
    free(path);
}

/* C6: one byte of the wire is one field of 4,000 bytes. */
static void
test_hpack_bomb(void **state)
{
    struct h2_rig *r = *state;
    uint8_t block[16000];
    char big[4001];

    memset(big, 'b', 4000);
    big[4000] = '\0';
    send_fields(r, 1, 1, "x", big); /* into the dynamic table */
    memset(block, 0xbe, sizeof(block));
    memcpy(block, "\x82\x84\x86\x41\x01h", 6); /* moves it to index 63 */
    for (size_t i = 6; i < sizeof(block); i++)
        block[i] = 0xbf;
    for (int32_t id = 3; id < 60; id += 2) {
        rig_frame(r, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id,
                  block, 1000);
        memcpy(block, "\x82\x84\x86\xbe\xbf\xbf", 6);
        UNTIL(r, rig_stream(r, id)->end || rig_stream(r, id)->resets > 0 || r->goaway != -1);
        assert_int_not_equal(rig_stream(r, id)->status, 200);
    }
    assert_int_equal(r->requests, 1);
    assert_true(r->loop.arena_blocks.out <= 8);
}

static void
test_too_many_streams(void **state)
{
    struct h2_rig *r = *state;

    for (unsigned i = 0; i < 100; i++)
        rig_get(r, id_of(i));
    UNTIL(r, r->requests == 100);
    rig_get(r, id_of(100));
    rig_quiet(r);
    assert_int_equal(r->requests, 100);
    assert_true(r->goaway != -1 || rig_stream(r, id_of(100))->code == NGHTTP2_REFUSED_STREAM);
}

#define STRICT(name) cmocka_unit_test_setup_teardown(name, set_up_strict, rig_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floods),
        OPEN(test_no_flood),
        STRICT(test_suspects_wait),
        STRICT(test_worn),
        BARE(test_unread_answers_to_frames),
        OPEN(test_limits_of_heads),
        OPEN(test_hpack_bomb),
        OPEN(test_too_many_streams),
    };

    return cmocka_run_group_tests_name("h2_budgets", tests, NULL, NULL);
}
