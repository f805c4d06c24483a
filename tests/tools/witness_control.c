/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The witness's control port: one HTTP request a connection, JSON back.
 *
 *   GET  /stats                       counters and ports
 *   GET  /conns?bytes=1&after=N       connections and their requests (bytes in hexadecimal)
 *   GET  /executions                  {id: times}
 *   GET  /wait?requests=N&timeout=MS  answers when a counter of /stats has reached N, else 504
 *   POST /plan?PLAN                   what to do with the next request (raw=1: the body verbatim);
 *                                     for=ID: with every request of that id
 *   POST /standard?PLAN               the same for every request without a plan of its own
 *   POST /set?name=&generation=&query=&forget=&record_max=
 *   POST /port?port=P&listen=0|1&in=MS&mode=serve|rst|fin|deaf
 *   POST /push?conn=N  POST /close?conn=N|all&how=fin|rst  POST /reset  POST /quit
 */
#include "config.h"

#include "witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct control {
    struct control *next;       /* among those that wait */
    struct witness *witness;
    struct toolfd watch;
    struct toolhttp http;
    struct toolbuf body, out;
    const char *query;
    size_t query_len;
    bool waiting;
    struct tooltimer timer;
};

static void
control_close(struct control *control)
{
    struct control **at = &control->witness->waiting;

    while (*at && *at != control)
        at = &(*at)->next;
    if (*at)
        *at = control->next;
    toolloop_disarm(&control->witness->loop, &control->timer);
    toolloop_watch(&control->witness->loop, &control->watch, 0);
    close(control->watch.fd);
    toolhttp_fini(&control->http);
    toolbuf_fini(&control->body);
    toolbuf_fini(&control->out);
    free(control);
}

/* Sends the answer with a blocking socket: the other side is our own test. */
static void
reply(struct control *control, int status)
{
    struct toolbuf head = {0};
    size_t sent = 0;

    toolbuf_printf(&head, "HTTP/1.1 %d Control\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\nConnection: close\r\n\r\n", status, control->out.len);
    toolbuf_add(&head, control->out.data, control->out.len);
    while (sent < head.len) {
        ssize_t put = send(control->watch.fd, head.data + sent, head.len - sent, MSG_NOSIGNAL);

        if (put < 0)
            break;
        sent += (size_t)put;
    }
    toolbuf_fini(&head);
    control_close(control);
}

static bool
find(const struct control *control, const char *key, char *out, size_t room)
{
    return plan_find(control->query, control->query_len, key, out, room);
}

static int64_t
find_number(const struct control *control, const char *key, int64_t otherwise)
{
    char text[32];

    return find(control, key, text, sizeof text) ? strtoll(text, NULL, 10) : otherwise;
}

static const struct counter {
    const char *name;
    size_t offset;
} counters[] = {
    {"connections", offsetof(struct witness, next_conn)},
    {"open", offsetof(struct witness, open)},
    {"ended", offsetof(struct witness, ended)},
    {"requests", offsetof(struct witness, requests)},
    {"executed", offsetof(struct witness, executed)},
    {"answered", offsetof(struct witness, answered)},
    {"received", offsetof(struct witness, received)},
    {"unanswered", offsetof(struct witness, unanswered)},
    {"unanswered_max", offsetof(struct witness, unanswered_max)},
    {"reading", offsetof(struct witness, reading)},
    {"executions_max", offsetof(struct witness, executions_max)},
};

static uint64_t
count_of(const struct witness *witness, const struct counter *counter)
{
    uint64_t value;

    memcpy(&value, (const char *)witness + counter->offset, sizeof value);
    return value;
}

