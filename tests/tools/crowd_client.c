/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the crowd: connect, send, judge the answer, or leave half way.
 */
#include "config.h"

#include "crowd.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
hang_up(struct crowd_client *client, bool rst)
{
    if (client->wire.watch.fd < 0)
        return;
    crowd_wire_close(client->crowd, &client->wire, rst);
    if (!client->connected)
        client->crowd->connecting--;
    client->connected = false;
}

static void
over(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;

    if (!client->busy)
        return;
    client->busy = false;
    crowd->finished++;
    toolloop_disarm(&crowd->loop, &client->leaving);
    toolbuf_fini(&client->out);
    toolbuf_fini(&client->body);
    crowd_over(crowd, client);
}

void
crowd_client_failed(struct crowd_client *client, uint64_t *counter)
{
    ++*counter;
    over(client);
}

/* A connection that ends before its handshake is done is counted as that, whatever ended it. */
static void
fail(struct crowd_client *client, uint64_t *counter)
{
    bool secured = client->wire.secured || !client->connected;

    hang_up(client, false);
    crowd_client_failed(client, secured ? counter : &client->crowd->insecure);
}

void
crowd_client_depart(struct crowd_client *client)
{
    client->crowd->left++;
    if (client->crowd->streams)
        crowd_h2_leave(client);
    else
        hang_up(client, client->leave_rst);
    over(client);
}

static void
on_leaving(struct tooltimer *timer)
{
    crowd_client_depart(tool_container(timer, struct crowd_client, leaving));
}

int
crowd_client_id(const struct crowd_client *client, char *id, size_t size)
{
    return snprintf(id, size, "%s-%" PRIu64, client->crowd->prefix, client->number);
}

static void
make_request(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    const char *mark = strstr(crowd->path, "{id}");
    char id[80];

    crowd_client_id(client, id, sizeof id);
    client->out.len = client->sent = 0;
    toolbuf_printf(&client->out, "%s ", crowd->method);
    if (mark)
        toolbuf_printf(&client->out, "%.*s%s%s", (int)(mark - crowd->path), crowd->path, id,
                       mark + 4);
    else
        toolbuf_puts(&client->out, crowd->path);
    toolbuf_printf(&client->out, " HTTP/1.1\r\nHost: %s\r\nX-Rid: %s\r\n", crowd->host, id);
    toolbuf_add(&client->out, crowd->fields.data, crowd->fields.len);
    if (crowd->body)
        toolbuf_printf(&client->out, "Content-Length: %zu\r\n", crowd->body);
    toolbuf_puts(&client->out, "\r\n");
    memset(toolbuf_room(&client->out, crowd->body), 'b', crowd->body);
    client->out.len += crowd->body;
}

bool
crowd_client_body_fits(const struct crowd_client *client, const char *id)
{
    for (size_t at = 0; at < client->body.len; at += 4096) {
        size_t len = client->body.len - at < 4096 ? client->body.len - at : 4096;
        char want[160];
        int size = snprintf(want, sizeof want, " id=%s gen=", id);

        if (!memmem(client->body.data + at, len, want, (size_t)size))
            return false;
        size = snprintf(want, sizeof want, " off=%zu\n", at);
        if (!memmem(client->body.data + at, len, want, (size_t)size))
            return false;
    }
    return true;
}

static bool
is_ours(const struct crowd_client *client)
{
    char id[80];
    size_t len = 0;
    const char *rid = toolhttp_field(&client->http, "x-witness-rid", &len);
    int size = crowd_client_id(client, id, sizeof id);

    return rid && len == (size_t)size && !memcmp(rid, id, len) &&
           crowd_client_body_fits(client, id);
}

void
crowd_client_answered(struct crowd_client *client, int status, bool ours)
{
    struct crowd *crowd = client->crowd;
    int64_t now = tool_now();

    if (status < 100 || status > 999)
        status = 0;
    crowd->status[status]++;
    crowd->latency[crowd->answered++] = (uint32_t)((now - client->due) / 1000);
    if (!crowd->first)
        crowd->first = now;
    crowd->last = now;
    if (crowd->check && status == 200 && !ours)
        crowd->wrong++;
    if (crowd->times)
        fprintf(crowd->times, "%" PRIu64 " %" PRId64 " %" PRId64 " %d\n", client->number,
                client->due, now, status);
    over(client);
}

static void
answered(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    bool ours = crowd->check && is_ours(client);

    if (!client->http.keep_alive || crowd->fresh || (crowd->rate <= 0 && !crowd->keep_open))
        hang_up(client, false);
    crowd_client_answered(client, client->http.status, ours);
}

static void
take(struct crowd_client *client, const char *data, size_t len)
{
    for (size_t used = 0; used < len && client->busy;) {
        used += toolhttp_feed(&client->http, data + used, len - used);
        if (client->http.phase != TOOLHTTP_DONE)
            continue;
        if (client->http.status / 100 == 1 && client->http.status != 101) {
            client->crowd->interims++;
            toolhttp_start(&client->http, true);
            continue;
        }
        if (used < len)
            client->crowd->wrong++;         /* bytes that nobody asked for */
        answered(client);
        return;
    }
}

