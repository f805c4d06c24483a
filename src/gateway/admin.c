/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin.c: see admin.h. Connections, who may do what, and the verbs; what is shown is
 * admin_show.c's. Owner: the control thread.
 */
#include "config.h"

#include "base/jsonw.h"
#include "gateway/admin_priv.h"
#include "gateway/answer.h"
#include "gateway/classify.h"
#include "gateway/gateway.h"
#include "http/memory_end.h"
#include "net/listener.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLS_MAX 1024
/* Connections of one listener: who floods the TCP side leaves the socket alone. */
#define SESSIONS_MAX 512
/* `rouse pause` waits for requests in flight as long as this. */
#define PAUSE_WAIT (10 * USEC_SEC)

/* ---- answers ---------------------------------------------------------------------- */

static void
answer_text(struct admin_call *c, uint16_t status, struct slice type, struct slice body)
{
    head_init(&c->ex.resp);
    if (head_add(&c->ex.resp, &c->ex.arena, FIELD_CACHE_CONTROL, SLICE("Cache-Control"),
                 SLICE("no-store")) < 0 ||
        memory_answer(&c->ex, status, type, body) < 0)
        exchange_abort(&c->ex, REASON_OUT_OF_MEMORY);
}

static void
answer_json(struct admin_call *c, uint16_t status, struct slice body)
{
    answer_text(c, status, SLICE("application/json"), body);
}

/* {"error":slug,"message":text}: text may be NULL. */
static void
answer_error(struct admin_call *c, uint16_t status, const char *slug, const char *text)
{
    char room[512];
    struct buf b;
    struct jsonw j;

    buf_init_fixed(&b, room, sizeof(room));
    jsonw_init(&j, &b);
    jsonw_object(&j);
    jsonw_kv_str(&j, "error", slug);
    jsonw_kv_str(&j, "message", text ? text : slug);
    jsonw_object_end(&j);
    answer_json(c, status, buf_slice(&b));
}

static void
answer_shown(struct admin_call *c, void (*show)(struct admin *a, struct buf *out),
             struct slice type)
{
    struct buf b;

    buf_init(&b, ADMIN_BODY_MAX);
    show(c->admin, &b);
    if (b.full)
        answer_error(c, 500, "out_of_memory", NULL);
    else
        answer_text(c, 200, type, buf_slice(&b));
    buf_fini(&b);
}

/* ---- verbs on one sandbox --------------------------------------------------------- */

/* The value of name= in the query, or the empty slice. Plain: admin clients need no escapes. */
static struct slice
query_value(struct slice query, struct slice name)
{
    struct slice one;

    while (slice_next(&query, '&', &one))
        if (slice_starts(one, name) && one.n > name.n && one.p[name.n] == '=')
            return slice_sub(one, name.n + 1, one.n);
    return SLICE_NONE;
}

static bool
is_known(struct admin *a, const struct sandbox_key *key)
{
    struct buf b;
    bool known;

    buf_init(&b, ADMIN_BODY_MAX);
    known = admin_show_sandbox(a, key, &b);
    buf_fini(&b);
    return known;
}

/* Which platform's sandbox is meant: ?platform=NAME, else the first that knows the id, else the
 * first. */
static int
find_key(struct admin_call *c, struct slice id)
{
    const struct gateway_config *g = c->admin->control->config;
    struct slice name = query_value(c->query, SLICE("platform"));
    int first = -1;

    if (!route_id_valid(id, SANDBOX_ID_MAX))
        return -1;
    c->key.n = (uint16_t)slice_copy(id, c->key.id, sizeof(c->key.id));
    for (unsigned i = 0; i < g->platforms; i++) {
        if (!g->platform[i].used || (name.n && !slice_eq(name, slice_of(g->platform[i].name))))
            continue;
        c->key.platform = (uint16_t)i;
        if (name.n || is_known(c->admin, &c->key))
            return 0;
        first = first < 0 ? (int)i : first;
    }
    c->key.platform = (uint16_t)first;
    return first < 0 ? -1 : 0;
}

/* The first site of the key's platform: whose rules count for a verb. */
static int
find_site(const struct admin_call *c, uint16_t *site)
{
    const struct gateway_config *g = c->admin->control->config;

    for (unsigned i = 0; i < g->sites; i++)
        if (g->site[i].used && g->site[i].platform == c->key.platform) {
            *site = (uint16_t)i;
            return 0;
        }
    return -1;
}