static void
put_stats(struct control *control)
{
    static const char *const modes[] = {"serve", "rst", "fin", "deaf"};
    struct witness *witness = control->witness;
    struct toolbuf *out = &control->out;

    toolbuf_printf(out, "{\"now\":%" PRId64 ",\"name\":\"%s\",\"generation\":\"%s\"", tool_now(),
                   witness->name, witness->generation);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        toolbuf_printf(out, ",\"%s\":%" PRIu64, counters[i].name, count_of(witness, &counters[i]));
    toolbuf_puts(out, ",\"ports\":[");
    for (size_t i = 0; i < witness->ports; i++) {
        const struct port *port = &witness->port[i];

        toolbuf_printf(out, "%s{\"port\":%d,\"listening\":%s,\"mode\":\"%s\",\"listen_ns\":%" PRId64
                       ",\"refuse_ns\":%" PRId64 ",\"first_conn_ns\":%" PRId64
                       ",\"first_request_ns\":%" PRId64 ",\"accepted\":%" PRIu64 "}",
                       i ? "," : "", port->port, port->listening ? "true" : "false",
                       modes[port->mode], port->listen_at, port->refuse_at, port->first_conn_at,
                       port->first_request_at, port->accepted);
    }
    toolbuf_puts(out, "]}");
}

static void
put_record(struct toolbuf *out, const struct record *record)
{
    toolbuf_printf(out, "{\"number\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"start\":",
                   record->number, record->offset);
    toolbuf_json(out, record->start.data, record->start.len);
    toolbuf_puts(out, ",\"id\":");
    toolbuf_json(out, record->id, strlen(record->id));
    toolbuf_printf(out, ",\"head_ns\":%" PRId64 ",\"done_ns\":%" PRId64 ",\"answered_ns\":%" PRId64
                   ",\"finished_ns\":%" PRId64 ",\"body\":%" PRId64 ",\"sha256\":\"%s\"",
                   record->head_at, record->done_at, record->answered_at, record->finished_at,
                   record->body, record->digest);
    toolbuf_printf(out, ",\"complete\":%s,\"odd\":", record->done_at ? "true" : "false");
    if (record->odd.len)
        toolbuf_add(out, record->odd.data, record->odd.len);
    else
        toolbuf_puts(out, "[]");
    toolbuf_puts(out, "}");
}

static void
put_conns(struct control *control)
{
    struct toolbuf *out = &control->out;
    uint64_t after = (uint64_t)find_number(control, "after", 0);
    bool bytes = find_number(control, "bytes", 0) != 0;
    const char *comma = "";

    toolbuf_puts(out, "[");
    for (const struct conn *conn = control->witness->conns; conn; conn = conn->next) {
        if (conn->number <= after)
            continue;
        toolbuf_printf(out, "%s{\"conn\":%" PRIu64 ",\"port\":%d,\"opened_ns\":%" PRId64
                       ",\"ended_ns\":%" PRId64 ",\"end\":", comma, conn->number, conn->port,
                       conn->opened_at, conn->ended_at);
        comma = ",";
        if (conn->end)
            toolbuf_printf(out, "\"%s\"", conn->end);
        else
            toolbuf_puts(out, "null");
        toolbuf_printf(out, ",\"peer_fin\":%s,\"received\":%" PRIu64 ",\"requests\":[",
                       conn->peer_done ? "true" : "false", conn->received);
        for (const struct record *record = conn->first; record; record = record->next) {
            if (record != conn->first)
                toolbuf_puts(out, ",");
            put_record(out, record);
        }
        toolbuf_puts(out, "]");
        if (bytes) {
            toolbuf_puts(out, ",\"hex\":\"");
            toolbuf_hex(out, conn->bytes.data, conn->bytes.len);
            toolbuf_puts(out, "\"");
        }
        toolbuf_puts(out, "}");
    }
    toolbuf_puts(out, "]");
}

static void
put_executions(struct control *control)
{
    const struct witness *witness = control->witness;
    const char *comma = "";

    toolbuf_puts(&control->out, "{");
    for (size_t i = 0; i < witness->execution_room; i++) {
        const struct execution *execution = &witness->executions[i];

        if (!execution->count)
            continue;
        toolbuf_puts(&control->out, comma);
        toolbuf_json(&control->out, execution->id, strlen(execution->id));
        toolbuf_printf(&control->out, ":%" PRIu64, execution->count);
        comma = ",";
    }
    toolbuf_puts(&control->out, "}");
}

