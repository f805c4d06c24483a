/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_client_tunnel.c: a back session as one side of a tunnel (tunnel.h): the key that is sent, the
 * 101 that is believed, and the two ends of the stream. The bytes themselves pass as a body without
 * length does. Owner: the session.
 */
#include "config.h"

#include "http/h1_client_priv.h"

#include "http/tunnel.h"

int
h1_client_tunnel_ask(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;
    struct head *h = &ex->req;
    char key[WEBSOCKET_KEY + 1];
    struct slice value;

    if (head_find(h, FIELD_SEC_WEBSOCKET_KEY))
        return 0;
    websocket_key(&c->loop->random, key);
    value = arena_copy(&ex->arena, slice_of(key));
    return value.p ? head_add(h, &ex->arena, FIELD_SEC_WEBSOCKET_KEY, SLICE("Sec-WebSocket-Key"),
                              value)
                   : -1;
}

/* Whose end is told is no tunnel's beginning. */
static bool
has_body(const struct head *h)
{
    const struct field *length = head_find(h, FIELD_CONTENT_LENGTH);

    return head_find(h, FIELD_TRANSFER_ENCODING) ||
           (length && !slice_eq(length->value, SLICE("0")));
}

/* RFC 6455 section 4.1: each of the three exactly once, and right. */
static bool
agrees(const struct exchange *ex)
{
    const struct head *h = &ex->resp;
    const struct field *upgrade = head_find(h, FIELD_UPGRADE);
    const struct field *accept = head_find(h, FIELD_SEC_WEBSOCKET_ACCEPT);
    char right[WEBSOCKET_ACCEPT + 1];

    if (!h->upgrade || !upgrade || !accept || has_body(h))
        return false;
    if (head_find_next(h, upgrade) || head_find_next(h, accept))
        return false;
    if (websocket_accept(head_value(&ex->req, FIELD_SEC_WEBSOCKET_KEY), right) < 0)
        return false;
    return slice_ieq(upgrade->value, SLICE("websocket")) &&
           slice_eq(accept->value, slice_of(right));
}

void
h1_client_tunnel_take(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;

    if (!ex->req.upgrade || !c->request_sent || !agrees(ex)) {
        h1_client_close(c, REASON_UPSTREAM_MALFORMED);
        return;
    }
    c->body = h1_body_new(&ex->arena, FRAMING_CLOSE, 0);
    if (!c->body || tunnel_open(ex) < 0) {
        h1_client_close(c, REASON_OUT_OF_MEMORY);
        return;
    }
    c->answering = true;
    c->fin_sent = false;
    h1_output_open(&c->out, FRAMING_CLOSE, 0, false);
    loop_queue_flush(c->loop, &c->flush);
}

void
h1_client_tunnel_check(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;

    if (!c->back.conn.eof || !(c->fin_sent || c->broken))
        return;
    exchange_back_done(ex);
    h1_client_close(c, REASON_NONE);
}

void
h1_client_tunnel_sent(struct h1_client *c)
{
    c->fin_sent = true;
    conn_shut_write(&c->back.conn);
    h1_client_tunnel_check(c);
}

void
h1_client_tunnel_eof(struct h1_client *c)
{
    struct exchange *ex = c->end.ex;

    pipe_end(&ex->to_front);
    exchange_signal(ex->front, MARK_KICK);
    h1_client_tunnel_check(c);
}
