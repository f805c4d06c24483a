/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front session against a byte-level client: requests come in whole, in single bytes, in
 * pipelines; their bodies; refusals and deadlines.
 */
#include "config.h"

#include "http_rig.h"

#include "http/h1_server_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define GET "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK_HELLO \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    rig_init(r, false);
    *state = r;
    return 0;
}

static int
teardown(void **state)
{
    rig_fini(*state);
    free(*state);
    return 0;
}

/* --- heads ---------------------------------------------------------------------------------- */

static void
test_answers_and_keeps_the_connection(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    for (int i = 0; i < 3; i++) {
        peer_send(&r->client, GET);
        UNTIL(r, peer_got(&r->client, OK_HELLO));
    }
    assert_int_equal(r->ends, 3);
    assert_int_equal(r->outcome, END_ANSWERED);
    assert_int_equal(r->loop.small_reads.out, 0);
    assert_int_equal(r->loop.blocks.out, 0);
    assert_int_equal(r->loop.arena_blocks.out, 0);
    assert_int_equal(r->loop.jobs.out, 0); /* an idle session owns no buffer */
}

static void
test_byte_by_byte(void **state)
{
    struct rig *r = *state;
    static const char text[] = "\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd";

    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        peer_send_bytes(&r->client, &text[i], 1);
        rig_turn(r);
    }
    UNTIL(r, peer_got(&r->origin, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"));
}

static void
test_pipelined_in_order(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                          "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 1; i <= 3; i++) {
        UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
        assert_int_equal(r->origin.got.p[5], '0' + i);
        assert_int_equal(r->requests, i); /* one in service */
        buf_clear(&r->origin.got);
        peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        UNTIL(r, r->ends == (unsigned)i);
    }
    assert_int_equal(r->backs, 1);
    UNTIL(r, r->client.got.n == 3 * strlen("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
}

static void
test_pipelined_bodies(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                          "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"
                          "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nef");
    for (unsigned i = 1; i <= 3; i++) {
        UNTIL(r, peer_has(&r->origin, i == 1 ? "\r\n\r\n" : i == 2 ? "\r\n\r\nabcd"
                                                                     : "\r\n\r\nef"));
        buf_clear(&r->origin.got);
        if (i == 3)
            peer_send(&r->client, "gh");
        rig_quiet(r);
        peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        UNTIL(r, r->ends == i);
    }
    assert_int_equal(r->backs, 1);
}

static void
test_held_body_behind_a_pipeline(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    peer_send(&r->client, GET "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
    UNTIL(r, r->requests == 2);
    rig_quiet(r);
    r->mode = RIG_HOLD;
    peer_send(&r->client, "cd"); /* the rest of what was answered already */
    rig_quiet(r);
    peer_send(&r->client, "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nef");
    UNTIL(r, r->requests == 3);
    rig_quiet(r);
    rig_release(r);
    UNTIL(r, peer_has(&r->origin, "\r\n\r\nef"));
    peer_reset(&r->client);
    UNTIL(r, r->ends == 3);
}

static void
test_bad_head_is_refused(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "GET /a HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\nGET /b HTTP/1.1\r\n");
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "HTTP/1.1 400 Bad Request\r\n"));
    assert_true(peer_has(&r->client, "Connection: close\r\n"));
    assert_true(peer_has(&r->client, "Cache-Control: no-store\r\n"));
    assert_true(peer_has(&r->client, "details=\"request_invalid\""));
    assert_int_equal(r->refusals, 1);
    assert_int_equal(r->requests, 0);
    peer_close(&r->client);
    UNTIL(r, !rig_is_open(r));
}

static void
test_head_over_a_limit(void **state)
{
    struct rig *r = *state;
    char field[9000];

    memset(field, 'a', sizeof(field));
    peer_send(&r->client, "GET /a HTTP/1.1\r\nHost: h\r\nX: ");
    peer_send_bytes(&r->client, field, sizeof(field));
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "HTTP/1.1 431 "));
    assert_int_equal(r->refused_why, REASON_HEADER_TOO_LARGE);
}

static void
test_slow_head_times_out(void **state)
{
    struct rig *r = *state;

    r->front.head_time = 30 * USEC_MS;
    peer_send(&r->client, "GET /a HT");
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 408 "));
    UNTIL(r, r->client.eof);
}

static void
test_idle_is_closed(void **state)
{
    struct rig *r = *state;

    rig_close(r);
    r->front.idle = 30 * USEC_MS;
    rig_connect(r);
    UNTIL(r, r->client.eof);
    assert_int_equal(r->server_why, REASON_IDLE);
    assert_int_equal(r->client.got.n, 0);
}

static void
test_half_a_head_and_fin(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "GET /a HT");
    peer_fin(&r->client);
    UNTIL(r, !rig_is_open(r));
    assert_int_equal(r->server_why, REASON_CLIENT_TRUNCATED);
    assert_int_equal(r->requests, 0);
}

