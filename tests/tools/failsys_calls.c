/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failsys_calls.c: the calls that failsys.so puts before libc's. Each asks failsys_strikes() and
 * then either fails, transfers less, or goes on to the real one.
 *
 * A made-up EAGAIN on an edge-triggered descriptor would be a lie without an end, for no edge would
 * follow. So epoll_ctl() is watched, and after such an EAGAIN the descriptor is armed again, which
 * makes the kernel report it once more if it was ready.
 */
#include "config.h"

#include "failsys.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define WATCHED 65536

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t size, int flags);
ssize_t __read_chk(int fd, void *p, size_t n, size_t size);

/* The real function of that name, looked up once: X lists those that are called. */
#define CALLS(X)                                                                                   \
    X(socket) X(socketpair) X(bind) X(listen) X(accept) X(accept4) X(connect) X(recv) X(recvfrom)  \
    X(recvmsg) X(read) X(readv) X(send) X(sendto) X(sendmsg) X(write) X(writev) X(epoll_wait)      \
    X(epoll_pwait) X(epoll_create) X(epoll_create1) X(epoll_ctl) X(eventfd) X(timerfd_create)      \
    X(timerfd_settime) X(pipe) X(pipe2) X(open) X(open64) X(openat) X(openat64) X(fork)            \
    X(pthread_create) X(getsockopt) X(setsockopt)

enum call {
#define X(name) CALL_##name,
    CALLS(X)
#undef X
    CALL_COUNT
};

static const char *const call_names[] = {
#define X(name) #name,
    CALLS(X)
#undef X
};

static void *call_cache[CALL_COUNT];

/* Where a descriptor is registered, for the edge after a made-up EAGAIN. */
static struct {
    int epoll;
    struct epoll_event event;
} watched[WATCHED];

static void *
next_of(enum call c)
{
    void *f = __atomic_load_n(&call_cache[c], __ATOMIC_RELAXED);

    if (!f) {
        f = dlsym(RTLD_NEXT, call_names[c]);
        __atomic_store_n(&call_cache[c], f, __ATOMIC_RELAXED);
    }
    return f;
}

#define NEXT(name) ((__typeof__(&name))next_of(CALL_##name))

/* An outcome other than the real one. */
struct fault {
    enum failsys_effect effect;
    int64_t value;
};

static bool
strikes(enum failsys_kind kind, struct fault *f)
{
    return failsys_strikes(kind, &f->effect, &f->value);
}

static int
fail(const struct fault *f)
{
    if (f->effect != FAILSYS_ERRNO)
        return 0;
    errno = (int)f->value;
    return -1;
}

/* For calls whose only fault is an errno: an effect of another kind changes nothing. */
static bool
refuses(enum failsys_kind kind)
{
    struct fault f;

    if (!strikes(kind, &f) || f.effect != FAILSYS_ERRNO)
        return false;
    errno = (int)f.value;
    return true;
}

/* Fails on a descriptor that may be edge-triggered. */
static ssize_t
fail_on(int fd, const struct fault *f)
{
    int result = fail(f);

    if (result < 0 && errno == EAGAIN && fd >= 0 && fd < WATCHED && watched[fd].event.events) {
        struct epoll_event e = watched[fd].event;
        NEXT(epoll_ctl)(watched[fd].epoll, EPOLL_CTL_MOD, fd, &e);
        errno = EAGAIN;
    }
    return result;
}

static bool
is_socket(int fd)
{
    struct stat st;
    int saved = errno;
    bool yes = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);

    errno = saved;
    return yes;
}

static size_t
shortened(const struct fault *f, size_t n)
{
    return (size_t)f->value < n ? (size_t)f->value : n;
}

/* The first bytes of a vector, as one piece. */
static struct iovec
first_piece(const struct fault *f, const struct iovec *iov, size_t count)
{
    struct iovec piece = {0};

    for (size_t i = 0; i < count && piece.iov_len == 0; i++)
        piece = iov[i];
    piece.iov_len = shortened(f, piece.iov_len);
    return piece;
}

void *
malloc(size_t n)
{
    return refuses(FAILSYS_MALLOC) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return refuses(FAILSYS_MALLOC) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
    return refuses(FAILSYS_MALLOC) ? NULL : __libc_realloc(p, n);
}

