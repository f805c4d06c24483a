/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.h: an exchange whose request asked for a WebSocket and whose back said yes (RFC 6455, RFC
 * 8441). The same two pipes carry opaque bytes, each direction until its own end.
 *
 * Before the answer. The front: tunnel_judge has passed the head; ex->req.upgrade is set, the
 * method is GET, the framing NONE, whatever the front spoke (an extended CONNECT has no
 * Sec-WebSocket-Key: the HTTP/1 client adds one of its own to ex->req, the HTTP/2 client does not
 * send the one there is). to_back is not ended: HTTP/1 keeps early bytes in its session and in the
 * kernel; what HTTP/2 puts into the pipe, by tunnel_lend or pipe_lend, no back drains before the
 * yes. END_STREAM or FIN before the yes is a client that left, unless ex->half_close_waits.
 *
 * The yes. The back has checked it (101 with the right accept value; 2xx to an extended CONNECT),
 * sets ex->resp.status to 101 and calls tunnel_open instead of exchange_answer_ready. on_answer
 * follows, whose head_strip takes away Connection, Upgrade and Sec-WebSocket-Accept; then the
 * front gets `head` with ex->tunnel set, and says it in its own way: 101 with the accept value of
 * the client's key, or 200 (RFC 8441: without Connection, Upgrade, Accept; Sec-WebSocket-Protocol
 * and -Extensions go along). Any other answer is an ordinary one: no byte is ever taken as tunnel,
 * the back stops to_back when it is done, the HTTP/1 front closes behind it, an HTTP/2 front resets
 * its stream with NO_ERROR as for any request that was not read to its end (RELIABILITY F1, F2).
 *
 * From then on. Who reads a peer lends to its pipe by tunnel_lend, and tells the reader (KICK)
 * as for a body; at the peer's FIN or END_STREAM it pipe_ends it. Who drains a pipe says FIN or
 * END_STREAM where pipe_at_end. Nothing else is to be done at either: no deadline of bodies counts,
 * the handler sees to silence. The pipe may have been ended by tunnel_close while its writer still
 * reads: it goes on reading, tunnel_lend makes it vanish.
 *
 * The end. The back has said its FIN (or cannot write any more: exchange_stop(&ex->to_back)) and
 * has seen its peer's: exchange_back_done. The front has said its own, and ex->back is NULL:
 * exchange_front_done. A connection that breaks is exchange_front_lost or exchange_back_lost as
 * ever; of the latter a WebSocket client is told by a Close frame with 1014 where one may stand,
 * else its stream is cut.
 */
#ifndef ROUSE_HTTP_TUNNEL_H
#define ROUSE_HTTP_TUNNEL_H

#include "http/exchange.h"
#include "http/websocket.h"

struct tunnel {
    struct websocket_watch to_front, to_back; /* where each direction stands within its frames */
    bool closing; /* by us: tunnel_close, or the back broke */
    uint16_t code;
    enum reason why;
    char text[64];
};

/* Codes of RFC 6455 section 7.4.1 and its registry that we send. */
enum tunnel_code {
    TUNNEL_GOING_AWAY = 1001,  /* the sandbox pauses, or nothing moved for too long */
    TUNNEL_RESTART = 1012,     /* we do */
    TUNNEL_TRY_LATER = 1013,
    TUNNEL_BAD_GATEWAY = 1014, /* the sandbox broke */
};

/*
 * Fronts, for a head that asks for a WebSocket, whose method is GET and upgrade set by now: is it
 * one that may be (RFC 6455 section 4.2.1, RELIABILITY F4)? key: it must bring one (HTTP/1).
 * UPGRADE_REFUSED: another version is wanted: 426 with Sec-WebSocket-Version: 13. *detail: for the
 * log.
 */
enum reason tunnel_judge(const struct head *req, bool key, const char **detail);

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
 * the run list, or a timer. The exchange ends as END_ABORTED for why.
 */
void tunnel_close(struct exchange *ex, uint16_t code, struct slice text, enum reason why);

/* For exchange.c: the back broke off. False: to_front must be cut, a frame is under way. */
bool tunnel_back_lost(struct exchange *ex, enum reason why);

#endif
