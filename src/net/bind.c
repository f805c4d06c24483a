/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bind.c: listening sockets (listener_bind, listener_address), made once before the workers
 * start. Options that accepted sockets inherit on Linux are set here, which saves those calls per
 * connection.
 */
#include "config.h"

#include "net/address.h"
#include "net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Dead clients are found after 60 + 6 * 10 s. */
#define KEEP_IDLE 60
#define KEEP_INTERVAL 10
#define KEEP_PROBES 6
/* Unix sockets: owner and group. */
#define SOCKET_UMASK 0117

static int
failed(int fd, struct buf *why, const char *what, struct slice address)
{
    int error = errno;

    buf_printf(why, "%s %.*s: %s", what, SLICE_ARG(address), strerrordesc_np(error));
    if (fd != -1)
        close(fd);
    errno = error;
    return -1;
}

static void
set_int(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof(value));
}

static void
set_inherited(int fd)
{
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_PROBES);
}

/* "[::]" takes IPv4 as well, unless another listener has that already. */
static int
bind_any(int fd, const struct address *a)
{
    bool six = a->u.any.sa_family == AF_INET6;

    if (six)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, &a->u.any, a->n) == 0)
        return 0;
    if (!six || errno != EADDRINUSE)
        return -1;
    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return bind(fd, &a->u.any, a->n);
}

/* An address that has a port, which may be 0: any. */
static int
parse_address(struct slice address, struct endpoint *e)
{
    bool any = slice_ends(address, SLICE(":0"));

    if (any)
        address.n -= 2;
    if (endpoint_parse(address, e) != 0 || any != (e->port == 0) ||
        (e->family == 6 && address.p[0] != '[')) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

static int
bind_tcp(struct slice address, bool reuseport, struct buf *why)
{
    struct endpoint e;
    struct address a;
    int fd;

    if (parse_address(address, &e) != 0) {
        buf_printf(why, "%.*s is not an address with a port", SLICE_ARG(address));
        return -1;
    }
    address_of_endpoint(&a, &e);
    fd = socket(a.u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return failed(fd, why, "cannot make a socket for", address);
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reuseport)
        set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (bind_any(fd, &a) != 0)
        return failed(fd, why, "cannot bind to", address);
    set_inherited(fd);
    if (listen(fd, LISTENER_BACKLOG) != 0)
        return failed(fd, why, "cannot listen on", address);
    return fd;
}

/* A socket file that nobody listens on any more. */
static bool
is_left_over(const struct address *a)
{
    struct stat st;
    bool refused;
    int fd;

    if (lstat(a->u.path.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return false;
    refused = connect(fd, &a->u.any, a->n) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int
bind_path(int fd, const struct address *a)
{
    mode_t mask = umask(SOCKET_UMASK);
    int rc = bind(fd, &a->u.any, a->n);
    int error = errno;

    if (rc != 0 && error == EADDRINUSE && is_left_over(a) && unlink(a->u.path.sun_path) == 0) {
        rc = bind(fd, &a->u.any, a->n);
        error = errno;
    }
    umask(mask);
    errno = error;
    return rc;
}

static int
bind_unix(struct slice path, struct buf *why)
{
    struct address a = {.u.path.sun_family = AF_UNIX, .n = sizeof(a.u.path)};
    int fd;

    if (path.n == 0 || path.n >= sizeof(a.u.path.sun_path) || slice_index(path, '\0') != -1) {
        errno = EINVAL;
        buf_printf(why, "unix:%.*s: a path has 1 to %zu bytes", SLICE_ARG(path),
                   sizeof(a.u.path.sun_path) - 1);
        return -1;
    }
    slice_copy(path, a.u.path.sun_path, sizeof(a.u.path.sun_path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return failed(fd, why, "cannot make a socket for", path);
    if (bind_path(fd, &a) != 0)
        return failed(fd, why, "cannot bind to", path);
    if (listen(fd, LISTENER_BACKLOG) != 0)
        return failed(fd, why, "cannot listen on", path);
    return fd;
}

int
listener_bind(struct slice address, bool reuseport, struct buf *why)
{
    if (slice_starts(address, SLICE("unix:")))
        return bind_unix(slice_sub(address, 5, address.n), why);
    return bind_tcp(address, reuseport, why);
}

void
listener_address(int fd, struct buf *out)
{
    struct sockaddr_storage s;
    struct sockaddr_un path;
    struct endpoint e;
    socklen_t n = sizeof(s);

    if (getsockname(fd, (struct sockaddr *)&s, &n) != 0)
        return;
    if (s.ss_family == AF_UNIX) {
        memcpy(&path, &s, sizeof(path));
        buf_add_str(out, "unix:");
        buf_add(out, path.sun_path, strnlen(path.sun_path, sizeof(path.sun_path)));
        return;
    }
    e = address_endpoint((const struct sockaddr *)&s);
    endpoint_add(out, &e);
}
