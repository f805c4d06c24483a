/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_server_tunnel.c: a front session as one side of a tunnel (tunnel.h): which upgrades are let
 * in, the 101, and bytes both ways from then on. What comes before the 101 stays in the kernel, but
 * for what was read along with the head. Owner: the session.
 *
 *     held or waiting: nothing is read; FIN means gone (or waits, if the handler wants it so)
 *     open: reads while the pipe has room; EOF ends to_back; to_front's end is our FIN
 *     fin_sent, and the back has let go: linger, or close at once where the client is done too
 */
#include "config.h"

#include "http/h1_server_priv.h"

#include "http/phrase.h"
#include "http/tunnel.h"

#include <errno.h>

/* Seconds, probes; and how long bytes may stay unacknowledged, or a window closed. */
#define KEEP_IDLE 60
#define KEEP_INTERVAL 15
#define KEEP_PROBES 4
#define KEEP_USER (120 * USEC_SEC)

/* RELIABILITY F3: only "websocket", alone, may be asked for; any other token is as good as none. */
static bool
names_websocket(const struct head *h)
{
    const struct field *f = head_find(h, FIELD_UPGRADE);

    return f && !head_find_next(h, f) && slice_ieq(f->value, SLICE("websocket"));
}

enum reason
front_judge_upgrade(struct head *req, const char **detail)
{
    enum reason why;

    if (req->version < 11 || !names_websocket(req)) {
        req->upgrade = false;
        return REASON_NONE;
    }
    if (!req->upgrade) {
        *detail = "Upgrade: websocket without Connection: upgrade";
        return REASON_REQUEST_INVALID;
    }
    why = tunnel_judge(req, true, detail);
    req->framing = FRAMING_NONE;
    req->expect_continue = false;
    return why;
}

/* --- the yes -------------------------------------------------------------------------------- */

struct yes {
    const struct head *head;
};

static int
write_yes(struct buf *b, const void *arg)
{
    const struct yes *y = arg;

    return h1_write_answer(b, y->head, 11, false, true);
}

void
front_tunnel_head(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;
    struct head *h = &ex->resp;
    struct yes y = {h};
    char accept[WEBSOCKET_ACCEPT + 1];
    struct slice value;

    h->phrase = phrase_of(101);
    if (websocket_accept(head_value(&ex->req, FIELD_SEC_WEBSOCKET_KEY), accept) < 0) {
        exchange_abort(ex, REASON_INTERNAL_ERROR);
        return;
    }
    value = arena_copy(&ex->arena, slice_of(accept));
    if (!value.p ||
        head_set(h, &ex->arena, FIELD_UPGRADE, SLICE("Upgrade"), SLICE("websocket")) < 0 ||
        head_set(h, &ex->arena, FIELD_SEC_WEBSOCKET_ACCEPT, SLICE("Sec-WebSocket-Accept"),
                 value) < 0 ||
        h1_output_text(&s->job->out, write_yes, &y) < 0) {
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
        return;
    }
    s->job->head_out = true;
    s->job->close = true;
    s->job->fin_sent = false;
    h1_output_open(&s->job->out, FRAMING_CLOSE, 0, false);
    conn_keep_alive(&s->session.conn, KEEP_IDLE, KEEP_INTERVAL, KEEP_PROBES, KEEP_USER);
    loop_queue_flush(s->loop, &s->job->flush);
    loop_queue_run(s->loop, &s->run);
}

/* --- what comes in -------------------------------------------------------------------------- */

bool
front_is_tunnel(const struct h1_server *s)
{
    return s->state == FRONT_EXCHANGE && s->end.ex && s->end.ex->tunnel;
}

/* Also what the pipe's reader does not want any more is read, or the client would never be done. */
bool
front_tunnel_wants(const struct h1_server *s)
{
    const struct pipe *p = &s->end.ex->to_back;

    return !s->session.conn.eof && pipe_room(p) >= p->window / 2;
}

/* All that is in cur, into the pipe. False: the session is closed. */
static bool
pass(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;
    struct slice all = s->job->in.cur;

    if (all.n == 0)
        return true;
    h1_input_use(&s->job->in, all.n);
    if (tunnel_lend(ex, &ex->to_back, all) < 0) {
        front_close(s, REASON_OUT_OF_MEMORY, true);
        return false;
    }
    s->job->lent_to = ex;
    loop_queue_rearm(s->loop, &s->job->rearm);
    exchange_signal(ex->back, MARK_KICK);
    return true;
}

static void
read_once(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;
    size_t room = pipe_room(&ex->to_back);
    ssize_t got = h1_input_read(&s->job->in, &s->session.conn, room, s->job->bulk);

    if (got > 0) {
        s->job->bulk = (size_t)got >= LOOP_READ_SMALL;
        loop_queue_rearm(s->loop, &s->job->rearm);
        pass(s);
    } else if (got == 0) {
        pipe_end(&ex->to_back);
        exchange_signal(ex->back, MARK_KICK);
    } else if (errno != EAGAIN) {
        front_close(s, errno == ENOMEM ? REASON_OUT_OF_MEMORY : REASON_CLIENT_LEFT, true);
    }
}

void
front_tunnel_input(struct h1_server *s)
{
    if (!s->job->in.block && !pass(s))
        return;
    if (!front_tunnel_wants(s)) {
        s->end.ex->to_back.thirsty = true;
        if (s->session.conn.readable && conn_check_error(&s->session.conn) != 0)
            front_close(s, REASON_CLIENT_LEFT, true);
        return;
    }
    if (s->session.conn.readable && !s->job->in.block) /* once a turn: rearm goes on */
        read_once(s);
}

/* --- the end -------------------------------------------------------------------------------- */

void
front_tunnel_sent(struct h1_server *s)
{
    if (!s->job->fin_sent) {
        s->job->fin_sent = true;
        conn_shut_write(&s->session.conn);
    }
    if (s->end.ex->back)
        return;
    exchange_front_done(s->end.ex);
    front_linger(s, REASON_NONE);
}
