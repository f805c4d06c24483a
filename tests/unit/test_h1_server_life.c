/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front session against a byte-level client: Expect, answers before the request is complete,
 * clients that leave, the end of sessions.
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

/* Pushes as much of total bytes as the kernel takes; returns how many it took. */
static size_t
push(struct rig_peer *p, size_t sent, size_t total)
{
    static char bytes[65536];
    size_t n = total - sent < sizeof(bytes) ? total - sent : sizeof(bytes);
    ssize_t put = n > 0 ? send(p->fd, bytes, n, MSG_NOSIGNAL) : 0;

    return put > 0 ? (size_t)put : 0;
}

/* --- Expect --------------------------------------------------------------------------------- */

#define EXPECT \
    "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"

static void
test_continue_comes_with_the_back(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, EXPECT);
    rig_quiet(r);
    assert_int_equal(r->client.got.n, 0);
    rig_release(r);
    UNTIL(r, peer_got(&r->client, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_false(peer_has(&r->origin, "Expect"));
    peer_send(&r->client, "abcd");
    UNTIL(r, peer_has(&r->origin, "\r\n\r\nabcd"));
    peer_send(&r->origin, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    UNTIL(r, peer_got(&r->client, "HTTP/1.1 204 No Content\r\n\r\n"));
    assert_non_null(r->server);
}

static void
test_no_continue_when_the_body_is_here(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, EXPECT "abcd");
    UNTIL(r, peer_has(&r->origin, "\r\n\r\nabcd"));
    assert_int_equal(r->client.got.n, 0);
}

static void
test_no_continue_from_memory(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    peer_send(&r->client, EXPECT);
    UNTIL(r, r->client.eof); /* nobody can tell whether the body comes: closed */
    assert_true(peer_has(&r->client, "Connection: close\r\n"));
    assert_false(peer_has(&r->client, "100"));
}

/* --- early answers -------------------------------------------------------------------------- */

static void
test_refused_body_is_not_a_request(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\n");
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    peer_send(&r->client, GET); /* 28 bytes of body */
    rig_quiet(r);
    assert_int_equal(r->requests, 1);
    peer_send(&r->client, GET);
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    assert_int_equal(r->requests, 2);
}

static void
test_too_much_to_discard(void **state)
{
    struct rig *r = *state;
    size_t sent = 0, total = 1u << 20;

    r->mode = RIG_ANSWER;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n");
    UNTIL(r, peer_has(&r->client, "Connection: close\r\n"));
    for (int i = 0; i < 30; i++) {
        sent += push(&r->client, sent, total);
        rig_turn(r);
    }
    assert_false(rig_is_open(r));
    assert_int_equal(r->requests, 1);
}

static void
test_body_that_never_comes_is_not_waited_for(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    peer_send(&r->client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\n");
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    UNTIL(r, r->client.eof);
}

/* --- clients that leave --------------------------------------------------------------------- */

static void
test_fin_while_held(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, GET);
    UNTIL(r, r->requests == 1);
    peer_fin(&r->client);
    UNTIL(r, r->ends == 1);
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
    assert_false(rig_is_open(r));
}

static void
test_fin_in_the_same_edge(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, GET);
    peer_fin(&r->client);
    UNTIL(r, !rig_is_open(r));
    assert_int_equal(r->requests, 1); /* it is announced, then it ends */
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
}

static void
test_reset_while_held(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, GET);
    UNTIL(r, r->requests == 1);
    peer_reset(&r->client);
    UNTIL(r, r->ends == 1);
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
}

static void
test_half_close_may_wait(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    r->half_close_waits = true;
    peer_send(&r->client, GET);
    peer_fin(&r->client);
    rig_quiet(r);
    assert_int_equal(r->ends, 0);
    rig_release(r);
    UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, peer_has(&r->client, "hello"));
    UNTIL(r, r->client.eof);
    assert_int_equal(r->outcome, END_ANSWERED);
}

static void
test_client_gone_closes_the_back(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, GET);
    UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
    peer_close(&r->client);
    UNTIL(r, r->origin.eof || r->origin.reset);
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
    assert_int_equal(r->delivered, DELIVERED_MAYBE);
}

/* --- life ----------------------------------------------------------------------------------- */

static void
test_drain(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, GET);
    UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
    rig_drain(r);
    assert_true(rig_is_open(r));
    peer_send(&r->origin, OK_HELLO);
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "Connection: close\r\n\r\nhello"));
    /* Who has just come may still ask; who does not ask in a second is gone. */
    rig_connect(r);
    rig_drain(r);
    assert_true(rig_is_open(r));
    UNTIL(r, !rig_is_open(r));
}

static void
test_requests_on_one_connection_are_limited(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_ANSWER;
    r->front.max_requests = 2;
    peer_send(&r->client, GET);
    UNTIL(r, peer_got(&r->client, OK_HELLO));
    peer_send(&r->client, GET);
    UNTIL(r, r->client.eof);
    assert_true(peer_has(&r->client, "Connection: close\r\n"));
}

static void
test_close_in_every_callback(void **state)
{
    struct rig *r = *state;

    for (enum rig_place place = RIG_NEW_EXCHANGE; place < RIG_PLACES; place++) {
        r->close_at = place;
        peer_send(&r->client, place == RIG_ON_BAD_REQUEST
                                  ? "GET\r\n\r\n"
                                  : "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
        if (place == RIG_ON_ANSWER || place == RIG_ON_BACK_LOST || place == RIG_ON_END) {
            UNTIL(r, peer_has(&r->origin, "abc"));
            if (place == RIG_ON_BACK_LOST)
                peer_close(&r->origin);
            else
                peer_send(&r->origin, OK_HELLO);
        }
        UNTIL(r, !rig_is_open(r));
        assert_int_equal(r->requests, r->ends);
        if (r->session)
            back_close(r->session, REASON_SHUTDOWN);
        rig_turn(r);
        rig_connect(r);
        buf_clear(&r->origin.got);
    }
    r->close_at = RIG_NOWHERE;
}

static void
test_a_held_request_is_small(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, GET);
    UNTIL(r, r->requests == 1);
    rig_quiet(r);
    assert_int_equal(r->loop.small_reads.out, 0);
    assert_int_equal(r->loop.blocks.out, 0);
    assert_int_equal(r->loop.arena_blocks.out, 1);
    assert_in_range(sizeof(struct h1_server) + LOOP_HANDLE + sizeof(struct exchange) +
                        LOOP_ARENA_BLOCK,
                    1, 3072);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_continue_comes_with_the_back),
        T(test_no_continue_when_the_body_is_here),
        T(test_no_continue_from_memory),
        T(test_refused_body_is_not_a_request),
        T(test_too_much_to_discard),
        T(test_body_that_never_comes_is_not_waited_for),
        T(test_fin_while_held),
        T(test_fin_in_the_same_edge),
        T(test_reset_while_held),
        T(test_half_close_may_wait),
        T(test_client_gone_closes_the_back),
        T(test_drain),
        T(test_requests_on_one_connection_are_limited),
        T(test_close_in_every_callback),
        T(test_a_held_request_is_small),
    };
    return cmocka_run_group_tests_name("h1_server_life", tests, NULL, NULL);
}
