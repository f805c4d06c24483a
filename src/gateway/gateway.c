/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway.c: see gateway.h. The main thread: binds, starts the others, writes the log, minds
 * signals, and at the end proves that every request was accounted for.
 */
#include "config.h"

#include "gateway/gateway.h"
#include "gateway/control.h"
#include "gateway/gateway_priv.h"
#include "gateway/worker.h"
#include "net/listener.h"
#include "net/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A plugin that keeps control longer is named while it does. */
#define STALLED (500 * USEC_MS)

enum asked { ASKED_DRAIN = 1, ASKED_RELOAD = 2 };

/*
 * ---- shared by the threads --------------------------------------------------------------------
 */

struct gateway_config *
gateway_config_now(struct gateway *g)
{
    struct gateway_config *c;

    pthread_mutex_lock(&g->lock);
    c = gateway_config_ref(g->config);
    pthread_mutex_unlock(&g->lock);
    return c;
}

bool
gateway_conn_enter(struct gateway *g, uint32_t max)
{
    if ((uint32_t)__atomic_add_fetch(&g->conns, 1, __ATOMIC_RELAXED) <= max)
        return true;
    gateway_conn_leave(g);
    return false;
}

void
gateway_conn_leave(struct gateway *g)
{
    __atomic_sub_fetch(&g->conns, 1, __ATOMIC_RELAXED);
}

uint32_t
gateway_conns(const struct gateway *g)
{
    return (uint32_t)__atomic_load_n(&g->conns, __ATOMIC_RELAXED);
}

static void
ask(struct gateway *g, enum asked what)
{
    __atomic_or_fetch(&g->asked, what, __ATOMIC_RELEASE);
    loop_wake(&g->loop);
}

void
gateway_ask_drain(struct gateway *g)
{
    ask(g, ASKED_DRAIN);
}

void
gateway_ask_reload(struct gateway *g)
{
    ask(g, ASKED_RELOAD);
}

void
gateway_worker_over(struct gateway *g)
{
    __atomic_add_fetch(&g->over, 1, __ATOMIC_RELEASE);
    loop_wake(&g->loop);
}

void
gateway_metrics(struct gateway *g, struct metrics *sum)
{
    memset(sum, 0, sizeof(*sum));
    metric_sum(sum, &g->control->metrics);
    for (unsigned i = 0; i < g->workers; i++)
        metric_sum(sum, &g->worker[i]->metrics);
    sum->value[METRIC_LOG_DROPPED] += (int64_t)log_hub_dropped(g->o.hub);
}

usec_t
gateway_uptime(const struct gateway *g)
{
    return loop_clock() - g->started;
}

unsigned
gateway_workers(const struct gateway *g)
{
    return g->workers;
}

struct worker *
gateway_worker(struct gateway *g, unsigned n)
{
    ensure(n < g->workers);
    return g->worker[n];
}

bool
gateway_draining(const struct gateway *g)
{
    return __atomic_load_n(&g->draining, __ATOMIC_RELAXED);
}

const struct address_own *
gateway_own_rules(const struct gateway *g)
{
    return &g->own;
}

void
gateway_tell(struct gateway *g, const struct keeper_tale *t)
{
    if (g->o.story)
        g->o.story(g->o.ctx, t);
}

struct tls_tickets *
gateway_tickets(struct gateway *g)
{
    return g->tickets;
}

struct log_hub *
gateway_log_hub(struct gateway *g)
{
    return g->o.hub;
}

/*
 * ---- drain and reload
 * ----------------------------------------------------------------------------
 */

static void
to_all(struct gateway *g, enum note_kind k)
{
    control_note(g->control, k);
    for (unsigned i = 0; i < g->workers; i++)
        worker_note(g->worker[i], k);
}

static void
close_listeners(struct gateway *g)
{
    while (g->fds > 0)
        close(g->fd[--g->fds]);
}

static void
drain(struct gateway *g)
{
    if (g->draining) { /* asked twice: cut what is left */
        for (unsigned i = 0; i < g->workers; i++)
            worker_note(g->worker[i], NOTE_STOP);
        return;
    }
    __atomic_store_n(&g->draining, true, __ATOMIC_RELAXED);
    log_event(g->log, LOG_INFO, "draining", "what is in service goes on for at most %lld s",
              (long long)(g->config->drain / USEC_SEC));
    close_listeners(g); /* workers have duplicates, to be closed when the backlog is empty */
    to_all(g, NOTE_DRAIN);
}

/*
 * Listeners change with a restart only: the new snapshot gets those that are bound, in their order,
 * each with what the file now says of its trusted peers; and the admin side's addresses, so that
 * at the end the socket that is removed is the one that was bound.
 */
