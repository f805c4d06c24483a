/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.h: an exchange whose request asked for a WebSocket and whose back said yes (RFC 6455, RFC
 * 8441). The same two pipes carry opaque bytes, each direction until its own end.
 *
 * Before the answer: ex->req.upgrade is set and ex->req is a GET, whatever the front spoke (an
 * extended CONNECT has no Sec-WebSocket-Key; the HTTP/1 client makes one of its own for it, and the
 * HTTP/2 client drops the one there is). to_back stays open and empty: HTTP/1 keeps early bytes in
 * its session; what HTTP/2 puts into the pipe is not drained before the yes.
 *
 * The yes: the back has checked it (101 with the right accept value; 200 to an extended CONNECT),
 * makes it status 101 without the handshake's own fields, and calls tunnel_open instead of
 * exchange_answer_ready. Each front says it in its own way (101 with the accept value of the
 * client's key; 200). Any other answer is an ordinary one: no byte is ever taken as tunnel, the
 * HTTP/1 front closes behind it.
 *
 * From then on: a front pipe_ends to_back at its client's FIN or END_STREAM, the back to_front at
 * its peer's; whoever drains a pipe to its end says FIN or END_STREAM. The back calls
 * exchange_back_done when both directions are through; the front then exchange_front_done when
 * to_front is drained. A broken connection is exchange_front_lost or exchange_back_lost as ever.
 */
#ifndef ROUSE_HTTP_TUNNEL_H
#define ROUSE_HTTP_TUNNEL_H

#include "http/exchange.h"
#include "http/websocket.h"

struct tunnel {
    struct websocket_watch to_front, to_back; /* where each direction stands within its frames */
    bool closing; /* tunnel_close was called */
    uint16_t code;
    enum reason why;
    char text[64];
};

/* Back ends: the peer agreed; ex->resp is its head, status 101. -1: out of memory: the back is to
 * be closed. */
int tunnel_open(struct exchange *ex) must_check;
/*
 * Both ends, for bytes of an open tunnel instead of pipe_lend: the same, but while closing, only up
 * to the next frame's boundary goes in, then the Close frame and the pipe's end; the rest vanishes.
 * -1: out of blocks.
 */
int tunnel_lend(struct exchange *ex, struct pipe *p, struct slice s) must_check;
/*
 * We end it (the sandbox pauses: 1001; restart: 1012; load: 1013; idle: 1001), at the next frame
 * boundary of each direction; where the stream is no WebSocket framing, or a Close has gone by
 * already, only with the pipe's end. The handler gives it a second or so, then exchange_abort. From
 * the run list.
 */
void tunnel_close(struct exchange *ex, uint16_t code, struct slice text, enum reason why);

#endif
