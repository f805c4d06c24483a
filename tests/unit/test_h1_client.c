/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back session against a byte-level origin: framings, interim answers, hostile and broken
 * answers, when a connection may be used again, and its deadlines.
 */
#include "config.h"

#include "http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define GET "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define CHUNKED_HELLO "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

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

/* Sends the request and waits until the origin has all of it. */
static void
ask(struct rig *r, const char *request)
{
    peer_send(&r->client, request);
    UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
    buf_clear(&r->origin.got);
}

/* --- good answers --------------------------------------------------------------------------- */

static void
test_connection_is_used_again(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 1; i <= 3; i++) {
        peer_send(&r->client, GET);
        UNTIL(r, peer_got(&r->origin, GET));
        peer_send(&r->origin, OK_HELLO);
        UNTIL(r, peer_got(&r->client, OK_HELLO));
        UNTIL(r, r->session_idle);
    }
    assert_int_equal(r->backs, 1);
    assert_int_equal(r->session->served, 3);
    assert_int_equal(r->outcome, END_ANSWERED);
    assert_int_equal(r->delivered, DELIVERED_YES);
    assert_int_equal(r->loop.small_reads.out, 0);
    assert_int_equal(r->loop.blocks.out, 0);
}

static void
test_answer_byte_by_byte(void **state)
{
    struct rig *r = *state;
    static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";

    ask(r, GET);
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        peer_send_bytes(&r->origin, &text[i], 1);
        rig_turn(r);
    }
    UNTIL(r, peer_has(&r->client, "\r\n0\r\n\r\n"));
    assert_true(peer_has(&r->client, "1\r\ng\r\n"));
    assert_true(r->session_idle);
}

