/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c: see control.h. Owner: the control thread, but for new, start, note and free. */
#include "config.h"

#include "gateway/control.h"
#include "gateway/admin.h"
#include "gateway/gateway.h"
#include "http/fetch.h"
#include "net/tls_library.h"
#include "net/resolver.h"
#include "store/memory_store.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define INBOX_BYTES (64u << 20)
#define INBOX_BUDGET 2048
#define OWN_MAX 32

/* ---- what the keeper wants done --------------------------------------------------- */

static void
send_mail(void *ctx, unsigned worker, const struct mail *m)
{
    struct control *c = ctx;
    struct mailbox *to = gateway_worker(c->gateway, worker)->inbox;
    struct note n = {.kind = NOTE_MAIL};
    size_t len = NOTE_HEAD + mail_pack(m, n.mail);

    if (m->kind == MAIL_VERDICT)
        mailbox_post_reserved(to, NOTE_VERDICT_ROOM, &n, len);
    else if (mailbox_post_urgent(to, &n, len) < 0)
        log_event(c->loop.log, LOG_ERROR, "mail_lost", "%s for worker %u: out of memory",
                  mail_kind_name(m->kind), worker);
}

static void
call_driver(void *ctx, const struct driver_call *call)
{
    plugin_host_call(((struct control *)ctx)->plugins, call);
}

static void
call_store(void *ctx, const struct store_call *call)
{
    memory_store_ops.call(((struct control *)ctx)->store, call);
}

static const char *
story_word(enum keeper_story s)
{
    switch (s) {
    case STORY_HELD:
        return "held";
    case STORY_WAKE:
        return "wake";
    case STORY_WOKEN:
        return "woken";
    case STORY_WAKE_FAILED:
        return "wake_failed";
    case STORY_RELEASED:
        return "released";
    case STORY_PAUSING:
        return "pausing";
    case STORY_PAUSED:
        return "paused";
    case STORY_PAUSE_ABORTED:
        return "pause_aborted";
    case STORY_ASLEEP:
        return "asleep";
    case STORY_GONE:
        return "gone";
    }
    return "story";
}

static void
tell(void *ctx, const struct keeper_tale *t)
{
    struct control *c = ctx;
    struct log_line l;
    bool bad = t->what == STORY_WAKE_FAILED;

    gateway_tell(c->gateway, t);
    if (!log_enabled(c->loop.log, bad ? LOG_WARN : LOG_INFO))
        return;
    log_open(&l, c->loop.log, bad ? LOG_WARN : LOG_INFO, LOG_EVENT, story_word(t->what));
    log_slice(&l, LF_SANDBOX, (struct slice){t->key->id, t->key->n});
    if (t->port)
        log_i64(&l, LF_SANDBOX_PORT, t->port);
    if (t->epoch)
        log_i64(&l, LF_EPOCH, (int64_t)t->epoch);
    if (t->took > 0)
        log_usec(&l, LF_TOOK, t->took);
    if (t->count)
        log_i64(&l, LF_COUNT, t->count);
    if (t->reason != REASON_NONE)
        log_str(&l, LF_REASON, reason_slug(t->reason));
    if (t->detail)
        log_str(&l, LF_DETAIL, t->detail);
    log_close(&l);
}

static void
verb_done(void *ctx, uint64_t request, enum reason r)
{
    struct control *c = ctx;

    if (c->admin)
        admin_done(c->admin, request, r);
}

/* ---- what happens to the keeper --------------------------------------------------- */

void
control_changed(struct control *c)
{
    loop_queue_rearm(&c->loop, &c->after);
}

static void
on_after(struct task *t)
{
    struct control *c = container_of(t, struct control, after);
    usec_t next = keeper_next(c->keeper);

    if (next == USEC_NEVER)
        probe_cancel(&c->loop, &c->tick);
    else if (probe_set(&c->loop, &c->tick, next) < 0)
        log_event(c->loop.log, LOG_ERROR, "timer_failed", "out of memory");
}

static void
on_tick(struct probe_timer *t)
{
    struct control *c = container_of(t, struct control, tick);

    keeper_tick(c->keeper, c->loop.now);
    control_changed(c);
}

static void
on_driver_result(void *ctx, const struct driver_result *r)
{
    struct control *c = ctx;

    keeper_on_driver(c->keeper, r, c->loop.now);
    control_changed(c);
}

static void
on_store_result(void *ctx, const struct store_result *r)
{
    struct control *c = ctx;

    keeper_on_store(c->keeper, r, c->loop.now);
    control_changed(c);
}

static void
on_news(void *ctx, const struct sandbox_key *key, const struct record *r)
{
    struct control *c = ctx;

    if (keeper_on_news(c->keeper, key, r, c->loop.now) < 0)
        log_event(c->loop.log, LOG_INFO, "news_ignored", "%s: of an older generation", key->id);
    control_changed(c);
}

static void
on_put(void *ctx, uint64_t request, const struct sandbox_key *key, const struct record *r,
       const char *why)
{
    struct control *c = ctx;

    admin_put_done(c->admin, request, key, r, why);
    control_changed(c);
}

static int
set_sites(struct control *c)
{
    for (unsigned i = 0; i < c->config->sites; i++)
        if (c->config->site[i].used &&
            keeper_set_site(c->keeper, (uint16_t)i, &c->config->site[i].keep) < 0)
            return -1;
    return 0;
}

static struct keeper_options
limits_of(struct control *c, const struct gateway_config *g)
{
    return (struct keeper_options){
        .workers = gateway_workers(c->gateway),
        .hold_total = g->hold_total,
        .hold_bytes = g->hold_bytes,
        .max_sandboxes = g->max_sandboxes,
        .fresh = g->fresh,
        .wakes_in_flight = g->wakes_in_flight,
        .wakes_global = g->wakes_global,
        .log = c->loop.log,
        .metrics = &c->metrics,
        .seed = random_u64(&c->loop.random),
    };
}

