/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warden.h: what the local plugin and the warden of a sandbox say to each other: fixed structs over
 * a SOCK_SEQPACKET pair, descriptor 3 of the warden. Each call is answered by one word with its
 * seq, in order; words with seq 0 come unasked.
 *
 * The warden (a program of its own, beside the plugin) is the parent of one sandbox's process tree.
 * It is what makes "the whole tree" mean something: orphans of the tree become its children
 * (PR_SET_CHILD_SUBREAPER), so that nobody leaves by setsid or by forking twice. It does what may
 * take long, so that Rouse's control thread never does. The end of the socket without a WARDEN_STOP
 * is Rouse's death: then everything is killed.
 *
 * The sandbox lives as long as its leader, the process of the configured command, as a container
 * lives as long as its first process.
 */
#ifndef ROUSE_LOCAL_WARDEN_H
#define ROUSE_LOCAL_WARDEN_H

#include <stdint.h>

/* argv: WARDEN_PROGRAM cgroup directory user command..., empty strings for "none". The environment
 * is the command's. */
#define WARDEN_PROGRAM "local-warden"
#define WARDEN_FD 3

enum warden_op {
    WARDEN_LOOK,   /* how is it really? */
    WARDEN_PAUSE,  /* not one process of the tree runs when this is answered */
    WARDEN_RESUME,
    WARDEN_STOP,   /* SIGTERM, a second of grace, then WARDEN_KILL; not answered */
    WARDEN_KILL,   /* SIGKILL to all; not answered but by the end */
};

struct warden_call {
    uint32_t seq; /* > 0 */
    uint32_t op;
};

enum warden_state {
    WARDEN_RUNNING,
    WARDEN_PAUSED, /* by us, or stopped behind our back */
    WARDEN_ENDED,  /* nothing is left; the warden exits */
};

struct warden_word {
    uint32_t seq;
    uint32_t state;
    int32_t error;     /* errno: the call failed; the first word: the command could not be run */
    int32_t status;    /* ENDED: of the leader, as waitpid gives it */
    int32_t leader;    /* process id */
    uint32_t processes; /* PAUSED by call: how many stand still */
    uint32_t took_us;
    char text[200];    /* the first word: the cgroup's directory, or ""; errors: what failed */
};

#endif
