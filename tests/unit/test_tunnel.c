/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels between an HTTP/1 front and an HTTP/1 back, byte by byte: bytes that came early, both
 * ends' ends, how we end it, and bulk (RELIABILITY F).
 */
#include "config.h"

#include "http/tunnel.h"

#include "tunnel_rig.h"

#include <sys/socket.h>

static void
open_tunnel(struct rig *r)
{
    peer_send(&r->client, ASK);
    UNTIL(r, peer_got(&r->origin, ASKED));
    peer_send(&r->origin, YES);
    UNTIL(r, peer_got(&r->client, TOLD));
    assert_non_null(r->ex->tunnel);
}

static bool
is_over(const struct rig *r)
{
    return r->ends == 1 && !r->server && !r->session;
}

/* --- beginnings ----------------------------------------------------------------------------- */

static void
test_both_ways(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    for (int i = 0; i < 3; i++) {
        peer_send(&r->client, "GET /a HTTP/1.1\r\n\r\n");
        UNTIL(r, peer_got(&r->origin, "GET /a HTTP/1.1\r\n\r\n"));
        peer_send(&r->origin, "HTTP/1.1 200 OK\r\n\r\n");
        UNTIL(r, peer_got(&r->client, "HTTP/1.1 200 OK\r\n\r\n"));
    }
    assert_int_equal(r->requests, 1);
    assert_int_equal(r->answers, 1);
    assert_int_equal(r->loop.large_reads.out + r->loop.small_reads.out, 0);
    assert_int_equal(r->loop.blocks.out, 0);
}

static void
test_byte_by_byte(void **state)
{
    struct rig *r = *state;
    const char *ask = ASK "early", *yes = YES "first";

    for (; *ask; ask++) {
        peer_send_bytes(&r->client, ask, 1);
        rig_turn_now(r);
    }
    UNTIL(r, peer_got(&r->origin, ASKED));
    for (; *yes; yes++) {
        peer_send_bytes(&r->origin, yes, 1);
        rig_turn_now(r);
    }
    UNTIL(r, peer_got(&r->client, TOLD "first"));
    UNTIL(r, peer_got(&r->origin, "early"));
}

/* What came early stays here, however long it is held, and is delivered first. */
static void
test_early_bytes(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, ASK "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_quiet(r);
    peer_send(&r->client, "more");
    rig_quiet(r);
    assert_int_equal(r->requests, 1);
    assert_int_equal(pipe_pending(&r->ex->to_back), 0);
    rig_release(r);
    UNTIL(r, peer_got(&r->origin, ASKED));
    rig_quiet(r);
    assert_int_equal(r->origin.got.n, 0);
    peer_send(&r->origin, YES "hi");
    UNTIL(r, peer_got(&r->client, TOLD "hi"));
    peer_send(&r->client, "last");
    UNTIL(r, peer_got(&r->origin, "GET /b HTTP/1.1\r\nHost: h\r\n\r\nmorelast"));
    assert_int_equal(r->requests, 1);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void
test_client_ends_first(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->client, "bye");
    peer_fin(&r->client);
    UNTIL(r, r->origin.eof);
    assert_true(peer_got(&r->origin, "bye"));
    rig_quiet(r);
    assert_int_equal(r->ends, 0);
    peer_send(&r->origin, "so long");
    UNTIL(r, peer_got(&r->client, "so long"));
    peer_send(&r->origin, "!");
    peer_fin(&r->origin);
    UNTIL(r, r->client.eof && is_over(r));
    assert_true(peer_got(&r->client, "!"));
    assert_int_equal(r->outcome, END_ANSWERED);
    assert_int_equal(r->reason, REASON_NONE);
}

static void
test_sandbox_ends_first(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->origin, "bye");
    peer_fin(&r->origin);
    UNTIL(r, r->client.eof);
    assert_true(peer_got(&r->client, "bye"));
    rig_quiet(r);
    assert_int_equal(r->ends, 0);
    peer_send(&r->client, "so long");
    UNTIL(r, peer_got(&r->origin, "so long"));
    peer_fin(&r->client);
    UNTIL(r, r->origin.eof && is_over(r));
    assert_int_equal(r->outcome, END_ANSWERED);
}

/* FIN right behind the 101, and nothing of it is lost. */
static void
test_yes_and_fin(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, ASK);
    UNTIL(r, peer_got(&r->origin, ASKED));
    peer_send(&r->origin, YES "all");
    peer_close(&r->origin);
    UNTIL(r, r->client.eof);
    assert_true(peer_got(&r->client, TOLD "all"));
    peer_close(&r->client);
    UNTIL(r, is_over(r));
}

static void
test_client_breaks(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_reset(&r->client);
    UNTIL(r, is_over(r) && (r->origin.eof || r->origin.reset));
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
}

