/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warden_tree.h: all descendants of this process, found through /proc, and signals to them. For the
 * warden alone: its children are the sandbox's tree and nothing else.
 */
#ifndef ROUSE_LOCAL_WARDEN_TREE_H
#define ROUSE_LOCAL_WARDEN_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tree_process {
    pid_t pid, parent, group;
    char state; /* as /proc/PID/stat has it */
    int threads;
    bool ours;
};

/* Kept between uses, so that sweeps do not allocate. Zero-initialise. */
struct tree {
    struct tree_process *process; /* by pid; of the whole machine */
    size_t n, room;
    unsigned vanished; /* ended between being listed and being looked at */
};

void tree_fini(struct tree *t);
/* Microseconds, monotonic. */
int64_t tree_now(void);
/* Reads /proc and marks what is ours. -1: errno. */
int tree_read(struct tree *t);
/* Ours that are not zombies, as last read. */
unsigned tree_count(const struct tree *t);
/*
 * SIGSTOP to all, in sweeps, until nothing is found that could run: what forks while we look is
 * found by the next one. How many stand still; -1: errno, ETIMEDOUT when something still ran at the
 * deadline.
 */
int tree_stop(struct tree *t, int64_t deadline);
/* SIGCONT to all, children first, so that no parent sees a stopped child. 0, -1. */
int tree_continue(struct tree *t);
/* SIGKILL to all there are now. 0, -1. */
int tree_kill(struct tree *t);
/* Of one process, as /proc has it: 'R', 'S', 'T'...; 0: gone. */
char tree_state(pid_t pid);
/* Whether a process of that process group is stopped. Ours in other groups do not count: those are
 * the jobs of some shell in the sandbox. */
bool tree_is_stopped(struct tree *t, pid_t group);

#endif
