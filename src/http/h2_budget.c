/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_budget.c: how often a peer may do what costs it nothing (RELIABILITY C2-C8). Over a budget the
 * connection ends with ENHANCE_YOUR_CALM. Owner: the connection.
 */
#include "config.h"

#include "http/h2_block_priv.h"

#include <string.h>

#define EMPTIES_MAX 16
#define FREE_MAX 10000u
#define FREE_PRIORITIES 100u /* for each stream */
#define CROSSING_MAX (64u * 1024 * 1024)

static bool
take(struct h2 *h, struct bucket *b, struct rate r)
{
    usec_t wait;

    if (bucket_take(b, r, h->loop->now, &wait))
        return true;
    return h2_doom(h, NGHTTP2_ENHANCE_YOUR_CALM, REASON_PEER_FLOODS);
}

/* Are that many hundredths of it used? */
static bool
is_used(const struct h2 *h, const struct bucket *b, struct rate r, unsigned hundredths)
{
    usec_t now = h->loop->now;

    return r.count != UINT32_MAX && b->full_at > now &&
           b->full_at - now >= r.span / 100 * hundredths;
}

bool
h2_count_reset(struct h2 *h)
{
    return take(h, &h->resets, h->o->resets);
}

bool
h2_is_suspect(const struct h2 *h)
{
    return is_used(h, &h->resets, h->o->resets, 50);
}

bool
h2_count_glitch(struct h2 *h)
{
    bool ok = take(h, &h->glitches, h->o->glitches);

    if (is_used(h, &h->glitches, h->o->glitches, 75))
        h->worn = true;
    return ok;
}

/* So many come with what we do ourselves; more of them are glitches. */
static bool
take_free(struct h2 *h, uint32_t *free)
{
    if (*free == 0)
        return h2_count_glitch(h);
    --*free;
    return true;
}

static bool
count_data(struct h2 *h, const nghttp2_frame_hd *hd)
{
    if (hd->length > 0 || hd->flags & NGHTTP2_FLAG_END_STREAM) {
        h->empties = 0;
        return true;
    }
    if (++h->empties > EMPTIES_MAX)
        return h2_doom(h, NGHTTP2_ENHANCE_YOUR_CALM, REASON_PEER_FLOODS);
    return h2_count_glitch(h);
}

static bool
count_settings(struct h2 *h, const nghttp2_frame_hd *hd)
{
    if (!(hd->flags & NGHTTP2_FLAG_ACK))
        return take(h, &h->settings, h->o->settings);
    if (h->acked)
        return h2_count_glitch(h);
    h->acked = true;
    return true;
}

static bool
count_head(struct h2 *h)
{
    h->empties = 0;
    h->updates_free = h->updates_free < FREE_MAX ? h->updates_free + 2 : FREE_MAX;
    h->priorities_free =
        h->priorities_free < FREE_MAX ? h->priorities_free + FREE_PRIORITIES : FREE_MAX;
    return true;
}

static bool
count_continuation(struct h2 *h, const nghttp2_frame_hd *hd)
{
    struct h2_block *b = h->block;

    if (!b)
        return true;
    b->wire += (uint32_t)hd->length;
    if (++b->frames > h->o->continuations || b->wire > H2_BLOCK_WIRE)
        return h2_doom(h, NGHTTP2_ENHANCE_YOUR_CALM, REASON_PEER_FLOODS);
    return true;
}

/* --- what crosses a reset ------------------------------------------------------------------- */

/* Bytes of credit that a frame of DATA costs. */
static uint32_t
cost_of(size_t length)
{
    return length > 0 ? (uint32_t)length : 1;
}

/* Until it knows, the peer sends what the stream's window let it, and perhaps RST_STREAM. */
void
h2_allow_crossing(struct h2 *h, const struct h2_stream *s)
{
    uint32_t window = s->window > h->o->stream_window ? s->window : h->o->stream_window;

    if (!s->ended)
        h->crossing = h->crossing < CROSSING_MAX - window ? h->crossing + window : CROSSING_MAX;
    if (!s->peer_reset && h->crossed < FREE_MAX)
        h->crossed++;
}

