/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_write.h: a head to HTTP/1.1 bytes: exactly one framing field, ours; and a last look at every
 * byte: a CR, LF or NUL about to be written fails the whole head (RELIABILITY D1).
 */
#ifndef ROUSE_HTTP_H1_WRITE_H
#define ROUSE_HTTP_H1_WRITE_H

#include "base/buf.h"
#include "http/head.h"

/*
 * Request line, Host first, the fields, framing by h->framing (POST, PUT and PATCH without a
 * body: length 0); no Connection field (1.1 keep-alive) unless close, or upgrade: then Upgrade:
 * websocket, too. -1: forbidden byte, or out full; out is as it was.
 */
int h1_write_request(struct buf *out, const struct head *h, bool close) must_check;
/*
 * Status line HTTP/1.1, the fields, framing. to_version: 10 gets no chunked coding and
 * "Connection: keep-alive" where it lives. close adds "Connection: close"; a body that only the
 * end of the connection ends (FRAMING_CLOSE, FRAMING_CHUNKED to 1.0) implies it. bodiless: the
 * answer to HEAD: framing is told, not sent. 1xx, 204: no framing field; 304: only the length
 * that came. FRAMING_NONE where a body may follow is written as length 0. 101, and 426 that brings
 * an Upgrade field and closes: Connection names that, too.
 */
int h1_write_answer(struct buf *out, const struct head *h, uint8_t to_version, bool close,
                    bool bodiless) must_check;
#define H1_CHUNK_HEAD_MAX 20
/* "1f\r\n" into out[H1_CHUNK_HEAD_MAX]; returns its length. */
size_t h1_write_chunk_head(char *out, size_t n);
/* "0\r\n" trailers "\r\n". */
int h1_write_last_chunk(struct buf *out, const struct field *trailer, unsigned n) must_check;

#endif
