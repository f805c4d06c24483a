/* SPDX-License-Identifier: BSD-2-Clause */
/* An HTTP/2 back with a sandbox that means well: heads, bodies, trailers, windows, limits, ends. */
#include "config.h"

#include "h2_back_rig.h"
#include "http/tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static int
setup(void **state)
{
    struct bench *b = malloc(sizeof(*b));

    assert_non_null(b);
    bench_init(b);
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    bench_fini(*state);
    free(*state);
    return 0;
}

static bool
has_field(const struct bench *b, const char *line)
{
    return b->fields.n > 0 && memmem(b->fields.p, b->fields.n, line, strlen(line));
}

static bool
body_is(const struct call *c, const char *text)
{
    return slice_eq(buf_slice(&c->body), slice_of(text));
}

static void
test_a_request_and_its_answer(void **state)
{
    struct bench *b = *state;
    struct call *c = call_new(b, "GET", "/a?b");
    struct head *h = &c->ex.req;

    assert_int_equal(head_add(h, &c->ex.arena, FIELD_OTHER, SLICE("X-One"), SLICE("1")), 0);
    assert_int_equal(head_add(h, &c->ex.arena, FIELD_HOST, SLICE("Host"), SLICE("x")), 0);
    assert_int_equal(head_add(h, &c->ex.arena, FIELD_KEEP_ALIVE, SLICE("Keep-Alive"), SLICE("5")),
                     0);
    h->te_trailers = true;
    call_serve(c, NULL, false);
    UNTIL(b, b->frames[NGHTTP2_HEADERS] == 1);
    assert_string_equal(buf_cstr(&b->fields), ":method: GET\n:scheme: http\n"
                        ":authority: sandbox.test\n:path: /a?b\nte: trailers\nx-one: 1\n");
    assert_true(b->last_flags & NGHTTP2_FLAG_END_STREAM);
    assert_int_equal(c->ex.delivered, DELIVERED_MAYBE);
    far_settings(b, 0, 0);
    far_status(b, 1, "200", false);
    far_data(b, 1, "hello", false);
    far_data(b, 1, "", true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ANSWERED);
    assert_int_equal(c->status, 200);
    assert_true(body_is(c, "hello"));
    assert_int_equal(c->ex.resp.framing, FRAMING_CHUNKED);
    assert_true(b->rooms > 0);
    assert_int_equal(b->back->open, 0);
    assert_int_equal(b->back->served, 1);
}

static void
test_many_at_once(void **state)
{
    struct bench *b = *state;

    assert_int_equal(back_room(b->back), 100);
    for (int i = 0; i < 100; i++)
        call_serve(call_new(b, "GET", "/"), NULL, false);
    assert_int_equal(back_room(b->back), 0);
    UNTIL(b, b->frames[NGHTTP2_HEADERS] == 100);
    far_settings(b, 0, 0);
    for (int i = 100; i > 0; i--)
        far_status(b, STREAM(i), "200", false);
    for (int i = 1; i <= 100; i++)
        far_data(b, STREAM(i), "x", false);
    for (int i = 1; i <= 100; i++)
        far_data(b, STREAM(i), "yz", true);
    UNTIL(b, b->call[99].over);
    for (int i = 0; i < 100; i++)
        assert_true(body_is(&b->call[i], "xyz"));
    assert_int_equal(back_room(b->back), 100);
}

static void
test_the_peers_limit_counts(void **state)
{
    struct bench *b = *state;

    far_settings(b, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2);
    UNTIL(b, back_room(b->back) == 2);
    call_get(b, "/");
    call_get(b, "/");
    assert_int_equal(back_room(b->back), 0);
    far_status(b, 1, "204", true);
    UNTIL(b, b->call[0].over);
    bench_quiet(b);
    assert_int_equal(back_room(b->back), 1);
    assert_int_equal(b->rooms > 0, 1);
}

static void
test_an_upload_keeps_to_the_windows(void **state)
{
    struct bench *b = *state;
    struct call *c;
    char bytes[50000];

    memset(bytes, 'u', sizeof(bytes));
    far_settings(b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000);
    bench_quiet(b);
    c = call_new(b, "POST", "/up");
    call_serve(c, "", true);
    bench_turn(b);
    assert_false(b->last_flags & NGHTTP2_FLAG_END_STREAM);
    call_write(c, bytes, sizeof(bytes), true);
    bench_quiet(b);
    assert_int_equal(b->text.n, 1000);
    far_window(b, 1, 9000);
    UNTIL(b, b->text.n == 10000);
    far_window(b, 1, 1u << 20);
    UNTIL(b, b->text.n == sizeof(bytes) && b->last_flags & NGHTTP2_FLAG_END_STREAM);
    far_status(b, 1, "200", true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ANSWERED);
    assert_int_equal(c->ex.resp.framing, FRAMING_LENGTH);
}

