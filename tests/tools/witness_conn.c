/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to the witness: reading, recording, the queue of its requests, its end.
 *
 * Requests are answered in order, one at a time.  After a FIN of ours the connection goes on
 * reading, so that what the peer still sends is on record; only then is it closed.
 */
#include "config.h"

#include "witness.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
uncount(struct conn *conn, struct record *record)
{
    if (record->counted) {
        record->counted = false;
        conn->witness->unanswered--;
    }
}

void
conn_answering(struct conn *conn, struct record *record)
{
    if (!record->answered_at)
        record->answered_at = tool_now();
    uncount(conn, record);
}

/* The framer's view so far, also of a request that never becomes complete. */
static void
note_odd(struct conn *conn)
{
    if (conn->reading) {
        conn->reading->odd.len = 0;
        toolhttp_odd_json(&conn->http, &conn->reading->odd);
    }
}

static void
set_end(struct conn *conn, const char *how)
{
    if (conn->end)
        return;
    note_odd(conn);
    if (conn->reading)
        conn->witness->reading--;
    conn->end = how;
    conn->ended_at = tool_now();
    conn->witness->open--;
    conn->witness->ended++;
    for (struct record *record = conn->first; record; record = record->next)
        uncount(conn, record);
    toolloop_disarm(&conn->witness->loop, &conn->answer.timer);
    toolloop_disarm(&conn->witness->loop, &conn->idle);
    control_notify(conn->witness);
}

static void
close_socket(struct conn *conn)
{
    if (conn->watch.fd < 0)
        return;
    toolloop_watch(&conn->witness->loop, &conn->watch, 0);
    close(conn->watch.fd);
    conn->watch.fd = -1;
}

void
conn_end(struct conn *conn, const char *how, bool rst)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (conn->watch.fd < 0)
        return;
    conn->mute = true;
    set_end(conn, how);
    if (rst) {
        setsockopt(conn->watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close_socket(conn);
    } else if (conn->peer_done) {
        close_socket(conn);
    } else {
        shutdown(conn->watch.fd, SHUT_WR);
        conn_rearm(conn);
    }
}

void
conn_rearm(struct conn *conn)
{
    uint32_t events = EPOLLERR;

    if (conn->watch.fd < 0)
        return;
    if (!conn->deaf && !conn->peer_done)
        events |= EPOLLIN;
    if (conn->answer.blocked)
        events |= EPOLLOUT;
    toolloop_watch(&conn->witness->loop, &conn->watch, events);
}

/* Begins the next answer if its request is far enough. */
static void
step(struct conn *conn)
{
    struct record *record = conn->answering;

    if (conn->mute || conn->answer.stage != ANSWER_NONE)
        return;
    if (record && !record->plan->never && (record->done_at || record->plan->early))
        answer_start(conn);
    else if (conn->peer_done && (!record || !record->done_at || record->plan->never))
        conn_end(conn, "fin", false);
}

static void
free_record(struct record *record)
{
    toolbuf_fini(&record->start);
    toolbuf_fini(&record->odd);
    plan_free(record->plan);
    free(record);
}

static void
forget_answered(struct conn *conn)
{
    while (conn->first && conn->first != conn->answering && conn->first != conn->reading) {
        struct record *record = conn->first;

        conn->first = record->next;
        if (!conn->first)
            conn->last = NULL;
        free_record(record);
    }
}

void
conn_answered(struct conn *conn)
{
    struct record *record = conn->answering;
    const struct plan *plan = record->plan;
    enum plan_end end = plan->end;

    record->finished_at = tool_now();
    conn->witness->answered++;
    conn->answering = record->next;
    if (end == PLAN_KEEP && (plan->cut >= 0 || plan->framing == PLAN_CLOSE || !record->keep_alive))
        end = PLAN_FIN;
    if (plan->idle[0]) {
        memcpy(conn->idle_text, plan->idle, sizeof conn->idle_text);
        toolloop_arm(&conn->witness->loop, &conn->idle, tool_now() + plan->idle_delay);
    }
    if (conn->witness->forget)
        forget_answered(conn);
    if (end == PLAN_HANG)
        conn->mute = true;
    else if (end != PLAN_KEEP)
        conn_end(conn, end == PLAN_RST ? "our_rst" : "our_fin", end == PLAN_RST);
    control_notify(conn->witness);
    if (conn->watch.fd >= 0) {
        conn_rearm(conn);
        step(conn);
    }
}