static void
verb_wait(struct admin_call *c, bool wake)
{
    struct control *control = c->admin->control;
    uint16_t site;

    if (find_site(c, &site) < 0) {
        answer_error(c, 404, "unknown_site", "no site of the configuration uses this platform");
        return;
    }
    c->request = idtable_add(&c->admin->open, c);
    if (c->request == 0) {
        answer_error(c, 503, "hold_queue_full", "too many admin requests wait already");
        return;
    }
    c->pausing = !wake;
    if (wake)
        keeper_wake(control->keeper, &c->key, site, c->request, control->loop.now);
    else
        keeper_pause(control->keeper, &c->key, site, c->request, PAUSE_WAIT, control->loop.now);
    control_changed(control);
}

static void
verb_forget(struct admin_call *c)
{
    struct control *control = c->admin->control;
    int rc = keeper_forget(control->keeper, &c->key, control->loop.now);

    control_changed(control);
    if (rc < 0)
        answer_error(c, 409, "not_forgotten", "the sandbox is not known, or requests wait for it");
    else
        answer_json(c, 200, SLICE("{\"ok\":true}"));
}

void
admin_done(struct admin *a, uint64_t request, enum reason r)
{
    struct admin_call *c = idtable_remove(&a->open, request);
    struct buf b;

    if (!c)
        return;
    c->request = 0;
    if (r == REASON_RESUME_FAILED && c->pausing) {
        answer_error(c, 502, "pause_failed", "the platform cannot or would not: see the log");
        return;
    }
    if (r != REASON_NONE) {
        short status = reason_row(r)->status;

        answer_error(c, status > 0 ? (uint16_t)status : 409, reason_slug(r), NULL);
        return;
    }
    buf_init(&b, ADMIN_BODY_MAX);
    if (!admin_show_sandbox(a, &c->key, &b))
        buf_add_str(&b, "{\"ok\":true}");
    answer_json(c, 200, buf_slice(&b));
    buf_fini(&b);
}

/* ---- PUT: news -------------------------------------------------------------------- */

void
admin_put_done(struct admin *a, uint64_t request, const struct sandbox_key *key,
               const struct record *r, const char *why)
{
    struct admin_call *c = idtable_remove(&a->open, request);
    int rc = r ? keeper_on_news(a->control->keeper, key, r, a->control->loop.now) : 0;

    if (!c)
        return;
    c->request = 0;
    if (!r)
        answer_error(c, 422, "record_invalid", why);
    else if (rc < 0)
        answer_error(c, 409, "older_generation", "the sandbox is of a newer generation already");
    else
        answer_json(c, 200, SLICE("{\"ok\":true}"));
}

static void
put_whole(struct admin_call *c)
{
    char text[256];
    struct buf why;

    buf_init_fixed(&why, text, sizeof(text));
    c->request = idtable_add(&c->admin->open, c);
    if (c->request == 0) {
        answer_error(c, 503, "hold_queue_full", "too many admin requests wait already");
        return;
    }
    if (plugin_host_put(c->admin->control->plugins, &c->key, buf_slice(&c->input), c->request,
                        &why) == 0)
        return;
    idtable_remove(&c->admin->open, c->request);
    c->request = 0;
    answer_error(c, 422, "record_invalid", buf_cstr(&why));
}

static struct admin_call *
of_sink(struct exchange_end *end)
{
    return container_of(end, struct admin_call, sink);
}

static void
on_sink_kick(struct exchange_end *end)
{
    struct admin_call *c = of_sink(end);
    struct pipe *p = &c->ex.to_back;
    struct iovec v[8];
    int n;

    while ((n = pipe_peek(p, v, 8)) > 0) {
        size_t sum = 0;

        for (int i = 0; i < n; i++) {
            buf_add(&c->input, v[i].iov_base, v[i].iov_len);
            sum += v[i].iov_len;
        }
        exchange_drain(p, sum, c->ex.front);
    }
    if (!pipe_at_end(p))
        return;
    exchange_detach_back(&c->ex, REASON_NONE);
    if (c->input.full)
        answer_error(c, 413, "body_too_large", "a sandbox's record has at most 64 KiB");
    else
        put_whole(c);
}

static void
on_sink_mark(struct exchange_end *end)
{
    (void)end;
}

