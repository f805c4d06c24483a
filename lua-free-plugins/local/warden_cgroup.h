/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warden_cgroup.h: a cgroup (version 2) of its own for one sandbox, below the one Rouse runs in:
 * freezes, thaws and kills all of it at once. Where the kernel, the container or the rights do not
 * allow it, there is none, and the warden sweeps instead.
 */
#ifndef ROUSE_LOCAL_WARDEN_CGROUP_H
#define ROUSE_LOCAL_WARDEN_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup {
    int dir;        /* -1: there is none */
    char path[200];
};

/* Makes one; false: not possible here (g->dir is -1 then). name: [a-z0-9-]. */
bool cgroup_open(struct cgroup *g, const char *name);
/* Moves a process in. 0, -1. */
int cgroup_add(struct cgroup *g, pid_t pid);
/* Returns when every process stands still: how many; -1: errno (ETIMEDOUT: thawed again). */
int cgroup_freeze(struct cgroup *g, int64_t deadline);
int cgroup_thaw(struct cgroup *g);
/* Frozen, by whomever. */
bool cgroup_is_frozen(struct cgroup *g);
/* SIGKILL to all. */
void cgroup_kill(struct cgroup *g);
/* Removes it; retries until the deadline while its dead are being buried. */
void cgroup_close(struct cgroup *g, int64_t deadline);

#endif
