/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.c: see listener.h. Level-triggered: what the budget leaves in the backlog is reported
 * again.
 *
 *     accepting --EMFILE...--> paused --LISTENER_PAUSE--> accepting
 *
 * A first pause gives the process time to recover, and the callers wait in the backlog. When
 * descriptors are still wanting after it, callers are let down politely instead of being left to
 * their own time-outs: the reserve descriptor is given up, a budget of connections is accepted
 * and closed, and the reserve is taken again.
 */
#include "config.h"

#include "net/listener.h"

#include "base/log.h"
#include "base/metric.h"
#include "net/address.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct listener {
    struct event ev;
    struct loop *loop;
    const struct listener_owner *owner;
    void *ctx;
    struct wheel_timer pause;
    struct task reap;
    int fd, reserve;
    bool closed;
    bool starved; /* the last try ended for want of something */
};

static void
reap_listener(struct task *t)
{
    free(container_of(t, struct listener, reap));
}

static int
accept_one(struct listener *l, struct endpoint *peer)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof(from);
    int fd;

    from.ss_family = AF_UNSPEC;
    fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd != -1)
        *peer = address_endpoint((const struct sockaddr *)&from);
    return fd;
}

static void
take_reserve(struct listener *l)
{
    if (l->reserve == -1)
        l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Accepts and closes with the one descriptor there is. */
static void
let_down(struct listener *l)
{
    unsigned let = 0;

    if (l->reserve == -1)
        return;
    close(l->reserve);
    l->reserve = -1;
    while (let < LISTENER_ACCEPT_BUDGET) {
        struct endpoint peer;
        int fd = accept_one(l, &peer);

        if (fd == -1)
            break;
        shutdown(fd, SHUT_WR);
        close(fd);
        let++;
    }
    take_reserve(l);
    metric_add(l->loop->metrics, METRIC_CONNS_REJECTED, let);
}

static void
pause_accepting(struct listener *l, int error)
{
    if (l->starved && (error == EMFILE || error == ENFILE))
        let_down(l);
    if (!l->starved)
        log_event(l->loop->log, LOG_WARN, "accept_paused", "errno %d", error);
    l->starved = true;
    metric_add(l->loop->metrics, METRIC_ACCEPT_PAUSED, 1);
    event_del(&l->ev);
    loop_timer_set(l->loop, &l->pause, usec_add(l->loop->now, LISTENER_PAUSE));
}

static void
on_pause_over(struct wheel_timer *t)
{
    struct listener *l = container_of(t, struct listener, pause);

    take_reserve(l);
    if (event_add(&l->ev, NULL) != 0)
        loop_timer_set(l->loop, &l->pause, usec_add(l->loop->now, LISTENER_PAUSE));
}

/* Errors that concern one connection, not us (accept(2): Linux passes the network's on). */
static bool
is_passing(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

static void
on_acceptable(evutil_socket_t unused, short what, void *arg)
{
    struct listener *l = arg;

    (void)unused;
    (void)what;
    loop_enter(l->loop);
    for (unsigned i = 0; i < LISTENER_ACCEPT_BUDGET && !l->closed; i++) {
        struct endpoint peer;
        int fd = accept_one(l, &peer);

        if (fd != -1) {
            l->starved = false;
            l->owner->on_accept(l->ctx, l, fd, &peer);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_passing(errno)) {
            pause_accepting(l, errno);
            return;
        }
    }
}

struct listener *
listener_new(struct loop *loop, int fd, const struct listener_owner *o, void *ctx)
{
    struct listener *l = calloc(1, sizeof(*l));

    if (!l) {
        close(fd);
        return NULL;
    }
    l->loop = loop;
    l->owner = o;
    l->ctx = ctx;
    l->fd = fd;
    l->reserve = -1;
    wheel_timer_init(&l->pause, on_pause_over);
    task_init(&l->reap, reap_listener);
    event_assign(&l->ev, loop->base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
    if (event_add(&l->ev, NULL) != 0) {
        close(fd);
        free(l);
        return NULL;
    }
    take_reserve(l);
    return l;
}

void
listener_drain(struct listener *l)
{
    for (unsigned i = 0; i < LISTENER_BACKLOG && !l->closed; i++) {
        struct endpoint peer;
        int fd = accept_one(l, &peer);

        if (fd != -1)
            l->owner->on_accept(l->ctx, l, fd, &peer);
        else if (!is_passing(errno))
            break;
    }
    listener_close(l);
}

void
listener_close(struct listener *l)
{
    if (!l || l->closed)
        return;
    l->closed = true;
    loop_timer_cancel(l->loop, &l->pause);
    event_del(&l->ev);
    close(l->fd);
    if (l->reserve != -1)
        close(l->reserve);
    loop_queue_reap(l->loop, &l->reap);
}
