/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c: see loop.h. libevent only waits and dispatches; the order of a turn is made here.
 *
 * Waiting: one libevent timer at most, and it is left where it stands as long as it fires no
 * later than needed, so that a turn costs no timer call. libevent counts on the coarse clock
 * (late by up to one kernel tick), hence TIMER_SLACK: without it a timer may fire just before the
 * wheel has anything due and the turn is made twice. Nothing that must be exact waits here: see
 * probe.h.
 */
#include "config.h"

#include "net/loop.h"

#include "base/ensure.h"
#include "net/child.h"
#include "net/conn.h"
#include "net/probe.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Tasks a turn runs at most, of each list; the rest is the next turn's. */
#define TURN_BUDGET 4096u
/* Turns in a row that need not ask for events. */
#define SKIP_POLLS 4u
#define TIMER_SLACK (4 * USEC_MS)
#define DEFAULT_TICK (64 * USEC_MS)

struct loop_private {
    struct event timer, wake;
    usec_t timer_at; /* USEC_NEVER: not added */
    int wake_fd;
};

usec_t
loop_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (usec_t)ts.tv_sec * USEC_SEC + (usec_t)(ts.tv_nsec / 1000);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;

    (void)fd;
    (void)what;
    loop_enter(l);
    l->priv->timer_at = USEC_NEVER;
}

/* The descriptor is never read: edge-triggered, each write is an edge of its own. */
static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    loop_enter(arg);
}

static struct event_base *
new_base(void)
{
    struct event_config *cfg = event_config_new();
    struct event_base *base = NULL;

    if (!cfg)
        return NULL;
    if (event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK) == 0 &&
        event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV) == 0 &&
        event_config_require_features(cfg, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE) == 0)
        base = event_base_new_with_config(cfg);
    event_config_free(cfg);
    return base;
}

static int
open_wait(struct loop *l)
{
    struct loop_private *p = l->priv;

    l->base = new_base();
    if (!l->base)
        return -1;
    p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->wake_fd == -1)
        return -1;
    event_assign(&p->timer, l->base, -1, 0, on_timer, l);
    event_assign(&p->wake, l->base, p->wake_fd, EV_READ | EV_PERSIST | EV_ET, on_wake, l);
    return event_add(&p->wake, NULL);
}

static void
close_wait(struct loop *l)
{
    struct loop_private *p = l->priv;

    if (p->wake_fd != -1) {
        event_del(&p->timer);
        event_del(&p->wake);
        close(p->wake_fd);
    }
    if (l->base)
        event_base_free(l->base);
    free(p);
    l->base = NULL;
    l->priv = NULL;
}

int
loop_init(struct loop *l, const struct loop_options *o)
{
    uint64_t seed;
    int error;

    *l = (struct loop){.log = o->log, .metrics = o->metrics, .number = o->number};
    l->priv = calloc(1, sizeof(*l->priv));
    if (!l->priv)
        return -1;
    l->priv->wake_fd = -1;
    l->priv->timer_at = USEC_NEVER;
    errno = 0;
    if (open_wait(l) != 0) {
        error = errno ? errno : ENOMEM;
        close_wait(l);
        errno = error;
        return -1;
    }
    list_init(&l->again_list);
    list_init(&l->run_list);
    list_init(&l->flush_list);
    list_init(&l->rearm_list);
    list_init(&l->reap_list);
    list_init(&l->children);
    list_init(&l->suspects);
    wheel_timer_init(&l->suspects_timer, conn_on_suspects);
    l->now = loop_clock();
    wheel_init(&l->wheel, o->tick > 0 ? o->tick : DEFAULT_TICK, l->now);
    pool_init(&l->small_reads, LOOP_READ_SMALL, 64, 0);
    pool_init(&l->large_reads, LOOP_READ_LARGE, 16, 0);
    pool_init(&l->blocks, LOOP_BLOCK, 1024, 0);
    pool_init(&l->arena_blocks, LOOP_ARENA_BLOCK, 4096, 0);
    pool_init(&l->handles, LOOP_HANDLE, 4096, 0);
    pool_init(&l->pieces, LOOP_PIECE, 4096, 0);
    pool_init(&l->jobs, LOOP_JOB, 1024, 0);
    random_bytes(&seed, sizeof(seed));
    random_seed(&l->random, seed);
    return 0;
}

/* Runs what the list holds, and what that adds to it, in order. */
static void
run_tasks(struct list *q, unsigned budget)
{
    struct list *n;

    while (budget-- > 0 && (n = list_pop_front(q)) != NULL) {
        struct task *t = container_of(n, struct task, link);

        t->run(t);
    }
}

/* Neither may be put off: what was closed in this turn settles its loans, then is freed. */
static void
rearm(struct loop *l)
{
    while (!list_empty(&l->rearm_list))
        run_tasks(&l->rearm_list, TURN_BUDGET);
}