static void
test_head_204_304(void **state)
{
    struct rig *r = *state;

    ask(r, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    UNTIL(r, peer_got(&r->client, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 204 No Content\r\n\r\n");
    UNTIL(r, peer_got(&r->client, "HTTP/1.1 204 No Content\r\n\r\n"));
    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
    UNTIL(r, peer_got(&r->client, "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"));
    assert_int_equal(r->backs, 1);
}

static void
test_body_after_head_request_destroys(void **state)
{
    struct rig *r = *state;

    ask(r, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, peer_got(&r->client, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
    assert_null(r->session);
    assert_int_equal(r->session_why, REASON_UPSTREAM_EXTRA);
}

static void
test_until_the_end_of_file(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\n\r\nsome");
    UNTIL(r, peer_has(&r->client, "4\r\nsome\r\n"));
    peer_send(&r->origin, "more");
    peer_close(&r->origin);
    UNTIL(r, peer_has(&r->client, "4\r\nmore\r\n0\r\n\r\n"));
    assert_true(peer_has(&r->client, "Transfer-Encoding: chunked\r\n"));
    assert_null(r->session);
    assert_int_equal(r->outcome, END_ANSWERED);
    assert_non_null(r->server); /* the client's connection lives */
}

static void
test_http10_clients(void **state)
{
    struct rig *r = *state;

    ask(r, "GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, peer_has(&r->client, "Connection: keep-alive\r\n\r\nhello"));
    buf_clear(&r->client.got);
    ask(r, "GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
    peer_send(&r->origin, CHUNKED_HELLO "5\r\nhello\r\n0\r\n\r\n");
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "Connection: close\r\n\r\nhello"));
    assert_false(peer_has(&r->client, "chunked"));
}

static void
test_trailers_only_where_asked_for(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, CHUNKED_HELLO "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
    UNTIL(r, peer_has(&r->client, "0\r\n\r\n"));
    buf_clear(&r->client.got);
    ask(r, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: TE\r\nTE: trailers\r\n\r\n");
    peer_send(&r->origin, CHUNKED_HELLO "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
    UNTIL(r, peer_has(&r->client, "0\r\nX-Sum: 1\r\n\r\n"));
    assert_int_equal(r->ends, 2);
}

/* --- interim answers ------------------------------------------------------------------------ */

#define HINTS "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"

static void
test_interims_go_to_11_only(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, HINTS HINTS OK_HELLO);
    UNTIL(r, peer_got(&r->client, HINTS HINTS OK_HELLO));
    UNTIL(r, r->session_idle);
    ask(r, "GET /a HTTP/1.0\r\nHost: h\r\n\r\n");
    peer_send(&r->origin, HINTS OK_HELLO);
    UNTIL(r, r->client.eof);
    assert_false(peer_has(&r->client, "103"));
    assert_true(peer_has(&r->client, "hello"));
}

static void
test_interims_are_limited(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    for (int i = 0; i < 17; i++)
        peer_send(&r->origin, i % 2 ? HINTS : "HTTP/1.1 100 Continue\r\n\r\n");
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 502 "));
    assert_int_equal(r->lost_why, REASON_UPSTREAM_MALFORMED);
}

static void
test_101_unasked(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 502 "));
    assert_int_equal(r->lost_why, REASON_UPSTREAM_MALFORMED);
}

/* --- hostile and broken answers ------------------------------------------------------------- */

static void
test_malformed_heads(void **state)
{
    static const char *const heads[] = {
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    };
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        ask(r, GET);
        peer_send(&r->origin, heads[i]);
        UNTIL(r, peer_has(&r->client, "HTTP/1.1 502 "));
        UNTIL(r, peer_has(&r->client, "upstream_malformed"));
        buf_clear(&r->client.got);
        assert_null(r->session);
    }
}

static void
test_two_answers(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    assert_null(r->session);
    assert_int_equal(r->session_why, REASON_UPSTREAM_EXTRA);
    ask(r, GET);
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    assert_int_equal(r->backs, 2);
}

static void
test_bytes_or_fin_while_idle(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, r->session_idle);
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\n");
    UNTIL(r, !r->session);
    assert_int_equal(r->session_why, REASON_POOL_STALE);
    ask(r, GET);
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, r->session_idle);
    peer_fin(&r->origin);
    UNTIL(r, !r->session);
}

static void
test_not_used_again(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    UNTIL(r, peer_has(&r->client, "\r\n\r\nx"));
    assert_null(r->session);
    buf_clear(&r->client.got);
    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx");
    UNTIL(r, peer_has(&r->client, "\r\n\r\nx"));
    assert_null(r->session);
    assert_non_null(r->server);
}

static void
test_truncated_answers(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        CHUNKED_HELLO "5\r\nhello\r\n",
        CHUNKED_HELLO "5\r\nhel",
    };
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        ask(r, GET);
        peer_send(&r->origin, answers[i]);
        peer_close(&r->origin);
        UNTIL(r, r->client.eof || r->client.reset);
        assert_true(peer_has(&r->client, "hel"));
        assert_false(peer_has(&r->client, "0\r\n\r\n"));
        assert_int_equal(r->outcome, END_ABORTED);
        assert_int_equal(r->reason, REASON_UPSTREAM_TRUNCATED);
        rig_connect(r);
    }
}

static void
test_truncated_towards_http10_is_a_reset(void **state)
{
    struct rig *r = *state;

    ask(r, "GET /a HTTP/1.0\r\nHost: h\r\n\r\n");
    peer_send(&r->origin, CHUNKED_HELLO "5\r\nhello\r\n");
    UNTIL(r, peer_has(&r->client, "hello"));
    peer_close(&r->origin);
    UNTIL(r, r->client.reset); /* FIN would say: complete */
}

static void
test_reset_before_an_answer(void **state)
{
    struct rig *r = *state;

    ask(r, GET);
    peer_reset(&r->origin);
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 502 "));
    assert_int_equal(r->lost_why, REASON_UPSTREAM_RESET);
    assert_int_equal(r->delivered, DELIVERED_MAYBE);
}

/* Part of an answer is an answer: it is not asked for again. */
static void
test_no_resend_after_a_byte_of_an_answer(void **state)
{
    struct rig *r = *state;

    r->resend = true;
    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 20");
    UNTIL(r, r->ex && r->ex->first_byte != 0);
    peer_reset(&r->origin);
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 502 "));
    assert_int_equal(r->backs, 1);
    assert_int_equal(r->delivered, DELIVERED_MAYBE);
}

static void
test_resend_of_a_retained_request(void **state)
{
    struct rig *r = *state;

    r->resend = r->retain = true;
    peer_send(&r->client, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd");
    UNTIL(r, peer_has(&r->origin, "\r\n\r\nabcd"));
    peer_close(&r->origin);
    UNTIL(r, r->backs == 2 && peer_has(&r->origin, "\r\n\r\nabcd"));
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    assert_int_equal(r->losses, 1);
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd");
    buf_clear(&r->origin.got);
    UNTIL(r, peer_has(&r->origin, "\r\n\r\nabcd"));
    peer_close(&r->origin);
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 502 "));
    assert_int_equal(r->backs, 2); /* never twice */
}

/* --- early answers -------------------------------------------------------------------------- */

static void
test_early_answer_destroys_the_back(void **state)
{
    struct rig *r = *state;

    ask(r, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    assert_null(r->session);
    UNTIL(r, r->origin.eof || r->origin.reset);
    peer_send(&r->client, "defghi" GET); /* the rest is discarded, the next one is served */
    UNTIL(r, r->requests == 2);
    assert_int_equal(r->backs, 2);
}

static void
test_answer_while_the_request_goes_on(void **state)
{
    struct rig *r = *state;

    ask(r, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
    peer_send(&r->origin, CHUNKED_HELLO "3\r\nABC\r\n");
    UNTIL(r, peer_has(&r->client, "3\r\nABC\r\n"));
    peer_send(&r->client, "def"); /* an echo: it still reads */
    UNTIL(r, peer_has(&r->origin, "def"));
    peer_send(&r->origin, "3\r\nDEF\r\n0\r\n\r\n");
    UNTIL(r, peer_has(&r->client, "0\r\n\r\n"));
    UNTIL(r, r->session_idle);
}

static void
test_answer_and_reset_within_an_upload(void **state)
{
    struct rig *r = *state;
    static char bytes[65536];

    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n");
    peer_send_bytes(&r->client, bytes, sizeof(bytes));
    UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
    peer_send(&r->origin, "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    peer_close(&r->origin);
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 413 No\r\n"));
    assert_true(peer_has(&r->client, "\r\n\r\nno"));
}

/* --- deadlines ------------------------------------------------------------------------------ */

static void
test_silence_is_told_once(void **state)
{
    struct rig *r = *state;

    r->back.silence = 20 * USEC_MS;
    r->back.first_byte = 80 * USEC_MS;
    ask(r, GET);
    UNTIL(r, r->silences == 1);
    UNTIL(r, peer_has(&r->client, "upstream_timeout"));
    assert_int_equal(r->silences, 1);
}

static void
test_dripped_head(void **state)
{
    struct rig *r = *state;

    r->back.head_time = 40 * USEC_MS;
    ask(r, GET);
    for (int i = 0; r->losses == 0; i++) {
        assert_in_range(i, 0, 20000);
        peer_send(&r->origin, i == 0 ? "HTTP/1.1 200 OK\r\nX: " : "x");
        rig_turn(r);
    }
    assert_int_equal(r->lost_why, REASON_UPSTREAM_TIMEOUT);
}

static void
test_stalled_answer(void **state)
{
    struct rig *r = *state;

    r->back.stall = 30 * USEC_MS;
    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    UNTIL(r, r->client.eof || r->client.reset);
    assert_int_equal(r->reason, REASON_UPSTREAM_STALLED);
}

/* --- bulk ----------------------------------------------------------------------------------- */

static void
test_bulk_to_a_slow_client_is_bounded(void **state)
{
    struct rig *r = *state;
    size_t total = 4u << 20, sent = 0, most = 0, got = 0;
    static char bytes[65536], in[4096];

    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n");
    while (got < total) {
        ssize_t n = sent < total ? send(r->origin.fd, bytes, sizeof(bytes), MSG_NOSIGNAL) : 0;

        sent += n > 0 ? (size_t)n : 0;
        loop_turn(&r->loop, 0);
        if (r->loop.blocks.out > most)
            most = r->loop.blocks.out;
        for (int i = 0; i < 4; i++) {
            n = recv(r->client.fd, in, sizeof(in), 0);
            got += n > 0 ? (size_t)n : 0;
        }
    }
    assert_true(most * LOOP_BLOCK <= 80u * 1024);
    UNTIL(r, r->ends == 1);
    assert_int_equal(r->loop.blocks.out, 0);
}

static void
test_what_lies_in_the_kernel_is_not_forgotten(void **state)
{
    struct rig *r = *state;
    size_t total = 1u << 20, sent = 0, got = 0;
    static char bytes[65536], in[5000];
    int small = 4096;

    setsockopt(r->client.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    setsockopt(r->server->conn.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    ask(r, GET);
    peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
    for (int i = 0; i < 200 && sent < total; i++) { /* nobody reads: fills up, then no more edges */
        ssize_t n = send(r->origin.fd, bytes, sizeof(bytes), MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        loop_turn(&r->loop, USEC_MS);
    }
    for (int i = 0; got < total; i++) {
        ssize_t n;

        assert_in_range(i, 0, 20000);
        loop_turn(&r->loop, USEC_MS);
        n = recv(r->client.fd, in, sizeof(in), 0);
        got += n > 0 ? (size_t)n : 0;
        n = sent < total ? send(r->origin.fd, bytes, sizeof(bytes), MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
    }
    UNTIL(r, r->ends == 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_connection_is_used_again),
        T(test_answer_byte_by_byte),
        T(test_head_204_304),
        T(test_body_after_head_request_destroys),
        T(test_until_the_end_of_file),
        T(test_http10_clients),
        T(test_trailers_only_where_asked_for),
        T(test_interims_go_to_11_only),
        T(test_interims_are_limited),
        T(test_101_unasked),
        T(test_malformed_heads),
        T(test_two_answers),
        T(test_bytes_or_fin_while_idle),
        T(test_not_used_again),
        T(test_truncated_answers),
        T(test_truncated_towards_http10_is_a_reset),
        T(test_reset_before_an_answer),
        T(test_no_resend_after_a_byte_of_an_answer),
        T(test_resend_of_a_retained_request),
        T(test_early_answer_destroys_the_back),
        T(test_answer_while_the_request_goes_on),
        T(test_answer_and_reset_within_an_upload),
        T(test_silence_is_told_once),
        T(test_dripped_head),
        T(test_stalled_answer),
        T(test_bulk_to_a_slow_client_is_bounded),
        T(test_what_lies_in_the_kernel_is_not_forgotten),
    };
    return cmocka_run_group_tests_name("h1_client", tests, NULL, NULL);
}
