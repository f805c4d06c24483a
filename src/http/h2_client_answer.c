/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_client_answer.c: what comes in on an HTTP/2 back: heads, judged as those of HTTP/1 answers
 * are, bodies and trailers. nghttp2 cannot stop decoding: a head that comes while the front has not
 * taken the one before waits in the exchange's arena. Owner: the back.
 */
#include "config.h"

#include "http/h2_client_priv.h"

#include "http/field_priv.h"
#include "http/h1_valid_priv.h"
#include "http/h2_block_priv.h"
#include "http/octet.h"
#include "http/phrase.h"
#include "http/trailer.h"
#include "http/tunnel.h"

#include <stddef.h>

#define SPARE 8 /* fields that are added on the way */

/* --- a head --------------------------------------------------------------------------------- */

/* 100 to 599, but not 101 (RFC 9113 section 8.6); 0: anything else. */
static uint16_t
status_of(struct slice text)
{
    unsigned v = 0;

    if (text.n != 3 || !octet_all(text, OCTET_DIGIT))
        return 0;
    for (size_t i = 0; i < 3; i++)
        v = v * 10 + (unsigned)(text.p[i] - '0');
    return v < 100 || v > 599 || v == 101 ? 0 : (uint16_t)v;
}

static int
gather_facts(const struct head *h, struct h1_facts *facts)
{
    for (unsigned i = 0; i < h->fields; i++) {
        const struct field *f = &h->field[i];

        if ((field_known[f->id].traits & JUDGED) == 0)
            continue;
        /* nghttp2 refuses them; should it ever not do so, we must not read a meaning into them */
        if (f->id == FIELD_CONNECTION || f->id == FIELD_TRANSFER_ENCODING ||
            f->id == FIELD_UPGRADE)
            return -1;
        if (h1_valid_note(facts, f) != 0)
            return -1;
    }
    return 0;
}

static void
set_framing(struct head *h, bool end, enum method asked)
{
    if (h->status < 200 || h->status == 204) {
        h->framing = FRAMING_NONE;
        h->length = 0;
    } else if (h->framing == FRAMING_NONE && !head_bodiless(h, asked)) {
        h->framing = end ? FRAMING_LENGTH : FRAMING_CHUNKED;
        h->length = 0;
    }
}

/* As h1_parse_answer. end: no body follows. */
static enum reason
parse_head(const struct h2_block *b, struct exchange *ex, bool end, struct head *h)
{
    struct h1_verdict v = {REASON_NONE, NULL};
    struct h1_facts facts = {0};

    head_init(h);
    h->version = 20;
    h->keep_alive = true;
    h->status = status_of(h2_block_pseudo(b, SLICE(":status")));
    if (h->status == 0 || (end && h->status < 200))
        return REASON_UPSTREAM_MALFORMED;
    h->phrase = phrase_of(h->status);
    if (h2_head_fields(b, h, &ex->arena, SPARE) != 0)
        return REASON_OUT_OF_MEMORY;
    if (gather_facts(h, &facts) != 0 || h1_valid_framing(h, &facts, &v) != 0)
        return REASON_UPSTREAM_MALFORMED;
    set_framing(h, end, ex->req.method);
    return REASON_NONE;
}

/* --- towards the front ---------------------------------------------------------------------- */

/* ex->resp is a head of this stream. */
static void
deliver(struct h2_stream *s)
{
    struct exchange *ex = s->end.ex;

    if (ex->resp.status == 100)
        return; /* ours to say, and said already */
    if (ex->resp.status < 200) {
        exchange_interim_ready(ex);
        return;
    }
    if (s->flag[CLIENT_UPGRADES] && ex->resp.status < 300) {
        ex->resp.status = 101;
        ex->resp.framing = FRAMING_NONE;
        if (tunnel_open(ex) < 0) {
            h2_client_lose(s, REASON_OUT_OF_MEMORY, NGHTTP2_INTERNAL_ERROR);
            return;
        }
        h2_kick(s);
    } else {
        exchange_answer_ready(ex);
    }
    h2_credit(s);
}

