/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HTTP/2 back with a sandbox that breaks off, refuses, lies or floods (RELIABILITY E13, E14, L5,
 * L6): what may be sent again, what is cut, and that the connection ends within its budgets.
 */
#include "config.h"

#include "h2_back_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
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

/* --- what may be sent again ----------------------------------------------------------------- */

enum breaks {
    REFUSED,         /* RST_STREAM(REFUSED_STREAM) */
    ABOVE_GOAWAY,
    RESET,           /* RST_STREAM(INTERNAL_ERROR) */
    GONE,            /* the connection ends */
    GONE_BEFORE,     /* it had ended before we wrote */
    REFUSED_LATE,    /* refused, after an interim answer */
    BREAKS,
};

static void
break_it(struct bench *b, enum breaks how)
{
    switch (how) {
    case REFUSED_LATE:
        far_status(b, 1, "103", false);
        bench_turn(b);
        /* fall through */
    case REFUSED:
        far_reset(b, 1, NGHTTP2_REFUSED_STREAM);
        break;
    case ABOVE_GOAWAY:
        far_goaway(b, 0, NGHTTP2_NO_ERROR);
        break;
    case RESET:
        far_reset(b, 1, NGHTTP2_INTERNAL_ERROR);
        break;
    case GONE:
    case GONE_BEFORE:
        far_close(b, false);
        break;
    case BREAKS:
        break;
    }
}

static void
test_what_may_be_sent_again(void **state)
{
    static const struct {
        const char *method;
        bool again[BREAKS];
    } cases[] = {
        {"GET", {true, true, true, true, true, false}},
        {"PUT", {true, true, true, true, true, false}},
        {"POST", {true, true, false, false, true, false}},
        {"PATCH", {true, true, false, false, true, false}},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (enum breaks how = 0; how < BREAKS; how++) {
            struct call *c;

            if (b->back)
                back_close(b->back, REASON_SHUTDOWN);
            bench_quiet(b);
            bench_connect(b);
            if (how != GONE_BEFORE)
                far_settings(b, 0, 0);
            bench_quiet(b);
            c = call_new(b, cases[i].method, "/");
            call_serve(c, cases[i].method[0] == 'P' ? "body" : NULL, false);
            if (how != GONE_BEFORE)
                bench_turn(b);
            break_it(b, how);
            UNTIL(b, c->over);
            assert_int_equal(c->lost, 1);
            assert_int_equal(c->why, REASON_UPSTREAM_RESET);
            if (c->again != cases[i].again[how])
                fail_msg("%s %d: %d", cases[i].method, how, c->again);
            assert_int_equal(c->delivered, how == GONE_BEFORE ? DELIVERED_NO : DELIVERED_MAYBE);
        }
    }
}

/* --- answers that are none ------------------------------------------------------------------ */

/* Each is a block behind which the body "hello" is sent, without END_STREAM. */
static const struct {
    const char *what, *block;
    size_t n;
} bad_heads[] = {
#define H(what, text) {what, text, sizeof(text) - 1}
    H("no status", "\x00\x01x\x01y"),
    H("99", "\x08\x03" "099"),
    H("600", "\x08\x03" "600"),
    H("four digits", "\x08\x04" "2000"),
    H("letters", "\x08\x03" "2x0"),
    H("101", "\x08\x03" "101"),
    H("status twice", "\x88\x88"),
    H("status behind a field", "\x00\x01x\x01y\x88"),
    H("a request", "\x82\x84\x86\x88"),
    H("connection", "\x88\x00\x0a" "connection\x05" "close"),
    H("transfer-encoding", "\x88\x00\x11" "transfer-encoding\x07" "chunked"),
    H("upgrade", "\x88\x00\x07" "upgrade\x03" "h2c"),
    H("upper case", "\x88\x00\x01X\x01y"),
    H("line end in a value", "\x88\x00\x01x\x03" "a\r\n"),
    H("zero in a value", "\x88\x00\x01x\x03" "a\0b"),
    H("empty name", "\x88\x00\x00\x01x"),
    H("blank in a name", "\x88\x00\x03" "a b\x01x"),
    H("length with a sign", "\x88\x0f\x0d\x02+5"),
    H("length twice", "\x88\x0f\x0d\x01" "5\x0f\x0d\x01" "5"),
    H("length too short", "\x88\x0f\x0d\x01" "4"),
    H("204 with a body", "\x08\x03" "204"),
    H("304 with a body", "\x08\x03" "304"),
#undef H
};

