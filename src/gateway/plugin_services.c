/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_services.c: what plugins may ask of the host: timers, fetches, child processes, watched
 * descriptors, log. Every handle is in its instance's list, so that closing an instance stops all
 * it started. Owner: control's thread.
 */
#include "config.h"

#include "base/log.h"
#include "gateway/plugin_crypto.h"
#include "gateway/plugin_priv.h"
#include "http/fetch.h"
#include "net/child.h"
#include "net/watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define FETCH_FIELDS_MAX 64
#define ANSWER_MAX (64u * 1024)

/* What all handles have in common: first member of each. */
struct handle {
    struct list link;
    struct rouse_host *host;
    void (*stop)(struct handle *h); /* stops what is under way */
    struct task reap;
};

struct rouse_timer {
    struct handle handle;
    struct wheel_timer timer;
    void (*fn)(void *arg);
    void *arg;
};

struct rouse_fetch {
    struct handle handle;
    struct fetch *fetch;
    void (*fn)(void *arg, const struct rouse_fetch_result *r);
    void *arg;
};

struct rouse_run {
    struct handle handle;
    struct child *child;
    void (*fn)(void *arg, const struct rouse_run_result *r);
    void *arg;
};

struct rouse_watch {
    struct handle handle;
    struct watch *watch;
    void (*fn)(void *arg);
    void *arg;
};

static void
on_reap(struct task *t)
{
    free(container_of(t, struct handle, reap));
}

static void *
handle_new(struct rouse_host *host, size_t size, void (*stop)(struct handle *h))
{
    struct handle *h = calloc(1, size);

    if (!h)
        return NULL;
    h->host = host;
    h->stop = stop;
    task_init(&h->reap, on_reap);
    list_init(&h->link);
    list_push_back(&host->handles, &h->link);
    return h;
}

/* Memory goes in the reap phase: the caller may be the handle's own callback. */
static void
handle_drop(struct handle *h)
{
    list_unlink(&h->link);
    loop_queue_reap(h->host->h->o.loop, &h->reap);
}

static void
handle_stop(struct handle *h)
{
    if (!h)
        return;
    h->stop(h);
    handle_drop(h);
}

void
plugin_services_stop(struct rouse_host *host)
{
    list_each_safe(n, next, &host->handles)
        handle_stop(container_of(n, struct handle, link));
}

/* ---- timers ----------------------------------------------------------------------- */

static void
stop_timer(struct handle *h)
{
    struct rouse_timer *t = container_of(h, struct rouse_timer, handle);

    loop_timer_cancel(h->host->h->o.loop, &t->timer);
}

static void
on_timer(struct wheel_timer *w)
{
    struct rouse_timer *t = container_of(w, struct rouse_timer, timer);
    struct rouse_host *host = t->handle.host;
    usec_t entered;

    handle_drop(&t->handle);
    entered = plugin_enter(host);
    t->fn(t->arg);
    plugin_leave(host, entered, "timer");
}

static struct rouse_timer *
timer_start(struct rouse_host *host, int64_t after, void (*fn)(void *arg), void *arg)
{
    struct rouse_timer *t = handle_new(host, sizeof(*t), stop_timer);
    struct loop *l = host->h->o.loop;

    if (!t)
        return NULL;
    t->fn = fn;
    t->arg = arg;
    wheel_timer_init(&t->timer, on_timer);
    loop_timer_set(l, &t->timer, usec_add(l->now, after > 0 ? after : 0));
    return t;
}

static void
timer_stop(struct rouse_host *host, struct rouse_timer *t)
{
    (void)host;
    if (t)
        handle_stop(&t->handle);
}

/* ---- fetches ---------------------------------------------------------------------- */

static void
stop_fetch(struct handle *h)
{
    struct rouse_fetch *f = container_of(h, struct rouse_fetch, handle);

    if (f->fetch)
        fetch_cancel(f->fetch);
}

