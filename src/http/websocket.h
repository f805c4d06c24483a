/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * websocket.h: as much of RFC 6455 as somebody needs who relays it: the words of the handshake, a
 * watcher that knows where frames end without touching them, and the one frame that we write
 * ourselves, Close. Pure: bytes in, answers out; messages, masks and texts are the peers' affair.
 */
#ifndef ROUSE_HTTP_WEBSOCKET_H
#define ROUSE_HTTP_WEBSOCKET_H

#include <stdint.h>

#include "base/ensure.h"
#include "base/random.h"
#include "base/slice.h"

/* --- handshake (section 4) --- */

#define WEBSOCKET_KEY 24    /* characters of Sec-WebSocket-Key */
#define WEBSOCKET_ACCEPT 28 /* characters of Sec-WebSocket-Accept */

/* 24 characters, base64 of 16 bytes. */
bool websocket_key_ok(struct slice key);
/* Sec-WebSocket-Version: 13, the only one there is; else 426 with that field. */
bool websocket_version_ok(struct slice version);
/* A key of our own, as a string. */
void websocket_key(struct random *r, char out[WEBSOCKET_KEY + 1]);
/* What a server answers to key (section 4.2.2), as a string. -1: not a key, or out of memory. */
int websocket_accept(struct slice key, char out[WEBSOCKET_ACCEPT + 1]) must_check;

/* --- frames (section 5.2) --- */

/*
 * Follows the bytes of one direction. All zeros is its beginning. It judges what it must to know
 * where a frame ends: opcodes, sizes in their shortest form, control frames of at most 125 bytes in
 * one piece; neither masks nor what extensions do with the reserved bits, nor the order of frames.
 */
struct websocket_watch {
    uint64_t left;  /* bytes until the frame under way ends; while its length is read: so far */
    uint8_t at;     /* enum websocket_place */
    uint8_t opcode; /* of the frame under way */
    uint8_t more;   /* bytes of its length to come */
    bool masked;
    bool lost;      /* sticky: this was no frame; nobody knows where the next one begins */
    bool closed;    /* sticky: a whole Close frame went by; what follows is not looked at */
};

enum websocket_place {
    WEBSOCKET_BETWEEN, /* at a boundary */
    WEBSOCKET_SECOND,  /* its second byte comes next */
    WEBSOCKET_LENGTH,
    WEBSOCKET_PAYLOAD, /* or the mask before it */
};

/* At a boundary, where a frame of ours may stand: nothing of the next one has come, and it is known
 * that it is one. Also after a Close frame. */
static inline bool
websocket_watch_between(const struct websocket_watch *w)
{
    return w->at == WEBSOCKET_BETWEEN && !w->lost;
}

/* These bytes come next. */
void websocket_watch_feed(struct websocket_watch *w, struct slice s);
/*
 * The same, but only up to the end of the frame that is under way: how many bytes of s that are, 0
 * at a boundary. When no boundary is reached with them (websocket_watch_between), either all of s
 * was taken and more of the frame is to come, or the watch is lost.
 */
size_t websocket_watch_finish(struct websocket_watch *w, struct slice s) must_check;

/* --- the Close frame (section 5.5.1) --- */

#define WEBSOCKET_REASON 123
#define WEBSOCKET_CLOSE_MAX (2 + 4 + 2 + WEBSOCKET_REASON)

/*
 * Writes a Close frame, masked with bytes of mask (as clients must) or not (NULL, as servers must).
 * A reason that is too long is cut, not within a character of UTF-8. Returns its bytes.
 */
size_t websocket_write_close(char out[WEBSOCKET_CLOSE_MAX], uint16_t code, struct slice reason,
                             struct random *mask);

#endif
