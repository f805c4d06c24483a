/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faultprobe.c: does one thing a line, as its standard input says, and prints what came of it: what
 * countmalloc.so and failsys.so are tried on. It checks nothing itself.
 *
 *   keep N SIZE    N blocks, held          thread N SIZE   the same in a thread that ends
 *   drop           frees all               grow SIZE       a block grown in steps of 100 up to SIZE
 *   any other word a call of that name, made once: "name result errno"
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT 10000

static void *kept[KEPT];
static size_t kept_n;

struct order {
    size_t n, size;
};

static void *
keep(void *arg)
{
    const struct order *o = arg;

    for (size_t i = 0; i < o->n && kept_n < KEPT; i++)
        kept[kept_n++] = malloc(o->size);
    return NULL;
}

static void
keep_in_thread(struct order *o)
{
    pthread_t t;

    if (pthread_create(&t, NULL, keep, o) == 0)
        pthread_join(t, NULL);
}

static void
drop(void)
{
    while (kept_n > 0)
        free(kept[--kept_n]);
}

static void
grow(size_t size)
{
    char *p = NULL;

    for (size_t n = 100; n <= size; n += 100) {
        char *more = realloc(p, n);
        if (!more)
            break;
        p = more;
    }
    kept[kept_n++] = p;
}

/* Ten bytes stand ready in a[0] of a pair; the calls that move bytes. */
static long
try_pair(const char *what)
{
    int a[2];
    char in[16] = "", out[] = "0123456789";
    struct iovec iov[2] = {{out, 4}, {out + 4, 6}}, into[2] = {{in, 4}, {in + 4, 6}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2}, mi = {.msg_iov = into, .msg_iovlen = 2};
    long result = -2;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a) < 0)
        return -1;
    if (write(a[1], out, 10) == 10) {
        errno = 0;
        if (strcmp(what, "recv") == 0)
            result = recv(a[0], in, 10, 0);
        else if (strcmp(what, "recvmsg") == 0)
            result = recvmsg(a[0], &mi, 0);
        else if (strcmp(what, "readv") == 0)
            result = readv(a[0], into, 2);
        else if (strcmp(what, "send") == 0)
            result = send(a[0], out, 10, MSG_NOSIGNAL);
        else if (strcmp(what, "sendmsg") == 0)
            result = sendmsg(a[0], &m, MSG_NOSIGNAL);
        else if (strcmp(what, "writev") == 0)
            result = writev(a[0], iov, 2);
    }
    int saved = errno;
    close(a[0]);
    close(a[1]);
    errno = saved;
    return result;
}

/* A listener, a client, and the one call asked for. */
static long
try_listener(const char *what)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    long result = -2;

    at.ss_family = AF_INET;
    if (bind(l, (struct sockaddr *)&at, sizeof(struct sockaddr_in)) == 0 && listen(l, 5) == 0 &&
        getsockname(l, (struct sockaddr *)&at, &n) == 0) {
        errno = 0;
        result = connect(c, (struct sockaddr *)&at, n);
        if (strcmp(what, "accept") == 0) {
            int got = accept4(l, NULL, NULL, SOCK_CLOEXEC);
            result = got < 0 ? got : 0;
            if (got >= 0)
                close(got);
        }
    }
    int saved = errno;
    close(l);
    close(c);
    errno = saved;
    return result;
}

/* After an EAGAIN that was made up there must be another edge: 10 bytes are read in the end. */
static long
try_edge(void)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    int a[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    char in[16];
    long got = -1;

    if (epoll < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a) < 0)
        return -1;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, a[0], &e) == 0 && write(a[1], "0123456789", 10) == 10)
        while (got < 0 && epoll_wait(epoll, &e, 1, 2000) == 1)
            got = recv(a[0], in, sizeof in, 0);
    close(a[0]);
    close(a[1]);
    close(epoll);
    return got;
}

static long
closing(int fd)
{
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static long
try_epoll_wait(void)
{
    struct epoll_event e;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int n = epoll_wait(epoll, &e, 1, 0), saved = errno;

    close(epoll);
    errno = saved;
    return n;
}

static long
try_fork(void)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        /* Counted nowhere. */
        free(malloc(100));
        _exit(0);
    }
    if (pid > 0)
        waitpid(pid, &status, 0);
    return status;
}

static long
try_thread(void)
{
    pthread_t t;
    struct order none = {0};
    int error = pthread_create(&t, NULL, keep, &none);

    if (error == 0)
        pthread_join(t, NULL);
    errno = error;
    return error ? -1 : 0;
}

static long
try_malloc(void)
{
    void *p = malloc(100);
    long result = p ? 0 : -1;

    free(p);
    return result;
}

static long
try_call(const char *what)
{
    char byte;
    int pipes[2] = {-1, -1};

    if (strcmp(what, "malloc") == 0)
        return try_malloc();
    if (strcmp(what, "socket") == 0)
        return closing(socket(AF_INET, SOCK_STREAM, 0));
    if (strcmp(what, "connect") == 0 || strcmp(what, "accept") == 0)
        return try_listener(what);
    if (strcmp(what, "edge") == 0)
        return try_edge();
    if (strcmp(what, "epoll_wait") == 0)
        return try_epoll_wait();
    if (strcmp(what, "eventfd") == 0)
        return closing(eventfd(0, EFD_CLOEXEC));
    if (strcmp(what, "timerfd") == 0)
        return closing(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    if (strcmp(what, "open") == 0)
        return closing(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (strcmp(what, "read") == 0)
        return read(open("/dev/zero", O_RDONLY | O_CLOEXEC), &byte, 1);
    if (strcmp(what, "fork") == 0)
        return try_fork();
    if (strcmp(what, "thread") == 0)
        return try_thread();
    if (strcmp(what, "pipe") == 0) {
        int result = pipe2(pipes, O_CLOEXEC);
        closing(pipes[0]);
        closing(pipes[1]);
        return result;
    }
    return try_pair(what);
}

int
main(void)
{
    static char line[128], out[256];
    char word[32];
    struct order o = {0};
    ssize_t got;
    size_t n = 0;

    /* Neither stdio nor anything else that allocates behind our back. */
    while ((got = read(STDIN_FILENO, line + n, 1)) == 1 || (got < 0 && errno == EINTR)) {
        if (got < 0 || (line[n] != '\n' && ++n < sizeof line - 1))
            continue;
        line[n] = '\0';
        n = 0;
        o = (struct order){0};
        if (sscanf(line, "%31s %zu %zu", word, &o.n, &o.size) < 1)
            continue;
        errno = 0;
        long result = 0;
        if (strcmp(word, "keep") == 0)
            keep(&o);
        else if (strcmp(word, "thread") == 0 && o.n > 0)
            keep_in_thread(&o);
        else if (strcmp(word, "drop") == 0)
            drop();
        else if (strcmp(word, "grow") == 0)
            grow(o.n);
        else
            result = try_call(word);
        int len = snprintf(out, sizeof out, "%s %ld %d\n", word, result, result < 0 ? errno : 0);
        if (write(STDOUT_FILENO, out, (size_t)len) < 0)
            return 1;
    }
    return 0;
}
