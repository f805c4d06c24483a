/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_server_request.c: what comes in on a front session: heads, bodies, and what is discarded. At
 * most one read a turn; what it lends is settled at rearm, and then the next one is due. Owner: the
 * session.
 */
#include "config.h"

#include "http/h1_server_priv.h"

#include "http/h1_parse.h"
#include "http/phrase.h"

#include <errno.h>

/* One read. False: nothing came, or the session is closed. */
static bool
read_more(struct h1_server *s, size_t n, bool large)
{
    ssize_t got = h1_input_read(&s->job->in, &s->session.conn, n, large);

    if (got > 0) {
        loop_queue_rearm(s->loop, &s->job->rearm);
        return true;
    }
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got < 0) {
        front_close(s, errno == ENOMEM ? REASON_OUT_OF_MEMORY : REASON_CLIENT_LEFT, true);
        return false;
    }
    if (s->state == FRONT_EXCHANGE || s->state == FRONT_HEAD)
        front_close(s, REASON_CLIENT_TRUNCATED, false);
    else
        front_close(s, REASON_NONE, false);
    return false;
}

/* Who ends sending counts as gone, unless whoever routed the request says otherwise. */
static bool
is_gone(const struct h1_server *s)
{
    return s->session.conn.hup && !(s->end.ex && s->end.ex->half_close_waits);
}

/* Nothing to read, but an edge came: is the client still there? */
static void
watch(struct h1_server *s)
{
    if (is_gone(s))
        front_close(s, REASON_CLIENT_LEFT, false);
    else if (s->session.conn.readable && conn_check_error(&s->session.conn) != 0)
        front_close(s, REASON_CLIENT_LEFT, false);
}

/* --- refusals ------------------------------------------------------------------------------- */

struct refusal {
    struct head head;
    struct slice body;
    uint8_t version;
    bool bodiless; /* the answer to a HEAD */
};

static int
write_refusal(struct buf *b, const void *arg)
{
    const struct refusal *r = arg;

    if (h1_write_answer(b, &r->head, r->version, true, r->bodiless) < 0)
        return -1;
    return r->bodiless ? 0 : buf_add_slice(b, r->body);
}

static struct slice
proxy_status(enum reason why, char *text, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, text, size);
    buf_printf(&b, "rouse; error=http_request_error; details=\"%s\"", reason_slug(why));
    return buf_slice(&b);
}

static int
refusal_head(struct head *h, struct arena *a, enum reason why, struct slice body,
             struct slice status_text, const char *request_id)
{
    const struct reason_row *row = reason_row(why);

    head_init(h);
    h->version = 11;
    h->status = (uint16_t)(row->status >= 100 ? row->status : 400);
    h->phrase = phrase_of(h->status);
    h->framing = FRAMING_LENGTH;
    h->length = body.n;
    if (head_add(h, a, FIELD_CONTENT_TYPE, SLICE("Content-Type"), SLICE("application/json")) < 0 ||
        head_add(h, a, FIELD_CACHE_CONTROL, SLICE("Cache-Control"), SLICE("no-store")) < 0)
        return -1;
    if (why == REASON_UPGRADE_REFUSED && /* RFC 6455 section 4.4, RFC 9110 section 15.5.22 */
        (head_add(h, a, FIELD_UPGRADE, SLICE("Upgrade"), SLICE("websocket")) < 0 ||
         head_add(h, a, FIELD_SEC_WEBSOCKET_VERSION, SLICE("Sec-WebSocket-Version"),
                  SLICE("13")) < 0))
        return -1;
    if (*request_id && head_add(h, a, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"),
                                slice_of(request_id)) < 0)
        return -1;
    return head_add(h, a, FIELD_PROXY_STATUS, SLICE("Proxy-Status"), status_text);
}

/* Sends an answer of our own; then lingers. */
static void
send_refusal(struct h1_server *s, enum reason why, const struct refusal *r)
{
    if (h1_output_text(&s->job->out, write_refusal, r) < 0) {
        front_close(s, why, false);
        return;
    }
    h1_input_use(&s->job->in, s->job->in.cur.n);
    s->job->discarded = 0;
    front_set_state(s, FRONT_REFUSE);
    loop_queue_flush(s->loop, &s->job->flush);
    if (s->session.conn.readable)
        loop_queue_run(s->loop, &s->run);
}

