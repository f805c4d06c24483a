/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_server_answer.c: what goes out on an HTTP/2 front session: interim and final heads, trailers,
 * answers of our own; DATA is the core's. Owner: the session.
 */
#include "config.h"

#include "http/h2_head_priv.h"
#include "http/h2_server_priv.h"

#include <stddef.h>
#include <stdlib.h>

static struct h2_stream *
of_end(struct exchange_end *end)
{
    return container_of(end, struct h2_stream, end);
}

static nghttp2_nv
pair(const char *name, struct slice value)
{
    struct slice n = slice_of(name);

    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)n.p,
                        .value = (uint8_t *)(uintptr_t)value.p,
                        .namelen = n.n, .valuelen = value.n};
}

static struct slice
number(char *text, size_t size, uint64_t v)
{
    struct buf b;

    buf_init_fixed(&b, text, size);
    buf_add_u64(&b, v);
    return buf_slice(&b);
}

/* --- heads ---------------------------------------------------------------------------------- */

static void
send_interim(struct h2_stream *s, const struct head *resp)
{
    struct h2 *h = s->h;
    nghttp2_nv nv[H2_NV_MAX];
    char status[8];
    size_t n;

    if (!s->known || s->head_out)
        return;
    /* Who does not read gets no hints: they would pile up here. For 100 some wait. */
    if (h->left.n > 0 && resp->status != 100)
        return;
    nv[0] = pair(":status", number(status, sizeof(status), resp->status));
    n = h2_head_nv(nv, 1, H2_NV_MAX, resp->field, resp->fields);
    if (n > 0 && nghttp2_submit_headers(h->ng, NGHTTP2_FLAG_NONE, s->id, NULL, nv, n, NULL) < 0)
        h2_doom(h, NGHTTP2_INTERNAL_ERROR, REASON_OUT_OF_MEMORY);
    loop_queue_flush(h->loop, &h->flush);
}

/* RFC 8441: 200 says yes to a tunnel, and nothing else may. */
static uint16_t
status_of(const struct exchange *ex)
{
    if (ex->resp.status == 101)
        return 200;
    if (ex->req.upgrade && !ex->tunnel && ex->resp.status / 100 == 2)
        return 502;
    return ex->resp.status;
}

/* What the head tells of the length, as HTTP/1 would. */
static bool
tells_length(const struct exchange *ex, bool bodiless)
{
    const struct head *h = &ex->resp;

    if (ex->tunnel || h->status < 200 || h->status == 204)
        return false;
    return h->framing == FRAMING_LENGTH ||
           (h->framing == FRAMING_NONE && h->status != 304 && !bodiless);
}

static uint64_t
length_of(const struct head *h)
{
    return h->framing == FRAMING_LENGTH ? h->length : 0;
}

/* Everything there is to say is in the head. */
static bool
is_all(const struct exchange *ex, bool bodiless)
{
    const struct head *h = &ex->resp;

    if (ex->tunnel)
        return false;
    if (bodiless || h->framing == FRAMING_NONE ||
        (h->framing == FRAMING_LENGTH && h->length == 0))
        return true;
    return pipe_at_end(&ex->to_front) && h->trailers == 0;
}

static int
submit(struct h2_stream *s, const nghttp2_nv *nv, size_t n, bool all)
{
    nghttp2_data_provider body = h2_body(s);

    s->head_out = true;
    s->patient = true; /* both directions go on as they like */
    pace_moved(&s->reading, s->h->loop->now, 0);
    return nghttp2_submit_response(s->h->ng, s->id, nv, n, all ? NULL : &body);
}

static void
send_head(struct h2_stream *s, struct exchange *ex)
{
    bool bodiless = !ex->tunnel && head_bodiless(&ex->resp, ex->req.method);
    bool all = is_all(ex, bodiless);
    char status[8], length[24];
    nghttp2_nv nv[H2_NV_MAX];
    size_t n = 0;

    nv[n++] = pair(":status", number(status, sizeof(status), status_of(ex)));
    if (tells_length(ex, bodiless))
        nv[n++] = pair("content-length", number(length, sizeof(length), length_of(&ex->resp)));
    n = h2_head_nv(nv, n, H2_NV_MAX, ex->resp.field, ex->resp.fields);
    if (n == 0 || submit(s, nv, n, all) != 0) {
        exchange_abort(ex, REASON_INTERNAL_ERROR);
        return;
    }
    ex->answer_started = true;
    if (all)
        exchange_stop(&ex->to_front, ex->back);
}