/* gRPC servers measure the way with a PING behind DATA: that is no flood. */
static void
test_pings_that_measure(void **state)
{
    struct bench *b = *state;
    struct call *c = call_new(b, "POST", "/up");

    far_settings(b, 0, 0);
    call_serve(c, "", true);
    for (unsigned i = 0; i < 500; i++) {
        call_write(c, "part", 4, false);
        UNTIL(b, b->frames[NGHTTP2_DATA] == i + 1);
        far_frame(b, NGHTTP2_PING, 0, 0, "measured", 8);
        UNTIL(b, b->frames[NGHTTP2_PING] == i + 1);
    }
    assert_non_null(b->back);
}

static void
test_a_download_waits_for_its_reader(void **state)
{
    struct bench *b = *state;
    struct call *c = call_get(b, "/"), *other = call_get(b, "/");
    char bytes[16384];
    size_t sent = 0;

    memset(bytes, 'd', sizeof(bytes));
    c->hold = true;
    far_settings(b, 0, 0);
    far_status(b, 1, "200", false);
    for (; sent < b->o.stream_window; sent += sizeof(bytes))
        far_frame(b, NGHTTP2_DATA, 0, 1, bytes, sizeof(bytes));
    bench_quiet(b);
    assert_int_equal(b->frames[NGHTTP2_WINDOW_UPDATE] <= 2, 1); /* the connection's only */
    far_status(b, 3, "200", false);
    far_data(b, 3, "quick", true);
    UNTIL(b, other->over); /* it does not wait for the other */
    c->hold = false;
    b->frames[NGHTTP2_WINDOW_UPDATE] = 0;
    exchange_signal(&c->front, MARK_KICK);
    UNTIL(b, b->frames[NGHTTP2_WINDOW_UPDATE] > 0);
    far_data(b, 1, "", true);
    UNTIL(b, c->over);
    assert_int_equal(c->body.n, sent);
}

static void
test_interim_heads(void **state)
{
    struct bench *b = *state;
    struct call *c = call_get(b, "/");

    far_settings(b, 0, 0);
    far_status(b, 1, "100", false);
    far_status(b, 1, "103", false);
    far_status(b, 1, "100", false);
    far_status(b, 1, "103", false);
    far_status(b, 1, "200", false);
    far_data(b, 1, "x", true);
    UNTIL(b, c->over);
    assert_string_equal(buf_cstr(&c->interims), "103 103 ");
    assert_int_equal(c->status, 200);
    assert_true(body_is(c, "x"));
}

static void
test_trailers_pass_where_they_may(void **state)
{
    struct bench *b = *state;
    struct call *c = call_get(b, "/");
    char block[200];
    size_t n = 0;

    n = far_field(block, n, "grpc-status", "0");
    n = far_field(block, n, "set-cookie", "a=b");
    n = far_field(block, n, "x_y", "1");
    far_settings(b, 0, 0);
    far_status(b, 1, "200", false);
    far_head(b, 1, block, n, true);
    UNTIL(b, c->over);
    assert_int_equal(c->trailers, 1);
    assert_string_equal(c->trailer, "grpc-status=0");
}

static void
test_trailers_of_a_request(void **state)
{
    static struct field trailer[] = {
        {.name = {"x-sum", 5}, .value = {"7", 1}},
        {.name = {"authorization", 13}, .value = {"no", 2}, .id = FIELD_AUTHORIZATION},
    };
    struct bench *b = *state;

    for (int asks = 0; asks < 2; asks++) {
        struct call *c = call_new(b, "POST", "/");

        c->ex.req.te_trailers = asks;
        call_serve(c, "body", true);
        bench_quiet(b);
        c->ex.req.trailer = trailer;
        c->ex.req.trailers = 2;
        call_write(c, "!", 1, true);
        bench_quiet(b);
        assert_true(b->last_flags & NGHTTP2_FLAG_END_STREAM);
        assert_int_equal(has_field(b, "x-sum: 7\n"), asks);
        assert_false(has_field(b, "authorization"));
    }
}

static void
test_an_early_answer_stops_the_upload(void **state)
{
    struct bench *b = *state;
    struct call *c = call_new(b, "POST", "/");

    call_serve(c, "part", true);
    bench_turn(b);
    far_settings(b, 0, 0);
    far_status(b, 1, "413", true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ANSWERED);
    UNTIL(b, b->reset_code == NGHTTP2_CANCEL);
    far_reset(b, 1, NGHTTP2_NO_ERROR); /* as servers do; it crosses ours */
    c = call_get(b, "/next");
    far_status(b, 3, "200", true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ANSWERED);
}

