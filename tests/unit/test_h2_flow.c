/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_h2_flow.c: windows of an HTTP/2 front, held and unheld, both ways; who shares a connection
 * with whom (RELIABILITY C9, C12, C15); what a held stream costs.
 */
#include "config.h"

#include "h2_server_rig.h"

#include "unit.h"

#include <stdio.h>

#define STREAM_WINDOW (16 * 1024)

/* --- towards us ------------------------------------------------------------------------------ */

static void
test_held_upload(void **state)
{
    struct h2_rig *r = *state;
    struct rig_exchange *x;

    rig_post(r, 1);
    rig_data(r, 1, STREAM_WINDOW, false);
    UNTIL(r, r->requests == 1);
    rig_quiet(r);
    x = rig_exchange(r, 1);
    assert_int_equal(pipe_pending(&x->ex.to_back), STREAM_WINDOW);
    assert_int_equal(r->stream_window[0], 0); /* not a byte more */
    rig_attach(x);
    UNTIL(r, x->got == STREAM_WINDOW);
    rig_quiet(r);
    assert_int_equal(r->stream_window[0], 48 * 1024); /* the window is wider now */
    for (int i = 0; i < 64; i++) {
        rig_data(r, 1, STREAM_WINDOW, i == 63);
        UNTIL(r, x->got == (uint64_t)(i + 2) * STREAM_WINDOW);
    }
    UNTIL(r, x->ended);
    assert_int_equal(r->goaway, -1);
}

static void
test_too_much(void **state)
{
    struct h2_rig *r = *state;

    rig_post(r, 1);
    rig_data(r, 1, STREAM_WINDOW, false);
    rig_data(r, 1, 1, false);
    rig_quiet(r);
    assert_true(r->goaway == NGHTTP2_FLOW_CONTROL_ERROR ||
                rig_stream(r, 1)->code == NGHTTP2_FLOW_CONTROL_ERROR);
}

/* C12: 99 held uploads, and one request that is awake. */
static void
test_neighbours(void **state)
{
    struct h2_rig *r = *state;
    struct rig_exchange *x;

    for (int32_t id = 1; id < 199; id += 2) {
        rig_post(r, id);
        rig_data(r, id, STREAM_WINDOW, false);
    }
    rig_quiet(r);
    assert_int_equal(r->requests, 99);
    assert_true(r->window >= 2 * 1024 * 1024 - 65535); /* the connection's is as wide as ever */
    rig_post(r, 199);
    UNTIL(r, rig_exchange(r, 199));
    x = rig_exchange(r, 199);
    rig_attach(x);
    for (int i = 0; i < 400; i++) { /* more than the connection's window in all */
        rig_data(r, 199, STREAM_WINDOW, i == 399);
        UNTIL(r, x->got == (uint64_t)(i + 1) * STREAM_WINDOW);
    }
    UNTIL(r, x->ended);
    assert_int_equal(r->goaway, -1);
}

/* All streams' windows together stay within the connection's. */
static void
test_windows_are_bounded(void **state)
{
    struct h2_rig *r = *state;
    unsigned wide = 0;

    r->mode = RIG_BACK;
    for (int32_t id = 1; id < 201; id += 2)
        rig_post(r, id);
    rig_quiet(r);
    assert_int_equal(r->requests, 100);
    for (unsigned i = 0; i < 100; i++)
        wide += r->stream_window[i] > 0;
    /* 2 MiB - 100 * 16 KiB is room for nine times 48 KiB more */
    assert_int_equal(wide, 9);
    rig_frame32(r, NGHTTP2_RST_STREAM, 0, 1, NGHTTP2_CANCEL); /* a wide one makes room */
    rig_quiet(r);
    rig_post(r, 201);
    rig_quiet(r);
    assert_int_equal(r->stream_window[100], 48 * 1024);
}

static void
test_small_connection_window(void **state)
{
    struct h2_rig *r = *state;

    r->o.conn_window = 65535;
    r->o.streams = 10;
    rig_open(r);
    for (int32_t id = 1; id <= 19; id += 2) {
        rig_post(r, id);
        rig_data(r, id, 6553, false);
    }
    rig_quiet(r);
    assert_int_equal(r->requests, 10);
    assert_int_equal(r->goaway, -1);
    rig_data(r, 1, 1, false); /* 65535 / 10 each */
    rig_quiet(r);
    assert_true(r->goaway != -1 || rig_stream(r, 1)->resets == 1);
}

/* A stream that dies with a full pipe takes nothing of the connection's window with it. */
static void
test_dead_streams_give_back(void **state)
{
    struct h2_rig *r = *state;

    r->o.resets = (struct rate){UINT32_MAX, 1};
    r->o.glitches = (struct rate){UINT32_MAX, 1};
    rig_open(r);
    for (int32_t id = 1; id < 800; id += 2) {
        rig_post(r, id);
        rig_data(r, id, STREAM_WINDOW, false);
        rig_frame32(r, NGHTTP2_RST_STREAM, 0, id, NGHTTP2_CANCEL);
        rig_data(r, id, 100, false); /* on its way already */
        rig_quiet(r);
    }
    assert_int_equal(r->goaway, -1);
    assert_int_equal(r->ends, 400);
    assert_true(r->window > 400u * STREAM_WINDOW - 1024 * 1024);
}