/* Frames of DATA that nghttp2 ignored are those. */
static void
excuse_crossing(struct h2 *h)
{
    if (h->unheard_bytes <= h->crossing && h->unheard_data <= h->unheard) {
        h->crossing -= h->unheard_bytes;
        h->unheard -= h->unheard_data;
    }
    h->unheard_data = h->unheard_bytes = 0;
}

/* RST_STREAM came. */
static bool
count_their_reset(struct h2 *h, int32_t id)
{
    const struct h2_stream *s = nghttp2_session_get_stream_user_data(h->ng, id);

    if (!s)
        return take_free(h, &h->crossed);
    /* RFC 9113 section 8.1: who has answered may say that it wants no more of the request */
    if (!h->role->server && s->ended)
        return true;
    return h2_count_reset(h);
}

/* --- frames --------------------------------------------------------------------------------- */

/* The head of a frame is complete. */
static void
begin_frame(struct h2 *h)
{
    const uint8_t *p = h->head;
    const nghttp2_frame_hd hd = {.type = p[3]};

    h->skip = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    h->head_n = 0;
    if (hd.type > NGHTTP2_CONTINUATION)
        h2_count_frame(h, &hd);
    else
        h->unheard++;
    if (hd.type == NGHTTP2_DATA) {
        h->unheard_data++;
        h->unheard_bytes += cost_of(h->skip);
    }
}

/*
 * nghttp2 says nothing of frames that it ignores: unknown ones, and those of streams that are over.
 * So we follow the frames ourselves, and what it did not tell of is a glitch.
 */
void
h2_count_bytes(struct h2 *h, struct slice s)
{
    while (s.n > 0) {
        size_t n = sizeof(h->head) - h->head_n;

        if (h->skip > 0) {
            n = h->skip < s.n ? h->skip : s.n;
            h->skip -= (uint32_t)n;
        } else {
            n = n < s.n ? n : s.n;
            memcpy(h->head + h->head_n, s.p, n);
            h->head_n = (uint8_t)(h->head_n + n);
            if (h->head_n == sizeof(h->head))
                begin_frame(h);
        }
        s.p += n;
        s.n -= n;
    }
}

/* nghttp2 tells of a frame. */
void
h2_hear(struct h2 *h, const nghttp2_frame_hd *hd)
{
    if (h->unheard > 0)
        h->unheard--;
    if (hd->type == NGHTTP2_DATA && h->unheard_data > 0) {
        h->unheard_data--;
        h->unheard_bytes -= cost_of(hd->length);
    }
}

/* Behind mem_recv. */
bool
h2_count_heard(struct h2 *h)
{
    excuse_crossing(h);
    for (; h->unheard > 0; h->unheard--)
        if (!h2_count_glitch(h))
            return false;
    return true;
}

bool
h2_count_frame(struct h2 *h, const nghttp2_frame_hd *hd)
{
    switch (hd->type) {
    case NGHTTP2_DATA:
        return count_data(h, hd);
    case NGHTTP2_HEADERS:
        return count_head(h);
    case NGHTTP2_CONTINUATION:
        return count_continuation(h, hd);
    case NGHTTP2_RST_STREAM:
        return count_their_reset(h, hd->stream_id);
    case NGHTTP2_SETTINGS:
        return count_settings(h, hd);
    case NGHTTP2_PING:
        if (hd->flags & NGHTTP2_FLAG_ACK) /* we never asked */
            return h2_count_glitch(h);
        if (h->pings_free > 0) { /* gRPC measures with one for each DATA that it gets */
            h->pings_free--;
            return true;
        }
        return take(h, &h->pings, h->o->pings);
    case NGHTTP2_WINDOW_UPDATE:
        return take_free(h, &h->updates_free);
    case NGHTTP2_PRIORITY:
        if (hd->stream_id == 0) /* RFC 9113 section 6.3; nghttp2 looks at no priority any more */
            return h2_doom(h, NGHTTP2_PROTOCOL_ERROR, h->role->broken);
        return take_free(h, &h->priorities_free);
    case NGHTTP2_PRIORITY_UPDATE:
        return take_free(h, &h->priorities_free);
    default:
        return h2_count_glitch(h);
    }
}