static void
test_who_leaves_cancels(void **state)
{
    struct bench *b = *state;
    struct call *c = call_get(b, "/slow"), *other = call_get(b, "/other");

    exchange_front_lost(&c->ex, REASON_CLIENT_LEFT);
    bench_turn(b);
    assert_int_equal(b->reset_code, NGHTTP2_CANCEL);
    far_settings(b, 0, 0);
    far_status(b, 1, "200", true); /* too late: nobody cares */
    far_status(b, 3, "200", true);
    UNTIL(b, other->over);
    assert_int_equal(other->outcome, END_ANSWERED);
    assert_non_null(b->back);
}

/* What was on its way to a request that left is nobody's fault. */
static void
test_what_crosses_a_cancel(void **state)
{
    struct bench *b = *state;
    struct call *c, *other = call_get(b, "/other");

    far_settings(b, 0, 0);
    for (int32_t id = 3; id < 9; id += 2) {
        c = call_get(b, "/events");
        far_status(b, id, "200", false);
        UNTIL(b, c->head);
        exchange_front_lost(&c->ex, REASON_CLIENT_LEFT);
        bench_turn(b);
        for (int i = 0; i < 400; i++)
            far_data(b, id, "event", i == 399);
        bench_quiet(b);
    }
    assert_non_null(b->back);
    far_status(b, 1, "200", true);
    UNTIL(b, other->over);
    assert_int_equal(other->outcome, END_ANSWERED);
}

static void
test_goaway_lets_the_others_end(void **state)
{
    struct bench *b = *state;
    struct call *one = call_get(b, "/1"), *two = call_get(b, "/2");

    far_settings(b, 0, 0);
    far_goaway(b, 1, NGHTTP2_NO_ERROR);
    UNTIL(b, two->over);
    assert_int_equal(two->why, REASON_UPSTREAM_RESET);
    assert_true(two->again);
    assert_int_equal(back_room(b->back), 0);
    assert_false(one->over);
    far_status(b, 1, "200", false);
    far_data(b, 1, "whole", true);
    UNTIL(b, one->over);
    assert_true(body_is(one, "whole"));
    UNTIL(b, !b->back || b->eof);
    far_close(b, false);
    UNTIL(b, !b->back);
}

/* Streams have numbers, and these come to an end. */
static void
test_the_last_request(void **state)
{
    struct bench *b = *state;
    struct call *c;

    b->o.max_requests = 2;
    far_settings(b, 0, 0);
    call_get(b, "/1");
    c = call_get(b, "/2");
    assert_int_equal(back_room(b->back), 0);
    far_status(b, 1, "200", true);
    far_status(b, 3, "200", true);
    UNTIL(b, c->over && b->goaway_code == NGHTTP2_NO_ERROR);
    assert_int_equal(c->outcome, END_ANSWERED);
    far_close(b, false);
    UNTIL(b, !b->back);
}

static void
test_silence_and_patience(void **state)
{
    struct bench *b = *state;
    struct call *c;

    b->o.silence = 5 * USEC_MS;
    b->o.first_byte = 30 * USEC_MS;
    c = call_get(b, "/");
    far_settings(b, 0, 0);
    UNTIL(b, c->silent == 1);
    assert_false(c->over);
    UNTIL(b, c->over);
    assert_int_equal(c->why, REASON_UPSTREAM_TIMEOUT);
    assert_int_equal(c->silent, 1);
    UNTIL(b, b->reset_code == NGHTTP2_CANCEL);
    b->o.first_byte = USEC_SEC;
    b->o.stall = 20 * USEC_MS;
    c = call_get(b, "/");
    far_status(b, 3, "200", false); /* who tells no length may be quiet as long as it likes */
    far_data(b, 3, "and then", false);
    c = call_get(b, "/");
    far_head(b, 5, "\x88\x0f\x0d\x03" "100", 7, false); /* content-length */
    far_data(b, 5, "and then", false);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ABORTED);
    assert_int_equal(c->reason, REASON_UPSTREAM_STALLED);
    assert_non_null(b->back);
}