static void
ended(struct crowd_client *client)
{
    if (client->http.phase == TOOLHTTP_UNTIL_CLOSE) {
        hang_up(client, false);
        answered(client);
    } else {
        fail(client, &client->crowd->lost);
    }
}

/* Takes what there is; false: nothing more, now or ever. */
static bool
receive(struct crowd_client *client)
{
    char input[1 << 16];
    ssize_t got = crowd_wire_recv(&client->wire, input, sizeof input);

    if (got < 0 && errno == EAGAIN)
        return false;
    if (!client->busy) {
        if (got > 0)
            client->crowd->wrong++;
        hang_up(client, false);
        return false;
    }
    if (got == 0)
        ended(client);
    else if (got < 0)
        fail(client, &client->crowd->reset);
    else if (client->leave == LEAVE_IN_ANSWER)
        crowd_client_depart(client);
    else
        take(client, input, (size_t)got);
    return got > 0;
}

/* How much of the request this client sends before it leaves. */
static size_t
send_limit(const struct crowd_client *client)
{
    size_t head = client->out.len - client->crowd->body;

    if (client->leave == LEAVE_IN_HEAD)
        return head / 2;
    if (client->leave == LEAVE_IN_BODY)
        return head + client->crowd->body / 2;
    return client->out.len;
}

void
crowd_client_sent(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;

    crowd->sent++;
    crowd->last_sent = tool_now();
    crowd_sent(crowd);
    if (client->leave == LEAVE_WAITING)
        toolloop_arm(&crowd->loop, &client->leaving, tool_now() +
                     (int64_t)crowd_random(crowd, (uint64_t)crowd->abort_wait + 1));
}

static void
sent_all(struct crowd_client *client)
{
    if (client->leave == LEAVE_IN_HEAD || client->leave == LEAVE_IN_BODY) {
        crowd_client_depart(client);
        return;
    }
    toolbuf_fini(&client->out);
    toolloop_watch(&client->crowd->loop, &client->wire.watch, EPOLLIN);
    crowd_client_sent(client);
}

static void
transmit(struct crowd_client *client)
{
    size_t limit = send_limit(client);

    while (client->sent < limit) {
        ssize_t put = crowd_wire_send(&client->wire, client->out.data + client->sent,
                                      limit - client->sent);

        if (put < 0 && errno == EAGAIN) {
            toolloop_watch(&client->crowd->loop, &client->wire.watch,
                           crowd_wire_wants(&client->wire, true));
            return;
        }
        if (put <= 0) {
            fail(client, &client->crowd->reset);
            return;
        }
        client->sent += (size_t)put;
    }
    sent_all(client);
}

static void
on_connected(struct crowd_client *client)
{
    int error = 0;
    socklen_t len = sizeof error;

    getsockopt(client->wire.watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        fail(client, &client->crowd->refused);
        return;
    }
    client->connected = true;
    client->crowd->connecting--;
    crowd_wire_open(client->crowd, &client->wire);
    if (client->leave == LEAVE_CONNECTED)
        crowd_client_depart(client);
    else
        transmit(client);
}

static void
on_event(struct toolfd *watch, uint32_t events)
{
    struct crowd_client *client = tool_container(watch, struct crowd_client, wire.watch);
    bool more;

    if (!client->connected) {
        on_connected(client);
        return;
    }
    do
        more = (events & ~(uint32_t)EPOLLOUT) && receive(client);
    while (more && client->wire.ssl);
    if (client->wire.watch.fd >= 0 && client->busy && client->out.len &&
        ((events & EPOLLOUT) || client->wire.ssl))
        transmit(client);
}

static void
open_connection(struct crowd_client *client)
{
    client->wire.watch.on_event = on_event;
    client->connected = false;
    if (crowd_wire_connect(client->crowd, &client->wire) < 0)
        fail(client, &client->crowd->refused);
}

void
crowd_client_begin(struct crowd_client *client, int64_t due)
{
    struct crowd *crowd = client->crowd;

    client->number = ++crowd->begun;
    client->due = due;
    client->busy = true;
    client->leave = LEAVE_NEVER;
    client->leave_rst = crowd_random(crowd, 2);
    client->leaving.on_due = on_leaving;
    client->body.len = 0;
    if (crowd_random(crowd, 100) < crowd->abort_percent)
        client->leave = (enum leave)(1 + crowd_random(crowd, LEAVES - 1));
    if (client->leave == LEAVE_IN_BODY && !crowd->body)
        client->leave = LEAVE_IN_HEAD;
    if (client->crowd->streams) {
        crowd_h2_begin(client);
        return;
    }
    toolhttp_start(&client->http, true);
    client->http.no_body = !strcmp(crowd->method, "HEAD");
    client->http.store = crowd->check ? &client->body : NULL;
    make_request(client);
    if (client->wire.watch.fd >= 0)
        transmit(client);
    else
        open_connection(client);
}

void
crowd_client_fini(struct crowd_client *client)
{
    hang_up(client, false);
    toolloop_disarm(&client->crowd->loop, &client->leaving);
    toolhttp_fini(&client->http);
    toolbuf_fini(&client->out);
    toolbuf_fini(&client->body);
}
