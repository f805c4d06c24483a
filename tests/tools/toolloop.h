/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small epoll loop with timers of nanosecond precision, for the test tools.
 *
 * One event is taken from the kernel at a time, so a callback may free any object it likes.
 */
#ifndef TOOLLOOP_H
#define TOOLLOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct toolfd {
    int fd;             /* -1: none */
    uint32_t events;    /* what the kernel was asked for; 0: not watched */
    void (*on_event)(struct toolfd *, uint32_t events);
};

struct tooltimer {
    int64_t due;        /* CLOCK_MONOTONIC nanoseconds */
    size_t slot;        /* place in the heap, from 1; 0: not armed */
    void (*on_due)(struct tooltimer *);
};

struct toolloop {
    int epoll;
    bool stop;
    struct tooltimer **heap;
    size_t timers;
    size_t room;
};

#define tool_container(ptr, type, member) \
    ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Opens the loop; toolloop_fini closes it. */
void toolloop_init(struct toolloop *loop);
void toolloop_fini(struct toolloop *loop);

/* Asks for EVENTS (EPOLLIN, EPOLLOUT; errors come always) on the descriptor; 0 ends the watch. */
void toolloop_watch(struct toolloop *loop, struct toolfd *fd, uint32_t events);

/* Arms, moves or (toolloop_disarm) stops a timer. */
void toolloop_arm(struct toolloop *loop, struct tooltimer *timer, int64_t due);
void toolloop_disarm(struct toolloop *loop, struct tooltimer *timer);

/* Runs until loop->stop. */
void toolloop_run(struct toolloop *loop);

#endif