/* Between frames the client is told so, within one it is cut. */
static void
test_sandbox_breaks(void **state)
{
    static const char told[] = "\x88\x1a\x03\xf6sandbox connection broke";
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->origin, "\x81\x02hi");
    UNTIL(r, peer_got(&r->client, "\x81\x02hi"));
    peer_reset(&r->origin);
    UNTIL(r, r->client.eof);
    assert_true(peer_got(&r->client, told));
    peer_close(&r->client);
    UNTIL(r, is_over(r));
    assert_int_equal(r->outcome, END_ABORTED);
    assert_int_equal(r->reason, REASON_UPSTREAM_TRUNCATED);
    r->ends = 0;
    r->requests = 0;
    rig_connect(r);
    open_tunnel(r);
    peer_send(&r->origin, "\x81\x03hi");
    UNTIL(r, peer_got(&r->client, "\x81\x03hi"));
    peer_reset(&r->origin);
    UNTIL(r, r->client.reset && is_over(r));
    assert_int_equal(r->client.got.n, 0);
    assert_int_equal(r->outcome, END_ABORTED);
}

/* What it sent before it closed its socket still arrives, whatever of ours it did not read. */
static void
test_sandbox_closes_at_once(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->origin, "\x88\x02\x03\xe8");
    peer_close(&r->origin);
    peer_send(&r->client, "too late");
    UNTIL(r, peer_got(&r->client, "\x88\x02\x03\xe8"));
    for (int i = 0; i < 3; i++) {
        peer_send(&r->client, "and later");
        rig_turn(r);
    }
    UNTIL(r, r->client.eof);
    peer_close(&r->client);
    UNTIL(r, is_over(r));
}

static void
test_gone_while_held(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    peer_send(&r->client, ASK "early");
    rig_quiet(r);
    peer_fin(&r->client);
    UNTIL(r, r->ends == 1 && !r->server);
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
}

static void
test_half_closed_while_held(void **state)
{
    struct rig *r = *state;

    r->mode = RIG_HOLD;
    r->half_close_waits = true;
    peer_send(&r->client, ASK "early");
    peer_fin(&r->client);
    rig_quiet(r);
    assert_int_equal(r->ends, 0);
    rig_release(r);
    UNTIL(r, peer_got(&r->origin, ASKED));
    peer_send(&r->origin, YES);
    UNTIL(r, r->origin.eof);
    assert_true(peer_got(&r->origin, "early"));
    peer_send(&r->origin, "late");
    peer_close(&r->origin);
    UNTIL(r, r->client.eof && is_over(r));
    assert_true(peer_got(&r->client, TOLD "late"));
}

static void
test_waiting_for_the_yes_and_gone(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, ASK);
    UNTIL(r, peer_got(&r->origin, ASKED));
    peer_close(&r->client);
    UNTIL(r, is_over(r));
    assert_int_equal(r->outcome, END_CLIENT_LEFT);
}

/* --- how we end it -------------------------------------------------------------------------- */

static void
close_tunnel(struct rig *r)
{
    tunnel_close(r->ex, TUNNEL_GOING_AWAY, SLICE("asleep"), REASON_SANDBOX_PAUSED);
}

#define CLOSED "\x88\x08\x03\xe9""asleep"

/* Masked, as a client's must be. */
static void
check_masked_close(const struct rig_peer *p, const char *text)
{
    const uint8_t *got = (const uint8_t *)p->got.p;

    assert_int_equal(p->got.n, 6 + strlen(text));
    assert_int_equal(got[0], 0x88);
    assert_int_equal(got[1], 0x80 | strlen(text));
    for (size_t i = 0; i < strlen(text); i++)
        assert_int_equal(got[6 + i] ^ got[2 + i % 4], (uint8_t)text[i]);
}

static void
test_closed_between_frames(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->origin, "\x81\x02hi\x89\x00"); /* up to the zero */
    peer_send_bytes(&r->origin, "\0", 1);
    UNTIL(r, r->client.got.n == 6);
    buf_clear(&r->client.got);
    close_tunnel(r);
    UNTIL(r, r->client.eof && r->origin.eof);
    assert_true(peer_got(&r->client, CLOSED));
    check_masked_close(&r->origin, "\x03\xe9""asleep");
    peer_send(&r->client, "\x88\x80zzzz"); /* they answer as they should */
    peer_close(&r->client);
    peer_send(&r->origin, "\x88\x02\x03\xe9");
    peer_close(&r->origin);
    UNTIL(r, is_over(r));
    assert_int_equal(r->outcome, END_ABORTED);
    assert_int_equal(r->reason, REASON_SANDBOX_PAUSED);
}