/* The reader leaves, is replaced, and what it had taken is not given back twice. */
static void
test_back_is_replaced(void **state)
{
    struct h2_rig *r = *state;
    struct rig_exchange *x;

    rig_post(r, 1);
    rig_data(r, 1, 10000, false);
    UNTIL(r, r->requests == 1);
    x = rig_exchange(r, 1);
    pipe_retain(&x->ex.to_back);
    rig_attach(x);
    UNTIL(r, x->got == 10000);
    exchange_detach_back(&x->ex, REASON_POOL_STALE);
    rig_quiet(r);
    assert_true(pipe_can_rewind(&x->ex.to_back));
    rig_attach(x);
    UNTIL(r, x->got == 20000);
    rig_data(r, 1, 16384, false);
    rig_data(r, 1, 16384, false);
    UNTIL(r, x->got == 20000 + 2 * 16384);
    rig_quiet(r);
    assert_in_range(r->stream_window[0], 48 * 1024 + 32768, 48 * 1024 + 10000 + 2 * 16384);
    assert_int_equal(r->goaway, -1);
}

/* --- towards the client ---------------------------------------------------------------------- */

static void
test_download(void **state)
{
    struct h2_rig *r = *state;
    struct rig_exchange *x;
    size_t sent = 0;

    r->mode = RIG_BACK;
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    x = rig_exchange(r, 1);
    rig_answer(x, 200, FRAMING_CHUNKED, 0);
    while (sent < 3u << 20) {
        size_t room = pipe_room(&x->ex.to_front);

        rig_send(x, room);
        sent += room;
        rig_turn(r);
        if (r->stream[0].bytes + 40000 > (size_t)65535 + r->frames[NGHTTP2_PING] * 60000) {
            rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 60000);
            rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 1, 60000);
            r->frames[NGHTTP2_PING]++; /* as a counter of ours */
        }
    }
    rig_finish(x);
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 1 << 20);
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 1, 1 << 20);
    UNTIL(r, rig_stream(r, 1)->end);
    assert_int_equal(rig_stream(r, 1)->bytes, sent);
}

/* C15: one with much to say and 20 with little: these are not kept waiting. */
static void
test_fairness(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 1 << 24);
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, "\0\x04\x7f\xff\xff\xff", 6);
    for (int32_t id = 1; id < 43; id += 2) {
        const char *wish = id == 1 ? "u=0" : "u=7";
        char text[16];

        snprintf(text, sizeof(text), "%d", id);
        RIG_FIELDS(r, id, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", "/"), "priority", wish,
                   "x-id", text);
    }
    UNTIL(r, r->requests == 21);
    r->mute = true;
    for (int32_t id = 1; id < 43; id += 2)
        rig_answer(rig_exchange(r, id), 200, FRAMING_CHUNKED, 0);
    rig_send(rig_exchange(r, 1), 60000);
    rig_turn(r);
    for (int32_t id = 3; id < 43; id += 2) {
        rig_send(rig_exchange(r, id), 100);
        rig_finish(rig_exchange(r, id));
    }
    for (int i = 0; i < 200 && !rig_stream(r, 41)->end; i++) {
        size_t room = pipe_room(&rig_exchange(r, 1)->ex.to_front);

        rig_send(rig_exchange(r, 1), room);
        r->mute = false;
        rig_turn(r);
    }
    for (int32_t id = 3; id < 43; id += 2)
        assert_true(rig_stream(r, id)->end);
    assert_true(rig_stream(r, 1)->bytes < 400000);
}

/* 100 streams with much to say to a client that reads nothing: about 1 MiB in all. */
static void
test_answers_are_bounded(void **state)
{
    struct h2_rig *r = *state;
    size_t sum = 0;

    r->mode = RIG_BACK;
    for (int32_t id = 1; id < 201; id += 2)
        rig_get(r, id);
    UNTIL(r, r->requests == 100);
    list_each_safe(n, next, &r->exchanges)
        sum += container_of(n, struct rig_exchange, link)->ex.to_front.window;
    assert_in_range(sum, 512 * 1024, 1024 * 1024);
    assert_int_equal(container_of(list_first(&r->exchanges), struct rig_exchange, link)
                         ->ex.to_front.window, 8 * 1024);
}

/* A held stream with some 300 bytes of fields: 3 KiB with nghttp2's 490 and proxy's 1,320. */
static void
test_cost_of_a_held_stream(void **state)
{
    struct h2_rig *r = *state;
    size_t before = r->loop.arena_blocks.out;

    for (int32_t id = 1; id < 101; id += 2)
        RIG_FIELDS(r, id, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", "/index.html?a=1"),
                   "user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "accept",
                   "text/html,application/xhtml+xml,application/xml;q=0.9", "accept-encoding",
                   "gzip, deflate, br", "accept-language", "en-US,en;q=0.9", "cookie",
                   "session=0123456789abcdef0123456789abcdef", "cache-control", "max-age=0");
    UNTIL(r, r->requests == 50);
    assert_int_equal(r->loop.arena_blocks.out - before, 50);
    assert_int_equal(r->loop.pieces.out, 50);
    assert_int_equal(r->loop.blocks.out + r->loop.small_reads.out, 0);
    assert_in_range(LOOP_PIECE + LOOP_ARENA_BLOCK + 490 + 1320, 1, 3072);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(test_held_upload),
        OPEN(test_too_much),
        OPEN(test_neighbours),
        OPEN(test_windows_are_bounded),
        BARE(test_small_connection_window),
        BARE(test_dead_streams_give_back),
        OPEN(test_back_is_replaced),
        OPEN(test_download),
        OPEN(test_fairness),
        OPEN(test_answers_are_bounded),
        OPEN(test_cost_of_a_held_stream),
    };

    return cmocka_run_group_tests_name("h2_flow", tests, NULL, NULL);
}
