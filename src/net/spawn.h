/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn.h: starts a program in a process group of its own, with three descriptors and no others,
 * all signals at their defaults; it dies with the thread that started it. child.h is what others
 * use.
 */
#ifndef ROUSE_NET_SPAWN_H
#define ROUSE_NET_SPAWN_H

#include <sys/types.h>

#include "base/ensure.h"
#include "base/slice.h"

struct spawn {
    char *const *argv; /* argv[0] is looked up in PATH */
    char *const *envp;
    int stdio[3]; /* each went through spawn_lift; stay the caller's */
};

/* Moves a descriptor out of the way of those the child is given. -1 stays -1; else -1 and
 * errno. */
int spawn_lift(int fd) must_check;

/* The process id, or -1 and errno, also when the program could not be executed. Blocks until it
 * is. */
pid_t spawn_start(const struct spawn *s) must_check;
/*
 * Our environment without what is meant for us alone: LISTEN_*, NOTIFY_SOCKET, WATCHDOG_*, and
 * what looks like a secret by its name. To be freed by free(); the strings are the environment's.
 * NULL: out of memory.
 */
char **spawn_environment(void);
/* A descriptor to read the bytes from, lifted; -1 and errno. */
int spawn_input(struct slice bytes) must_check;

#endif
