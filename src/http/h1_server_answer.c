/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_server_answer.c: what goes out on a front session: interim and final heads, the body, 100
 * Continue; and what becomes of the connection then. Owner: the session.
 */
#include "config.h"

#include "http/h1_server_priv.h"

#include <stddef.h>

static struct h1_server *
of_end(struct exchange_end *end)
{
    return container_of(end, struct h1_server, end);
}

struct answer {
    const struct head *head;
    uint8_t version;
    bool close, bodiless;
};

static int
write_answer(struct buf *b, const void *arg)
{
    const struct answer *a = arg;

    return h1_write_answer(b, a->head, a->version, a->close, a->bodiless);
}

static int
write_continue(struct buf *b, const void *arg)
{
    (void)arg;
    return buf_add_str(b, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Is this the last answer on this connection? */
static bool
must_close(const struct h1_server *s, const struct exchange *ex)
{
    if (!ex->req.keep_alive || ex->req.upgrade || s->draining ||
        s->session.requests >= s->o->max_requests || s->session.conn.hup)
        return true;
    if (s->job->request_done)
        return false;
    /* It may now send its body or not: nobody can tell what comes next (RELIABILITY A11). */
    if (ex->req.expect_continue && !s->job->continued && s->job->body_bytes == 0)
        return true;
    return ex->to_back.stopped && h1_body_left(s->job->body) > H1_DISCARD_MAX;
}

static void
send_interim(struct h1_server *s, struct exchange *ex)
{
    struct answer a = {.head = &ex->resp, .version = ex->req.version};

    if (ex->req.version < 11)
        return;
    if (h1_output_text(&s->job->out, write_answer, &a) < 0)
        exchange_abort(ex, REASON_INTERNAL_ERROR);
    else
        loop_queue_flush(s->loop, &s->job->flush);
}

static void
send_head(struct h1_server *s, struct exchange *ex)
{
    struct head *h = &ex->resp;
    struct answer a = {.head = h, .version = ex->req.version};

    a.bodiless = head_bodiless(h, ex->req.method);
    if (!a.bodiless) {
        if (h->framing == FRAMING_CLOSE && a.version >= 11)
            h->framing = FRAMING_CHUNKED;
        else if (h->framing == FRAMING_CHUNKED && a.version < 11)
            h->framing = FRAMING_CLOSE;
    }
    s->job->close = must_close(s, ex) || (!a.bodiless && h->framing == FRAMING_CLOSE);
    a.close = s->job->close;
    if (h1_output_text(&s->job->out, write_answer, &a) < 0) {
        exchange_abort(ex, REASON_INTERNAL_ERROR);
        return;
    }
    s->job->head_out = true;
    h1_output_open(&s->job->out, a.bodiless ? FRAMING_NONE : h->framing, h->length,
                   false);
    if (a.bodiless)
        exchange_stop(&ex->to_front, ex->back);
    loop_queue_flush(s->loop, &s->job->flush);
}

static void
on_head(struct exchange_end *end)
{
    struct h1_server *s = of_end(end);

    if (end->ex->interim_here)
        send_interim(s, end->ex);
    else if (!s->job->head_out && end->ex->tunnel)
        front_tunnel_head(s);
    else if (!s->job->head_out)
        send_head(s, end->ex);
}

static void
on_kick(struct exchange_end *end)
{
    struct h1_server *s = of_end(end);

    if (s->job->head_out)
        loop_queue_flush(s->loop, &s->job->flush);
}

static void
on_credit(struct exchange_end *end)
{
    struct h1_server *s = of_end(end);
    struct exchange *ex = end->ex;
    bool ask = ex->back && ex->back_is_real && ex->req.expect_continue && !s->job->continued &&
               !s->job->request_done && !s->job->head_out && s->job->body_bytes == 0;

    if (ask) {
        s->job->continued = true;
        if (h1_output_text(&s->job->out, write_continue, NULL) < 0) {
            exchange_abort(ex, REASON_OUT_OF_MEMORY);
            return;
        }
        loop_queue_flush(s->loop, &s->job->flush);
    }
    front_input(s);
}

/* The exchange gave up: what was sent of the answer must not look complete. */
static void
on_reset(struct exchange_end *end, enum reason why)
{
    struct h1_server *s = of_end(end);

    front_close(s, why, !s->job->fin_sent);
}

const struct exchange_end_ops h1_server_ops = {
    .name = "h1 server",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
    .reset = on_reset,
};

/* The answer is out. */
static void
answer_done(struct h1_server *s)
{
    struct front_job *job = s->job;
    struct exchange *ex = s->end.ex;

    ex->req.trailers = 0; /* they are in our arena */
    exchange_front_done(ex);
    job->discarded = 0;
    if (job->close && job->request_done && job->in.cur.n == 0 && !s->session.conn.readable) {
        front_close(s, REASON_NONE, false);
    } else if (job->close) {
        front_linger(s, REASON_NONE);
    } else if (job->request_done) {
        front_set_state(s, FRONT_IDLE);
        if (job->in.cur.n > 0 || s->session.conn.readable)
            loop_queue_run(s->loop, &s->run);
        else if (s->draining)
            front_close(s, REASON_SHUTDOWN, false);
    } else {
        front_set_state(s, FRONT_DRAIN);
        loop_queue_run(s->loop, &s->run);
    }
}

/* The answer broke off: where only the end of the connection tells its end, FIN would lie. */
static void
answer_cut(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;
    enum reason why = ex->to_front.reason;

    exchange_front_done(ex);
    front_close(s, why, s->job->out.framing == FRAMING_CLOSE);
}

static void
flush_exchange(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;
    size_t sent = 0;
    const struct head *of = ex->req.te_trailers ? &ex->resp : NULL;
    enum h1_output_says says =
        s->job->fin_sent ? H1_OUTPUT_DONE
                    : h1_output_flush(&s->job->out, &s->session.conn, &ex->to_front, ex->back, of,
                                      &sent);

    if (sent > 0) {
        pace_moved(&s->job->writing, s->loop->now, sent);
        if (s->job->head_out)
            ex->answer_started = true;
    }
    switch (says) {
    case H1_OUTPUT_MORE:
        pace_moved(&s->job->writing, s->loop->now, 0);
        break;
    case H1_OUTPUT_BLOCKED:
        pace_wait(&s->job->writing, s->loop->now);
        front_arm(s);
        break;
    case H1_OUTPUT_DONE:
        if (ex->tunnel)
            front_tunnel_sent(s);
        else
            answer_done(s);
        break;
    case H1_OUTPUT_CUT:
        answer_cut(s);
        break;
    case H1_OUTPUT_FAILED:
        front_close(s, REASON_CLIENT_LEFT, true);
        break;
    }
}

static void
flush_text(struct h1_server *s)
{
    size_t sent = 0;
    enum h1_output_says says =
        h1_output_flush(&s->job->out, &s->session.conn, NULL, NULL, NULL, &sent);

    if (says == H1_OUTPUT_FAILED)
        front_close(s, REASON_CLIENT_LEFT, true);
    else if (says == H1_OUTPUT_MORE && s->state == FRONT_REFUSE)
        front_linger(s, REASON_NONE);
}

void
front_flush(struct h1_server *s)
{
    if (s->state == FRONT_EXCHANGE && s->end.ex)
        flush_exchange(s);
    else if (s->job && s->state != FRONT_EXCHANGE && s->state != FRONT_CLOSED)
        flush_text(s);
}
