/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.c: see probe.h. A heap of deadlines over one absolute timerfd. The descriptor is
 * edge-triggered and never read: each expiry is an edge of its own, and setting it clears the
 * last.
 */
#include "config.h"

#include "net/probe.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct probe {
    struct event ev;
    struct loop *loop;
    struct heap heap;
    usec_t armed; /* what the timerfd is set to; USEC_NEVER: nothing */
    int fd;
};

/* Sets the timerfd if it would come too late. One that comes too early is harmless, and common:
 * an attempt has succeeded. */
static void
arm(struct probe *p)
{
    const struct heap_node *top = heap_top(&p->heap);
    struct itimerspec its = {.it_interval = {0, 0}};
    usec_t at;

    if (!top || p->armed <= top->at)
        return;
    at = usec_max(top->at, 1); /* 0 would disarm */
    its.it_value.tv_sec = (time_t)(at / USEC_SEC);
    its.it_value.tv_nsec = (long)(at % USEC_SEC * 1000);
    ensure(timerfd_settime(p->fd, TFD_TIMER_ABSTIME, &its, NULL) == 0);
    p->armed = top->at;
}

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
    struct probe *p = arg;
    size_t budget = p->heap.n; /* what a callback sets anew is for the next turn */

    (void)fd;
    (void)what;
    loop_enter(p->loop);
    p->loop->now = loop_clock(); /* other callbacks may have taken their time */
    p->armed = USEC_NEVER;
    while (budget-- > 0) {
        struct heap_node *top = heap_top(&p->heap);
        struct probe_timer *t;

        if (!top || top->at > p->loop->now)
            break;
        t = container_of(top, struct probe_timer, node);
        heap_remove(&p->heap, top);
        t->fire(t);
    }
    arm(p);
}

static struct probe *
probe_new(struct loop *l)
{
    struct probe *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->loop = l;
    p->armed = USEC_NEVER;
    heap_init(&p->heap);
    p->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (p->fd == -1) {
        free(p);
        return NULL;
    }
    event_assign(&p->ev, l->base, p->fd, EV_READ | EV_PERSIST | EV_ET, on_due, p);
    if (event_add(&p->ev, NULL) != 0) {
        close(p->fd);
        free(p);
        return NULL;
    }
    return p;
}

void
probe_free(struct probe *p)
{
    if (!p)
        return;
    event_del(&p->ev);
    close(p->fd);
    heap_fini(&p->heap);
    free(p);
}

void
probe_timer_init(struct probe_timer *t, void (*fire)(struct probe_timer *))
{
    *t = (struct probe_timer){.fire = fire};
}

int
probe_set(struct loop *l, struct probe_timer *t, usec_t at)
{
    if (!l->probe)
        l->probe = probe_new(l);
    if (!l->probe || heap_set(&l->probe->heap, &t->node, at) != 0)
        return -1;
    arm(l->probe);
    return 0;
}

void
probe_cancel(struct loop *l, struct probe_timer *t)
{
    if (l->probe)
        heap_remove(&l->probe->heap, &t->node);
}