void
h2_server_on_out(struct h2_stream *s)
{
    if (s->end.ex && s->known && !s->head_out)
        send_head(s, s->end.ex);
}

bool
h2_server_trailers(struct h2_stream *s)
{
    const struct head *h = &s->end.ex->resp;
    nghttp2_nv nv[H2_NV_MAX];
    size_t n;

    if (h->trailers == 0 || s->end.ex->tunnel)
        return false;
    n = h2_head_nv(nv, 0, H2_NV_MAX, h->trailer, h->trailers);
    return n > 0 && nghttp2_submit_trailer(s->h->ng, s->id, nv, n) == 0;
}

/* --- an answer of our own ------------------------------------------------------------------- */

static struct buf *
keep_text(struct slice text)
{
    struct buf *b = malloc(sizeof(*b));

    if (!b)
        return NULL;
    buf_init(b, LOOP_BLOCK);
    if (buf_add_slice(b, text) == 0)
        return b;
    buf_fini(b);
    free(b);
    return NULL;
}

void
h2_server_say(struct h2_stream *s, const struct head *h, struct slice body)
{
    bool all = body.n == 0 || s->flag[ASKS_HEAD];
    char status[8], length[24];
    nghttp2_nv nv[H2_NV_MAX];
    size_t n = 0;

    nv[n++] = pair(":status", number(status, sizeof(status), h->status));
    nv[n++] = pair("content-length", number(length, sizeof(length), body.n));
    n = h2_head_nv(nv, n, H2_NV_MAX, h->field, h->fields);
    if (n > 0 && !all)
        s->more = keep_text(body);
    if (n == 0 || (!all && !s->more) || submit(s, nv, n, all) != 0)
        h2_stream_drop(s, NGHTTP2_INTERNAL_ERROR, false);
    else
        h2_kick(s);
}

void
h2_server_on_sent(struct h2_stream *s)
{
    struct h2 *h = s->h;

    if (s->end.ex && s->end.ex->tunnel && s->end.ex->back)
        return; /* the other direction goes on: on_kick tells when the back is through, too */
    if (s->end.ex)
        exchange_front_done(s->end.ex);
    if (!s->known || s->ended) {
        h2_stream_release(s);
        return;
    }
    s->at = usec_add(h->loop->now, EARLY_WAIT);
    list_push_back(&h2_server_of(h)->early, &s->todo);
    h2_arm(h, s->at);
}

void
h2_server_dismiss(struct h2_server *sv)
{
    struct list *n;

    while ((n = list_first(&sv->early)) != NULL) {
        struct h2_stream *s = container_of(n, struct h2_stream, todo);

        if (s->at > sv->h.loop->now)
            return;
        h2_stream_drop(s, NGHTTP2_NO_ERROR, true);
    }
}

/* --- the exchange's end --------------------------------------------------------------------- */

static void
on_head(struct exchange_end *end)
{
    struct h2_stream *s = of_end(end);

    if (end->ex->interim_here)
        send_interim(s, &end->ex->resp);
    else if (!s->head_out)
        h2_queue_head(s);
}

static void
on_kick(struct exchange_end *end)
{
    struct h2_stream *s = of_end(end);

    if (end->ex->tunnel && s->end_out && !list_linked(&s->todo))
        h2_server_on_sent(s);
    else
        h2_kick(s);
}

static void
on_credit(struct exchange_end *end)
{
    static const struct head go_on = {.status = 100};
    struct h2_stream *s = of_end(end);
    const struct exchange *ex = end->ex;

    if (ex->back && ex->back_is_real && ex->req.expect_continue && !s->flag[CONTINUED] &&
        !s->ended && !s->head_out && ex->to_back.written == 0) {
        s->flag[CONTINUED] = true;
        send_interim(s, &go_on);
    }
    h2_credit(s);
}

/* The exchange gave up: what was sent of the answer must not look complete. */
static void
on_reset(struct exchange_end *end, enum reason why)
{
    struct h2_stream *s = of_end(end);

    (void)why;
    h2_stream_drop(s, s->end_out ? NGHTTP2_NO_ERROR : NGHTTP2_INTERNAL_ERROR, true);
}

const struct exchange_end_ops h2_server_end_ops = {
    .name = "h2 server",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
    .reset = on_reset,
};