void
front_refuse(struct h1_server *s, enum reason why, const char *detail)
{
    struct refusal r = {.version = 11, .bodiless = s->job->asks_head};
    struct buf body;
    char request_id[REQUEST_ID_SIZE] = "", status_text[96];

    buf_init(&body, LOOP_BLOCK);
    s->session.owner->on_bad_request(s->session.ctx, &s->session, why, detail, &body, request_id);
    r.body = buf_slice(&body);
    arena_reset(&s->job->arena);
    if (s->state == FRONT_CLOSED)
        ;
    else if (refusal_head(&r.head, &s->job->arena, why, r.body,
                          proxy_status(why, status_text, sizeof(status_text)), request_id) < 0)
        front_close(s, why, false);
    else
        send_refusal(s, why, &r);
    buf_fini(&body);
}

/* What the exchange's handler has to say to the client of a request that broke. */
static bool
ask_handler(struct h1_server *s, enum reason why, struct refusal *r, struct buf *body)
{
    struct exchange *ex = s->end.ex;

    arena_reset(&s->job->arena);
    if (!ex->announced || !ex->handler->on_broken ||
        ex->handler->on_broken(ex, why, &r->head, &s->job->arena, body) < 0 || body->full)
        return false;
    r->body = buf_slice(body);
    return true;
}

void
front_broken(struct h1_server *s, enum reason why)
{
    struct refusal r = {.version = 11, .bodiless = s->job->asks_head};
    struct buf body;
    bool told;

    if (s->job->head_out || h1_output_pending(&s->job->out)) {
        front_close(s, why == REASON_REQUEST_TIMEOUT ? REASON_CLIENT_STALLED : why, true);
        return;
    }
    buf_init(&body, LOOP_BLOCK);
    told = ask_handler(s, why, &r, &body);
    exchange_front_lost(s->end.ex, why);
    if (told)
        send_refusal(s, why, &r);
    else
        front_refuse(s, why, "body is malformed or over a limit");
    buf_fini(&body);
}

/* --- bodies --------------------------------------------------------------------------------- */

/* The request in service is read completely. */
static void
end_request(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;

    s->job->request_done = true;
    pace_moved(&s->job->reading, s->loop->now, 0);
    if (s->job->body)
        ex->req.trailers = (uint16_t)h1_body_trailers(s->job->body, &ex->req.trailer);
    pipe_end(&ex->to_back);
    exchange_signal(ex->back, MARK_KICK);
}

/* -1: out of memory, or over a limit: the exchange is over. */
static int
take_data(struct h1_server *s, struct slice data)
{
    struct exchange *ex = s->end.ex;

    s->job->body_bytes += data.n;
    if (s->job->body_bytes > s->o->max_body) {
        front_broken(s, REASON_BODY_TOO_LARGE);
        return -1;
    }
    if (ex->to_back.stopped) {
        s->job->discarded += (uint32_t)data.n;
    } else if (pipe_lend(&ex->to_back, data) < 0) {
        front_close(s, REASON_OUT_OF_MEMORY, true);
        return -1;
    }
    s->job->lent_to = ex;
    loop_queue_rearm(s->loop, &s->job->rearm); /* also when it was kept, not read */
    return 0;
}

/* Moves what is in cur into the pipe. */
static void
feed_body(struct h1_server *s)
{
    struct exchange *ex = s->end.ex;

    while (!s->job->request_done) {
        size_t used = 0;
        struct slice data = SLICE_NONE;
        enum h1_body_says says = h1_body_next(s->job->body, s->job->in.cur, &used, &data);

        h1_input_use(&s->job->in, used);
        if (says == H1_BODY_BAD) {
            front_broken(s, REASON_REQUEST_INVALID);
            return;
        }
        if (says == H1_BODY_DATA && take_data(s, data) < 0)
            return;
        if (says == H1_BODY_END)
            end_request(s);
        if (says == H1_BODY_MORE)
            break;
    }
    if (ex->to_back.lents > 0 || ex->to_back.written > 0)
        exchange_signal(ex->back, MARK_KICK);
}

