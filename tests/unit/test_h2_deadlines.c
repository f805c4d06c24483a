/* SPDX-License-Identifier: BSD-2-Clause */
/* test_h2_deadlines.c: when the patience of an HTTP/2 front ends, and that its hold has none. */
#include "config.h"

#include "h2_server_rig.h"

#include "unit.h"

static void
test_settings_ack(void **state)
{
    struct h2_rig *r = *state;

    r->o.settings_ack = 30 * USEC_MS;
    rig_open_early(r, SLICE(NGHTTP2_CLIENT_MAGIC));
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    UNTIL(r, r->goaway != -1);
    assert_int_equal(r->goaway, NGHTTP2_SETTINGS_TIMEOUT);
}

static void
test_head_time(void **state)
{
    struct h2_rig *r = *state;

    r->o.head_time = 30 * USEC_MS;
    rig_open(r);
    rig_frame(r, NGHTTP2_HEADERS, 0, 1, "\x82", 1);
    UNTIL(r, r->goaway != -1);
    assert_int_equal(r->loop.small_reads.out, 0);
}

static void
test_idle(void **state)
{
    struct h2_rig *r = *state;

    r->o.idle = 60 * USEC_MS;
    rig_open(r);
    rig_get(r, 1);
    for (int i = 0; i < 30; i++)
        rig_turn(r);
    assert_int_equal(r->goaway, -1); /* held is not idle */
    exchange_abort(&rig_exchange(r, 1)->ex, REASON_SHUTDOWN);
    UNTIL(r, r->goaway != -1);
    assert_int_equal(r->goaway, NGHTTP2_NO_ERROR);
    UNTIL(r, r->eof);
}

static void
test_age_and_requests(void **state)
{
    struct h2_rig *r = *state;

    r->o.max_requests = 3;
    rig_open(r);
    r->mode = RIG_ANSWER;
    for (int32_t id = 1; id <= 5; id += 2) {
        assert_int_equal(r->goaway, -1);
        rig_get(r, id);
        UNTIL(r, rig_stream(r, id)->end);
    }
    UNTIL(r, r->goaway == NGHTTP2_NO_ERROR);
    assert_int_equal(r->goaway_last, 5);
}

/* Who never pauses is told to go at twice as many, and loses nothing. */
static void
test_never_idle(void **state)
{
    struct h2_rig *r = *state;

    r->o.max_requests = 3;
    rig_open(r);
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    r->mode = RIG_ANSWER;
    for (int32_t id = 3; id <= 11; id += 2) {
        assert_int_equal(r->goaway, -1);
        rig_get(r, id);
        UNTIL(r, rig_stream(r, id)->end);
    }
    UNTIL(r, r->goaway == NGHTTP2_NO_ERROR);
    assert_int_equal(r->goaway_last, 11);
    r->mode = RIG_BACK;
    rig_attach(rig_exchange(r, 1));
    rig_answer(rig_exchange(r, 1), 200, FRAMING_LENGTH, 0);
    rig_finish(rig_exchange(r, 1));
    UNTIL(r, rig_stream(r, 1)->end);
    UNTIL(r, r->eof);
}

static void
test_age(void **state)
{
    struct h2_rig *r = *state;

    r->o.age = 100 * USEC_MS;
    rig_open(r);
    rig_get(r, 1);
    UNTIL(r, r->goaway == NGHTTP2_NO_ERROR); /* who will not let go is told */
    rig_answer(rig_exchange(r, 1), 200, FRAMING_LENGTH, 0);
    UNTIL(r, rig_stream(r, 1)->status == 200);
}

static void
test_stalled_upload(void **state)
{
    struct h2_rig *r = *state;

    r->o.stall = 40 * USEC_MS;
    rig_open(r);
    rig_post(r, 1);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_false(rig_stream(r, 1)->end); /* held: nobody waits for the client */
    rig_attach(rig_exchange(r, 1));
    UNTIL(r, rig_stream(r, 1)->end);
    assert_int_equal(rig_stream(r, 1)->status, 408);
    assert_int_equal(r->resets, 1);
}