static void
take_config(struct control *c)
{
    struct gateway_config *fresh = gateway_config_now(c->gateway);
    struct keeper_options limits = limits_of(c, fresh);
    char text[256];
    struct buf why;

    buf_init_fixed(&why, text, sizeof(text));
    gateway_config_unref(c->config);
    c->config = fresh;
    keeper_set_limits(c->keeper, &limits);
    if (plugin_host_configure(c->plugins, fresh, &why) < 0)
        log_event(c->loop.log, LOG_ERROR, "platform_failed", "%s", buf_cstr(&why));
    if (set_sites(c) < 0)
        log_event(c->loop.log, LOG_ERROR, "reload_failed", "control is out of memory");
}

static void
on_record(void *ctx, const void *record, size_t n)
{
    struct control *c = ctx;
    const struct note *note = record;
    struct mail m;

    switch ((enum note_kind)note->kind) {
    case NOTE_MAIL:
        mail_unpack(note->mail, n - NOTE_HEAD, &m);
        keeper_on_mail(c->keeper, (unsigned)note->worker, &m, c->loop.now);
        break;
    case NOTE_CONFIG:
        take_config(c);
        break;
    case NOTE_DRAIN:
        c->draining = true;
        keeper_drain(c->keeper, c->loop.now);
        break;
    case NOTE_STOP:
        loop_stop(&c->loop);
        return;
    }
    control_changed(c);
}

/*
 * ---- life --------------------------------------------------------------------------------------
 */

static uint64_t
wall_clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int
open_domain(struct control *c)
{
    const struct gateway_config *g = c->config;
    struct keeper_options o = limits_of(c, g);
    struct keeper_ports p = {c, send_mail, call_driver, call_store, tell, verb_done};

    c->store = memory_store_new(&c->loop, g->max_sandboxes, wall_clock_us(), on_store_result, c);
    c->keeper = keeper_new(&o, &p, loop_clock());
    return c->store && c->keeper ? set_sites(c) : -1;
}

static int
open_platforms(struct control *c, struct buf *why)
{
    struct plugin_host_ports p = {c, on_driver_result, on_news, on_put};
    struct plugin_host_options o = {.loop = &c->loop, .log = c->loop.log};
    struct endpoint own[OWN_MAX];

    c->resolver = resolver_new(&c->loop);
    c->tls = tls_library_new(&c->loop);
    c->fetcher = c->resolver ? fetcher_new(&c->loop, c->resolver, c->tls) : NULL;
    o.resolver = c->resolver;
    o.fetcher = c->fetcher;
    c->plugins = c->fetcher ? plugin_host_new(&o, &p) : NULL;
    if (!c->plugins) {
        buf_add_str(why, "out of memory");
        return -1;
    }
    plugin_host_set_own(c->plugins, own, gateway_own(c->gateway, own, OWN_MAX));
    return plugin_host_configure(c->plugins, c->config, why);
}

struct control *
control_new(struct gateway *g, struct gateway_config *config, struct log *log, const int *admin_fd,
            unsigned n, struct buf *why)
{
    struct control *c = calloc(1, sizeof(*c));
    struct loop_options o = {.log = log, .number = 1000};

    if (!c)
        return NULL;
    o.metrics = &c->metrics;
    if (loop_init(&c->loop, &o) < 0) {
        free(c);
        return NULL;
    }
    c->gateway = g;
    c->config = gateway_config_ref(config);
    probe_timer_init(&c->tick, on_tick);
    task_init(&c->after, on_after);
    c->inbox = mailbox_new(&c->loop, INBOX_BYTES, INBOX_BUDGET, on_record, c);
    if (!c->inbox || open_domain(c) < 0) {
        buf_add_str(why, "out of memory");
        goto fail;
    }
    if (open_platforms(c, why) < 0)
        goto fail;
    c->admin = admin_new(c, admin_fd, n, config->admin_socket[0] ? 1 : 0);
    if (!c->admin) {
        buf_add_str(why, "out of memory");
        goto fail;
    }
    return c;
fail:
    control_free(c);
    return NULL;
}

static void *
thread_main(void *arg)
{
    struct control *c = arg;

    loop_run(&c->loop);
    return NULL;
}

int
control_start(struct control *c)
{
    sigset_t all, before;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&c->thread, NULL, thread_main, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e) {
        errno = e;
        c->thread = 0;
        return -1;
    }
    pthread_setname_np(c->thread, "rouse-control");
    return 0;
}

void
control_note(struct control *c, enum note_kind k)
{
    struct note n = {.kind = k};

    if (mailbox_post_urgent(c->inbox, &n, NOTE_HEAD) < 0)
        loop_stop(&c->loop);
}

void
control_join(struct control *c)
{
    if (c && c->thread)
        pthread_join(c->thread, NULL);
}

void
control_free(struct control *c)
{
    if (!c)
        return;
    admin_free(c->admin);
    plugin_host_free(c->plugins);
    fetcher_free(c->fetcher);
    resolver_free(c->resolver);
    keeper_free(c->keeper);
    memory_store_free(c->store);
    probe_cancel(&c->loop, &c->tick);
    task_cancel(&c->after);
    if (c->inbox)
        mailbox_free(c->inbox);
    loop_turn(&c->loop, 0); /* reaps */
    tls_library_free(c->tls);
    loop_fini(&c->loop);
    gateway_config_unref(c->config);
    free(c);
}