/* Its limit shrank while a request was on its way to it: that does not wait for ever. */
static void
test_no_room_after_all(void **state)
{
    struct bench *b = *state;
    struct call *c = call_new(b, "GET", "/");

    b->o.first_byte = 30 * USEC_MS;
    call_serve(c, NULL, false);
    far_settings(b, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
    UNTIL(b, c->over);
    assert_int_equal(b->frames[NGHTTP2_HEADERS], 0);
    assert_int_equal(c->lost, 1);
    assert_true(c->again);
    assert_int_equal(c->delivered, DELIVERED_NO);
}

static void
test_a_tunnel(void **state)
{
    struct bench *b = *state;
    struct call *c = call_new(b, "GET", "/ws");
    struct head *h = &c->ex.req;

    h->upgrade = true;
    assert_int_equal(head_add(h, &c->ex.arena, FIELD_SEC_WEBSOCKET_KEY,
                              SLICE("Sec-WebSocket-Key"), SLICE("k")), 0);
    assert_int_equal(head_add(h, &c->ex.arena, FIELD_SEC_WEBSOCKET_VERSION,
                              SLICE("Sec-WebSocket-Version"), SLICE("13")), 0);
    back_serve(b->back, &c->ex);
    bench_quiet(b);
    assert_int_equal(b->frames[NGHTTP2_HEADERS], 0); /* not before it is known to be welcome */
    call_write(c, "early", 5, false);
    far_settings(b, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
    UNTIL(b, b->frames[NGHTTP2_HEADERS] == 1);
    assert_true(has_field(b, ":method: CONNECT\n:protocol: websocket\n"));
    assert_true(has_field(b, "sec-websocket-version: 13\n"));
    assert_false(has_field(b, "sec-websocket-key"));
    bench_quiet(b);
    assert_int_equal(b->text.n, 0); /* nor this before the yes */
    far_status(b, 1, "200", false);
    UNTIL(b, c->head && b->text.n == 5);
    assert_int_equal(c->status, 101);
    assert_non_null(c->ex.tunnel);
    far_data(b, 1, "bytes", false);
    UNTIL(b, body_is(c, "bytes"));
    call_write(c, "last", 4, true);
    UNTIL(b, b->last_flags & NGHTTP2_FLAG_END_STREAM);
    assert_false(c->over);
    far_data(b, 1, "too", true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ANSWERED);
    assert_true(body_is(c, "bytestoo"));
}

static struct call *
call_tunnel(struct bench *b)
{
    struct call *c = call_new(b, "GET", "/ws");

    c->ex.req.upgrade = true;
    far_settings(b, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
    back_serve(b->back, &c->ex);
    return c;
}

/* Half a frame came before the yes: no Close stands within it. */
static void
test_a_frame_from_before_the_yes(void **state)
{
    struct bench *b = *state;
    struct call *c = call_tunnel(b);

    call_write(c, "\x81\x05he", 4, false);
    UNTIL(b, b->frames[NGHTTP2_HEADERS] == 1);
    far_status(b, 1, "200", false);
    UNTIL(b, c->head && b->text.n == 4);
    tunnel_close(&c->ex, TUNNEL_GOING_AWAY, SLICE("bye"), REASON_IDLE);
    assert_false(pipe_closed(&c->ex.to_back));
    assert_int_equal(tunnel_lend(&c->ex, &c->ex.to_back, SLICE("llo")), 0);
    assert_true(c->ex.to_back.ended);
    assert_true(pipe_pending(&c->ex.to_back) > 3);
}

/* All of it comes at once, behind a head that the front has not taken yet. */
static void
test_a_tunnel_behind_hints(void **state)
{
    struct bench *b = *state;
    struct call *c = call_tunnel(b);

    UNTIL(b, b->frames[NGHTTP2_HEADERS] == 1);
    far_status(b, 1, "103", false);
    far_status(b, 1, "200", false);
    far_data(b, 1, "\x81\x05hello", true);
    UNTIL(b, c->over);
    assert_true(body_is(c, "\x81\x05hello"));
    assert_int_equal(c->outcome, END_ANSWERED);
}

static void
test_no_tunnels_there(void **state)
{
    struct bench *b = *state;

    for (int before = 0; before < 2; before++) {
        struct call *c = call_new(b, "GET", "/ws");

        c->ex.req.upgrade = true;
        back_serve(b->back, &c->ex);
        if (!before)
            far_settings(b, 0, 0);
        UNTIL(b, c->over);
        assert_int_equal(c->lost, 1);
        assert_int_equal(c->delivered, DELIVERED_NO);
        assert_int_equal(c->why, REASON_TUNNEL_UNSUPPORTED);
    }
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_request_and_its_answer),
        T(test_many_at_once),
        T(test_the_peers_limit_counts),
        T(test_an_upload_keeps_to_the_windows),
        T(test_pings_that_measure),
        T(test_a_download_waits_for_its_reader),
        T(test_interim_heads),
        T(test_trailers_pass_where_they_may),
        T(test_trailers_of_a_request),
        T(test_an_early_answer_stops_the_upload),
        T(test_who_leaves_cancels),
        T(test_what_crosses_a_cancel),
        T(test_goaway_lets_the_others_end),
        T(test_the_last_request),
        T(test_silence_and_patience),
        T(test_no_room_after_all),
        T(test_a_tunnel),
        T(test_a_frame_from_before_the_yes),
        T(test_a_tunnel_behind_hints),
        T(test_no_tunnels_there),
    };

    return cmocka_run_group_tests_name("h2_client", tests, NULL, NULL);
}