/* gRPC and the like, and whoever is being answered: a pause is no stall. */
static void
test_conversations(void **state)
{
    struct h2_rig *r = *state;

    r->o.stall = 40 * USEC_MS;
    rig_open(r);
    r->mode = RIG_BACK;
    RIG_FIELDS(r, 1, 0, RIG_REQUEST("POST", "/"), "content-type", "application/grpc+proto");
    rig_post(r, 3);
    UNTIL(r, r->requests == 2);
    rig_answer(rig_exchange(r, 3), 200, FRAMING_CHUNKED, 0);
    for (int i = 0; i < 30; i++)
        rig_turn(r);
    assert_int_equal(r->alive, 2);
    rig_data(r, 1, 10, true);
    rig_data(r, 3, 10, true);
    UNTIL(r, rig_exchange(r, 3)->ended);
}

/* A refusal that is not read does not stay for ever. */
static void
test_stalled_refusal(void **state)
{
    struct h2_rig *r = *state;

    r->o.stream_stall = 40 * USEC_MS;
    rig_open(r);
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, "\0\x04\0\0\0\0", 6);
    RIG_FIELDS(r, 1, NGHTTP2_FLAG_END_STREAM, ":method", "GET", ":scheme", "ftp", ":path", "/",
               ":authority", "h.test");
    UNTIL(r, rig_stream(r, 1)->status == 400);
    assert_int_equal(r->s->open, 1);
    UNTIL(r, r->s->open == 0);
    assert_int_equal(rig_stream(r, 1)->resets, 1);
}

static void
test_stalled_download(void **state)
{
    struct h2_rig *r = *state;

    r->o.stream_stall = 40 * USEC_MS;
    rig_open(r);
    r->mode = RIG_BACK;
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, "\0\x04\0\0\0\0", 6); /* window 0 */
    rig_get(r, 1);
    rig_get(r, 3);
    UNTIL(r, rig_exchange(r, 3));
    rig_answer(rig_exchange(r, 1), 200, FRAMING_CHUNKED, 0);
    rig_answer(rig_exchange(r, 3), 200, FRAMING_CHUNKED, 0);
    rig_send(rig_exchange(r, 1), 100);
    UNTIL(r, rig_stream(r, 1)->resets == 1);
    assert_int_equal(rig_stream(r, 1)->bytes, 0);
    assert_int_equal(rig_stream(r, 3)->resets, 0); /* has nothing to say */
    assert_int_equal(r->goaway, -1);
    assert_int_equal(r->outcomes[END_ABORTED], 1);
}

static void
test_blocked_connection(void **state)
{
    struct h2_rig *r = *state;

    r->o.stream_stall = 20 * USEC_MS;
    r->o.conn_stall = 80 * USEC_MS;
    rig_open(r);
    r->mode = RIG_BACK;
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, "\0\x04\x7f\xff\xff\xff", 6);
    rig_get(r, 1);
    UNTIL(r, rig_exchange(r, 1));
    rig_answer(rig_exchange(r, 1), 200, FRAMING_CHUNKED, 0);
    rig_send(rig_exchange(r, 1), 65535 + 100); /* the connection's window, and a little more */
    UNTIL(r, rig_stream(r, 1)->bytes == 65535);
    UNTIL(r, !r->s);
    assert_int_equal(r->why, REASON_CLIENT_STALLED);
    assert_int_equal(rig_stream(r, 1)->resets, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BARE(test_settings_ack),
        BARE(test_head_time),
        BARE(test_idle),
        BARE(test_age_and_requests),
        BARE(test_never_idle),
        BARE(test_age),
        BARE(test_stalled_upload),
        BARE(test_conversations),
        BARE(test_stalled_refusal),
        BARE(test_stalled_download),
        BARE(test_blocked_connection),
    };

    return cmocka_run_group_tests_name("h2_deadlines", tests, NULL, NULL);
}
