/* SPDX-License-Identifier: BSD-2-Clause */
/* test_h2_server.c: requests and answers of an HTTP/2 front, and how each of them may end. */
#include "config.h"

#include "h2_server_rig.h"

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

/* --- ordinary life --------------------------------------------------------------------------- */

static void
test_get(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    r->mode = RIG_ANSWER;
    rig_get(r, 1);
    UNTIL(r, s->end);
    assert_int_equal(s->status, 200);
    assert_string_equal(s->body, "hello");
    assert_non_null(strstr(s->fields, "content-length: 5\n"));
    assert_non_null(strstr(s->fields, "content-type: text/plain\n"));
    rig_quiet(r);
    assert_int_equal(r->outcomes[END_ANSWERED], 1);
    assert_int_equal(s->resets, 0);
    assert_int_equal(r->s->open, 0);
    assert_int_equal(r->loop.small_reads.out + r->loop.large_reads.out, 0);
    assert_int_equal(r->loop.blocks.out + r->loop.arena_blocks.out + r->loop.pieces.out, 0);
}

static void
test_many_at_once(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_ANSWER;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 60; i++)
            rig_get(r, 1 + 2 * (60 * round + i));
        rig_quiet(r);
    }
    assert_int_equal(r->outcomes[END_ANSWERED], 180);
    assert_int_equal(r->goaway, -1);
}

static void
test_byte_by_byte(void **state)
{
    struct h2_rig *r = *state;
    static const uint8_t bytes[] = /* GET / h.test, x-id 1; then DATA for a POST's stream */
        "\x00\x00\x13\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41\x06h.test\x00\x04x-id\x01\x31";

    r->mode = RIG_ANSWER;
    for (size_t i = 0; i + 1 < sizeof(bytes); i++) {
        rig_bytes(r, &bytes[i], 1);
        loop_turn(&r->loop, 0);
    }
    UNTIL(r, rig_stream(r, 1)->end);
    assert_int_equal(rig_stream(r, 1)->status, 200);
}

static void
test_echo(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    r->mode = RIG_ECHO;
    rig_post(r, 1);
    rig_frame(r, NGHTTP2_DATA, 0, 1, "abc", 3);
    UNTIL(r, s->bytes == 3);
    assert_false(s->end);
    rig_frame(r, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "def", 3);
    UNTIL(r, s->end);
    assert_string_equal(s->body, "abcdef");
    assert_null(strstr(s->fields, "content-length"));
}

static void
test_model(void **state)
{
    struct h2_rig *r = *state;
    const struct head *h;

    RIG_FIELDS(r, 1, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", "/a?b=c"), "x-id", "1", "cookie",
               "a=1", "user-agent", "u", "cookie", "b=2", "cookie", "c=3", "x_y", "z", "te",
               "trailers", "host", "H.test.");
    UNTIL(r, r->requests == 1);
    h = &rig_exchange(r, 1)->ex.req;
    assert_int_equal(h->version, 20);
    assert_int_equal(h->method, METHOD_GET);
    assert_slice(h->target, "/a?b=c");
    assert_slice(h->host, "h.test");
    assert_slice(head_value(h, FIELD_COOKIE), "a=1; b=2; c=3");
    assert_null(head_find_next(h, head_find(h, FIELD_COOKIE)));
    assert_slice(head_value(h, FIELD_USER_AGENT), "u");
    assert_true(h->te_trailers);
    assert_int_equal(h->framing, FRAMING_NONE);
    assert_int_equal(h->fields, 6);
    assert_int_equal(head_strip(&rig_exchange(r, 1)->ex.req, true), 1);
}

static void
test_framing(void **state)
{
    struct h2_rig *r = *state;

    RIG_FIELDS(r, 1, 0, RIG_REQUEST("POST", "/"), "x-id", "1", "content-length", "7");
    RIG_FIELDS(r, 3, 0, RIG_REQUEST("POST", "/"), "x-id", "3");
    RIG_FIELDS(r, 5, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("POST", "/"), "x-id", "5");
    UNTIL(r, r->requests == 3);
    assert_int_equal(rig_exchange(r, 1)->ex.req.framing, FRAMING_LENGTH);
    assert_int_equal(rig_exchange(r, 1)->ex.req.length, 7);
    assert_int_equal(rig_exchange(r, 3)->ex.req.framing, FRAMING_CHUNKED);
    assert_int_equal(rig_exchange(r, 5)->ex.req.framing, FRAMING_NONE);
    assert_true(rig_exchange(r, 5)->ex.to_back.ended);
    assert_false(rig_exchange(r, 1)->ex.to_back.ended);
}

