/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crowd over HTTP/2: each client is one stream of a connection (a link) that it shares with its
 * neighbours.  The link is opened by the first of them, and again when it was lost.
 */
#include "config.h"

#include "crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define OUT_MAX (1u << 18)
#define NV(name_, value_, len_)                                                            \
    (nghttp2_nv){(uint8_t *)(uintptr_t)(name_), (uint8_t *)(uintptr_t)(value_),            \
                 sizeof(name_) - 1, (len_), NGHTTP2_NV_FLAG_NONE}

enum { FIELDS_MAX = 40 };

/* Ends the link and frees it; clients whose streams it carried fail, counted there (NULL: none). */
static void
drop_link(struct crowd_link *link, uint64_t *counter)
{
    struct crowd *crowd = link->crowd;
    struct crowd_client *client = &crowd->client[link->slot * crowd->streams];
    struct crowd_client *end = crowd->client + crowd->clients;

    if (link->connected && !link->wire.secured && counter)
        counter = &crowd->insecure;
    if (!link->connected)
        crowd->connecting--;
    crowd_wire_close(crowd, &link->wire, false);
    nghttp2_session_del(link->session);
    link->session = NULL;
    if (crowd->link[link->slot] == link)
        crowd->link[link->slot] = NULL;
    for (uint64_t i = 0; i < crowd->streams && client < end; i++, client++) {
        if (client->link != link)
            continue;
        client->link = NULL;
        if (client->busy && counter)
            crowd_client_failed(client, counter);
    }
    toolbuf_fini(&link->out);
    free(link);
}

/* Sends what the session has, as far as the socket takes it; drops a link that is over. */
static void
flush(struct crowd_link *link)
{
    struct crowd *crowd = link->crowd;

    if (!link->connected)
        return;
    for (;;) {
        const uint8_t *data;
        ssize_t len = 0, put;

        while (link->out.len < OUT_MAX &&
               (len = nghttp2_session_mem_send(link->session, &data)) > 0)
            toolbuf_add(&link->out, data, (size_t)len);
        if (len < 0 || !(link->out.len || nghttp2_session_want_read(link->session))) {
            drop_link(link, &crowd->lost);
            return;
        }
        if (!link->out.len)
            break;
        put = crowd_wire_send(&link->wire, link->out.data, link->out.len);
        if (put < 0 && errno == EAGAIN)
            break;
        if (put <= 0) {
            drop_link(link, &crowd->reset);
            return;
        }
        toolbuf_drop(&link->out, (size_t)put);
    }
    if (!link->out.len)
        toolbuf_fini(&link->out);
    toolloop_watch(&crowd->loop, &link->wire.watch,
                   crowd_wire_wants(&link->wire, link->out.len > 0));
}

static struct crowd_client *
of_stream(nghttp2_session *session, int32_t stream)
{
    struct crowd_client *client = nghttp2_session_get_stream_user_data(session, stream);

    return client && client->busy && client->stream == stream ? client : NULL;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
          size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *ctx)
{
    struct crowd_client *client = of_stream(session, frame->hd.stream_id);
    char id[80];

    (void)flags;
    (void)ctx;
    if (!client)
        return 0;
    if (name_len == 7 && !memcmp(name, ":status", 7) && len == 3)
        client->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
    if (name_len == 13 && !memcmp(name, "x-witness-rid", 13))
        client->ours = len == (size_t)crowd_client_id(client, id, sizeof id) &&
                       !memcmp(value, id, len);
    return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct crowd_link *link = ctx;
    struct crowd_client *client;

    if (frame->hd.type == NGHTTP2_GOAWAY)
        link->crowd->goaways++;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    client = of_stream(session, frame->hd.stream_id);
    if (client && client->status / 100 == 1)
        link->crowd->interims++;
    if (client && client->leave == LEAVE_IN_ANSWER)
        crowd_client_depart(client);
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len,
        void *ctx)
{
    struct crowd_client *client = of_stream(session, stream);

    (void)flags;
    (void)ctx;
    if (client && client->crowd->check)
        toolbuf_add(&client->body, data, len);
    return 0;
}

