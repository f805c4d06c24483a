/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h: one thread's event loop: a libevent base (NOLOCK, EVLOOP_ONCE) and the order of a turn:
 *
 *     events -> run list -> flush -> rearm -> reap
 *
 * events  libevent dispatches what the kernel reported; callbacks read, parse and mark. Then what
 *         was put off with loop_queue_again, then the timers of the wheel.
 * run     queued tasks (exchange ends, busy connections), in order, until the list is empty or
 *         the turn's budget is used; a task that queues another is served in the same turn.
 * flush   each session that has output writes it: one send per connection and turn.
 * rearm   each session that borrowed a read buffer settles what is still lent and gives it back.
 * reap    what was closed in this turn is freed; nothing is freed earlier.
 *
 * A turn that leaves tasks behind is followed by one that does not wait; loop_run lets a few of
 * those follow each other without asking the kernel for events, which would cost a system call
 * each.
 *
 * Everything belongs to the loop's own thread but loop_stop and loop_wake.
 */
#ifndef ROUSE_NET_LOOP_H
#define ROUSE_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/usec.h"
#include "base/wheel.h"

struct event_base;
struct log;
struct metrics;
struct probe;

/* Something to be called once in a phase of the turn. Queueing twice is queueing once. */
struct task {
    struct list link;
    void (*run)(struct task *);
};

/* Size of the read buffers that sessions borrow for a turn. The large one is less than the 65483
 * bytes that one segment of loopback holds: what is read at once is sent on at once, and one byte
 * more would be a second segment, with all its cost. */
#define LOOP_READ_SMALL (16u * 1024)
#define LOOP_READ_LARGE (60u * 1024)
/* Size of output and body blocks, and of the first block of an exchange's arena. */
#define LOOP_BLOCK (4u * 1024)
#define LOOP_ARENA_BLOCK 1024u
/* Room for a connection's libevent event and its bookkeeping (conn.c). */
#define LOOP_HANDLE 176u
/* What a session that has many streams keeps of each (http/h2_priv.h). */
#define LOOP_PIECE 216u
/* What an HTTP/1 session keeps while it is not idle (http/h1_server_priv.h). */
#define LOOP_JOB 408u

struct loop_options {
    struct log *log;         /* may be NULL */
    struct metrics *metrics; /* may be NULL */
    unsigned number;         /* worker number, for logs */
    usec_t tick;             /* of the wheel; 0: 64 ms */
};

struct loop {
    struct event_base *base;
    struct list again_list, run_list, flush_list, rearm_list, reap_list;
    struct wheel wheel;
    usec_t now; /* monotonic; read once per turn, before the first callback (loop_enter) */
    bool fresh; /* now belongs to this turn */
    bool stopping;
    struct pool small_reads, large_reads, blocks, arena_blocks, handles, pieces, jobs;
    struct random random;
    struct log *log;
    struct metrics *metrics;
    unsigned number;
    unsigned dials;            /* connect attempts open, see dialer.h */
    struct list suspects;      /* connections to be asked for an error, see conn.c */
    struct wheel_timer suspects_timer;
    struct list children;      /* child processes not yet reaped, see child.h */
    struct probe *probe;       /* the precise timer, see probe.h; made on first use */
    struct loop_private *priv; /* libevent's timer and the eventfd of loop_wake */
};

/* 0, or -1 with errno. */
int loop_init(struct loop *l, const struct loop_options *o) must_check;
/* Everything must have been closed; runs the reaper once more, then frees. */
void loop_fini(struct loop *l);
/* Runs turns until loop_stop. */
void loop_run(struct loop *l);
/* One turn that waits at most max_wait for events (0: only looks). For tests and for draining. */
void loop_turn(struct loop *l, usec_t max_wait);
/* Makes loop_run return after the turn. Any thread. */
void loop_stop(struct loop *l);
/* Interrupts the wait. Any thread, also a signal handler. */
void loop_wake(struct loop *l);

void task_init(struct task *t, void (*run)(struct task *));
/* Any phase; a task queued for a phase that is over in this turn runs in that phase's next turn.
 * The loop does not wait for events while the run or flush list is not empty. */
void loop_queue_run(struct loop *l, struct task *t);
/* For the events phase of the next turn, which then does not wait: whoever has used up its share
 * of this turn and wants to go on (a read budget, a mailbox budget) lets the others pass
 * first. */
void loop_queue_again(struct loop *l, struct task *t);
void loop_queue_flush(struct loop *l, struct task *t);
void loop_queue_rearm(struct loop *l, struct task *t);
void loop_queue_reap(struct loop *l, struct task *t);
/* Takes the task out of whichever list it is in. */
void task_cancel(struct task *t);

/* A lazy timer of the loop's wheel (late by at most a tick). */
void loop_timer_set(struct loop *l, struct wheel_timer *t, usec_t deadline);
void loop_timer_cancel(struct loop *l, struct wheel_timer *t);

/* CLOCK_MONOTONIC now, for the few who need it fresher than loop->now. */
usec_t loop_clock(void);

/* First statement of every libevent callback of this loop: the turn's one look at the clock. */
static inline void
loop_enter(struct loop *l)
{
    if (!l->fresh) {
        l->fresh = true;
        l->now = loop_clock();
    }
}

#endif