void
conn_push(struct conn *conn, const char *data, size_t len)
{
    if (conn->watch.fd >= 0 && !conn->end && send(conn->watch.fd, data, len, MSG_NOSIGNAL) < 0 &&
        errno != EAGAIN)
        conn_end(conn, "rst", true);
}

static void
on_idle(struct tooltimer *timer)
{
    struct conn *conn = tool_container(timer, struct conn, idle);

    conn_push(conn, conn->idle_text, strlen(conn->idle_text));
}

/* The request's own name: X-Rid, else "rid" of the query, else X-Request-Id. */
static void
find_id(struct record *record, const struct toolhttp *http, const char *query, size_t query_len)
{
    static const char *const names[] = {"x-rid", "x-request-id"};
    size_t len;

    for (size_t i = 0; i < 2; i++) {
        const char *value = toolhttp_field(http, names[i], &len);

        if (i == 1 && plan_find(query, query_len, "rid", record->id, sizeof record->id))
            return;
        if (value && len < sizeof record->id) {
            memcpy(record->id, value, len);
            record->id[len] = '\0';
            for (size_t j = 0; j < len; j++)
                if (value[j] < '!' || value[j] > '~' || value[j] == '"' || value[j] == '\\')
                    record->id[j] = '?';
            return;
        }
    }
}

static struct plan *
next_plan(struct witness *witness, const char *id, const char *query, size_t len)
{
    struct plan *plan = *id ? witness->named : NULL;

    while (plan && strcmp(plan->id, id))
        plan = plan->next;
    if (plan)
        return plan_copy(plan);
    plan = witness->script;
    if (plan) {
        witness->script = plan->next;
        if (!witness->script)
            witness->script_end = &witness->script;
        plan->next = NULL;
        return plan;
    }
    plan = plan_copy(&witness->standard);
    if (witness->query)
        (void)plan_apply(plan, query, len);
    return plan;
}

static void
head_read(struct conn *conn)
{
    struct witness *witness = conn->witness;
    struct port *port = port_find(witness, conn->port);
    struct record *record = tool_alloc(sizeof *record);
    size_t len = 0, query_len = 0;
    const char *target = toolhttp_word(&conn->http, 1, &len), *query = NULL, *lf;

    if (target && (query = memchr(target, '?', len)) != NULL)
        query_len = len - (size_t)(++query - target);
    record->number = ++conn->requests;
    record->offset = conn->framed - conn->http.head.len;
    record->head_at = tool_now();
    if (port && !port->first_request_at)
        port->first_request_at = record->head_at;
    lf = memchr(conn->http.head.data, '\n', conn->http.head.len);
    toolbuf_add(&record->start, conn->http.head.data, (size_t)(lf - conn->http.head.data) + 1);
    find_id(record, &conn->http, query ? query : "", query_len);
    record->keep_alive = conn->http.keep_alive;
    record->head_only = !strncmp(conn->http.head.data, "HEAD ", 5);
    record->plan = next_plan(witness, record->id, query ? query : "", query_len);
    record->counted = true;
    if (++witness->unanswered > witness->unanswered_max)
        witness->unanswered_max = witness->unanswered;
    witness->requests++;
    if (conn->last)
        conn->last->next = record;
    else
        conn->first = record;
    conn->last = record;
    conn->reading = record;
    witness->reading++;
    if (!conn->answering)
        conn->answering = record;
    if (record->plan->noread)
        conn->deaf = true;
    toolsha_init(&conn->sha);
    note_odd(conn);
    control_notify(witness);
}