static void
test_bad_heads(void **state)
{
    struct bench *b = *state;

    far_settings(b, 0, 0);
    for (size_t i = 0; i < sizeof(bad_heads) / sizeof(bad_heads[0]); i++) {
        struct call *c = call_get(b, "/");
        int32_t id = b->last_id;
        bool answered;

        far_head(b, id, bad_heads[i].block, bad_heads[i].n, false);
        far_data(b, id, "hello", false);
        UNTIL(b, c->over);
        answered = c->outcome == END_ANSWERED;
        if (answered || (c->lost == 1 && c->why != REASON_UPSTREAM_MALFORMED))
            fail_msg("%s: outcome %d, reason %s", bad_heads[i].what, c->outcome,
                     reason_slug(c->reason));
        bench_quiet(b);
        assert_non_null(b->back); /* the stream's fault, not the connection's */
    }
}

static void
test_head_has_no_body(void **state)
{
    struct bench *b = *state;
    struct call *c = call_new(b, "HEAD", "/");

    call_serve(c, NULL, false);
    bench_turn(b);
    far_settings(b, 0, 0);
    far_head(b, 1, "\x88\x0f\x0d\x01" "5", 5, true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ANSWERED);
    assert_int_equal(c->ex.resp.length, 5);
    c = call_new(b, "HEAD", "/");
    call_serve(c, NULL, false);
    bench_turn(b);
    far_head(b, 3, "\x88\x0f\x0d\x01" "5", 5, false);
    far_data(b, 3, "hello", true);
    UNTIL(b, c->over);
    assert_int_equal(c->outcome, END_ABORTED);
}

/* An answer that began and does not end as it should is cut, never completed. */
static void
test_cut_answers(void **state)
{
    struct bench *b = *state;

    for (int how = 0; how < 6; how++) {
        struct call *c;

        if (b->back)
            back_close(b->back, REASON_SHUTDOWN);
        bench_quiet(b);
        bench_connect(b);
        far_settings(b, 0, 0);
        c = call_get(b, "/");
        far_head(b, 1, "\x88\x0f\x0d\x02" "10", 6, false);
        far_data(b, 1, "hello", how == 0);
        if (how == 1)
            far_reset(b, 1, NGHTTP2_NO_ERROR);
        else if (how == 2)
            far_goaway(b, 0, NGHTTP2_INTERNAL_ERROR);
        else if (how == 3)
            far_data(b, 1, "beyond it", true);
        else if (how == 4)
            far_head(b, 1, "\x0f\x0d\x02" "10", 5, true); /* as a trailer */
        else if (how == 5)
            far_close(b, false);
        UNTIL(b, c->over);
        assert_int_equal(c->outcome, END_ABORTED);
        assert_int_equal(c->lost, 0);
    }
}

/* --- floods --------------------------------------------------------------------------------- */

#define FLOOD 3000