static void
keep_listeners(const struct gateway_config *old, struct gateway_config *fresh)
{
    struct listener_config kept[CONFIG_LISTENERS];

    for (unsigned i = 0; i < old->listeners; i++) {
        kept[i] = old->listener[i];
        for (unsigned j = 0; j < fresh->listeners; j++)
            if (strcmp(fresh->listener[j].address, kept[i].address) == 0)
                kept[i] = fresh->listener[j];
    }
    memcpy(fresh->listener, kept, old->listeners * sizeof(kept[0]));
    fresh->listeners = old->listeners;
    memcpy(fresh->admin_socket, old->admin_socket, sizeof(fresh->admin_socket));
    memcpy(fresh->admin_address, old->admin_address, sizeof(fresh->admin_address));
}

static void
reload(struct gateway *g)
{
    char text[512];
    struct buf why;
    struct gateway_config *fresh, *old;

    buf_init_fixed(&why, text, sizeof(text));
    fresh = g->o.reload ? g->o.reload(g->o.ctx, &why) : NULL;
    if (!fresh) {
        metric_add(&g->control->metrics, METRIC_RELOADS_FAILED, 1);
        log_event(g->log, LOG_ERROR, "reload_failed", "the old configuration stays: %s",
                  why.n ? buf_cstr(&why) : "there is no file to read again");
        return;
    }
    keep_listeners(g->config, fresh);
    pthread_mutex_lock(&g->lock);
    old = g->config;
    g->config = fresh;
    pthread_mutex_unlock(&g->lock);
    gateway_config_unref(old);
    log_hub_set_level(g->o.hub, fresh->log_level);
    metric_add(&g->control->metrics, METRIC_RELOADS, 1);
    to_all(g, NOTE_CONFIG);
    log_event(g->log, LOG_INFO, "reloaded", "%s", fresh->source);
}

static void
on_signal(void *ctx, int sig)
{
    struct gateway *g = ctx;

    if (sig == SIGHUP)
        reload(g);
    else
        drain(g);
}

static void
do_asked(struct gateway *g)
{
    unsigned asked = __atomic_exchange_n(&g->asked, 0, __ATOMIC_ACQUIRE);

    if (asked & ASKED_RELOAD)
        reload(g);
    if (asked & ASKED_DRAIN)
        drain(g);
}

/* Says, while it lasts, that a plugin keeps the control thread: every request that must ask waits.
 * */
static void
watch_control(struct gateway *g)
{
    const char *name;
    usec_t busy = plugin_host_busy(g->control->plugins, loop_clock(), &name);

    if (busy < STALLED) {
        g->stalled = false;
    } else if (!g->stalled) {
        g->stalled = true;
        log_event(g->log, LOG_ERROR, "control_stalled", "in plugin %s for %lld ms already", name,
                  (long long)(busy / USEC_MS));
    }
}

static void
on_log_timer(struct wheel_timer *t)
{
    struct gateway *g = container_of(t, struct gateway, log_timer);

    watch_control(g);
    loop_timer_set(&g->loop, t, g->loop.now + LOG_TICK);
}

/* accepted = answered + aborted + client_left, nothing in flight: or the exit code says so. */
static int
account(struct gateway *g)
{
    struct metrics m;
    struct log_line l;
    int64_t accepted, ended, active;
    bool ok;

    gateway_metrics(g, &m);
    accepted = m.value[METRIC_ACCEPTED];
    active = m.value[METRIC_ACTIVE];
    ended = m.value[METRIC_ANSWERED] + m.value[METRIC_ABORTED] + m.value[METRIC_CLIENT_LEFT];
    ok = accepted == ended && active == 0;
    log_open(&l, g->log, ok ? LOG_INFO : LOG_ERROR, LOG_EVENT, "accounting");
    log_i64(&l, LF_ACCEPTED, accepted);
    log_i64(&l, LF_ANSWERED, m.value[METRIC_ANSWERED]);
    log_i64(&l, LF_ABORTED, m.value[METRIC_ABORTED]);
    log_i64(&l, LF_LEFT, m.value[METRIC_CLIENT_LEFT]);
    log_i64(&l, LF_IN_FLIGHT, active);
    log_i64(&l, LF_DROPPED, m.value[METRIC_LOG_DROPPED]);
    log_close(&l);
    return ok ? 0 : 1;
}

int
gateway_run(struct gateway *g)
{
    int rc;

    while (__atomic_load_n(&g->over, __ATOMIC_ACQUIRE) < g->workers) {
        loop_turn(&g->loop, LOG_TICK);
        log_hub_drain(g->o.hub, g->o.log_fd);
        do_asked(g);
    }
    control_note(g->control, NOTE_STOP);
    rc = account(g);
    log_event(g->log, LOG_INFO, "stopped", "after %lld s",
              (long long)(gateway_uptime(g) / USEC_SEC));
    return rc;
}

static void
on_log_alarm(void *ctx)
{
    loop_wake(&((struct gateway *)ctx)->loop);
}