static void
test_head_and_bodiless(void **state)
{
    static const struct {
        uint16_t status;
        enum framing framing;
        const char *length;
    } cases[] = {{204, FRAMING_NONE, NULL},
                 {304, FRAMING_LENGTH, "content-length: 9\n"},
                 {200, FRAMING_NONE, "content-length: 0\n"},
                 {200, FRAMING_LENGTH, "content-length: 9\n"}};
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    for (int i = 0; i < 4; i++) {
        int32_t id = 1 + 2 * i;
        struct rig_stream *s = rig_stream(r, id);
        char text[8];

        snprintf(text, sizeof(text), "%d", id);
        RIG_FIELDS(r, id, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST(i == 3 ? "HEAD" : "GET", "/"),
                   "x-id", text);
        UNTIL(r, rig_exchange(r, id));
        rig_answer(rig_exchange(r, id), cases[i].status, cases[i].framing, 9);
        rig_finish(rig_exchange(r, id));
        UNTIL(r, s->end);
        assert_int_equal(s->status, cases[i].status);
        assert_int_equal(s->data, 0);
        if (cases[i].length)
            assert_non_null(strstr(s->fields, cases[i].length));
        else
            assert_null(strstr(s->fields, "content-length"));
    }
}

static void
test_interim_and_trailers(void **state)
{
    static struct field trailer = {.name = {"Grpc-Status", 11}, .value = {"0", 1}};
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);
    struct rig_exchange *x;

    r->mode = RIG_BACK;
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    x = rig_exchange(r, 1);
    head_init(&x->ex.resp);
    x->ex.resp.status = 103;
    exchange_interim_ready(&x->ex);
    UNTIL(r, s->interims == 1);
    assert_int_equal(s->status, 103);
    rig_answer(x, 200, FRAMING_CHUNKED, 0);
    rig_send(x, 10);
    UNTIL(r, s->bytes == 10);
    x->ex.resp.trailer = &trailer;
    x->ex.resp.trailers = 1;
    rig_finish(x);
    UNTIL(r, s->end);
    assert_true(s->trailers);
    assert_non_null(strstr(s->fields, "grpc-status: 0\n"));
    assert_int_equal(s->heads, 3);
}

static void
test_trailers_without_a_body(void **state)
{
    static struct field trailer = {.name = {"grpc-status", 11}, .value = {"5", 1}};
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);
    struct rig_exchange *x;

    r->mode = RIG_BACK;
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    x = rig_exchange(r, 1);
    rig_answer(x, 200, FRAMING_CHUNKED, 0);
    x->ex.resp.trailer = &trailer;
    x->ex.resp.trailers = 1;
    rig_finish(x);
    UNTIL(r, s->end);
    assert_int_equal(s->data, 0);
    assert_non_null(strstr(s->fields, "grpc-status: 5\n"));
}

static void
test_request_trailers(void **state)
{
    struct h2_rig *r = *state;

    rig_post(r, 1);
    rig_frame(r, NGHTTP2_DATA, 0, 1, "abc", 3);
    RIG_FIELDS(r, 1, NGHTTP2_FLAG_END_STREAM, "x-sum", "9");
    UNTIL(r, r->requests == 1 && rig_exchange(r, 1)->ex.to_back.ended);
    assert_int_equal(rig_exchange(r, 1)->ex.req.trailers, 1);
    assert_slice(rig_exchange(r, 1)->ex.req.trailer[0].name, "x-sum");
}

