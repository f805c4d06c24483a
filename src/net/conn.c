/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.c: see conn.h.
 *
 * What libevent's epoll back end reports: EPOLLERR, and EPOLLHUP without EPOLLRDHUP, as EV_READ |
 * EV_WRITE without EV_CLOSED; everything else as it is. Each edge carries the whole state, so
 * that after FIN every ordinary edge has EV_CLOSED, and one without it is an error (RST after
 * FIN).
 *
 * Before FIN an error looks like bytes. If bytes and RST come in one edge and the bytes are taken
 * by a short read, nothing would ever tell of the RST: who waits for more would wait for ever. So
 * a short read makes the connection a suspect, until it is written to, reads again or has an
 * event; suspects are asked for their error once, a tick later.
 */
#include "config.h"

#include "net/conn.h"

#include "base/ensure.h"
#include "net/address.h"
#include "net/conn_priv.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALL_EDGES (EV_READ | EV_WRITE | EV_CLOSED | EV_PERSIST | EV_ET)

struct conn_handle {
    struct event ev;
    struct conn *conn; /* NULL once closed */
    struct loop *loop;
    struct task task; /* its link is in loop.suspects, in the order of since; in the end it reaps */
    usec_t since;
};
_Static_assert(sizeof(struct conn_handle) <= LOOP_HANDLE, "LOOP_HANDLE is too small");

static void
reap_handle(struct task *t)
{
    struct conn_handle *h = container_of(t, struct conn_handle, task);

    pool_give(&h->loop->handles, h);
}

int
conn_check_error(struct conn *c)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (c->fd == -1 || c->error != 0)
        return c->error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        error = errno;
    if (error != 0)
        c->error = error;
    return error;
}

void
conn_suspect(struct conn *c)
{
    struct conn_handle *h = c->handle;
    struct loop *l = h->loop;

    list_unlink(&h->task.link);
    list_push_back(&l->suspects, &h->task.link);
    h->since = l->now;
    if (l->suspects_timer.deadline == USEC_NEVER)
        loop_timer_set(l, &l->suspects_timer, usec_add(l->now, l->wheel.tick));
}

void
conn_on_suspects(struct wheel_timer *t)
{
    struct loop *l = container_of(t, struct loop, suspects_timer);
    struct list *n;

    while ((n = list_first(&l->suspects)) != NULL) {
        struct conn_handle *h = container_of(n, struct conn_handle, task.link);

        if (h->since + l->wheel.tick > l->now) {
            loop_timer_set(l, t, h->since + l->wheel.tick);
            return;
        }
        list_unlink(n);
        if (conn_check_error(h->conn) != 0)
            h->conn->owner->on_event(h->conn, CONN_FAILED);
    }
}

void
conn_trust(struct conn *c)
{
    list_unlink(&c->handle->task.link);
}

void
conn_tell(struct conn *c, unsigned events)
{
    c->owner->on_event(c, events);
}

/* The events that end `connecting`; 0: not yet. */
unsigned
conn_connect_events(struct conn *c, short what)
{
    unsigned events = CONN_WRITABLE;

    if (!(what & EV_WRITE))
        return 0;
    c->connecting = false;
    if (conn_check_error(c) != 0)
        return CONN_FAILED;
    c->writable = true;
    if (what & EV_CLOSED) {
        c->hup = true;
        events |= CONN_HUP;
    }
    if (what & (EV_READ | EV_CLOSED)) {
        c->readable = true;
        events |= CONN_READABLE;
    }
    return events;
}

unsigned
conn_open_events(struct conn *c, short what)
{
    unsigned events = 0;

    if (c->hup && !c->readable && !(what & EV_CLOSED) && conn_check_error(c) != 0)
        return CONN_FAILED; /* otherwise what came before it is still to be read */
    if ((what & EV_CLOSED) && !c->hup) {
        c->hup = true;
        events |= CONN_HUP;
    }
    if ((what & (EV_READ | EV_CLOSED)) && !c->eof) {
        c->readable = true;
        events |= CONN_READABLE;
    }
    if ((what & EV_WRITE) && !c->writable) {
        c->writable = true;
        events |= CONN_WRITABLE;
    }
    return events;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct conn_handle *h = arg;
    struct conn *c = h->conn;
    unsigned events;

    (void)fd;
    loop_enter(h->loop);
    if (!c)
        return;
    list_unlink(&h->task.link);
    if (c->tls)
        events = tls_conn_events(c, what);
    else
        events = c->connecting ? conn_connect_events(c, what) : conn_open_events(c, what);
    if (events != 0)
        c->owner->on_event(c, events);
}

void
conn_init(struct conn *c)
{
    *c = (struct conn){.fd = -1};
}

/* Everything but the readiness bits. Takes fd over, also when it fails. */
static int
open_handle(struct conn *c, struct loop *l, int fd, const struct conn_owner *owner)
{
    struct conn_handle *h = pool_take(&l->handles);

    if (!h) {
        close(fd);
        errno = ENOMEM;
        return -1;
    }
    h->conn = c;
    h->loop = l;
    task_init(&h->task, reap_handle);
    event_assign(&h->ev, l->base, fd, ALL_EDGES, on_ready, h);
    if (event_add(&h->ev, NULL) != 0) {
        int error = errno;

        pool_give(&l->handles, h);
        close(fd);
        errno = error != 0 ? error : ENOMEM;
        return -1;
    }
    c->handle = h;
    c->loop = l;
    c->owner = owner;
    c->fd = fd;
    return 0;
}