void *
memalign(size_t align, size_t n)
{
    return refuses(FAILSYS_MALLOC) ? NULL : __libc_memalign(align, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

int
posix_memalign(void **p, size_t align, size_t n)
{
    int saved = errno;
    void *got = memalign(align, n);

    errno = saved;
    if (!got)
        return ENOMEM;
    *p = got;
    return 0;
}

int
socket(int domain, int type, int protocol)
{
    return refuses(FAILSYS_SOCKET) ? -1 : NEXT(socket)(domain, type, protocol);
}

int
socketpair(int domain, int type, int protocol, int fds[2])
{
    return refuses(FAILSYS_SOCKET) ? -1 : NEXT(socketpair)(domain, type, protocol, fds);
}

int
bind(int fd, const struct sockaddr *a, socklen_t n)
{
    return refuses(FAILSYS_LISTEN) ? -1 : NEXT(bind)(fd, a, n);
}

int
listen(int fd, int backlog)
{
    return refuses(FAILSYS_LISTEN) ? -1 : NEXT(listen)(fd, backlog);
}

int
accept(int fd, struct sockaddr *a, socklen_t *n)
{
    struct fault f;

    if (strikes(FAILSYS_ACCEPT, &f) && f.effect == FAILSYS_ERRNO)
        return (int)fail_on(fd, &f);
    return NEXT(accept)(fd, a, n);
}

int
accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
    struct fault f;

    if (strikes(FAILSYS_ACCEPT, &f) && f.effect == FAILSYS_ERRNO)
        return (int)fail_on(fd, &f);
    return NEXT(accept4)(fd, a, n, flags);
}

int
connect(int fd, const struct sockaddr *a, socklen_t n)
{
    return refuses(FAILSYS_CONNECT) ? -1 : NEXT(connect)(fd, a, n);
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
    struct fault f;

    if (!strikes(FAILSYS_RECV, &f))
        return NEXT(recv)(fd, p, n, flags);
    if (f.effect == FAILSYS_SHORT)
        return NEXT(recv)(fd, p, shortened(&f, n), flags);
    return fail_on(fd, &f);
}

ssize_t
__recv_chk(int fd, void *p, size_t n, size_t size, int flags)
{
    return recv(fd, p, n < size ? n : size, flags);
}

ssize_t
recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *alen)
{
    struct fault f;

    if (!strikes(FAILSYS_RECV, &f))
        return NEXT(recvfrom)(fd, p, n, flags, a, alen);
    if (f.effect == FAILSYS_SHORT)
        return NEXT(recvfrom)(fd, p, shortened(&f, n), flags, a, alen);
    return fail_on(fd, &f);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
    struct fault f;

    if (!strikes(FAILSYS_RECV, &f))
        return NEXT(recvmsg)(fd, m, flags);
    if (f.effect != FAILSYS_SHORT)
        return fail_on(fd, &f);
    struct iovec piece = first_piece(&f, m->msg_iov, m->msg_iovlen);
    struct msghdr cut = *m;
    cut.msg_iov = &piece;
    cut.msg_iovlen = 1;
    ssize_t got = NEXT(recvmsg)(fd, &cut, flags);
    m->msg_flags = cut.msg_flags;
    m->msg_controllen = cut.msg_controllen;
    m->msg_namelen = cut.msg_namelen;
    return got;
}

ssize_t
read(int fd, void *p, size_t n)
{
    struct fault f;

    if (!strikes(is_socket(fd) ? FAILSYS_RECV : FAILSYS_READ, &f))
        return NEXT(read)(fd, p, n);
    if (f.effect == FAILSYS_SHORT)
        return NEXT(read)(fd, p, shortened(&f, n));
    return fail_on(fd, &f);
}

ssize_t
__read_chk(int fd, void *p, size_t n, size_t size)
{
    return read(fd, p, n < size ? n : size);
}

ssize_t
readv(int fd, const struct iovec *iov, int count)
{
    struct fault f;

    if (!strikes(is_socket(fd) ? FAILSYS_RECV : FAILSYS_READ, &f))
        return NEXT(readv)(fd, iov, count);
    if (f.effect != FAILSYS_SHORT)
        return fail_on(fd, &f);
    struct iovec piece = first_piece(&f, iov, (size_t)count);
    return NEXT(readv)(fd, &piece, 1);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
    struct fault f;

    if (!strikes(FAILSYS_SEND, &f))
        return NEXT(send)(fd, p, n, flags);
    if (f.effect == FAILSYS_SHORT)
        return NEXT(send)(fd, p, shortened(&f, n), flags);
    return fail_on(fd, &f);
}

