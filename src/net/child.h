/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.h: child processes of a loop: start one with argv (no shell), feed its stdin, collect its
 * stdout up to a cap, hear of its end through a pidfd. For the exec plugin and for tests.
 */
#ifndef ROUSE_NET_CHILD_H
#define ROUSE_NET_CHILD_H

#include <sys/types.h>

#include "base/buf.h"
#include "net/loop.h"

struct child;

struct child_options {
    char *const *argv;    /* argv[0] is looked up in PATH */
    char *const *envp;    /* NULL: ours, less LISTEN_* and secrets' variables */
    struct slice input;   /* copied; written to stdin, then closed */
    size_t output_max;    /* of stdout; more ends the child and the result says so */
    usec_t timeout;       /* then SIGKILL to its whole process group */
};

struct child_result {
    int status;            /* as waitpid gives it; -1: could not be started, see error */
    int error;             /* errno of the start */
    bool timed_out, too_long;
    struct slice output;   /* stdout; valid during the callback */
    struct slice errors;   /* the first 1 KiB of stderr, for the log */
};

/* on_done is called once, never from within this call. The child leads its own process group and
 * dies with its parent (PR_SET_PDEATHSIG). NULL: out of memory or descriptors. */
struct child *child_start(struct loop *l, const struct child_options *o,
                          void (*on_done)(void *ctx, const struct child_result *r), void *ctx);
/* Kills the process group; on_done will not be called. */
void child_cancel(struct child *c);
/* Called by loop_fini: kills what is left of the loop's children, cancelled ones too, and waits
 * for them. */
void child_end_all(struct loop *l);

#endif