static const struct exchange_end_ops sink_ops = {
    .name = "admin body",
    .head = on_sink_mark,
    .kick = on_sink_kick,
    .credit = on_sink_mark,
};

/* ---- dispatch --------------------------------------------------------------------- */

static void
on_sandbox_request(struct admin_call *c, struct slice rest)
{
    ptrdiff_t slash = slice_index(rest, '/');
    struct slice id = slash < 0 ? rest : slice_sub(rest, 0, (size_t)slash);
    struct slice verb = slash < 0 ? SLICE_NONE : slice_sub(rest, (size_t)slash + 1, rest.n);
    enum method m = c->ex.req.method;
    struct buf b;

    if (find_key(c, id) < 0) {
        answer_error(c, 404, "sandbox_not_found", "not an id, or no such platform");
        return;
    }
    if (m == METHOD_PUT && verb.n == 0) {
        exchange_end_init(&c->sink, &sink_ops);
        exchange_attach_back(&c->ex, &c->sink, true);
    } else if (m == METHOD_POST && slice_eq(verb, SLICE("wake"))) {
        verb_wait(c, true);
    } else if (m == METHOD_POST && slice_eq(verb, SLICE("pause"))) {
        verb_wait(c, false);
    } else if (m == METHOD_POST && slice_eq(verb, SLICE("forget"))) {
        verb_forget(c);
    } else if (m == METHOD_GET && verb.n == 0) {
        buf_init(&b, ADMIN_BODY_MAX);
        if (admin_show_sandbox(c->admin, &c->key, &b))
            answer_json(c, 200, buf_slice(&b));
        else
            answer_error(c, 404, "sandbox_not_found", "nothing is known of this sandbox here");
        buf_fini(&b);
    } else {
        answer_error(c, 405, "method_not_allowed",
                     "GET or PUT /sandboxes/ID, POST /sandboxes/ID/wake|pause|forget");
    }
}

/* What GET shows, by path. */
static const struct {
    const char *path;
    void (*show)(struct admin *a, struct buf *out);
    const char *type;
} shown[] = {
    {"/status", admin_show_status, "application/json"},
    {"/readyz", admin_show_ready, "application/json"},
    {"/sandboxes", admin_show_sandboxes, "application/json"},
    {"/holds", admin_show_holds, "application/json"},
    {"/errors", admin_show_errors, "application/json"},
    {"/metrics", admin_show_metrics, "text/plain; version=0.0.4"},
};

static void
on_get(struct admin_call *c)
{
    if (slice_eq(c->path, SLICE("/livez"))) {
        answer_text(c, 200, SLICE("text/plain"), SLICE("ok\n"));
        return;
    }
    if (slice_eq(c->path, SLICE("/readyz")) && gateway_draining(c->admin->control->gateway)) {
        answer_error(c, 503, "draining", "the gateway is shutting down");
        return;
    }
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (slice_eq(c->path, slice_of(shown[i].path))) {
            answer_shown(c, shown[i].show, slice_of(shown[i].type));
            return;
        }
    answer_error(c, 404, "not_found",
                 "there are /livez /readyz /metrics /status /sandboxes[/ID] /holds /errors");
}

/* On TCP whatever changes something needs admin.token. */
static bool
may_change(const struct admin_call *c)
{
    const char *token = c->admin->control->config->admin_token;
    struct slice given = head_value(&c->ex.req, FIELD_AUTHORIZATION);

    if (c->trusted)
        return true;
    if (!token[0] || !slice_istarts(given, SLICE("Bearer ")))
        return false;
    return slice_eq_secret(slice_trim(slice_sub(given, 7, given.n)), slice_of(token));
}

static void
on_request(struct exchange *ex)
{
    struct admin_call *c = container_of(ex, struct admin_call, ex);
    struct slice target = ex->req.target;

    c->path = classify_path(&ex->req);
    c->query = slice_sub(target, c->path.n + 1, target.n);
    if (ex->req.method != METHOD_GET && !may_change(c)) {
        answer_error(c, 403, "auth_required", "changes need the unix socket, or admin.token");
        return;
    }
    if (slice_starts(c->path, SLICE("/sandboxes/"))) {
        on_sandbox_request(c, slice_sub(c->path, 11, c->path.n));
    } else if (ex->req.method == METHOD_GET) {
        on_get(c);
    } else if (slice_eq(c->path, SLICE("/drain"))) {
        gateway_ask_drain(c->admin->control->gateway);
        answer_json(c, 202, SLICE("{\"ok\":true}"));
    } else if (slice_eq(c->path, SLICE("/reload"))) {
        gateway_ask_reload(c->admin->control->gateway);
        answer_json(c, 202, SLICE("{\"ok\":true}"));
    } else {
        answer_error(c, 404, "not_found", "POST /drain, /reload, /sandboxes/ID/wake|pause|forget");
    }
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    exchange_abort(ex, why);
}