static void
test_upgrades(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    peer_send(&r->client, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade, HTTP2-Settings\r\n"
                          "Upgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n");
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    assert_false(r->upgrade); /* served as plain HTTP (RELIABILITY F3) */
    peer_send(&r->client, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                          "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    UNTIL(r, r->client.eof);
    assert_true(r->upgrade);
    assert_int_equal(r->requests, 2); /* what follows is never a request */
}

/* --- bodies --------------------------------------------------------------------------------- */

static void
test_chunked_is_chunked_anew(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n");
    UNTIL(r, peer_has(&r->origin, "\r\n0\r\n\r\n"));
    assert_true(peer_has(&r->origin, "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"));
    assert_false(peer_has(&r->origin, "X-Trailer")); /* RELIABILITY A9 */
}

static void
test_bad_chunk_is_refused_and_aborts_the_back(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n");
    UNTIL(r, peer_has(&r->origin, "3\r\nabc\r\n"));
    peer_send(&r->client, "zz\r\n");
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "HTTP/1.1 400 "));
    UNTIL(r, r->origin.reset);
    assert_false(peer_has(&r->origin, "0\r\n\r\n"));
    assert_int_equal(r->outcome, END_ABORTED);
    assert_int_equal(r->reason, REASON_REQUEST_INVALID);
}

static void
test_truncated_body_never_looks_complete(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n");
    UNTIL(r, peer_has(&r->origin, "3\r\nabc\r\n"));
    peer_fin(&r->client);
    UNTIL(r, r->origin.reset);
    assert_false(peer_has(&r->origin, "0\r\n\r\n"));
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
}

static void
test_body_over_the_limit(void **state)
{
    struct rig *r = *state;

    r->front.max_body = 4;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "HTTP/1.1 413 "));
    assert_int_equal(r->requests, 0);
    peer_close(&r->client);
    UNTIL(r, !rig_is_open(r));
    rig_connect(r);
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5\r\nabcde\r\n");
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "HTTP/1.1 413 "));
    assert_int_equal(r->refused_why, REASON_BODY_TOO_LARGE);
    assert_int_equal(r->requests, 0);
}

static void
test_stalled_body(void **state)
{
    struct rig *r = *state;

    r->front.stall = 30 * USEC_MS;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 408 "));
    assert_int_equal(r->reason, REASON_REQUEST_TIMEOUT);
    UNTIL(r, r->origin.reset);
}

static void
test_held_body_stalls_for_nobody(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    r->front.stall = 20 * USEC_MS;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    for (int i = 0; i < 15; i++)
        rig_turn(r);
    assert_int_equal(r->ends, 0); /* it is we who do not read */
    rig_release(r);
    peer_send(&r->client, "cde");
    UNTIL(r, peer_has(&r->origin, "\r\n\r\nabcde"));
}

/* Pushes as much of total bytes as the kernel takes; returns how many it took. */
static size_t
push(struct rig_peer *p, size_t sent, size_t total)
{
    static char bytes[65536];
    size_t n = total - sent < sizeof(bytes) ? total - sent : sizeof(bytes);
    ssize_t put = n > 0 ? send(p->fd, bytes, n, MSG_NOSIGNAL) : 0;

    return put > 0 ? (size_t)put : 0;
}

static void
test_held_upload_is_bounded(void **state)
{
    struct rig *r = *state;
    size_t sent = 0, total = 4u << 20;

    r->mode = RIG_HOLD;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4194304\r\n\r\n");
    for (int i = 0; i < 40; i++) {
        sent += push(&r->client, sent, total);
        rig_turn(r);
    }
    assert_true(pipe_pending(&r->ex->to_back) <= LOOP_READ_SMALL);
    rig_release(r);
    UNTIL(r, (sent += push(&r->client, sent, total), sent == total && r->origin.got.n > total));
    assert_int_equal(slice_index(buf_slice(&r->origin.got), '\0'), (int)(r->origin.got.n - total));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_answers_and_keeps_the_connection),
        T(test_byte_by_byte),
        T(test_pipelined_in_order),
        T(test_pipelined_bodies),
        T(test_held_body_behind_a_pipeline),
        T(test_bad_head_is_refused),
        T(test_head_over_a_limit),
        T(test_slow_head_times_out),
        T(test_idle_is_closed),
        T(test_half_a_head_and_fin),
        T(test_upgrades),
        T(test_chunked_is_chunked_anew),
        T(test_bad_chunk_is_refused_and_aborts_the_back),
        T(test_truncated_body_never_looks_complete),
        T(test_body_over_the_limit),
        T(test_stalled_body),
        T(test_held_body_stalls_for_nobody),
        T(test_held_upload_is_bounded),
    };
    return cmocka_run_group_tests_name("h1_server", tests, NULL, NULL);
}
