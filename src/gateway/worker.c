/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker.c: see worker.h. The thread, its sessions and its mail; what becomes of a request is
 * proxy.c's. Owner: the worker's own thread, but for worker_new, worker_start, worker_note and
 * worker_free.
 */
#include "config.h"

#include "gateway/worker.h"
#include "gateway/doors.h"
#include "gateway/gateway.h"
#include "gateway/proxy.h"
#include "gateway/proxy_stream.h"
#include "gateway/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for notes: 100,000 held requests, where hold.total is raised so far, may have verdicts under
 * way at once. Memory that no backlog ever reached is not touched. */
#define INBOX_BYTES (64u << 20)
#define INBOX_BUDGET 512
#define SOURCES_MAX 65536
#define TICKETS_MAX (1u << 20)
#define PROXIES_SPARE 1024


/* ---- configuration ---------------------------------------------------------------- */

static struct worker_config *
config_new(struct gateway_config *c, struct random *r)
{
    struct worker_config *wc = calloc(1, sizeof(*wc));

    if (!wc)
        return NULL;
    wc->routes = route_table_new(c, random_u64(r));
    if (!wc->routes) {
        free(wc);
        return NULL;
    }
    wc->c = gateway_config_ref(c);
    speakers_init(&wc->speakers);
    wc->current = true;
    return wc;
}

static void
config_free(struct worker_config *wc)
{
    if (!wc)
        return;
    speakers_fini(&wc->speakers);
    route_table_free(wc->routes);
    gateway_config_unref(wc->c);
    free(wc);
}

void
worker_config_release(struct worker *w, struct worker_config *wc)
{
    (void)w;
    if (--wc->users == 0 && !wc->current)
        config_free(wc);
}

static void
take_config(struct worker *w)
{
    struct gateway_config *c = gateway_config_now(w->gateway);
    struct worker_config *wc = config_new(c, &w->loop.random), *old = w->config;
    struct back_pool_options back;
    char text[300];
    struct buf why;

    if (!wc) {
        gateway_config_unref(c);
        log_event(w->loop.log, LOG_ERROR, "reload_failed", "worker %u is out of memory",
                  w->number);
        return;
    }
    w->config = wc;
    w->front = c->front;
    w->front_h2 = c->front_h2;
    back = c->back;
    back.metrics = &w->metrics;
    back_pool_configure(w->pool, &back);
    buf_init_fixed(&why, text, sizeof(text));
    if (doors_configure(w->doors, c, wc->routes, &why) < 0)
        log_event(w->loop.log, LOG_ERROR, "reload_failed", "worker %u keeps its old certificates "
                  "and client authorities: %s", w->number, buf_cstr(&why));
    for (unsigned i = 0; i < CONFIG_LISTENERS; i++)
        worker_door_configure(&w->door[i]);
    old->current = false;
    if (old->users == 0)
        config_free(old);
    gateway_config_unref(c);
}

void
worker_check_drained(struct worker *w)
{
    if (w->draining && w->open == 0 && w->exchanges == 0)
        loop_stop(&w->loop);
}

void
worker_exchange_over(struct worker *w)
{
    w->exchanges--;
    worker_check_drained(w);
}

/*
 * ---- mail ---------------------------------------------------------------------------------------
 */

static size_t
pack(struct worker *w, struct note *n, const struct mail *m)
{
    n->kind = NOTE_MAIL;
    n->worker = w->number;
    return NOTE_HEAD + mail_pack(m, n->mail);
}

int
worker_post(struct worker *w, const struct mail *m)
{
    struct note n;
    size_t len = pack(w, &n, m);

    return mailbox_post(w->control, &n, len);
}

void
worker_post_urgent(struct worker *w, const struct mail *m)
{
    struct note n;
    size_t len = pack(w, &n, m);

    if (mailbox_post_urgent(w->control, &n, len) < 0)
        log_event(w->loop.log, LOG_ERROR, "mail_lost", "out of memory: a %s did not reach control",
                  mail_kind_name(m->kind));
}

int
worker_ask(struct worker *w, const struct mail *m)
{
    if (mailbox_reserve(w->inbox, NOTE_VERDICT_ROOM) < 0)
        return -1;
    if (worker_post(w, m) == 0)
        return 0;
    mailbox_unreserve(w->inbox, NOTE_VERDICT_ROOM);
    return -1;
}

void
worker_activity(struct worker *w)
{
    struct mail m;
    usec_t next;

    while (view_activity(w->view, w->loop.now, &m, &next))
        if (worker_post(w, &m) < 0) /* full: said again by the next one */
            break;
    if (next < w->activity.deadline)
        loop_timer_set(&w->loop, &w->activity, next);
}

static void
on_activity_timer(struct wheel_timer *t)
{
    worker_activity(container_of(t, struct worker, activity));
}

/* The life of the sandbox that mail speaks of: back connections of others are over. 0: of all. */
static uint64_t
incarnation_of(const struct mail *m)
{
    if (m->kind == MAIL_STATE)
        return m->u.state.incarnation;
    return m->kind == MAIL_VERDICT ? m->u.verdict.incarnation : 0;
}