/* Whether every counter that the query of /wait names has been reached. */
static bool
reached(const struct control *control)
{
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        int64_t want = find_number(control, counters[i].name, -1);

        if (want >= 0 && count_of(control->witness, &counters[i]) < (uint64_t)want)
            return false;
    }
    return control->witness->open <= (uint64_t)find_number(control, "open_most", INT64_MAX) &&
           control->witness->reading <= (uint64_t)find_number(control, "reading_most", INT64_MAX);
}

static void
on_timeout(struct tooltimer *timer)
{
    struct control *control = tool_container(timer, struct control, timer);

    put_stats(control);
    reply(control, 504);
}

void
control_notify(struct witness *witness)
{
    for (struct control *control = witness->waiting, *next; control; control = next) {
        next = control->next;
        if (reached(control)) {
            put_stats(control);
            reply(control, 200);
        }
    }
}

static void
run_wait(struct control *control)
{
    int64_t timeout = find_number(control, "timeout", 10000);

    if (reached(control)) {
        put_stats(control);
        reply(control, 200);
        return;
    }
    control->waiting = true;
    control->next = control->witness->waiting;
    control->witness->waiting = control;
    control->timer.on_due = on_timeout;
    toolloop_arm(&control->witness->loop, &control->timer, tool_now() + timeout * 1000000);
}

static int
run_plan(struct control *control, bool standard)
{
    struct witness *witness = control->witness;
    struct plan *plan = tool_alloc(sizeof *plan);
    const char *wrong;

    plan_init(plan);
    wrong = plan_apply(plan, control->query, control->query_len);
    if (wrong) {
        toolbuf_puts(&control->out, "\"wrong plan\"");
        plan_free(plan);
        return 400;
    }
    plan->has_raw = find_number(control, "raw", 0) != 0;
    toolbuf_add(&plan->raw, control->body.data, plan->has_raw ? control->body.len : 0);
    if (find(control, "for", plan->id, sizeof plan->id)) {
        plan->next = witness->named;
        witness->named = plan;
        return 200;
    }
    if (standard) {
        toolbuf_fini(&witness->standard.cuts);
        toolbuf_fini(&witness->standard.fields);
        toolbuf_fini(&witness->standard.raw);
        witness->standard = *plan;
        free(plan);
        return 200;
    }
    for (int64_t more = find_number(control, "repeat", 1); more > 1; more--) {
        *witness->script_end = plan_copy(plan);
        witness->script_end = &(*witness->script_end)->next;
    }
    *witness->script_end = plan;
    witness->script_end = &plan->next;
    return 200;
}

static int
run_port(struct control *control)
{
    static const char *const modes[] = {"serve", "rst", "fin", "deaf"};
    struct witness *witness = control->witness;
    struct port *port = port_find(witness, (int)find_number(control, "port", 0));
    int64_t in = find_number(control, "in", 0), listening = find_number(control, "listen", -1);
    char mode[16];

    if (!port)
        return 404;
    if (find(control, "mode", mode, sizeof mode))
        for (int i = 0; i < 4; i++)
            if (!strcmp(modes[i], mode))
                port->mode = (enum accept_mode)i;
    if (listening == 0)
        port_refuse(port);
    if (listening == 1 && in > 0)
        toolloop_arm(&witness->loop, &port->opening, tool_now() + in * 1000000);
    else if (listening == 1)
        port_listen(port);
    return 200;
}

static void
run_set(struct control *control)
{
    struct witness *witness = control->witness;

    find(control, "name", witness->name, sizeof witness->name);
    find(control, "generation", witness->generation, sizeof witness->generation);
    witness->query = find_number(control, "query", witness->query) != 0;
    witness->forget = find_number(control, "forget", witness->forget) != 0;
    witness->record_max = (size_t)find_number(control, "record_max", (int64_t)witness->record_max);
}