ssize_t
sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t alen)
{
    struct fault f;

    if (!strikes(FAILSYS_SEND, &f))
        return NEXT(sendto)(fd, p, n, flags, a, alen);
    if (f.effect == FAILSYS_SHORT)
        return NEXT(sendto)(fd, p, shortened(&f, n), flags, a, alen);
    return fail_on(fd, &f);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct fault f;

    if (!strikes(FAILSYS_SEND, &f))
        return NEXT(sendmsg)(fd, m, flags);
    if (f.effect != FAILSYS_SHORT)
        return fail_on(fd, &f);
    struct iovec piece = first_piece(&f, m->msg_iov, m->msg_iovlen);
    struct msghdr cut = *m;
    cut.msg_iov = &piece;
    cut.msg_iovlen = 1;
    return NEXT(sendmsg)(fd, &cut, flags);
}

ssize_t
write(int fd, const void *p, size_t n)
{
    struct fault f;

    if (!strikes(is_socket(fd) ? FAILSYS_SEND : FAILSYS_WRITE, &f))
        return NEXT(write)(fd, p, n);
    if (f.effect == FAILSYS_SHORT)
        return NEXT(write)(fd, p, shortened(&f, n));
    return fail_on(fd, &f);
}

ssize_t
writev(int fd, const struct iovec *iov, int count)
{
    struct fault f;

    if (!strikes(is_socket(fd) ? FAILSYS_SEND : FAILSYS_WRITE, &f))
        return NEXT(writev)(fd, iov, count);
    if (f.effect != FAILSYS_SHORT)
        return fail_on(fd, &f);
    struct iovec piece = first_piece(&f, iov, (size_t)count);
    return NEXT(writev)(fd, &piece, 1);
}

int
epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    struct fault f;

    if (strikes(FAILSYS_EPOLL_WAIT, &f))
        return fail(&f);
    return NEXT(epoll_wait)(epoll, events, max, timeout);
}

int
epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    struct fault f;

    if (strikes(FAILSYS_EPOLL_WAIT, &f))
        return fail(&f);
    return NEXT(epoll_pwait)(epoll, events, max, timeout, mask);
}

int
epoll_create(int size)
{
    return refuses(FAILSYS_EPOLL) ? -1 : NEXT(epoll_create)(size);
}

int
epoll_create1(int flags)
{
    return refuses(FAILSYS_EPOLL) ? -1 : NEXT(epoll_create1)(flags);
}

int
epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    if (refuses(FAILSYS_EPOLL))
        return -1;
    int result = NEXT(epoll_ctl)(epoll, op, fd, event);
    if (result == 0 && fd < WATCHED) {
        watched[fd].epoll = epoll;
        watched[fd].event = op == EPOLL_CTL_DEL ? (struct epoll_event){0} : *event;
    }
    return result;
}

int
eventfd(unsigned count, int flags)
{
    return refuses(FAILSYS_EVENTFD) ? -1 : NEXT(eventfd)(count, flags);
}

int
timerfd_create(clockid_t clock, int flags)
{
    return refuses(FAILSYS_TIMERFD) ? -1 : NEXT(timerfd_create)(clock, flags);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *was)
{
    return refuses(FAILSYS_TIMERFD) ? -1 : NEXT(timerfd_settime)(fd, flags, to, was);
}

int
pipe(int fds[2])
{
    return refuses(FAILSYS_PIPE) ? -1 : NEXT(pipe)(fds);
}

int
pipe2(int fds[2], int flags)
{
    return refuses(FAILSYS_PIPE) ? -1 : NEXT(pipe2)(fds, flags);
}

/* The mode of an open() that may create, else 0. */
static mode_t
mode_of(int flags, va_list ap)
{
    return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(ap, mode_t) : 0;
}

int
open(const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return refuses(FAILSYS_OPEN) ? -1 : NEXT(open)(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return refuses(FAILSYS_OPEN) ? -1 : NEXT(open64)(path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return refuses(FAILSYS_OPEN) ? -1 : NEXT(openat)(dir, path, flags, mode);
}

int
openat64(int dir, const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return refuses(FAILSYS_OPEN) ? -1 : NEXT(openat64)(dir, path, flags, mode);
}

pid_t
fork(void)
{
    return refuses(FAILSYS_FORK) ? -1 : NEXT(fork)();
}

int
pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
    int saved = errno;

    if (!refuses(FAILSYS_THREAD))
        return NEXT(pthread_create)(t, a, run, arg);
    int error = errno;
    errno = saved;
    return error;
}

int
getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
    return refuses(FAILSYS_SOCKOPT) ? -1 : NEXT(getsockopt)(fd, level, name, value, n);
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    return refuses(FAILSYS_SOCKOPT) ? -1 : NEXT(setsockopt)(fd, level, name, value, n);
}