static int
start_threads(struct gateway *g, struct buf *why)
{
    unsigned per = g->config->listeners;

    g->control = control_new(g, g->config, log_new(g->o.hub), g->admin_fd, g->admin_fds, why);
    g->admin_fds = 0; /* taken over */
    if (!g->control)
        return -1;
    for (unsigned i = 0; i < g->workers; i++) {
        g->worker[i] = worker_new(g, i, g->control->inbox, g->config, log_new(g->o.hub),
                                  g->fd + i * per, per, why);
        if (!g->worker[i])
            return -1;
    }
    if (control_start(g->control) < 0) {
        buf_printf(why, "cannot start a thread: %s", strerror(errno));
        return -1;
    }
    for (unsigned i = 0; i < g->workers; i++)
        if (worker_start(g->worker[i]) < 0) {
            buf_printf(why, "cannot start a thread: %s", strerror(errno));
            return -1;
        }
    return 0;
}

static const int watched[] = {SIGTERM, SIGINT, SIGHUP};
#define SIGNALS (sizeof(watched) / sizeof(watched[0]))

static int
watch_signals(struct gateway *g)
{
    signal(SIGPIPE, SIG_IGN);
    g->signals = signals_new(&g->loop, watched, SIGNALS, on_signal, g);
    return g->signals ? 0 : -1;
}

/* One secret for all workers: a client may come back to any of them. */
static int
make_tickets(struct gateway *g, struct buf *why)
{
    const struct gateway_config *c = g->config;
    struct slice key = slice_of(c->ticket_key);

    g->tickets = tls_tickets_new(key.n > 0 ? key : SLICE_NONE,
                                 (int)(c->ticket_rotation / USEC_SEC));
    if (!g->tickets)
        buf_printf(why, errno == EINVAL ? "tls.ticket_key is shorter than %u bytes"
                                        : "out of memory", TLS_TICKETS_SECRET);
    return g->tickets ? 0 : -1;
}

struct gateway *
gateway_start(const struct gateway_options *o, struct buf *why)
{
    struct gateway *g = calloc(1, sizeof(*g));
    struct loop_options lo = {.number = 1001, .tick = LOG_TICK};

    if (!g)
        return NULL;
    g->o = *o;
    g->log = lo.log = log_new(o->hub);
    pthread_mutex_init(&g->lock, NULL);
    g->config = gateway_config_ref(o->config);
    g->workers = o->config->workers > WORKERS_MAX ? WORKERS_MAX : o->config->workers;
    if (loop_init(&g->loop, &lo) < 0) {
        gateway_config_unref(g->config);
        free(g);
        return NULL;
    }
    g->started = loop_clock();
    log_hub_set_alarm(o->hub, on_log_alarm, g);
    wheel_timer_init(&g->log_timer, on_log_timer);
    if (make_tickets(g, why) < 0 || gateway_bind(g, why) < 0)
        goto fail;
    g->own.own_n = (uint8_t)gateway_own(g, g->own.own, sizeof(g->own.own) / sizeof(g->own.own[0]));
    address_own_local(&g->own);
    if (start_threads(g, why) < 0)
        goto fail;
    if (watch_signals(g) < 0) {
        buf_add_str(why, "cannot watch signals");
        goto fail;
    }
    gateway_announce(g);
    loop_timer_set(&g->loop, &g->log_timer, g->started);
    log_event(g->log, LOG_INFO, "ready", "%u worker%s, configuration %s", g->workers,
              g->workers == 1 ? "" : "s",
              g->config->source);
    return g;
fail:
    gateway_free(g);
    return NULL;
}

/* A reader that is only slow gets a second to take the last lines. */
static void
last_lines(struct gateway *g)
{
    struct pollfd p = {.fd = g->o.log_fd, .events = POLLOUT};
    usec_t until = loop_clock() + USEC_SEC;

    while (log_hub_drain(g->o.hub, g->o.log_fd) >= 0 && log_hub_pending(g->o.hub) &&
           loop_clock() < until)
        if (poll(&p, 1, 100) < 0)
            return;
}

void
gateway_free(struct gateway *g)
{
    sigset_t watch;

    if (!g)
        return;
    for (unsigned i = 0; i < g->workers; i++)
        if (g->worker[i] && g->worker[i]->thread)
            worker_note(g->worker[i], NOTE_STOP);
    for (unsigned i = 0; i < g->workers; i++)
        worker_join(g->worker[i]);
    if (g->control && g->control->thread)
        control_note(g->control, NOTE_STOP);
    control_join(g->control);
    for (unsigned i = 0; i < g->workers; i++)
        worker_free(g->worker[i]);
    control_free(g->control);
    /* It ends as fast as it can: whoever asks again must not kill it short of its accounts. */
    sigemptyset(&watch);
    for (unsigned i = 0; i < SIGNALS; i++)
        sigaddset(&watch, watched[i]);
    pthread_sigmask(SIG_BLOCK, &watch, NULL);
    signals_free(g->signals);
    close_listeners(g);
    for (unsigned i = 0; i < g->admin_fds; i++)
        close(g->admin_fd[i]);
    if (g->admin_bound)
        unlink(g->config->admin_socket);
    loop_timer_cancel(&g->loop, &g->log_timer);
    log_hub_set_alarm(g->o.hub, NULL, NULL);
    last_lines(g);
    loop_fini(&g->loop);
    pthread_mutex_destroy(&g->lock);
    tls_tickets_unref(g->tickets);
    gateway_config_unref(g->config);
    free(g);
}
