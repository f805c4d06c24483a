/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_rig.h: what the tests of net/ share: real sockets on loopback, a loop turned by hand until
 * something has happened, and a count of open descriptors.
 */
#ifndef ROUSE_TESTS_NET_RIG_H
#define ROUSE_TESTS_NET_RIG_H

#include "base/buf.h"
#include "base/endpoint.h"
#include "net/address.h"
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Nothing here takes that long; a test that waits for what never comes fails instead of
 * hanging. */
#define RIG_PATIENCE (20 * USEC_SEC)

static inline void
rig_loop(struct loop *l)
{
    struct loop_options o = {.tick = USEC_MS};

    assert_int_equal(loop_init(l, &o), 0);
}

/* Turns until *done is true. */
static inline void
rig_until(struct loop *l, const bool *done)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    while (!*done) {
        loop_turn(l, 100 * USEC_MS);
        assert_true(loop_clock() < end);
    }
}

/* Turns until nothing comes any more. */
static inline void
rig_settle(struct loop *l)
{
    for (int i = 0; i < 4; i++)
        loop_turn(l, USEC_MS);
}

/* A listening socket on 127.0.0.1 and where it is. */
static inline int
rig_listen(struct endpoint *at, int backlog)
{
    struct sockaddr_storage s;
    socklen_t n = sizeof(s);
    struct endpoint any = {.family = 4, .ip = {127, 0, 0, 1}};
    struct address a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd != -1);
    address_of_endpoint(&a, &any);
    assert_int_equal(bind(fd, &a.u.any, a.n), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&s, &n), 0);
    *at = address_endpoint((const struct sockaddr *)&s);
    return fd;
}

/* A blocking client socket connected to `at`. */
static inline int
rig_connect(const struct endpoint *at)
{
    struct address a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd != -1);
    address_of_endpoint(&a, at);
    assert_int_equal(connect(fd, &a.u.any, a.n), 0);
    return fd;
}

/* A port on 127.0.0.1 where nobody listens. */
static inline struct endpoint
rig_closed_port(void)
{
    struct endpoint at;

    close(rig_listen(&at, 1));
    return at;
}

/* A connected pair over TCP: ours is non-blocking, theirs is not. */
static inline void
rig_pair(int *ours, int *theirs)
{
    struct endpoint at;
    int listening = rig_listen(&at, 1);

    *theirs = rig_connect(&at);
    *ours = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(*ours != -1);
    close(listening);
}

/* A port on 127.0.0.1 that does not answer: a full backlog. fds[] hold it; rig_silent_end lets
 * go. */
struct rig_silent {
    int listening, filler[8];
    struct endpoint at;
};

static inline void
rig_silent(struct rig_silent *s)
{
    struct address a;

    s->listening = rig_listen(&s->at, 0);
    address_of_endpoint(&a, &s->at);
    for (int i = 0; i < 8; i++) {
        s->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(connect(s->filler[i], &a.u.any, a.n) == 0 || errno == EINPROGRESS);
    }
}

static inline void
rig_silent_end(struct rig_silent *s)
{
    for (int i = 0; i < 8; i++)
        close(s->filler[i]);
    close(s->listening);
}

/* RST instead of FIN. */
static inline void
rig_reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
}

static inline unsigned
rig_open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

#endif