static void
on_mail(struct worker *w, const struct mail *m)
{
    struct mail reply;
    unsigned todo;

    if (m->kind != MAIL_VERDICT || m->u.verdict.verdict != VERDICT_NO) {
        todo = view_on_mail(w->view, m, w->loop.now, &reply);
        if (todo & VIEW_DROP_IDLE)
            back_pool_drop(w->pool, m->sandbox, incarnation_of(m));
        if (todo & VIEW_REPLY)
            worker_post_urgent(w, &reply);
        if (todo & VIEW_CLOSE_STREAMS)
            proxy_streams_close(w, m->sandbox, m->u.close.code, m->u.close.why);
    }
    if (m->kind == MAIL_VERDICT) {
        struct proxy *p = idtable_remove(&w->tickets, m->ticket);

        if (p)
            proxy_on_verdict(p, m);
    }
}

static void
on_record(void *ctx, const void *record, size_t n)
{
    struct worker *w = ctx;
    const struct note *note = record;
    struct mail m;

    switch ((enum note_kind)note->kind) {
    case NOTE_MAIL:
        mail_unpack(note->mail, n - NOTE_HEAD, &m);
        on_mail(w, &m);
        return;
    case NOTE_CONFIG:
        take_config(w);
        return;
    case NOTE_DRAIN:
        worker_drain(w, w->config->c->drain, w->config->c->drain_tunnels);
        return;
    case NOTE_STOP:
        worker_drain(w, 0, 0);
        return;
    }
}

void
worker_note(struct worker *w, enum note_kind k)
{
    struct note n = {.kind = k};

    if (mailbox_post_urgent(w->inbox, &n, NOTE_HEAD) < 0)
        log_event(NULL, LOG_ERROR, "mail_lost", "out of memory");
}

/*
 * ---- life
 * ----------------------------------------------------------------------------------------
 */

static void *
thread_main(void *arg)
{
    struct worker *w = arg;

    loop_run(&w->loop);
    gateway_worker_over(w->gateway);
    return NULL;
}

static int
open_parts(struct worker *w, struct gateway_config *c, struct buf *why)
{
    struct back_pool_options back = c->back;

    back.metrics = &w->metrics;
    w->inbox = mailbox_new(&w->loop, INBOX_BYTES, INBOX_BUDGET, on_record, w);
    w->view = view_new(c->max_sandboxes, random_u64(&w->loop.random), random_u64(&w->loop.random));
    w->pool = back_pool_new(&w->loop, &back);
    w->sources = sources_new(SOURCES_MAX, random_u64(&w->loop.random),
                             random_u64(&w->loop.random));
    w->config = config_new(c, &w->loop.random);
    w->front = c->front;
    w->front_h2 = c->front_h2;
    w->doors = doors_new(&w->loop, gateway_tickets(w->gateway));
    if (w->inbox && w->view && w->pool && w->sources && w->config && w->doors)
        return doors_configure(w->doors, c, w->config->routes, why);
    buf_add_str(why, "out of memory");
    return -1;
}

struct worker *
worker_new(struct gateway *g, unsigned number, struct mailbox *control, struct gateway_config *c,
           struct log *log, const int *fd, unsigned n, struct buf *why)
{
    struct worker *w = calloc(1, sizeof(*w));
    struct loop_options o = {.log = log, .number = number};

    if (!w) {
        buf_add_str(why, "out of memory");
        return NULL;
    }
    o.metrics = &w->metrics;
    w->number = number;
    w->gateway = g;
    w->control = control;
    list_init(&w->arrivals);
    list_init(&w->sessions);
    list_init(&w->streams);
    idtable_init(&w->tickets, TICKETS_MAX);
    pool_init(&w->proxies, sizeof(struct proxy), PROXIES_SPARE, 0);
    pool_init(&w->dials, sizeof(struct proxy_dial), PROXIES_SPARE, 0);
    wheel_timer_init(&w->activity, on_activity_timer);
    worker_drain_init(w);
    if (loop_init(&w->loop, &o) < 0) {
        buf_printf(why, "cannot make an event loop: %s", strerror(errno));
        free(w);
        return NULL;
    }
    arrival_hall_init(&w->hall, &w->loop);
    if (open_parts(w, c, why) < 0)
        goto fail;
    for (unsigned i = 0; i < n; i++) {
        int own = fcntl(fd[i], F_DUPFD_CLOEXEC, 3);

        if (own < 0 || worker_door_open(&w->door[i], w, i, own) < 0) {
            buf_printf(why, "cannot listen: %s", strerror(errno));
            goto fail;
        }
    }
    return w;
fail:
    worker_free(w);
    return NULL;
}

int
worker_start(struct worker *w)
{
    char name[16];
    sigset_t all, before;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&w->thread, NULL, thread_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e) {
        errno = e;
        w->thread = 0;
        return -1;
    }
    snprintf(name, sizeof(name), "rouse-w%u", w->number);
    pthread_setname_np(w->thread, name);
    return 0;
}

void
worker_join(struct worker *w)
{
    if (w && w->thread)
        pthread_join(w->thread, NULL);
}

void
worker_free(struct worker *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < CONFIG_LISTENERS; i++)
        worker_door_close(&w->door[i]);
    loop_timer_cancel(&w->loop, &w->activity);
    loop_timer_cancel(&w->loop, &w->drain_timer);
    back_pool_free(w->pool);
    if (w->inbox)
        mailbox_free(w->inbox);
    loop_turn(&w->loop, 0); /* reaps */
    if (w->config)
        speakers_fini(&w->config->speakers);
    doors_free(w->doors);
    view_free(w->view);
    sources_free(w->sources);
    config_free(w->config);
    idtable_fini(&w->tickets);
    pool_fini(&w->proxies);
    pool_fini(&w->dials);
    arrival_hall_fini(&w->hall);
    loop_fini(&w->loop);
    free(w);
}