int
conn_open_accepted(struct conn *c, struct loop *l, int fd, const struct endpoint *peer,
                   const struct conn_owner *owner)
{
    conn_init(c);
    if (peer)
        c->peer = *peer;
    if (open_handle(c, l, fd, owner) != 0)
        return -1;
    c->writable = true;
    return 0;
}

int
conn_open_connect(struct conn *c, struct loop *l, const struct endpoint *to,
                  const struct conn_owner *owner)
{
    static const int one = 1;
    struct address a;
    int fd, error;

    conn_init(c);
    c->peer = *to;
    address_of_endpoint(&a, to);
    fd = socket(a.u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, &a.u.any, a.n) != 0 && errno != EINPROGRESS) {
        error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    if (open_handle(c, l, fd, owner) != 0)
        return -1;
    c->connecting = true;
    return 0;
}

int
conn_move(struct conn *to, struct conn *from, const struct conn_owner *owner)
{
    if (from->fd == -1) {
        conn_init(to);
        errno = EBADF;
        return -1;
    }
    *to = *from;
    to->owner = owner;
    to->handle->conn = to;
    if (to->tls)
        tls_conn_moved(to);
    conn_init(from);
    return 0;
}

ssize_t
conn_read(struct conn *c, void *p, size_t n)
{
    ssize_t got;

    if (c->tls)
        return tls_conn_read(c, p, n);
    if (c->fd == -1) {
        errno = EBADF;
        return -1;
    }
    do
        got = recv(c->fd, p, n, 0);
    while (got == -1 && errno == EINTR);
    if (got > 0) {
        c->bytes_in += (uint64_t)got;
        if ((size_t)got < n && !c->hup) {
            c->readable = false;
            conn_suspect(c);
        }
        return got;
    }
    c->readable = false;
    list_unlink(&c->handle->task.link);
    if (got == -1 && errno != EAGAIN)
        c->error = errno;
    if (got == 0 && n > 0) {
        c->eof = c->hup = true;
        conn_suspect(c); /* behind FIN the kernel keeps an RST to itself */
        if (c->error != 0) { /* somebody asked for the error before it could be read */
            errno = c->error;
            got = -1;
        }
    }
    return got;
}

ssize_t
conn_writev(struct conn *c, const struct iovec *iov, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    size_t offered = 0;
    ssize_t put;

    if (c->tls)
        return tls_conn_writev(c, iov, n);
    if (c->fd == -1) {
        errno = EBADF;
        return -1;
    }
    for (int i = 0; i < n; i++)
        offered += iov[i].iov_len;
    do
        put = n == 1 ? send(c->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                     : sendmsg(c->fd, &m, MSG_NOSIGNAL);
    while (put == -1 && errno == EINTR);
    if (put >= 0) {
        list_unlink(&c->handle->task.link);
        c->bytes_out += (uint64_t)put;
        if ((size_t)put < offered)
            c->writable = false;
    } else {
        c->writable = false;
        if (errno != EAGAIN)
            c->error = errno;
    }
    return put;
}

void
conn_shut_write(struct conn *c)
{
    if (c->fd == -1)
        return;
    if (c->tls)
        tls_conn_shut_write(c);
    shutdown(c->fd, SHUT_WR);
}

void
conn_keep_alive(struct conn *c, int idle, int interval, int probes, usec_t user_timeout)
{
    static const int one = 1;
    unsigned ms = (unsigned)usec_min(user_timeout / USEC_MS, INT32_MAX);

    setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(c->fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

void
conn_close(struct conn *c, bool abort)
{
    static const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    struct conn_handle *h = c->handle;

    if (c->fd == -1)
        return;
    if (c->tls)
        tls_conn_close(c, abort);
    if (abort)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    event_del(&h->ev);
    close(c->fd);
    h->conn = NULL;
    list_unlink(&h->task.link);
    loop_queue_reap(h->loop, &h->task);
    c->fd = -1;
    c->handle = NULL;
    c->connecting = c->readable = c->writable = false;
}

bool
conn_is_dirty(struct conn *c)
{
    char byte;
    ssize_t got;

    if (c->fd == -1 || c->hup || c->error != 0)
        return true;
    if (c->tls)
        return tls_conn_is_dirty(c);
    do
        got = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (got == -1 && errno == EINTR);
    if (got == -1 && errno == EAGAIN) {
        c->readable = false;
        return false;
    }
    if (got == -1)
        c->error = errno;
    return true;
}

struct endpoint
conn_socket_peer(const struct conn *c)
{
    struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(a);

    if (c->fd == -1 || getpeername(c->fd, (struct sockaddr *)&a, &n) != 0)
        return (struct endpoint){0};
    return address_endpoint((const struct sockaddr *)&a);
}

size_t
conn_unacked(struct conn *c)
{
    int n = 0;

    if (c->fd == -1 || ioctl(c->fd, SIOCOUTQ, &n) != 0 || n < 0)
        return 0;
    return (size_t)n;
}
