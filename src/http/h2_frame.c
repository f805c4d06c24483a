/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_frame.c: what nghttp2 tells while it reads, and what becomes of the frames that it makes. It
 * must send nothing and free nothing here. Owner: the connection.
 */
#include "config.h"

#include "http/h2_block_priv.h"

#define UPDATES_PER_DATA 10u
#define UPDATES_MAX 10000u
#define PINGS_MAX 1000u

static struct h2_stream *
stream_of(struct h2 *h, int32_t id)
{
    return id == 0 ? NULL : nghttp2_session_get_stream_user_data(h->ng, id);
}

/* 0, or that nghttp2 is to stop: the connection is ending. */
static int
go_on(const struct h2 *h)
{
    return h->dying || h->state != H2_OPEN ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd, void *arg)
{
    struct h2 *h = arg;

    (void)ng;
    h2_hear(h, hd);
    if (hd->type == NGHTTP2_HEADERS) {
        if (h2_block_begin(h, hd->stream_id, (uint32_t)hd->length) < 0)
            h2_doom(h, NGHTTP2_INTERNAL_ERROR, REASON_OUT_OF_MEMORY);
    } else if (hd->type != NGHTTP2_CONTINUATION) {
        h2_block_drop(h);
    }
    h2_count_frame(h, hd);
    return go_on(h);
}

static int
on_header(nghttp2_session *ng, const nghttp2_frame *frame, nghttp2_rcbuf *name,
          nghttp2_rcbuf *value, uint8_t flags, void *arg)
{
    (void)ng;
    (void)frame;
    (void)flags;
    /* It decodes on, for HPACK's sake, but looks at no field any more, and resets the stream. */
    return h2_block_add(arg, name, value) == 0 ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Not ignored: nobody knows what it was meant to be. */
static int
on_invalid_header(nghttp2_session *ng, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                  nghttp2_rcbuf *value, uint8_t flags, void *arg)
{
    (void)ng;
    (void)frame;
    (void)name;
    (void)value;
    (void)flags;
    (void)arg;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void
end_message(struct h2_stream *s)
{
    if (!s || s->ended)
        return;
    s->ended = true;
    pace_moved(&s->reading, s->h->loop->now, 0);
    if (s->end.ex)
        s->h->role->on_end(s);
}

static void
take_block(struct h2 *h, const nghttp2_frame *frame)
{
    int32_t id = frame->hd.stream_id;
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (h->block)
        h->role->on_head(h, stream_of(h, id), id, end);
    h2_block_drop(h);
    if (end && h->state == H2_OPEN)
        end_message(stream_of(h, id));
}

static void
take_data_end(struct h2 *h, const nghttp2_frame *frame)
{
    size_t padding = frame->data.padlen;

    if (padding > 0 && frame->hd.length - padding < padding)
        h2_count_glitch(h);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        end_message(stream_of(h, frame->hd.stream_id));
}

static int
on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct h2 *h = arg;
    struct h2_stream *s;

    (void)ng;
    if (h->dying)
        return go_on(h);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        take_block(h, frame);
        break;
    case NGHTTP2_DATA:
        take_data_end(h, frame);
        break;
    case NGHTTP2_RST_STREAM:
        s = stream_of(h, frame->hd.stream_id);
        if (s)
            s->peer_reset = true;
        break;
    case NGHTTP2_SETTINGS:
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK) && h->role->on_settings)
            h->role->on_settings(h);
        break;
    case NGHTTP2_GOAWAY:
        if (h->role->on_goaway)
            h->role->on_goaway(h, frame->goaway.last_stream_id, frame->goaway.error_code);
        break;
    default:
        break;
    }
    return go_on(h);
}

/* nghttp2 resets the stream, or ends the connection. */
static int
on_invalid_frame(nghttp2_session *ng, const nghttp2_frame *frame, int error, void *arg)
{
    struct h2 *h = arg;
    struct h2_stream *s = stream_of(h, frame->hd.stream_id);

    (void)ng;
    (void)error;
    if (frame->hd.stream_id != 0) {
        h->counted++;
        h2_count_reset(h);
    }
    if (frame->hd.type == NGHTTP2_HEADERS)
        h2_block_drop(h);
    if (s && s->end.ex && !h2_is_through(s))
        h->role->on_lost(s, h->role->broken, NGHTTP2_PROTOCOL_ERROR);
    return go_on(h);
}

static int
on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t n, void *arg)
{
    struct h2 *h = arg;
    struct h2_stream *s = stream_of(h, id);

    (void)flags;
    if (nghttp2_session_consume_connection(ng, n) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (s && s->end.ex && h2_take_data(s, (struct slice){(const char *)data, n}) < 0)
        h->role->on_lost(s, REASON_OUT_OF_MEMORY, NGHTTP2_INTERNAL_ERROR);
    return go_on(h);
}

static int
on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
    struct h2_stream *s = stream_of(arg, id);

    (void)ng;
    if (s)
        h2_stream_closed(s, code);
    return 0;
}

/* A reset of ours: whose fault was it? */
static void
count_our_reset(struct h2 *h, const nghttp2_frame *frame)
{
    const struct h2_stream *s = stream_of(h, frame->hd.stream_id);

    if (s && s->excused)
        return;
    if (h->counted > 0)
        h->counted--;
    else
        h2_count_reset(h);
}

static int
on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct h2 *h = arg;
    struct h2_stream *s;

    (void)ng;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        count_our_reset(h, frame);
    if (frame->hd.type == NGHTTP2_DATA && h->updates_free < UPDATES_MAX)
        h->updates_free += UPDATES_PER_DATA;
    if (frame->hd.type == NGHTTP2_DATA && h->pings_free < PINGS_MAX)
        h->pings_free++;
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    s = stream_of(h, frame->hd.stream_id);
    if (s)
        s->head_made = true;
    if (s && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        s->end_out = true;
        list_unlink(&s->todo);
        list_push_back(&h->sent, &s->todo);
    }
    return 0;
}

/* A head that cannot be sent would leave its stream waiting for ever. */
static int
on_frame_not_send(nghttp2_session *ng, const nghttp2_frame *frame, int error, void *arg)
{
    struct h2_stream *s = stream_of(arg, frame->hd.stream_id);

    (void)ng;
    (void)error;
    if (s && frame->hd.type == NGHTTP2_HEADERS && s->h->role->server && s->known) {
        s->excused = true;
        nghttp2_submit_rst_stream(s->h->ng, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR);
    }
    return 0;
}

nghttp2_session_callbacks *
h2_callbacks_new(void)
{
    nghttp2_session_callbacks *c;

    if (nghttp2_session_callbacks_new(&c) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
    nghttp2_session_callbacks_set_on_header_callback2(c, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(c, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_send);
    nghttp2_session_callbacks_set_send_data_callback(c, h2_send_data);
    return c;
}