static void
pings(struct bench *b, unsigned i)
{
    (void)i;
    far_frame(b, NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void
settings(struct bench *b, unsigned i)
{
    far_settings(b, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, i & 1 ? 0 : 4096);
}

static void
empty_data(struct bench *b, unsigned i)
{
    if (i == 0)
        far_status(b, 1, "200", false);
    far_data(b, 1, "", false);
}

static void
windows(struct bench *b, unsigned i)
{
    (void)i;
    far_window(b, 0, 1);
}

static void
window_overflow(struct bench *b, unsigned i)
{
    (void)i;
    far_window(b, 0, 0x7fffffff);
}

static void
push(struct bench *b, unsigned i)
{
    (void)i;
    far_frame(b, NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1, "\0\0\0\2\x82\x84\x86", 7);
}

static void
continuations(struct bench *b, unsigned i)
{
    if (i == 0)
        far_frame(b, NGHTTP2_HEADERS, 0, 1, "\x88", 1);
    far_frame(b, NGHTTP2_CONTINUATION, 0, 1, "\x00\x01x\x01y", 5);
}

static void
unfinished_head(struct bench *b, unsigned i)
{
    if (i == 0)
        far_frame(b, NGHTTP2_HEADERS, 0, 1, "\x88", 1);
}

/* One long value in HPACK's table, named again and again. */
static void
bomb(struct bench *b, unsigned i)
{
    char block[4000] = "\x88\x40\x01x\x7f\x81\x17";
    size_t n = 7;

    if (i > 0)
        return;
    memset(block + n, 'v', 3072 - 64);
    n += 3072 - 64;
    block[4] = 0x7f; /* 127 + 2881 = 3008 */
    block[5] = (char)0xc1;
    block[6] = 0x16;
    while (n < sizeof(block))
        block[n++] = (char)0xbe;
    far_head(b, 1, block, n, false);
}

static void
many_fields(struct bench *b, unsigned i)
{
    char block[2000];
    size_t n = 1;

    block[0] = (char)0x88;
    for (int f = 0; i == 0 && f < 300; f++)
        n = far_field(block, n, "x", "y");
    if (i == 0)
        far_head(b, 1, block, n, false);
}

static void
interims(struct bench *b, unsigned i)
{
    (void)i;
    far_status(b, 1, "103", false);
}

static void
heads_without_end(struct bench *b, unsigned i)
{
    far_status(b, 1, "200", false);
    (void)i;
}

static void
resets_of_nothing(struct bench *b, unsigned i)
{
    far_reset(b, (int32_t)(2 * i + 101), NGHTTP2_CANCEL);
}

static void
goaways(struct bench *b, unsigned i)
{
    far_goaway(b, (int32_t)(i & 1 ? 1 : 0x7fffffff), NGHTTP2_NO_ERROR);
}

static void
data_of_nobody(struct bench *b, unsigned i)
{
    far_data(b, 7, "x", false);
    (void)i;
}

static void
too_much_data(struct bench *b, unsigned i)
{
    static const char bytes[16384];

    b->call[b->calls - 1].hold = true;
    if (i == 0)
        far_status(b, 1, "200", false);
    far_frame(b, NGHTTP2_DATA, 0, 1, bytes, sizeof(bytes));
}

static void
too_long_a_frame(struct bench *b, unsigned i)
{
    static const char bytes[20000];

    (void)i;
    far_frame(b, NGHTTP2_DATA, 0, 1, bytes, sizeof(bytes));
}

static void
not_http(struct bench *b, unsigned i)
{
    (void)i;
    far_bytes(b, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 47);
}

static void
padding(struct bench *b, unsigned i)
{
    static const char bytes[256] = {(char)255};

    if (i == 0)
        far_status(b, 1, "200", false);
    far_frame(b, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, bytes, sizeof(bytes));
}

static const struct {
    const char *what;
    void (*put)(struct bench *b, unsigned i);
    bool only_stream; /* the connection may live */
} floods[] = {
    {"ping", pings, false},
    {"settings", settings, false},
    {"empty DATA", empty_data, false},
    {"WINDOW_UPDATE", windows, false},
    {"window overflow", window_overflow, false},
    {"PUSH_PROMISE", push, false},
    {"CONTINUATION", continuations, false},
    {"a head without end", unfinished_head, false},
    {"HPACK bomb", bomb, true},
    {"too many fields", many_fields, true},
    {"interims", interims, false},
    {"heads", heads_without_end, false},
    {"RST_STREAM", resets_of_nothing, false},
    {"GOAWAY", goaways, false},
    {"DATA of no stream", data_of_nobody, false},
    {"DATA beyond the window", too_much_data, true},
    {"too long a frame", too_long_a_frame, false},
    {"not HTTP/2", not_http, false},
    {"padding", padding, false},
};

static void
renew(struct bench *b)
{
    if (b->back)
        back_close(b->back, REASON_SHUTDOWN);
    bench_quiet(b);
    bench_connect(b);
    b->o.head_time = 50 * USEC_MS;
}

/* Until it closes, lingering for who does not. */
static void
wait_closed(struct bench *b)
{
    for (int i = 0; i < 1000 && b->back; i++) {
        bench_turn(b);
        if (b->eof && b->far != -1)
            far_close(b, false);
    }
}

static void
flood(struct bench *b, size_t n)
{
    struct call *c, *other;

    renew(b);
    if (floods[n].put != not_http)
        far_settings(b, 0, 0);
    c = call_get(b, "/");
    other = call_get(b, "/other");
    for (unsigned i = 0; i < FLOOD && b->back && !(floods[n].only_stream && c->over); i++) {
        floods[n].put(b, i);
        if (i % 16 == 0)
            bench_turn(b);
    }
    for (int i = 0; i < 400 && !c->over; i++)
        bench_turn(b);
    if (!c->over || c->outcome == END_ANSWERED)
        fail_msg("%s: the exchange goes on", floods[n].what);
    if (!floods[n].only_stream)
        wait_closed(b);
    if (other->over == floods[n].only_stream || !b->back == floods[n].only_stream)
        fail_msg("%s: the connection %s", floods[n].what, b->back ? "lives" : "is gone");
    assert_true(b->loop.blocks.out < 200);
}

static void
test_floods(void **state)
{
    for (size_t n = 0; n < sizeof(floods) / sizeof(floods[0]); n++)
        flood(*state, n);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_what_may_be_sent_again),
        T(test_bad_heads),
        T(test_head_has_no_body),
        T(test_cut_answers),
        T(test_floods),
    };

    return cmocka_run_group_tests_name("h2_client_hostile", tests, NULL, NULL);
}