static void
request_read(struct conn *conn)
{
    struct record *record = conn->reading;
    unsigned char digest[32];
    struct toolbuf hex = {0};

    record->done_at = tool_now();
    record->body = conn->http.body;
    toolsha_get(&conn->sha, digest);
    toolbuf_hex(&hex, digest, sizeof digest);
    memcpy(record->digest, hex.data, 64);
    toolbuf_fini(&hex);
    note_odd(conn);
    conn->witness->reading--;
    conn->reading = NULL;
    toolhttp_start(&conn->http, false);
    witness_execute(conn->witness, record->id);
    control_notify(conn->witness);
}

static void
feed(struct conn *conn, const char *data, size_t len)
{
    struct witness *witness = conn->witness;
    size_t used = 0, keep = witness->record_max - conn->bytes.len, step_used;

    conn->received += len;
    witness->received += len;
    toolbuf_add(&conn->bytes, data, len < keep ? len : keep);
    while (used < len && !conn->end) {
        step_used = toolhttp_feed(&conn->http, data + used, len - used);
        used += step_used;
        conn->framed += step_used;
        if (conn->http.phase != TOOLHTTP_HEAD && !conn->reading)
            head_read(conn);
        if (conn->reading && conn->http.phase == TOOLHTTP_DONE)
            request_read(conn);
        else if (conn->reading)
            conn->reading->body = conn->http.body;
        step(conn);
    }
}

static void
on_event(struct toolfd *watch, uint32_t events)
{
    struct conn *conn = tool_container(watch, struct conn, watch);
    char input[1 << 16];
    ssize_t got;

    if (events & EPOLLOUT) {
        conn->answer.blocked = false;
        if (!conn->mute)
            answer_run(conn);
        if (conn->watch.fd < 0)
            return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        got = recv(conn->watch.fd, input, sizeof input, 0);
        if (got > 0) {
            feed(conn, input, (size_t)got);
        } else if (got == 0) {
            conn->peer_done = true;
            if (conn->end)
                close_socket(conn);
            else
                step(conn);
            control_notify(conn->witness);
        } else if (errno != EAGAIN) {
            set_end(conn, errno == ECONNRESET ? "rst" : "error");
            close_socket(conn);
        }
    }
    conn_rearm(conn);
}

void
conn_accept(struct port *port, int fd)
{
    struct witness *witness = port->witness;
    struct conn *conn = tool_alloc(sizeof *conn);
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    conn->witness = witness;
    conn->watch = (struct toolfd){.fd = fd, .on_event = on_event};
    conn->number = ++witness->next_conn;
    conn->port = port->port;
    conn->opened_at = tool_now();
    conn->idle.on_due = on_idle;
    conn->http.hash = &conn->sha;
    toolhttp_start(&conn->http, false);
    answer_init(conn);
    conn->next = witness->conns;
    witness->conns = conn;
    witness->open++;
    port->accepted++;
    if (!port->first_conn_at)
        port->first_conn_at = conn->opened_at;
    if (port->mode == ACCEPT_DEAF)
        conn->deaf = true;
    if (port->mode == ACCEPT_RST || port->mode == ACCEPT_FIN)
        conn_end(conn, port->mode == ACCEPT_RST ? "our_rst" : "our_fin", port->mode == ACCEPT_RST);
    conn_rearm(conn);
    control_notify(witness);
}

static void
free_conn(struct conn *conn)
{
    while (conn->first) {
        struct record *record = conn->first;

        conn->first = record->next;
        free_record(record);
    }
    toolloop_disarm(&conn->witness->loop, &conn->idle);
    answer_fini(conn);
    toolhttp_fini(&conn->http);
    toolbuf_fini(&conn->bytes);
    free(conn);
}

/* Forgets what an open connection has behind it, if nothing is under way on it. */
static void
forget_past(struct conn *conn)
{
    if (conn->reading || conn->answering || conn->http.head.len)
        return;
    forget_answered(conn);
    conn->bytes.len = 0;
    conn->framed = 0;
}

void
conn_forget_ended(struct witness *witness)
{
    for (struct conn **at = &witness->conns, *conn; (conn = *at) != NULL;) {
        if (conn->watch.fd < 0) {
            *at = conn->next;
            free_conn(conn);
        } else {
            forget_past(conn);
            at = &conn->next;
        }
    }
}