/* Room for more of the body, and a wish to read it. */
static bool
wants_body(const struct h1_server *s)
{
    const struct pipe *p = &s->end.ex->to_back;

    if (s->job->request_done)
        return false;
    if (p->stopped)
        return s->job->discarded < H1_DISCARD_MAX;
    return p->window > 0 && pipe_room(p) >= p->window / 2;
}

/* How much of the next read may be body without the pipe overflowing. */
static size_t
read_size(const struct h1_server *s)
{
    size_t room = pipe_room(&s->end.ex->to_back);

    return h1_body_left(s->job->body) <= room ? LOOP_READ_LARGE : room;
}

static void
read_body(struct h1_server *s)
{
    struct pipe *p = &s->end.ex->to_back;

    if (!wants_body(s)) {
        pace_moved(&s->job->reading, s->loop->now, 0);
        p->thirsty = true;
        watch(s);
        return;
    }
    if (s->session.conn.readable && !s->job->in.block && /* once a turn: rearm goes on */
        read_more(s, read_size(s), h1_body_left(s->job->body) > LOOP_READ_SMALL)) {
        pace_moved(&s->job->reading, s->loop->now, s->job->in.cur.n);
        feed_body(s);
    }
    if (s->state == FRONT_EXCHANGE && s->end.ex && !s->job->request_done) {
        pace_wait(&s->job->reading, s->loop->now);
        front_arm(s);
    }
}

/* --- heads ---------------------------------------------------------------------------------- */

static enum reason
open_body(struct h1_server *s, const struct head *req)
{
    struct front_job *job = s->job;
    bool has_body = req->framing == FRAMING_CHUNKED ||
                    (req->framing == FRAMING_LENGTH && req->length > 0);

    job->body = NULL;
    job->body_bytes = 0;
    job->discarded = 0;
    job->reading = job->writing = (struct pace){0};
    job->request_done = job->head_out = job->continued = false;
    job->close = job->fin_sent = job->bulk = false;
    if (!has_body)
        return REASON_NONE;
    if (req->framing == FRAMING_LENGTH && req->length > s->o->max_body)
        return REASON_BODY_TOO_LARGE;
    job->body = h1_body_new(&job->arena, req->framing, req->length);
    return job->body ? REASON_NONE : REASON_OUT_OF_MEMORY;
}

static void
start_exchange(struct h1_server *s, struct exchange *ex)
{
    s->session.requests++;
    ex->peer = s->session.conn.peer;
    ex->began = s->since;
    ex->head_done = s->loop->now;
    exchange_attach_front(ex, &s->end);
    exchange_request_ready(ex);
    front_set_state(s, FRONT_EXCHANGE);
    if (ex->req.upgrade)
        s->job->request_done = true; /* what follows is a tunnel's, or nobody's */
    else if (!s->job->body)
        end_request(s);
    else
        feed_body(s);
    if (s->session.conn.hup)
        loop_queue_run(s->loop, &s->run); /* behind on_request */
}

/* A whole head block of n bytes is in cur. */
static void
take_head(struct h1_server *s, size_t n)
{
    const char *detail = "out of memory";
    enum reason why = REASON_OUT_OF_MEMORY;
    struct exchange *ex = s->session.owner->new_exchange(s->session.ctx, &s->session);
    struct slice block;

    if (ex && s->state == FRONT_CLOSED) {
        exchange_discard(ex);
        return;
    }
    if (s->state == FRONT_CLOSED)
        return;
    if (ex) {
        block = arena_copy(&ex->arena, (struct slice){s->job->in.cur.p, n});
        h1_input_use(&s->job->in, n);
        if (block.p)
            why = h1_parse_request(&ex->req, &ex->arena, block, &detail);
        if (why == REASON_NONE)
            why = front_judge_upgrade(&ex->req, &detail);
        if (why == REASON_NONE) {
            detail = "body is longer than max_body";
            why = open_body(s, &ex->req);
        }
    }
    if (why == REASON_NONE) {
        start_exchange(s, ex);
        return;
    }
    if (ex)
        exchange_discard(ex);
    front_refuse(s, why, detail);
}

