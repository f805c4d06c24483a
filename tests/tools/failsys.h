/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failsys.h: the page of failsys.so, as the test sees it (rousetest/faults.py knows the same), and
 * the question that every wrapped call asks.
 */
#ifndef ROUSE_TOOLS_FAILSYS_H
#define ROUSE_TOOLS_FAILSYS_H

#include <stdbool.h>
#include <stdint.h>

#define FAILSYS_MAGIC INT64_C(0x3173666573756f72) /* "rousefs1" */
#define FAILSYS_RULES 8
#define FAILSYS_KINDS_MAX 32

/* What can be made to fail; the numbers are the order, from 1. */
#define FAILSYS_KINDS(X)                                                                           \
    X(MALLOC, "malloc")   /* malloc, calloc, realloc, memalign and its family */                   \
    X(SOCKET, "socket")   /* socket, socketpair */                                                 \
    X(LISTEN, "listen")   /* bind, listen */                                                       \
    X(ACCEPT, "accept")   /* accept, accept4 */                                                    \
    X(CONNECT, "connect")                                                                          \
    X(RECV, "recv")       /* recv, recvfrom, recvmsg; read, readv of a socket */                   \
    X(SEND, "send")       /* send, sendto, sendmsg; write, writev to a socket */                   \
    X(READ, "read")       /* read, readv of anything else */                                       \
    X(WRITE, "write")     /* write, writev to anything else */                                     \
    X(EPOLL_WAIT, "epoll_wait")                                                                    \
    X(EPOLL, "epoll")     /* epoll_create, epoll_create1, epoll_ctl */                             \
    X(EVENTFD, "eventfd")                                                                          \
    X(TIMERFD, "timerfd") /* timerfd_create, timerfd_settime */                                    \
    X(PIPE, "pipe")       /* pipe, pipe2 */                                                        \
    X(OPEN, "open")       /* open, openat */                                                       \
    X(FORK, "fork")                                                                                \
    X(THREAD, "thread")   /* pthread_create */                                                     \
    X(SOCKOPT, "sockopt") /* getsockopt, setsockopt */

enum failsys_kind {
    FAILSYS_NONE,
#define X(sym, name) FAILSYS_##sym,
    FAILSYS_KINDS(X)
#undef X
    FAILSYS_KIND_COUNT
};

enum failsys_effect {
    FAILSYS_ERRNO = 1, /* value: the errno; nothing was done */
    FAILSYS_SHORT,     /* value: at most so many bytes are transferred */
    FAILSYS_EOF        /* the call returns 0, nothing was done */
};

/* Calls from..to of a kind, counted from 1, go wrong. */
struct failsys_rule {
    int64_t kind; /* FAILSYS_NONE: no rule; written last */
    int64_t from, to;
    int64_t effect, value;
    int64_t fired;
    int64_t unused[2];
};

struct failsys_page {
    int64_t magic, pid;
    int64_t armed; /* 0: nothing is counted and nothing fails */
    int64_t unused[5];
    int64_t count[FAILSYS_KINDS_MAX]; /* calls while armed, by kind */
    struct failsys_rule rule[FAILSYS_RULES];
};

/* Counts a call of that kind; true when it is to go wrong, and *effect, *value say how. */
bool failsys_strikes(enum failsys_kind kind, enum failsys_effect *effect, int64_t *value);

#endif