static void
on_answer(struct exchange *ex)
{
    (void)ex;
}

static void
on_end(struct exchange *ex)
{
    struct admin_call *c = container_of(ex, struct admin_call, ex);

    if (c->request)
        idtable_remove(&c->admin->open, c->request);
    c->request = 0;
}

static void
release(struct exchange *ex)
{
    struct admin_call *c = container_of(ex, struct admin_call, ex);

    buf_fini(&c->input);
    free(c);
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_end = on_end,
    .release = release,
};

/* ---- connections ------------------------------------------------------------------ */

static struct exchange *
on_new_exchange(void *ctx, struct session *s)
{
    struct listener_door *door = ctx;
    struct admin_call *c = calloc(1, sizeof(*c));

    (void)s;
    if (!c)
        return NULL;
    c->admin = door->admin;
    c->trusted = door->trusted;
    buf_init(&c->input, ADMIN_INPUT_MAX);
    exchange_init(&c->ex, &door->admin->control->loop, &handler);
    return &c->ex;
}

static void
on_bad_request(void *ctx, struct session *s, enum reason why, const char *detail,
               struct buf *body, char request_id[REQUEST_ID_SIZE])
{
    struct answer a = {.reason = why, .shape = ANSWER_JSON, .detail = detail};

    (void)ctx;
    (void)s;
    (void)request_id;
    answer_body(body, &a, 0);
}

static void
on_closed(void *ctx, struct session *s, enum reason why)
{
    (void)why;
    ((struct listener_door *)ctx)->open--;
    list_unlink(&s->link);
}

static const struct session_owner session_owner = {
    .new_exchange = on_new_exchange,
    .on_bad_request = on_bad_request,
    .on_closed = on_closed,
};

static void
on_accept(void *ctx, struct listener *l, int fd, const struct endpoint *peer)
{
    struct listener_door *door = ctx;
    struct session *s;

    (void)l;
    if (door->open >= SESSIONS_MAX) {
        metric_add(door->admin->control->loop.metrics, METRIC_CONNS_REJECTED, 1);
        close(fd);
        return;
    }
    s = h1_server_open(&door->admin->control->loop, fd, peer, &door->admin->options, &session_owner,
                       door);
    if (!s)
        return;
    door->open++;
    list_push_back(&door->admin->sessions, &s->link);
}

static const struct listener_owner listener_owner = {.on_accept = on_accept};

/* Whoever has made the list of descriptors: TCP is never trusted. */
static bool
is_unix(int fd)
{
    struct sockaddr_storage s = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(s);

    return getsockname(fd, (struct sockaddr *)&s, &n) == 0 && s.ss_family == AF_UNIX;
}

struct admin *
admin_new(struct control *c, const int *fd, unsigned n, unsigned trusted)
{
    struct admin *a = calloc(1, sizeof(*a));

    if (!a) {
        for (unsigned i = 0; i < n; i++)
            close(fd[i]);
        return NULL;
    }
    a->control = c;
    a->trusted = trusted;
    list_init(&a->sessions);
    idtable_init(&a->open, CALLS_MAX);
    h1_server_options_init(&a->options);
    for (unsigned i = 0; i < n; i++) {
        a->door[i] = (struct listener_door){a, i < trusted && is_unix(fd[i]), 0};
        a->listener[i] = listener_new(&c->loop, fd[i], &listener_owner, &a->door[i]);
        a->listeners += a->listener[i] != NULL;
    }
    if (a->listeners == n)
        return a;
    admin_free(a);
    return NULL;
}

void
admin_free(struct admin *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < 2; i++)
        if (a->listener[i])
            listener_close(a->listener[i]);
    list_each_safe(n, next, &a->sessions)
        session_close(container_of(n, struct session, link), REASON_SHUTDOWN);
    loop_turn(&a->control->loop, 0); /* reaps what points here */
    idtable_fini(&a->open);
    free(a);
}
