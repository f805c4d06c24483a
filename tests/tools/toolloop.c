/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small epoll loop with timers of nanosecond precision, for the test tools.
 */
#include "config.h"

#include "toolloop.h"
#include "toolbuf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

void
toolloop_init(struct toolloop *loop)
{
    *loop = (struct toolloop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (loop->epoll < 0)
        tool_die(errno, "epoll_create1");
}

void
toolloop_fini(struct toolloop *loop)
{
    close(loop->epoll);
    free(loop->heap);
}

void
toolloop_watch(struct toolloop *loop, struct toolfd *fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = fd}};
    int op = !fd->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

    if (fd->events == events)
        return;
    if (epoll_ctl(loop->epoll, op, fd->fd, &event) < 0)
        tool_die(errno, "epoll_ctl of descriptor %d", fd->fd);
    fd->events = events;
}

static void
heap_put(struct toolloop *loop, size_t slot, struct tooltimer *timer)
{
    loop->heap[slot - 1] = timer;
    timer->slot = slot;
}

static void
heap_up(struct toolloop *loop, size_t slot, struct tooltimer *timer)
{
    while (slot > 1 && loop->heap[slot / 2 - 1]->due > timer->due) {
        heap_put(loop, slot, loop->heap[slot / 2 - 1]);
        slot /= 2;
    }
    heap_put(loop, slot, timer);
}

static void
heap_down(struct toolloop *loop, size_t slot, struct tooltimer *timer)
{
    size_t child;

    while ((child = slot * 2) <= loop->timers) {
        if (child < loop->timers && loop->heap[child]->due < loop->heap[child - 1]->due)
            child++;
        if (loop->heap[child - 1]->due >= timer->due)
            break;
        heap_put(loop, slot, loop->heap[child - 1]);
        slot = child;
    }
    heap_put(loop, slot, timer);
}

void
toolloop_disarm(struct toolloop *loop, struct tooltimer *timer)
{
    struct tooltimer *last;
    size_t slot = timer->slot;

    if (!slot)
        return;
    last = loop->heap[--loop->timers];
    timer->slot = 0;
    if (last == timer)
        return;
    if (slot > 1 && loop->heap[slot / 2 - 1]->due > last->due)
        heap_up(loop, slot, last);
    else
        heap_down(loop, slot, last);
}

void
toolloop_arm(struct toolloop *loop, struct tooltimer *timer, int64_t due)
{
    toolloop_disarm(loop, timer);
    if (loop->timers == loop->room) {
        loop->room = loop->room ? loop->room * 2 : 64;
        loop->heap = realloc(loop->heap, loop->room * sizeof *loop->heap);
        if (!loop->heap)
            tool_die(errno, "no memory for timers");
    }
    timer->due = due;
    heap_up(loop, ++loop->timers, timer);
}

static void
run_timers(struct toolloop *loop)
{
    while (loop->timers && !loop->stop && loop->heap[0]->due <= tool_now()) {
        struct tooltimer *timer = loop->heap[0];

        toolloop_disarm(loop, timer);
        timer->on_due(timer);
    }
}

void
toolloop_run(struct toolloop *loop)
{
    while (!loop->stop) {
        struct epoll_event event;
        struct timespec wait, *limit = NULL;
        struct toolfd *fd;
        int got;

        run_timers(loop);
        if (loop->stop)
            break;
        if (loop->timers) {
            int64_t left = loop->heap[0]->due - tool_now();

            if (left < 0)
                left = 0;
            wait.tv_sec = left / 1000000000;
            wait.tv_nsec = left % 1000000000;
            limit = &wait;
        }
        got = epoll_pwait2(loop->epoll, &event, 1, limit, NULL);
        if (got < 0 && errno != EINTR)
            tool_die(errno, "epoll_pwait2");
        if (got > 0) {
            fd = event.data.ptr;
            fd->on_event(fd, event.events);
        }
    }
}