static void
complete(struct h2_stream *s)
{
    struct exchange *ex = s->end.ex;
    const struct h2_reply *r = s->more;

    ex->resp.trailer = r->trailer;
    ex->resp.trailers = r->trailers;
    pipe_end(&ex->to_front);
    if (ex->tunnel && !s->flag[CLIENT_SENT]) { /* the other direction goes on */
        exchange_signal(ex->front, MARK_KICK);
        return;
    }
    h2_client_finish(s);
}

void
h2_client_on_credit(struct exchange_end *end)
{
    struct h2_stream *s = container_of(end, struct h2_stream, end);
    struct exchange *ex = end->ex;
    struct h2_reply *r = s->more;

    while (r->late && !ex->interim_here) {
        ex->resp = r->late->head;
        r->late = r->late->next;
        deliver(s);
        if (end->ex != ex)
            return;
    }
    if (r->late)
        return;
    if (s->ended && !pipe_closed(&ex->to_front))
        complete(s);
    else if (s->flag[CLIENT_FINAL])
        h2_credit(s);
}

/* --- what comes ----------------------------------------------------------------------------- */

/* Where the next head goes; NULL: out of memory. */
static struct head *
place(struct h2_reply *r, struct exchange *ex)
{
    struct h2_late **last = &r->late, *late;

    if (!ex->interim_here && !r->late)
        return &ex->resp;
    late = arena_alloc(&ex->arena, sizeof(*late));
    if (!late)
        return NULL;
    late->next = NULL;
    while (*last)
        last = &(*last)->next;
    *last = late;
    return &late->head;
}

static void
take_head(struct h2_stream *s, const struct h2_block *b, bool end)
{
    struct exchange *ex = s->end.ex;
    struct h2_reply *r = s->more;
    struct head *h;
    enum reason why;

    r->bytes += b->bytes;
    if (ex->first_byte == 0)
        ex->first_byte = s->h->loop->now;
    if (b->why != REASON_NONE || r->bytes > s->h->o->list_bytes) {
        h2_client_lose(s, REASON_UPSTREAM_MALFORMED, NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    h = place(r, ex);
    why = h ? parse_head(b, ex, end, h) : REASON_OUT_OF_MEMORY;
    if (why == REASON_NONE && h->status < 200 && ++r->interims > EXCHANGE_INTERIMS_MAX)
        why = REASON_UPSTREAM_MALFORMED;
    if (why != REASON_NONE) {
        h2_client_lose(s, why, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    s->flag[CLIENT_FINAL] = h->status >= 200;
    if (h == &ex->resp)
        deliver(s);
}

static void
take_trailers(struct h2_stream *s, const struct h2_block *b)
{
    struct h2_reply *r = s->more;
    int n = h2_head_trailers(b, &s->end.ex->arena, &r->trailer);

    if (n < 0)
        h2_client_lose(s, REASON_UPSTREAM_MALFORMED, NGHTTP2_ENHANCE_YOUR_CALM);
    else
        r->trailers = (uint16_t)trailer_keep(r->trailer, (unsigned)n);
}

void
h2_client_on_head(struct h2 *h, struct h2_stream *s, int32_t id, bool end)
{
    (void)id;
    if (!s || !s->end.ex)
        return;
    if (s->flag[CLIENT_FINAL])
        take_trailers(s, h->block);
    else
        take_head(s, h->block, end);
}

void
h2_client_on_end(struct h2_stream *s)
{
    const struct h2_reply *r = s->more;

    if (!s->flag[CLIENT_FINAL])
        h2_client_lose(s, REASON_UPSTREAM_MALFORMED, NGHTTP2_PROTOCOL_ERROR);
    else if (!r->late)
        complete(s);
}