static void
on_fetched(void *ctx, const struct fetch_result *r)
{
    struct rouse_fetch *f = ctx;
    struct rouse_host *host = f->handle.host;
    struct rouse_header header[FETCH_FIELDS_MAX];
    struct rouse_fetch_result out = {.size = sizeof(out), .header = header};
    usec_t entered;

    f->fetch = NULL;
    handle_drop(&f->handle);
    out.status = r->reason == REASON_NONE ? r->status : 0;
    out.sent = r->sent == FETCH_NOT_SENT     ? ROUSE_NOT_SENT
               : r->sent == FETCH_MAYBE_SENT ? ROUSE_MAYBE_SENT
                                             : ROUSE_ANSWERED;
    out.detail = r->detail;
    out.body = plugin_text(r->body);
    for (unsigned i = 0; r->head && i < r->head->fields && out.headers < FETCH_FIELDS_MAX; i++)
        header[out.headers++] = (struct rouse_header){plugin_text(r->head->field[i].name),
                                                      plugin_text(r->head->field[i].value)};
    entered = plugin_enter(host);
    f->fn(f->arg, &out);
    plugin_leave(host, entered, "fetch");
}

static struct rouse_fetch *
fetch_begin(struct rouse_host *host, const struct rouse_fetch_request *q,
            void (*fn)(void *arg, const struct rouse_fetch_result *r), void *arg)
{
    struct rouse_fetch *f = handle_new(host, sizeof(*f), stop_fetch);
    struct fetch_field field[FETCH_FIELDS_MAX];
    struct fetch_options o = {
        .method = plugin_slice(q->method),
        .url = plugin_slice(q->url),
        .field = field,
        .body = plugin_slice(q->body),
        .connect_timeout = q->connect_timeout_us > 0 ? q->connect_timeout_us : USEC_SEC,
        .timeout = q->timeout_us > 0 ? q->timeout_us : 20 * USEC_SEC,
        .answer_max = q->answer_max ? q->answer_max : ANSWER_MAX,
    };
    const char *why = "out of memory";

    if (!f)
        return NULL;
    if (q->size > offsetof(struct rouse_fetch_request, ca))
        o.ca = q->ca;
    f->fn = fn;
    f->arg = arg;
    for (unsigned i = 0; i < q->headers && o.fields < FETCH_FIELDS_MAX; i++)
        field[o.fields++] = (struct fetch_field){plugin_slice(q->header[i].name),
                                                 plugin_slice(q->header[i].value)};
    f->fetch = fetch_start(host->h->o.fetcher, &o, on_fetched, f, &why);
    if (f->fetch)
        return f;
    log_event(host->h->o.log, LOG_ERROR, "platform_call", "%s: cannot call %.*s: %s", host->name,
              (int)q->url.n, q->url.p, why);
    handle_drop(&f->handle);
    return NULL;
}

static void
fetch_end(struct rouse_host *host, struct rouse_fetch *f)
{
    (void)host;
    if (f)
        handle_stop(&f->handle);
}

/* ---- child processes -------------------------------------------------------------- */

static void
stop_run(struct handle *h)
{
    struct rouse_run *r = container_of(h, struct rouse_run, handle);

    if (r->child)
        child_cancel(r->child);
}

static const char *
run_detail(const struct child_result *c)
{
    if (c->status == -1)
        return strerror(c->error);
    if (c->timed_out)
        return "it did not end in time";
    return c->too_long ? "its output is too long" : NULL;
}

static void
on_child_done(void *ctx, const struct child_result *c)
{
    struct rouse_run *r = ctx;
    struct rouse_host *host = r->handle.host;
    struct rouse_run_result out = {.size = sizeof(out), .exit_code = -1};
    bool ended = c->status != -1 && !c->timed_out && !c->too_long;
    usec_t entered;

    r->child = NULL;
    handle_drop(&r->handle);
    if (ended && WIFEXITED(c->status))
        out.exit_code = WEXITSTATUS(c->status);
    else if (c->status != -1) /* it may have been quicker than our own SIGKILL */
        out.signal = WIFSIGNALED(c->status) ? WTERMSIG(c->status) : SIGKILL;
    out.detail = run_detail(c);
    out.output = plugin_text(c->output);
    out.errors = plugin_text(c->errors);
    entered = plugin_enter(host);
    r->fn(r->arg, &out);
    plugin_leave(host, entered, "run");
}