static void
test_continue(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    RIG_FIELDS(r, 1, 0, RIG_REQUEST("POST", "/"), "x-id", "1", "expect", "100-continue");
    UNTIL(r, r->requests == 1);
    rig_quiet(r);
    assert_int_equal(s->heads, 0); /* held */
    rig_attach(rig_exchange(r, 1));
    UNTIL(r, s->interims == 1);
    assert_int_equal(s->status, 100);
}

/* It comes late, behind what the client has not read yet, but it comes. */
static void
test_continue_behind_an_answer(void **state)
{
    struct h2_rig *r = *state;

    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, "\0\x04\x7f\xff\xff\xff", 6);
    rig_frame32(r, NGHTTP2_WINDOW_UPDATE, 0, 0, 0x7fff0000 - 65535);
    rig_get(r, 1);
    UNTIL(r, r->requests == 1);
    rig_answer(rig_exchange(r, 1), 200, FRAMING_CHUNKED, 0);
    r->mute = true;
    for (int i = 0; i < 64; i++) {
        rig_send(rig_exchange(r, 1), 32768);
        rig_turn(r);
    }
    RIG_FIELDS(r, 3, 0, RIG_REQUEST("POST", "/"), "x-id", "3", "expect", "100-continue");
    UNTIL(r, r->requests == 2);
    rig_attach(rig_exchange(r, 3));
    rig_turn(r);
    rig_turn(r);
    r->mute = false;
    UNTIL(r, rig_stream(r, 3)->interims == 1);
    assert_int_equal(rig_stream(r, 3)->status, 100);
}

static void
test_no_continue_from_memory(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    r->mode = RIG_ANSWER;
    RIG_FIELDS(r, 1, 0, RIG_REQUEST("POST", "/"), "x-id", "1", "expect", "100-continue");
    UNTIL(r, s->end);
    assert_int_equal(s->interims, 0);
    assert_int_equal(s->status, 200);
}

/* --- how it ends otherwise ------------------------------------------------------------------- */

static void
test_early_answer(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    r->mode = RIG_ANSWER;
    rig_post(r, 1);
    rig_data(r, 1, 100, false);
    UNTIL(r, s->end);
    assert_int_equal(s->resets, 0);
    assert_int_equal(r->outcomes[END_ANSWERED], 1); /* the exchange is over already */
    UNTIL(r, s->resets == 1);
    assert_int_equal(s->code, NGHTTP2_NO_ERROR);
    rig_post(r, 3);
    UNTIL(r, rig_stream(r, 3)->end);
    rig_data(r, 3, 10, true); /* it does send on */
    rig_quiet(r);
    assert_int_equal(r->s->open, 0);
    assert_int_equal(rig_stream(r, 3)->resets, 0);
}

static void
test_cut_answer(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    r->mode = RIG_BACK;
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    rig_answer(rig_exchange(r, 1), 200, FRAMING_LENGTH, 1000);
    rig_send(rig_exchange(r, 1), 400);
    rig_break(rig_exchange(r, 1), REASON_UPSTREAM_TRUNCATED);
    UNTIL(r, s->resets == 1);
    assert_int_equal(s->bytes, 400);
    assert_false(s->end);
    assert_int_equal(s->code, NGHTTP2_INTERNAL_ERROR);
    rig_quiet(r);
    assert_int_equal(r->outcomes[END_ABORTED], 1);
    assert_int_equal(r->last_reason, REASON_UPSTREAM_TRUNCATED);
}

static void
test_abort(void **state)
{
    struct h2_rig *r = *state;

    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    exchange_abort(&rig_exchange(r, 1)->ex, REASON_SHUTDOWN);
    UNTIL(r, rig_stream(r, 1)->resets == 1);
    assert_int_equal(r->outcomes[END_ABORTED], 1);
    rig_get(r, 3); /* the connection lives */
    UNTIL(r, rig_exchange(r, 3));
}

