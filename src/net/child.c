/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.c: see child.h. The pidfd tells of the end, so no SIGCHLD handler and no wait for any
 * child but ours. The process group is killed only while its leader is not reaped: its number
 * cannot have been given to anybody else.
 *
 *     running --exits--> ended --run list--> told, reaped
 *        | timeout, output too long, cancel: SIGKILL to the group, and so it exits
 *
 * A helper that the program left running in the background is none of our business when the
 * program ended by itself, even if it holds the pipes: what is in them then is the output.
 */
#include "config.h"

#include "net/child.h"

#include "net/spawn.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRORS_MAX 1024
#define CHUNK 4096
/* Chunks read from one pipe in one turn. */
#define CHUNKS_A_TURN 16
/* How long loop_fini waits for a killed child. */
#define LAST_WAIT_MS 2000

/* A pipe that is read from. */
struct outlet {
    struct event ev;
    struct child *child;
    struct buf buf;
    int fd; /* -1: closed */
    bool overflow;
};

struct child {
    struct list link;
    struct loop *loop;
    void (*on_done)(void *ctx, const struct child_result *r); /* NULL once cancelled */
    void *ctx;
    struct outlet out, err;
    struct event exited;
    struct wheel_timer timeout;
    struct task tell, reap;
    pid_t pid; /* 0: not running (any more) */
    int pidfd;
    int status, error;
    bool timed_out;
};

static void
kill_group(struct child *c)
{
    if (c->pid == 0)
        return;
    kill(-c->pid, SIGKILL);
    kill(c->pid, SIGKILL);
}

static void
outlet_close(struct outlet *o)
{
    if (o->fd == -1)
        return;
    event_del(&o->ev);
    close(o->fd);
    o->fd = -1;
}

/* Closes everything but leaves what is to be told. */
static void
let_go(struct child *c)
{
    outlet_close(&c->out);
    outlet_close(&c->err);
    loop_timer_cancel(c->loop, &c->timeout);
    if (c->pidfd != -1) {
        event_del(&c->exited);
        close(c->pidfd);
        c->pidfd = -1;
    }
    c->pid = 0;
}

static void
free_child(struct child *c)
{
    list_unlink(&c->link);
    task_cancel(&c->tell);
    task_cancel(&c->reap);
    buf_fini(&c->out.buf);
    buf_fini(&c->err.buf);
    free(c);
}

static void
reap_child(struct task *t)
{
    free_child(container_of(t, struct child, reap));
}

static void
tell(struct task *t)
{
    struct child *c = container_of(t, struct child, tell);
    struct child_result r = {
        .status = c->status,
        .error = c->error,
        .timed_out = c->timed_out,
        .too_long = c->out.overflow,
        .output = buf_slice(&c->out.buf),
        .errors = buf_slice(&c->err.buf),
    };

    loop_queue_reap(c->loop, &c->reap);
    if (c->on_done)
        c->on_done(c->ctx, &r);
}

/* Reads some. False: there is nothing more, now or ever. */
static bool
outlet_read(struct outlet *o)
{
    char chunk[CHUNK];
    size_t room = o->buf.max - o->buf.n;
    ssize_t n;

    if (o->fd == -1)
        return false;
    do
        n = read(o->fd, chunk, sizeof(chunk));
    while (n == -1 && errno == EINTR);
    if (n == -1 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        outlet_close(o);
        return false;
    }
    if ((size_t)n > room)
        o->overflow = true;
    if (buf_add(&o->buf, chunk, (size_t)n > room ? room : (size_t)n) != 0)
        o->overflow = true; /* out of memory */
    return true;
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
    struct outlet *o = arg;
    struct child *c = o->child;

    (void)fd;
    (void)what;
    loop_enter(c->loop);
    for (unsigned i = 0; i < CHUNKS_A_TURN && outlet_read(o); i++)
        continue;
    if (c->out.overflow) {
        outlet_close(&c->out);
        kill_group(c);
    }
}

static void
on_exited(evutil_socket_t fd, short what, void *arg)
{
    struct child *c = arg;
    pid_t pid;

    (void)fd;
    (void)what;
    loop_enter(c->loop);
    do
        pid = waitpid(c->pid, &c->status, WNOHANG);
    while (pid == -1 && errno == EINTR);
    if (pid == 0)
        return;
    if (pid == -1) {
        c->status = -1;
        c->error = errno;
    }
    for (unsigned i = 0; i < 2 * CHUNKS_A_TURN && !c->out.overflow && outlet_read(&c->out); i++)
        continue;
    for (unsigned i = 0; i < CHUNKS_A_TURN && outlet_read(&c->err); i++)
        continue;
    let_go(c);
    loop_queue_run(c->loop, &c->tell);
}