static struct rouse_run *
run_begin(struct rouse_host *host, const struct rouse_run_request *q,
          void (*fn)(void *arg, const struct rouse_run_result *r), void *arg)
{
    struct rouse_run *r = handle_new(host, sizeof(*r), stop_run);
    struct child_options o = {
        .argv = q->argv,
        .envp = q->envp,
        .input = plugin_slice(q->input),
        .output_max = q->output_max ? q->output_max : ANSWER_MAX,
        .timeout = q->timeout_us > 0 ? q->timeout_us : 20 * USEC_SEC,
    };

    if (!r)
        return NULL;
    r->fn = fn;
    r->arg = arg;
    r->child = child_start(host->h->o.loop, &o, on_child_done, r);
    if (r->child)
        return r;
    handle_drop(&r->handle);
    return NULL;
}

static void
run_end(struct rouse_host *host, struct rouse_run *r)
{
    (void)host;
    if (r)
        handle_stop(&r->handle);
}

/* ---- watched descriptors ---------------------------------------------------------- */

static void
stop_watch(struct handle *h)
{
    watch_free(container_of(h, struct rouse_watch, handle)->watch);
}

static void
on_watch(void *ctx)
{
    struct rouse_watch *w = ctx;
    struct rouse_host *host = w->handle.host;
    usec_t entered = plugin_enter(host);

    w->fn(w->arg);
    plugin_leave(host, entered, "watch");
}

static struct rouse_watch *
watch_begin(struct rouse_host *host, int fd, void (*fn)(void *arg), void *arg)
{
    struct rouse_watch *w = handle_new(host, sizeof(*w), stop_watch);

    if (!w)
        return NULL;
    w->fn = fn;
    w->arg = arg;
    w->watch = watch_new(host->h->o.loop, fd, on_watch, w);
    if (w->watch)
        return w;
    handle_drop(&w->handle);
    return NULL;
}

static void
watch_end(struct rouse_host *host, struct rouse_watch *w)
{
    (void)host;
    if (w)
        handle_stop(&w->handle);
}

/* ---- the rest --------------------------------------------------------------------- */

static void
say(struct rouse_host *host, enum rouse_level level, struct rouse_text text)
{
    static const enum log_level to[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    struct log_line l;

    log_open(&l, host->h->o.log, to[level & 3], LOG_EVENT, "plugin");
    log_str(&l, LF_PLATFORM, host->name);
    log_slice(&l, LF_DETAIL, plugin_slice(text));
    log_close(&l);
}

static int64_t
now_us(struct rouse_host *host)
{
    return host->h->o.loop->now;
}

static int64_t
wall_clock_s(struct rouse_host *host)
{
    struct timespec t;

    (void)host;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

const struct rouse_services plugin_services = {
    .size = sizeof(plugin_services),
    .finish = plugin_finish,
    .news = plugin_news,
    .log = say,
    .now_us = now_us,
    .timer = timer_start,
    .timer_stop = timer_stop,
    .fetch = fetch_begin,
    .fetch_stop = fetch_end,
    .run = run_begin,
    .run_stop = run_end,
    .watch = watch_begin,
    .watch_stop = watch_end,
    .sandbox_from_json = plugin_sandbox_from_json,
    .json_parse = plugin_json_parse,
    .json_text = plugin_json_text,
    .json_free = plugin_json_free,
    .request_to_json = plugin_request_to_json,
    .hmac_sha256 = plugin_hmac_sha256,
    .base64_encode = plugin_base64_encode,
    .base64_decode = plugin_base64_decode,
    .wall_clock_s = wall_clock_s,
};
