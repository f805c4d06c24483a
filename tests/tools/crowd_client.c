/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the crowd: connect, send, judge the answer, or leave half way.
 */
#include "config.h"

#include "crowd.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
hang_up(struct crowd_client *client, bool rst)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (client->watch.fd < 0)
        return;
    if (rst)
        setsockopt(client->watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    toolloop_watch(&client->crowd->loop, &client->watch, 0);
    close(client->watch.fd);
    client->watch.fd = -1;
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

static void
fail(struct crowd_client *client, uint64_t *counter)
{
    ++*counter;
    hang_up(client, false);
    over(client);
}

static void
depart(struct crowd_client *client)
{
    client->crowd->left++;
    hang_up(client, client->leave_rst);
    over(client);
}

static void
on_leaving(struct tooltimer *timer)
{
    depart(tool_container(timer, struct crowd_client, leaving));
}

static void
make_request(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    const char *mark = strstr(crowd->path, "{id}");
    char id[80];

    snprintf(id, sizeof id, "%s-%" PRIu64, crowd->prefix, client->number);
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

/* Every block of the body must name this request and its own offset. */
static bool
body_fits(const struct crowd_client *client, const char *id)
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
    int size = snprintf(id, sizeof id, "%s-%" PRIu64, client->crowd->prefix, client->number);

    return rid && len == (size_t)size && !memcmp(rid, id, len) && body_fits(client, id);
}

static void
answered(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    int status = client->http.status;
    int64_t now = tool_now();

    if (status < 100 || status > 999)
        status = 0;
    crowd->status[status]++;
    crowd->latency[crowd->answered++] = (uint32_t)((now - client->due) / 1000);
    if (!crowd->first)
        crowd->first = now;
    crowd->last = now;
    if (crowd->check && status == 200 && !is_ours(client))
        crowd->wrong++;
    if (crowd->times)
        fprintf(crowd->times, "%" PRIu64 " %" PRId64 " %" PRId64 " %d\n", client->number,
                client->due, now, status);
    if (!client->http.keep_alive || (crowd->rate <= 0 && !crowd->keep_open))
        hang_up(client, false);
    over(client);
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

static void
receive(struct crowd_client *client)
{
    char input[1 << 16];
    ssize_t got = recv(client->watch.fd, input, sizeof input, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (!client->busy) {
        if (got > 0)
            client->crowd->wrong++;
        hang_up(client, false);
        return;
    }
    if (got == 0) {
        ended(client);
    } else if (got < 0) {
        fail(client, &client->crowd->reset);
    } else if (client->leave == LEAVE_IN_ANSWER) {
        depart(client);
    } else {
        take(client, input, (size_t)got);
    }
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

static void
sent_all(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;

    if (client->leave == LEAVE_IN_HEAD || client->leave == LEAVE_IN_BODY) {
        depart(client);
        return;
    }
    crowd->sent++;
    crowd->last_sent = tool_now();
    crowd_sent(crowd);
    toolbuf_fini(&client->out);
    if (client->leave == LEAVE_WAITING)
        toolloop_arm(&crowd->loop, &client->leaving, tool_now() +
                     (int64_t)crowd_random(crowd, (uint64_t)crowd->abort_wait + 1));
    toolloop_watch(&crowd->loop, &client->watch, EPOLLIN);
}

static void
transmit(struct crowd_client *client)
{
    size_t limit = send_limit(client);

    while (client->sent < limit) {
        ssize_t put = send(client->watch.fd, client->out.data + client->sent, limit - client->sent,
                           MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put < 0 && errno == EAGAIN) {
            toolloop_watch(&client->crowd->loop, &client->watch, EPOLLIN | EPOLLOUT);
            return;
        }
        if (put < 0) {
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

    getsockopt(client->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        fail(client, &client->crowd->refused);
        return;
    }
    client->connected = true;
    client->crowd->connecting--;
    if (client->leave == LEAVE_CONNECTED)
        depart(client);
    else
        transmit(client);
}

static void
on_event(struct toolfd *watch, uint32_t events)
{
    struct crowd_client *client = tool_container(watch, struct crowd_client, watch);

    if (!client->connected) {
        on_connected(client);
        return;
    }
    if (events & ~(uint32_t)EPOLLOUT)
        receive(client);
    if (client->watch.fd >= 0 && client->busy && (events & EPOLLOUT) && client->out.len)
        transmit(client);
}

static void
open_connection(struct crowd_client *client)
{
    struct crowd *crowd = client->crowd;
    int one = 1;

    client->watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->watch.fd < 0)
        tool_die(errno, "socket");
    setsockopt(client->watch.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    client->watch.on_event = on_event;
    client->connected = false;
    crowd->connecting++;
    crowd->opened++;
    if (connect(client->watch.fd, (struct sockaddr *)&crowd->to, sizeof crowd->to) < 0 &&
        errno != EINPROGRESS) {
        fail(client, &crowd->refused);
        return;
    }
    toolloop_watch(&crowd->loop, &client->watch, EPOLLOUT);
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
    if (crowd_random(crowd, 100) < crowd->abort_percent)
        client->leave = (enum leave)(1 + crowd_random(crowd, LEAVES - 1));
    if (client->leave == LEAVE_IN_BODY && !crowd->body)
        client->leave = LEAVE_IN_HEAD;
    toolhttp_start(&client->http, true);
    client->http.no_body = !strcmp(crowd->method, "HEAD");
    client->http.store = crowd->check ? &client->body : NULL;
    make_request(client);
    if (client->watch.fd >= 0)
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