/* A frame under way is finished first; whatever follows it is not let in. */
static void
test_closed_within_a_frame(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->origin, "\x81\x05he");
    UNTIL(r, peer_got(&r->client, "\x81\x05he"));
    close_tunnel(r);
    rig_quiet(r);
    assert_int_equal(r->client.got.n, 0);
    assert_false(r->client.eof);
    peer_send(&r->origin, "llo\x81\x01!");
    UNTIL(r, r->client.eof);
    assert_true(peer_got(&r->client, "llo" CLOSED));
    peer_send(&r->origin, "and so on");
    peer_close(&r->client);
    rig_quiet(r);
    assert_non_null(r->session); /* it does not close: it is given some time */
    exchange_abort(r->ex, REASON_SANDBOX_PAUSED);
    UNTIL(r, is_over(r));
    assert_int_equal(r->outcome, END_ABORTED);
}

/* What is no WebSocket is only ended; and who said Close itself is not told so again. */
static void
test_closed_without_a_frame(void **state)
{
    struct rig *r = *state;

    open_tunnel(r);
    peer_send(&r->client, "SSH-2.0-x\r\n");
    UNTIL(r, peer_got(&r->origin, "SSH-2.0-x\r\n"));
    peer_send(&r->origin, "\x88\x02\x03\xe8");
    UNTIL(r, peer_got(&r->client, "\x88\x02\x03\xe8"));
    close_tunnel(r);
    UNTIL(r, r->client.eof && r->origin.eof);
    assert_int_equal(r->client.got.n + r->origin.got.n, 0);
    peer_close(&r->client);
    peer_close(&r->origin);
    UNTIL(r, is_over(r));
}

/* --- bulk ----------------------------------------------------------------------------------- */

/* Position decides what is there. */
static char
pattern(size_t at, unsigned salt)
{
    return (char)((at * 2654435761u >> 13) + at + salt);
}

static size_t
push(struct rig_peer *p, size_t from, size_t to, unsigned salt)
{
    char bytes[8192];
    size_t n = to - from < sizeof(bytes) ? to - from : sizeof(bytes);
    ssize_t sent;

    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(from + i, salt);
    if (n == 0)
        return 0;
    sent = send(p->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? (size_t)sent : 0;
}

static void
check(const struct rig_peer *p, unsigned salt)
{
    for (size_t i = 0; i < p->got.n; i++)
        if (p->got.p[i] != pattern(i, salt))
            fail_msg("byte %zu is wrong", i);
}

/* Megabytes both ways at once, and no more than a window of them here. */
static void
test_bulk(void **state)
{
    struct rig *r = *state;
    const size_t total = 6u << 20;
    size_t up = 0, down = 0;

    open_tunnel(r);
    for (int turns = 0; r->client.got.n < total || r->origin.got.n < total; turns++) {
        assert_true(turns < 200000);
        up += push(&r->client, up, total, 7);
        down += push(&r->origin, down, total, 9);
        rig_turn_now(r);
        assert_true(pipe_pending(&r->ex->to_back) <= PIPE_WINDOW);
        assert_true(pipe_pending(&r->ex->to_front) <= PIPE_WINDOW);
    }
    check(&r->origin, 7);
    check(&r->client, 9);
}

/* Who does not read stops the other side, for as long as it likes. */
static void
test_back_pressure(void **state)
{
    struct rig *r = *state;
    const size_t total = 24u << 20;
    size_t down = 0, last = 1;
    int client = r->client.fd;

    r->front.stall = 20 * USEC_MS;
    r->back.write_stall = r->back.stall = 20 * USEC_MS;
    open_tunnel(r);
    r->client.fd = -1; /* not read by the rig */
    for (int quiet = 0; quiet < 20; quiet = down > last ? 0 : quiet + 1) {
        last = down;
        down += push(&r->origin, down, total, 3);
        rig_turn(r);
    }
    assert_true(down < total);
    assert_int_equal(r->ends, 0);
    assert_true(pipe_pending(&r->ex->to_front) <= PIPE_WINDOW);
    r->client.fd = client;
    while (r->client.got.n < (4u << 20)) {
        down += push(&r->origin, down, total, 3);
        rig_turn_now(r);
    }
    check(&r->client, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TUNNEL_TEST(test_both_ways),
        TUNNEL_TEST(test_byte_by_byte),
        TUNNEL_TEST(test_early_bytes),
        TUNNEL_TEST(test_client_ends_first),
        TUNNEL_TEST(test_sandbox_ends_first),
        TUNNEL_TEST(test_yes_and_fin),
        TUNNEL_TEST(test_client_breaks),
        TUNNEL_TEST(test_sandbox_breaks),
        TUNNEL_TEST(test_sandbox_closes_at_once),
        TUNNEL_TEST(test_gone_while_held),
        TUNNEL_TEST(test_half_closed_while_held),
        TUNNEL_TEST(test_waiting_for_the_yes_and_gone),
        TUNNEL_TEST(test_closed_between_frames),
        TUNNEL_TEST(test_closed_within_a_frame),
        TUNNEL_TEST(test_closed_without_a_frame),
        TUNNEL_TEST(test_bulk),
        TUNNEL_TEST(test_back_pressure),
    };
    return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
