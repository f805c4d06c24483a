/* SPDX-License-Identifier: BSD-2-Clause */
/* tunnel_rig.h: a WebSocket's handshake through the HTTP rig, as text. */
#ifndef ROUSE_TESTS_TUNNEL_RIG_H
#define ROUSE_TESTS_TUNNEL_RIG_H

#include "http_rig.h"
#include "unit.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define ASK_HEAD \
    "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"
#define ASK ASK_HEAD "\r\n"
#define ASKED \
    "GET /ws HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n" \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
#define YES_WITH(more) \
    "HTTP/1.1 101 Whatever\r\nupgrade: websocket\r\nConnection: upgrade\r\n" more "\r\n"
#define YES YES_WITH("Sec-WebSocket-Accept: " ACCEPT "\r\n")
#define TOLD \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT \
    "\r\nConnection: Upgrade\r\n\r\n"

static inline int
tunnel_setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    rig_init(r, false);
    *state = r;
    return 0;
}

static inline int
tunnel_teardown(void **state)
{
    rig_fini(*state);
    free(*state);
    return 0;
}

#define TUNNEL_TEST(name) cmocka_unit_test_setup_teardown(name, tunnel_setup, tunnel_teardown)

#endif