static int
run_conn(struct control *control, bool push)
{
    int64_t number = find_number(control, "conn", -1);
    char how[8] = "fin";
    int found = 0;

    find(control, "how", how, sizeof how);
    for (struct conn *conn = control->witness->conns; conn; conn = conn->next) {
        if ((number >= 0 && conn->number != (uint64_t)number) || conn->end)
            continue;
        found++;
        if (push)
            conn_push(conn, control->body.data, control->body.len);
        else
            conn_end(conn, how[0] == 'r' ? "our_rst" : "our_fin", how[0] == 'r');
    }
    return found ? 200 : 404;
}

static void
free_plans(struct plan **plans)
{
    while (*plans) {
        struct plan *plan = *plans;

        *plans = plan->next;
        plan_free(plan);
    }
}

static void
run_reset(struct witness *witness)
{
    conn_forget_ended(witness);
    free_plans(&witness->script);
    free_plans(&witness->named);
    witness->script_end = &witness->script;
    witness->requests = witness->executed = witness->answered = witness->received = 0;
    witness->ended = witness->next_conn = witness->executions_max = 0;
    witness->unanswered_max = witness->unanswered;
    free(witness->executions);
    witness->executions = NULL;
    witness->execution_room = witness->execution_count = 0;
}

static void
run_post(struct control *control, const char *path)
{
    int status = 200;

    if (!strcmp(path, "/plan"))
        status = run_plan(control, false);
    else if (!strcmp(path, "/standard"))
        status = run_plan(control, true);
    else if (!strcmp(path, "/set"))
        run_set(control);
    else if (!strcmp(path, "/port"))
        status = run_port(control);
    else if (!strcmp(path, "/push"))
        status = run_conn(control, true);
    else if (!strcmp(path, "/close"))
        status = run_conn(control, false);
    else if (!strcmp(path, "/reset"))
        run_reset(control->witness);
    else if (!strcmp(path, "/quit"))
        control->witness->loop.stop = true;
    else
        status = 404;
    control->out.len = 0;
    put_stats(control);
    reply(control, status);
}

static void
run_command(struct control *control)
{
    size_t len = 0;
    const char *target = toolhttp_word(&control->http, 1, &len);
    const char *query = target ? memchr(target, '?', len) : NULL;
    size_t path_len = query ? (size_t)(query - target) : len;
    char path[32] = "";

    control->query = query ? query + 1 : "";
    control->query_len = query ? len - path_len - 1 : 0;
    if (path_len < sizeof path && target)
        memcpy(path, target, path_len);
    if (!strncmp(control->http.head.data, "POST ", 5)) {
        run_post(control, path);
        return;
    }
    if (!strcmp(path, "/wait")) {
        run_wait(control);
        return;
    }
    if (!strcmp(path, "/conns"))
        put_conns(control);
    else if (!strcmp(path, "/executions"))
        put_executions(control);
    else
        put_stats(control);
    reply(control, 200);
}

static void
on_event(struct toolfd *watch, uint32_t events)
{
    struct control *control = tool_container(watch, struct control, watch);
    char input[1 << 16];
    ssize_t got = recv(watch->fd, input, sizeof input, MSG_DONTWAIT);

    (void)events;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        control_close(control);
        return;
    }
    if (control->waiting)
        return;
    for (size_t used = 0; used < (size_t)got && control->http.phase != TOOLHTTP_DONE;)
        used += toolhttp_feed(&control->http, input + used, (size_t)got - used);
    if (control->http.phase == TOOLHTTP_DONE)
        run_command(control);
}

void
control_open(struct witness *witness, int fd)
{
    struct control *control = tool_alloc(sizeof *control);

    control->witness = witness;
    control->watch = (struct toolfd){.fd = fd, .on_event = on_event};
    control->http.store = &control->body;
    toolhttp_start(&control->http, false);
    toolloop_watch(&witness->loop, &control->watch, EPOLLIN);
}
