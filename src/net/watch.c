/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c: see watch.h. Owner: one loop. */
#include "config.h"

#include "net/watch.h"

#include <event2/event.h>
#include <stdlib.h>

struct watch {
    struct loop *loop;
    struct event *event;
    void (*on_readable)(void *ctx);
    void *ctx;
    struct task reap;
};

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    (void)fd;
    (void)what;
    loop_enter(w->loop);
    w->on_readable(w->ctx);
}

static void
on_reap(struct task *t)
{
    free(container_of(t, struct watch, reap));
}

struct watch *
watch_new(struct loop *l, int fd, void (*on_readable)(void *ctx), void *ctx)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    *w = (struct watch){.loop = l, .on_readable = on_readable, .ctx = ctx};
    task_init(&w->reap, on_reap);
    w->event = event_new(l->base, fd, EV_READ | EV_PERSIST, on_event, w);
    if (w->event && event_add(w->event, NULL) == 0)
        return w;
    if (w->event)
        event_free(w->event);
    free(w);
    return NULL;
}

void
watch_free(struct watch *w)
{
    if (!w)
        return;
    event_free(w->event);
    loop_queue_reap(w->loop, &w->reap);
}