static void
test_client_cancels(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    rig_post(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    rig_frame32(r, NGHTTP2_RST_STREAM, 0, 1, NGHTTP2_CANCEL);
    loop_turn(&r->loop, 5 * USEC_MS); /* one turn is enough */
    assert_int_equal(r->resets, 1);
    assert_int_equal(r->outcomes[END_CLIENT_LEFT], 1);
    assert_int_equal(r->loop.pieces.out, 0);
}

static void
test_client_leaves(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    for (int32_t id = 1; id < 20; id += 2)
        rig_post(r, id);
    UNTIL(r, r->requests == 10);
    close(r->fd);
    r->fd = -1;
    UNTIL(r, !r->s);
    assert_int_equal(r->why, REASON_CLIENT_LEFT);
    assert_int_equal(r->outcomes[END_CLIENT_LEFT], 10);
    assert_int_equal(r->resets, 10);
}

static void
test_body_too_large(void **state)
{
    struct h2_rig *r = *state;

    r->o.max_body = 1000;
    rig_open(r);
    r->mode = RIG_BACK;
    rig_post(r, 1);
    rig_data(r, 1, 1001, false);
    UNTIL(r, rig_stream(r, 1)->end);
    assert_int_equal(rig_stream(r, 1)->status, 413);
    RIG_FIELDS(r, 3, 0, RIG_REQUEST("POST", "/"), "content-length", "1001");
    UNTIL(r, rig_stream(r, 3)->end);
    assert_int_equal(rig_stream(r, 3)->status, 413);
    assert_int_equal(r->outcomes[END_ANSWERED], 0);
}

/* --- drain and close ------------------------------------------------------------------------- */

static void
test_drain(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    session_drain(r->s);
    rig_quiet(r);
    assert_int_equal(r->goaway, -1); /* not while a stream is open */
    rig_get(r, 3);
    UNTIL(r, rig_exchange(r, 3)); /* new ones are served too */
    for (int32_t id = 1; id <= 3; id += 2) {
        assert_int_equal(r->goaway, -1);
        rig_answer(rig_exchange(r, id), 200, FRAMING_LENGTH, 0);
        rig_finish(rig_exchange(r, id));
        UNTIL(r, rig_stream(r, id)->end);
    }
    UNTIL(r, r->eof);
    assert_int_equal(r->goaway, NGHTTP2_NO_ERROR);
    assert_int_equal(r->goaway_last, 3);
    close(r->fd);
    r->fd = -1;
    UNTIL(r, !r->s);
}

static void
test_drain_idle(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_ANSWER;
    rig_get(r, 1);
    UNTIL(r, rig_stream(r, 1)->end);
    session_drain(r->s);
    UNTIL(r, r->eof);
    assert_int_equal(r->goaway, NGHTTP2_NO_ERROR);
}

static void
test_drain_before_the_first_request(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_ANSWER;
    session_drain(r->s);
    rig_quiet(r);
    assert_int_equal(r->goaway, -1);
    rig_get(r, 1);
    UNTIL(r, rig_stream(r, 1)->end);
    UNTIL(r, r->eof);
    assert_int_equal(rig_stream(r, 1)->status, 200);
}

static void
test_close(void **state)
{
    struct h2_rig *r = *state;

    r->mode = RIG_BACK;
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    session_close(r->s, REASON_SHUTDOWN);
    assert_null(r->s);
    UNTIL(r, r->eof);
    assert_int_equal(r->goaway, NGHTTP2_NO_ERROR);
    assert_int_equal(r->outcomes[END_ABORTED], 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(test_get),
        OPEN(test_many_at_once),
        OPEN(test_byte_by_byte),
        OPEN(test_echo),
        OPEN(test_model),
        OPEN(test_framing),
        OPEN(test_head_and_bodiless),
        OPEN(test_interim_and_trailers),
        OPEN(test_trailers_without_a_body),
        OPEN(test_request_trailers),
        OPEN(test_continue),
        OPEN(test_continue_behind_an_answer),
        OPEN(test_no_continue_from_memory),
        OPEN(test_early_answer),
        OPEN(test_cut_answer),
        OPEN(test_abort),
        OPEN(test_client_cancels),
        OPEN(test_client_leaves),
        BARE(test_body_too_large),
        OPEN(test_drain),
        OPEN(test_drain_idle),
        OPEN(test_drain_before_the_first_request),
        OPEN(test_close),
    };

    return cmocka_run_group_tests_name("h2_server", tests, NULL, NULL);
}