static void
reap(struct loop *l)
{
    while (!list_empty(&l->reap_list))
        run_tasks(&l->reap_list, TURN_BUDGET);
}

void
loop_fini(struct loop *l)
{
    child_end_all(l);
    reap(l);
    probe_free(l->probe);
    l->probe = NULL;
    close_wait(l);
    pool_fini(&l->small_reads);
    pool_fini(&l->large_reads);
    pool_fini(&l->blocks);
    pool_fini(&l->arena_blocks);
    pool_fini(&l->handles);
    pool_fini(&l->pieces);
    pool_fini(&l->jobs);
}

static bool
has_work(const struct loop *l)
{
    return !list_empty(&l->run_list) || !list_empty(&l->flush_list);
}

/* Sees to it that libevent waits until `until` at most. False: that moment has passed. */
static bool
arm_timer(struct loop *l, usec_t until)
{
    struct loop_private *p = l->priv;
    struct timeval tv;
    usec_t wait;

    if (until == USEC_NEVER || p->timer_at <= until)
        return true;
    wait = until - loop_clock();
    if (wait <= 0)
        return false;
    tv.tv_sec = (time_t)(wait / USEC_SEC);
    tv.tv_usec = (suseconds_t)(wait % USEC_SEC);
    if (event_add(&p->timer, &tv) != 0)
        return false; /* out of memory: looks without waiting, and so goes on */
    p->timer_at = until;
    return true;
}

/* The events phase. */
static void
poll_events(struct loop *l, usec_t max_wait)
{
    usec_t until = USEC_NEVER;
    int flags = EVLOOP_ONCE;
    struct list again;

    if (max_wait <= 0 || has_work(l) || !list_empty(&l->again_list)) {
        flags = EVLOOP_NONBLOCK;
    } else {
        until = wheel_next(&l->wheel);
        if (until != USEC_NEVER)
            until += usec_min(TIMER_SLACK, l->wheel.tick / 4);
        if (max_wait != USEC_NEVER)
            until = usec_min(until, usec_add(loop_clock(), max_wait));
        if (!arm_timer(l, until))
            flags = EVLOOP_NONBLOCK;
    }
    list_init(&again);
    list_splice_back(&again, &l->again_list);
    l->fresh = false;
    ensure(event_base_loop(l->base, flags) != -1);
    loop_enter(l);
    run_tasks(&again, TURN_BUDGET);
    list_splice_back(&l->again_list, &again);
    wheel_advance(&l->wheel, l->now);
}

static void
finish_turn(struct loop *l)
{
    run_tasks(&l->run_list, TURN_BUDGET);
    run_tasks(&l->flush_list, TURN_BUDGET);
    rearm(l);
    reap(l);
}

void
loop_turn(struct loop *l, usec_t max_wait)
{
    poll_events(l, max_wait);
    finish_turn(l);
}

void
loop_run(struct loop *l)
{
    unsigned skipped = 0;

    while (!__atomic_load_n(&l->stopping, __ATOMIC_ACQUIRE)) {
        if (has_work(l) && skipped < SKIP_POLLS) {
            skipped++;
            l->now = loop_clock();
        } else {
            skipped = 0;
            poll_events(l, USEC_NEVER);
        }
        finish_turn(l);
    }
    __atomic_store_n(&l->stopping, false, __ATOMIC_RELEASE);
}

void
loop_wake(struct loop *l)
{
    static const uint64_t one = 1;
    int error = errno;
    ssize_t n = write(l->priv->wake_fd, &one, sizeof(one));

    (void)n; /* only EAGAIN at 2^64 - 2, which wakes as well */
    errno = error;
}

void
loop_stop(struct loop *l)
{
    __atomic_store_n(&l->stopping, true, __ATOMIC_RELEASE);
    loop_wake(l);
}

void
task_init(struct task *t, void (*run)(struct task *))
{
    list_init(&t->link);
    t->run = run;
}

void
task_cancel(struct task *t)
{
    list_unlink(&t->link);
}

static void
queue(struct list *q, struct task *t)
{
    if (!list_linked(&t->link))
        list_push_back(q, &t->link);
}

void
loop_queue_run(struct loop *l, struct task *t)
{
    queue(&l->run_list, t);
}

void
loop_queue_again(struct loop *l, struct task *t)
{
    queue(&l->again_list, t);
}

void
loop_queue_flush(struct loop *l, struct task *t)
{
    queue(&l->flush_list, t);
}

void
loop_queue_rearm(struct loop *l, struct task *t)
{
    queue(&l->rearm_list, t);
}

void
loop_queue_reap(struct loop *l, struct task *t)
{
    queue(&l->reap_list, t);
}

void
loop_timer_set(struct loop *l, struct wheel_timer *t, usec_t deadline)
{
    wheel_set(&l->wheel, t, deadline);
}

void
loop_timer_cancel(struct loop *l, struct wheel_timer *t)
{
    wheel_cancel(&l->wheel, t);
}
