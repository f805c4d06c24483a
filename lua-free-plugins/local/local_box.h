/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_box.h: one sandbox of a `local` platform: its warden, and the jobs that wait for it.
 *
 *     off --resume--> up (awake) --pause--> up (asleep) --resume--> up (awake)
 *      ^                 |                      |
 *      +--- it ended ----+----------------------+            killed: off for good
 *
 * off is told as `paused`: the next request starts it. Each run is a generation of its own, named
 * before it starts, so that a request that waits over the start keeps its sandbox.
 */
#ifndef ROUSE_LOCAL_BOX_H
#define ROUSE_LOCAL_BOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "local/local_spec.h"
#include "local/warden.h"

/* A platform's instance: what its boxes share. */
struct local {
    const struct rouse_services *s;
    struct rouse_host *host;
    char *warden; /* path of the program */
    struct local_specs specs;
    struct box *box; /* one for each of specs */
};

/* A job that waits: for its word from the warden, or for its delay. */
struct box_job {
    struct box_job *next;
    struct box *box;
    struct rouse_job *job;
    enum rouse_op op;
    uint32_t seq;             /* 0: not called yet */
    uint64_t generation;      /* of the run that was called */
    struct rouse_timer *delay;
};

struct box {
    struct local *owner;
    const struct local_spec *spec;
    uint64_t generation, epoch;
    struct box_job *jobs;
    uint32_t seq;
    bool killed;
    /* while up */
    bool up, asleep, ended;
    pid_t warden;
    int sock, pidfd;
    struct rouse_watch *on_sock, *on_end;
    char cgroup[200];
    int64_t started_at;
    /* why the last run ended, and how many in a row ended at once */
    int error, status;
    char detail[200];
    unsigned quick;
    int64_t ended_at;
};

void box_init(struct box *b, struct local *owner, const struct local_spec *spec);
/* Stops it; jobs are not finished any more. Returns the warden's process id, to be reaped, or 0. */
pid_t box_close(struct box *b);
void box_start(struct box *b, struct rouse_job *job, const struct rouse_request *q);
/* Forgets the job, if it is one of its own. */
bool box_cancel(struct box *b, struct rouse_job *job);

#endif
