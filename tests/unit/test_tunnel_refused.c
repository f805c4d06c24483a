/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is no WebSocket: answers that are no yes, handshakes that are none, other upgrades
 * (RELIABILITY F1-F4).
 */
#include "config.h"

#include "tunnel_rig.h"

#include <stdio.h>

/* Anything but a right 101: an answer, or 502; never a byte of what came early (F1, F2). */
static void
test_no(void **state)
{
    static const struct {
        const char *answer;
        int status;
    } no[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200},
        {"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n", 200},
        {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 403},
        {"HTTP/1.1 426 No\r\nContent-Length: 0\r\nSec-WebSocket-Version: 8\r\n\r\n", 426},
        {"HTTP/1.1 204 No\r\n\r\n", 204},
        {YES_WITH(""), 502},
        {YES_WITH("Sec-WebSocket-Accept: " KEY "\r\n"), 502},
        {YES_WITH("Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), 502},
        {YES_WITH("Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"), 502},
        {YES_WITH("Sec-WebSocket-Accept: " ACCEPT "\r\nUpgrade: websocket\r\n"), 502},
        {YES_WITH("Sec-WebSocket-Accept: " ACCEPT "\r\nContent-Length: 5\r\n"), 502},
        {YES_WITH("Sec-WebSocket-Accept: " ACCEPT "\r\nTransfer-Encoding: chunked\r\n"), 502},
        {"HTTP/1.0 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n", 502},
        {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", 502},
        {"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
         502},
        {"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: " ACCEPT
         "\r\n\r\n", 502},
    };
    struct rig *r = *state;
    char line[32];

    for (unsigned i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (i > 0)
            rig_connect(r);
        peer_send(&r->client, ASK "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        UNTIL(r, peer_got(&r->origin, ASKED));
        peer_send(&r->origin, no[i].answer);
        snprintf(line, sizeof(line), "HTTP/1.1 %d ", no[i].status);
        UNTIL(r, peer_has(&r->client, line) && peer_has(&r->client, "\r\n\r\n"));
        peer_close(&r->client);
        UNTIL(r, !r->server && !r->session); /* neither connection is used again */
        assert_int_equal(r->origin.got.n, 0);
        assert_int_equal(r->requests, i + 1);
        assert_false(peer_has(&r->client, "101"));
        if (no[i].status == 502)
            assert_int_equal(r->lost_why, REASON_UPSTREAM_MALFORMED);
    }
}

/* Nobody asked. */
static void
test_unasked(void **state)
{
    struct rig *r = *state;

    peer_send(&r->client, "GET /a HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: " KEY "\r\n\r\n");
    UNTIL(r, peer_has(&r->origin, "\r\n\r\n"));
    peer_send(&r->origin, YES);
    UNTIL(r, peer_has(&r->client, "HTTP/1.1 502"));
}

/* RELIABILITY F4: said at once, nothing is asked of anybody. */
static void
test_broken_handshakes(void **state)
{
#define START(method, version) method " /ws HTTP/" version "\r\nHost: h\r\n"
#define UP "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define K "Sec-WebSocket-Key: " KEY "\r\n"
    static const struct {
        const char *text;
        int status;
    } bad[] = {
        {START("GET", "1.1") UP K "\r\n", 426},
        {START("GET", "1.1") UP K "Sec-WebSocket-Version: 8\r\n\r\n", 426},
        {START("GET", "1.1") UP K "Sec-WebSocket-Version: 013\r\n\r\n", 426},
        {START("GET", "1.1") UP K V13 V13 "\r\n", 426},
        {START("GET", "1.1") UP V13 "\r\n", 400},
        {START("GET", "1.1") UP V13 "Sec-WebSocket-Key: \r\n\r\n", 400},
        {START("GET", "1.1") UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n", 400},
        {START("GET", "1.1") UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=,\r\n\r\n", 400},
        {START("GET", "1.1") UP V13 K K "\r\n", 400},
        {START("POST", "1.1") UP V13 K "\r\n", 400},
        {START("OPTIONS", "1.1") UP V13 K "\r\n", 400},
        {START("GET", "1.1") UP V13 K "Content-Length: 1\r\n\r\nx", 400},
        {START("GET", "1.1") UP V13 K "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {START("GET", "1.1") "Upgrade: websocket\r\n" V13 K "\r\n", 400},
        {START("GET", "1.1") "Connection: close\r\nUpgrade: websocket\r\n" V13 K "\r\n", 400},
    };
    struct rig *r = *state;
    char line[32];

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (i > 0)
            rig_connect(r);
        peer_send(&r->client, bad[i].text);
        snprintf(line, sizeof(line), "HTTP/1.1 %d ", bad[i].status);
        UNTIL(r, peer_has(&r->client, line));
        if (bad[i].status == 426) {
            assert_true(peer_has(&r->client, "\r\nSec-WebSocket-Version: 13\r\n"));
            assert_true(peer_has(&r->client, "\r\nUpgrade: websocket\r\n"));
            assert_true(peer_has(&r->client, "\r\nConnection: Upgrade, close\r\n"));
        }
        peer_close(&r->client);
        UNTIL(r, !r->server);
        assert_int_equal(r->requests, 0);
        assert_int_equal(r->refusals, i + 1);
    }
}

/* RELIABILITY F3: as if nobody had said it. */
static void
test_other_upgrades(void **state)
{
    static const char *const other[] = {
        "Connection: Upgrade\r\nUpgrade: h2c\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket/13\r\n",
    };
    struct rig *r = *state;
    char text[512];

    for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        snprintf(text, sizeof(text), "GET /%u HTTP/1.1\r\nHost: h\r\n%s\r\n", i, other[i]);
        peer_send(&r->client, text);
        snprintf(text, sizeof(text), "GET /%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
        UNTIL(r, peer_got(&r->origin, text));
        peer_send(&r->origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        UNTIL(r, peer_got(&r->client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    }
    assert_int_equal(r->backs, 1);
    peer_send(&r->client, "GET /old HTTP/1.0\r\nHost: h\r\n" UP V13 K "\r\n");
    UNTIL(r, peer_got(&r->origin, "GET /old HTTP/1.1\r\nHost: h\r\n" V13 K "\r\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TUNNEL_TEST(test_no),
        TUNNEL_TEST(test_unasked),
        TUNNEL_TEST(test_broken_handshakes),
        TUNNEL_TEST(test_other_upgrades),
    };
    return cmocka_run_group_tests_name("tunnel_refused", tests, NULL, NULL);
}
