/* SPDX-License-Identifier: BSD-2-Clause */
/* gateway_bind.c: the sockets of a gateway. Owner: the main thread, before the others start. */
#include "config.h"

#include "gateway/gateway_priv.h"
#include "net/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * ---- starting
 * -------------------------------------------------------------------------------------
 */

/*
 * SO_REUSEPORT lets a second gateway listen beside a first one, and take half of its clients: so
 * each address is bound once without it.
 */
static int
try_address(struct slice address, struct buf *why)
{
    int fd;

    if (slice_starts(address, SLICE("unix:")) || slice_ends(address, SLICE(":0")))
        return 0;
    fd = listener_bind(address, false, why);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int
bind_listeners(struct gateway *g, struct buf *why)
{
    const struct gateway_config *c = g->config;

    for (unsigned i = 0; i < c->listeners; i++)
        if (try_address(slice_of(c->listener[i].address), why) < 0)
            return -1;
    for (unsigned w = 0; w < g->workers; w++)
        for (unsigned i = 0; i < c->listeners; i++) {
            struct slice address = slice_of(c->listener[i].address);
            bool again = w > 0 && (slice_starts(address, SLICE("unix:")) ||
                                   slice_ends(address, SLICE(":0")));
            int fd = again ? dup(g->fd[i]) : listener_bind(address, true, why);

            if (fd < 0)
                return -1;
            g->fd[g->fds++] = fd;
        }
    return 0;
}

void
gateway_announce(struct gateway *g)
{
    char text[128];
    struct buf b;

    for (unsigned i = 0; i < g->config->listeners; i++) {
        struct log_line l;

        buf_init_fixed(&b, text, sizeof(text));
        listener_address(g->fd[i], &b);
        log_open(&l, g->log, LOG_INFO, LOG_EVENT, "listening");
        log_slice(&l, LF_ADDRESS, buf_slice(&b));
        log_close(&l);
    }
}

/* The directory of a path, if it is not there: /run is empty after a boot. */
static void
make_directory(const char *path)
{
    char dir[sizeof(((struct gateway_config *)NULL)->admin_socket)];
    size_t n = slice_copy(slice_of(path), dir, sizeof(dir));

    while (n > 0 && dir[n] != '/')
        n--;
    dir[n] = 0;
    if (n > 0)
        (void)mkdir(dir, 0755); /* binding says what is wrong */
}

static int
bind_admin_socket(struct gateway *g, struct buf *why)
{
    const struct gateway_config *c = g->config;
    char text[sizeof(c->admin_socket) + 8];
    struct buf address;
    int fd;

    make_directory(c->admin_socket);
    buf_init_fixed(&address, text, sizeof(text));
    buf_printf(&address, "unix:%s", c->admin_socket);
    fd = listener_bind(buf_slice(&address), false, why);
    if (fd < 0 && !c->admin_socket_given) {
        /* Nobody asked for it: another gateway has it, or this user may not. */
        log_event(g->log, LOG_WARN, "admin_socket", "%s; going on without", buf_cstr(why));
        buf_clear(why);
        return 0;
    }
    if (fd < 0)
        return -1;
    g->admin_fd[g->admin_fds++] = fd;
    g->admin_bound = true;
    if (chmod(c->admin_socket, 0660) < 0)
        log_event(g->log, LOG_WARN, "admin_socket", "chmod %s: %s", c->admin_socket,
                  strerror(errno));
    return 0;
}

static int
bind_admin(struct gateway *g, struct buf *why)
{
    const struct gateway_config *c = g->config;
    int fd;

    if (c->admin_socket[0] && bind_admin_socket(g, why) < 0)
        return -1;
    if (c->admin_address[0]) {
        fd = listener_bind(slice_of(c->admin_address), false, why);
        if (fd < 0)
            return -1;
        g->admin_fd[g->admin_fds++] = fd;
    }
    return 0;
}

int
gateway_bind(struct gateway *g, struct buf *why)
{
    return bind_listeners(g, why) < 0 ? -1 : bind_admin(g, why);
}

static bool
own_of(int fd, struct endpoint *e)
{
    char text[128];
    struct buf b;

    buf_init_fixed(&b, text, sizeof(text));
    listener_address(fd, &b);
    return endpoint_parse(buf_slice(&b), e) == 0;
}

size_t
gateway_own(const struct gateway *g, struct endpoint *own, size_t max)
{
    size_t n = 0;

    for (unsigned i = 0; i < g->config->listeners && i < g->fds && n < max; i++)
        n += own_of(g->fd[i], &own[n]);
    for (unsigned i = 0; i < g->admin_fds && n < max; i++)
        n += own_of(g->admin_fd[i], &own[n]);
    return n;
}