static void
parse_head(struct h1_server *s)
{
    struct front_job *job = s->job;
    enum reason why = REASON_NONE;
    ptrdiff_t n;

    if (s->state == FRONT_IDLE) {
        h1_scan_init(&job->scan);
        arena_reset(&job->arena);
        front_set_state(s, FRONT_HEAD);
        if (s->job->came > 0) {
            s->since = s->job->came;
            s->job->came = 0;
            front_arm(s);
        }
    }
    n = h1_scan_run(&job->scan, &s->o->limits, job->in.cur, true, &why);
    job->asks_head = slice_starts(job->in.cur, SLICE("HEAD "));
    if (n < 0)
        front_refuse(s, why, "head is malformed or over a limit");
    else if (n > 0)
        take_head(s, (size_t)n);
}

static void
read_head(struct h1_server *s)
{
    if (front_take_job(s) < 0) {
        front_close(s, REASON_OUT_OF_MEMORY, true);
        return;
    }
    if (s->state == FRONT_IDLE && s->job->in.cur.n > 0) { /* pipelined */
        parse_head(s);
        if (s->state != FRONT_HEAD)
            return; /* otherwise the rest of it may have come long ago: no further edge */
    }
    if (!s->job->in.block && s->session.conn.readable && read_more(s, LOOP_READ_SMALL, false))
        parse_head(s);
}

/* --- everything else ------------------------------------------------------------------------ */

static void
discard(struct h1_server *s)
{
    struct front_job *job = s->job;

    if (job->in.block)
        return;
    if (job->in.cur.n == 0 &&
        (!s->session.conn.readable || !read_more(s, LOOP_READ_SMALL, false)))
        return;
    job->discarded += (uint32_t)job->in.cur.n;
    h1_input_use(&job->in, job->in.cur.n);
    if (job->discarded > H1_DISCARD_MAX)
        front_close(s, REASON_NONE, true);
    else if (s->session.conn.readable && !job->in.block)
        loop_queue_run(s->loop, &s->run);
}

/* The rest of a request whose answer is out already. */
static void
drain_request(struct h1_server *s)
{
    struct front_job *job = s->job;

    if (job->in.block)
        return;
    if (job->in.cur.n == 0 &&
        (!s->session.conn.readable || !read_more(s, LOOP_READ_SMALL, false)))
        return;
    for (;;) {
        size_t used = 0;
        struct slice data = SLICE_NONE;
        enum h1_body_says says = h1_body_next(job->body, job->in.cur, &used, &data);

        h1_input_use(&job->in, used);
        job->discarded += (uint32_t)used;
        if (says == H1_BODY_BAD || job->discarded > H1_DISCARD_MAX) {
            front_linger(s, REASON_NONE);
            return;
        }
        if (says == H1_BODY_MORE) {
            if (s->session.conn.readable && !job->in.block)
                loop_queue_run(s->loop, &s->run);
            return;
        }
        if (says == H1_BODY_END)
            break;
    }
    front_set_state(s, FRONT_IDLE);
    if (job->in.cur.n > 0)
        loop_queue_run(s->loop, &s->run);
}

bool
front_wants_input(const struct h1_server *s)
{
    if (front_is_tunnel(s))
        return front_tunnel_wants(s);
    if (s->state == FRONT_EXCHANGE)
        return s->end.ex && wants_body(s);
    return s->state != FRONT_CLOSED;
}

void
front_input(struct h1_server *s)
{
    switch (s->state) {
    case FRONT_IDLE:
    case FRONT_HEAD:
        read_head(s);
        break;
    case FRONT_EXCHANGE:
        if (!s->end.ex)
            break; /* about to be reset */
        if (front_is_tunnel(s))
            front_tunnel_input(s);
        else if (is_gone(s))
            watch(s);
        else if (!s->job->request_done)
            read_body(s);
        else
            watch(s);
        break;
    case FRONT_DRAIN:
        drain_request(s);
        break;
    case FRONT_REFUSE:
    case FRONT_LINGER:
        discard(s);
        break;
    case FRONT_CLOSED:
    case FRONT_STATE_COUNT:
        break;
    }
}