static void
on_timeout(struct wheel_timer *t)
{
    struct child *c = container_of(t, struct child, timeout);

    c->timed_out = true;
    kill_group(c);
}

/* Our end of a new pipe, watched; *theirs is the child's. -1: no descriptors or memory. */
static int
outlet_open(struct outlet *o, struct child *c, size_t max, int *theirs)
{
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) != 0)
        return -1;
    *theirs = spawn_lift(fd[1]);
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    event_assign(&o->ev, c->loop->base, fd[0], EV_READ | EV_PERSIST, on_output, o);
    if (*theirs == -1 || event_add(&o->ev, NULL) != 0) {
        close(fd[0]);
        return -1;
    }
    o->child = c;
    o->fd = fd[0];
    buf_init(&o->buf, max);
    return 0;
}

/* 0: it runs, or cannot be started, which is then a result. -1: no descriptors or memory. */
static int
start(struct child *c, const struct child_options *o, int stdio[3])
{
    char **env = o->envp ? NULL : spawn_environment();
    struct spawn s = {.argv = o->argv, .envp = o->envp ? o->envp : env};

    if (!s.envp)
        return -1;
    for (int i = 0; i < 3; i++)
        s.stdio[i] = stdio[i];
    c->pid = spawn_start(&s);
    c->error = errno;
    free(env);
    if (c->pid == -1) {
        c->pid = 0;
        c->status = -1;
        return 0;
    }
    c->error = 0;
    c->pidfd = pidfd_open(c->pid, 0);
    if (c->pidfd != -1) {
        event_assign(&c->exited, c->loop->base, c->pidfd, EV_READ | EV_PERSIST, on_exited, c);
        if (event_add(&c->exited, NULL) == 0)
            return 0;
        close(c->pidfd);
        c->pidfd = -1;
    }
    kill_group(c);
    while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
        continue;
    return -1;
}

static int
open_stdio(struct child *c, const struct child_options *o, int stdio[3])
{
    stdio[0] = spawn_input(o->input);
    if (stdio[0] == -1 || outlet_open(&c->out, c, o->output_max, &stdio[1]) != 0)
        return -1;
    return outlet_open(&c->err, c, ERRORS_MAX, &stdio[2]);
}

struct child *
child_start(struct loop *l, const struct child_options *o,
            void (*on_done)(void *ctx, const struct child_result *r), void *ctx)
{
    struct child *c = calloc(1, sizeof(*c));
    int stdio[3] = {-1, -1, -1}, rc = -1;

    if (!c)
        return NULL;
    c->loop = l;
    c->on_done = on_done;
    c->ctx = ctx;
    c->pidfd = c->out.fd = c->err.fd = -1;
    list_init(&c->link);
    wheel_timer_init(&c->timeout, on_timeout);
    task_init(&c->tell, tell);
    task_init(&c->reap, reap_child);
    if (open_stdio(c, o, stdio) == 0)
        rc = start(c, o, stdio);
    for (int i = 0; i < 3; i++)
        if (stdio[i] != -1)
            close(stdio[i]);
    if (rc != 0) {
        let_go(c);
        free_child(c);
        return NULL;
    }
    list_push_back(&l->children, &c->link);
    if (c->pid != 0) {
        loop_timer_set(l, &c->timeout, usec_add(l->now, o->timeout));
    } else { /* it could not be started: nobody will write into the pipes */
        let_go(c);
        loop_queue_run(l, &c->tell);
    }
    return c;
}

void
child_cancel(struct child *c)
{
    if (!c)
        return;
    c->on_done = NULL;
    if (c->pid != 0) {
        kill_group(c); /* on_exited does the rest */
        return;
    }
    let_go(c);
    task_cancel(&c->tell);
    loop_queue_reap(c->loop, &c->reap);
}

void
child_end_all(struct loop *l)
{
    struct list *n;

    while ((n = list_first(&l->children)) != NULL) {
        struct child *c = container_of(n, struct child, link);
        struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

        kill_group(c);
        if (c->pid != 0 && poll(&p, 1, LAST_WAIT_MS) == 1)
            waitpid(c->pid, NULL, WNOHANG);
        let_go(c);
        free_child(c);
    }
}