static int
on_closed(nghttp2_session *session, int32_t stream, uint32_t error, void *ctx)
{
    struct crowd_link *link = ctx;
    struct crowd_client *client = of_stream(session, stream);
    char id[80];

    if (!client)
        return 0;
    client->stream = 0;
    client->link = NULL;
    if (error || !client->status) {
        crowd_client_failed(client, &link->crowd->reset);
        return 0;
    }
    crowd_client_id(client, id, sizeof id);
    crowd_client_answered(client, client->status,
                          client->ours && crowd_client_body_fits(client, id));
    return 0;
}

/* The request's frame with its end is on its way. */
static int
on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct crowd_client *client;

    (void)ctx;
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    client = of_stream(session, frame->hd.stream_id);
    if (client && client->leave != LEAVE_NEVER && client->leave < LEAVE_WAITING)
        crowd_client_depart(client);
    else if (client)
        crowd_client_sent(client);
    return 0;
}

static ssize_t
on_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t len, uint32_t *flags,
        nghttp2_data_source *source, void *ctx)
{
    struct crowd_client *client = source->ptr;
    size_t left = client->crowd->body - client->sent, take = left < len ? left : len;

    (void)session;
    (void)stream;
    (void)ctx;
    memset(buf, 'b', take);
    client->sent += take;
    if (take == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)take;
}

/* Takes what there is; -1: the link was dropped. */
static int
receive(struct crowd_link *link)
{
    struct crowd *crowd = link->crowd;
    uint8_t input[1 << 16];

    for (;;) {
        ssize_t got = crowd_wire_recv(&link->wire, input, sizeof input);

        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got <= 0) {
            drop_link(link, got ? &crowd->reset : &crowd->lost);
            return -1;
        }
        if (nghttp2_session_mem_recv(link->session, input, (size_t)got) != got) {
            crowd->wrong++;
            drop_link(link, &crowd->lost);
            return -1;
        }
    }
}

static void
on_event(struct toolfd *watch, uint32_t events)
{
    struct crowd_link *link = tool_container(watch, struct crowd_link, wire.watch);
    int error = 0;
    socklen_t len = sizeof error;

    if (!link->connected) {
        getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error) {
            drop_link(link, &link->crowd->refused);
            return;
        }
        link->connected = true;
        link->crowd->connecting--;
        crowd_wire_open(link->crowd, &link->wire);
    } else if ((events & ~(uint32_t)EPOLLOUT) && receive(link) < 0) {
        return;
    }
    flush(link);
}

static struct crowd_link *
open_link(struct crowd *crowd, uint64_t slot)
{
    nghttp2_settings_entry settings[2] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                          {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, crowd->window}};
    struct crowd_link *link = tool_alloc(sizeof *link);

    link->crowd = crowd;
    link->slot = slot;
    link->wire.watch.on_event = on_event;
    if (nghttp2_session_client_new(&link->session, crowd->calls, link) ||
        nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, settings,
                                crowd->window == UINT32_MAX ? 1 : 2))
        tool_die(0, "no memory for a session");
    if (crowd_wire_connect(crowd, &link->wire) < 0)
        tool_die(errno, "connect");
    return link;
}

/* The fields of --field, which are text as HTTP/1 has it, names made lower case. */
static size_t
add_fields(struct crowd *crowd, nghttp2_nv *nv, size_t count)
{
    char *at = crowd->fields.data, *end = at + crowd->fields.len;

    while (at < end && count < FIELDS_MAX) {
        char *colon = memchr(at, ':', (size_t)(end - at));
        char *cr = memchr(at, '\r', (size_t)(end - at));
        char *value;

        if (!colon || !cr || colon > cr)
            tool_die(0, "a field without a colon");
        value = colon + 1 + strspn(colon + 1, " ");
        for (char *c = at; c < colon; c++) {
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + 32);
        }
        nv[count++] = (nghttp2_nv){(uint8_t *)at, (uint8_t *)value, (size_t)(colon - at),
                                   (size_t)(cr - value), NGHTTP2_NV_FLAG_NONE};
        at = cr + 2;
    }
    return count;
}

static void
submit(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    const char *mark = strstr(crowd->path, "{id}");
    nghttp2_data_provider body = {.source = {.ptr = client}, .read_callback = on_body};
    char id[80], path[4096], length[24];
    nghttp2_nv nv[FIELDS_MAX + 8];
    size_t count = 0;
    int id_len = crowd_client_id(client, id, sizeof id), path_len, length_len;

    if (mark)
        path_len = snprintf(path, sizeof path, "%.*s%s%s", (int)(mark - crowd->path), crowd->path,
                            id, mark + 4);
    else
        path_len = snprintf(path, sizeof path, "%s", crowd->path);
    length_len = snprintf(length, sizeof length, "%zu", crowd->body);
    nv[count++] = NV(":method", crowd->method, strlen(crowd->method));
    nv[count++] = NV(":scheme", crowd->tls ? "https" : "http", crowd->tls ? 5u : 4u);
    nv[count++] = NV(":authority", crowd->host, strlen(crowd->host));
    nv[count++] = NV(":path", path, (size_t)path_len);
    nv[count++] = NV("x-rid", id, (size_t)id_len);
    if (crowd->body)
        nv[count++] = NV("content-length", length, (size_t)length_len);
    count = add_fields(crowd, nv, count);
    client->stream = nghttp2_submit_request(client->link->session, NULL, nv, count,
                                            crowd->body ? &body : NULL, client);
}

static void
mark(struct crowd_link *link)
{
    link->unflushed = link->crowd->unflushed = true;
}

void
crowd_h2_begin(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    uint64_t slot = (uint64_t)(client - crowd->client) / crowd->streams;
    struct crowd_link *link = crowd->link[slot];

    /* After a GOAWAY the old link serves what it has, and ends by itself. */
    if (link && link->connected && !nghttp2_session_check_request_allowed(link->session))
        link = NULL;
    if (!link)
        link = crowd->link[slot] = open_link(crowd, slot);
    client->link = link;
    client->status = 0;
    client->ours = false;
    client->sent = 0;
    submit(client);
    if (client->stream < 0) {
        client->link = NULL;
        crowd_client_failed(client, &crowd->lost);
        return;
    }
    mark(link);
}

void
crowd_h2_leave(struct crowd_client *client)
{
    if (client->link && client->stream > 0) {
        nghttp2_submit_rst_stream(client->link->session, NGHTTP2_FLAG_NONE, client->stream,
                                  NGHTTP2_CANCEL);
        mark(client->link);
    }
    client->stream = 0;
    client->link = NULL;
}

void
crowd_h2_flush(struct crowd *crowd)
{
    if (!crowd->unflushed)
        return;
    crowd->unflushed = false;
    for (uint64_t i = 0; i < crowd->links; i++) {
        if (!crowd->link[i] || !crowd->link[i]->unflushed)
            continue;
        crowd->link[i]->unflushed = false;
        flush(crowd->link[i]);
    }
}

void
crowd_h2_init(struct crowd *crowd)
{
    crowd->links = (crowd->clients + crowd->streams - 1) / crowd->streams;
    if (nghttp2_session_callbacks_new(&crowd->calls))
        tool_die(0, "no memory");
    nghttp2_session_callbacks_set_on_header_callback(crowd->calls, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(crowd->calls, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(crowd->calls, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(crowd->calls, on_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(crowd->calls, on_sent);
    crowd->link = tool_alloc(crowd->links * sizeof(struct crowd_link *));
}

void
crowd_h2_fini(struct crowd *crowd)
{
    for (uint64_t i = 0; i < crowd->links; i++) {
        if (crowd->link[i])
            drop_link(crowd->link[i], NULL);
    }
    free(crowd->link);
    if (crowd->calls)
        nghttp2_session_callbacks_del(crowd->calls);
}
