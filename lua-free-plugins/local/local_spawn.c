/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_spawn.c: see local_spawn.h. posix_spawn, because the C library runs it with vfork: starting
 * a small program must not copy the page tables of a large one.
 */
#include "config.h"

#include "local/local_spawn.h"
#include "local/warden.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

char *
local_spawn_program(void)
{
    Dl_info info;
    const char *slash;
    char *path = NULL;

    if (dladdr((const void *)&local_spawn_program, &info) == 0 || !info.dli_fname ||
        !(slash = strrchr(info.dli_fname, '/')))
        return strdup(WARDEN_PROGRAM);
    if (asprintf(&path, "%.*s/%s", (int)(slash - info.dli_fname), info.dli_fname,
                 WARDEN_PROGRAM) < 0)
        return NULL;
    return path;
}

/* Descriptors of the warden: nothing to read, the output as configured, its socket. */
static int
add_actions(posix_spawn_file_actions_t *a, const struct local_spec *spec, int sock)
{
    const char *out = spec->output ? spec->output : "/dev/null";
    int e = posix_spawn_file_actions_adddup2(a, sock, WARDEN_FD);

    if (e == 0)
        e = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (e == 0 && !spec->inherit)
        e = posix_spawn_file_actions_addopen(a, STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_APPEND,
                                             0644);
    if (e == 0 && !spec->inherit)
        e = posix_spawn_file_actions_adddup2(a, STDOUT_FILENO, STDERR_FILENO);
    return e ? e : posix_spawn_file_actions_addclosefrom_np(a, WARDEN_FD + 1);
}

static int
add_attributes(posix_spawnattr_t *a)
{
    sigset_t none, all;
    int e;

    sigemptyset(&none);
    sigfillset(&all);
    /* A session of its own: the terminal's Ctrl-C is for Rouse, which stops us in order. */
    e = posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                 POSIX_SPAWN_SETSID);
    if (e == 0)
        e = posix_spawnattr_setsigmask(a, &none);
    return e ? e : posix_spawnattr_setsigdefault(a, &all);
}

static char **
arguments(const struct local_spec *spec, char *name)
{
    size_t n = 0;
    char **argv;

    while (spec->argv[n])
        n++;
    argv = calloc(n + 5, sizeof(*argv));
    if (!argv)
        return NULL;
    argv[0] = (char *)(uintptr_t)WARDEN_PROGRAM; /* posix_spawn only reads it */
    argv[1] = name;
    argv[2] = spec->directory;
    argv[3] = spec->user;
    memcpy(argv + 4, spec->argv, n * sizeof(*argv));
    return argv;
}

static int
spawn(pid_t *pid, const char *program, const struct local_spec *spec, int sock)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char name[64];
    char **argv;
    int e = ENOMEM;

    snprintf(name, sizeof(name), "%.*s", spec->signals_only ? 0 : (int)spec->id.n, spec->id.p);
    argv = arguments(spec, name);
    if (!argv || posix_spawn_file_actions_init(&actions) != 0)
        goto no_actions;
    if (posix_spawnattr_init(&attr) != 0)
        goto no_attr;
    e = add_actions(&actions, spec, sock);
    if (e == 0)
        e = add_attributes(&attr);
    if (e == 0)
        e = posix_spawn(pid, program, &actions, &attr, argv, spec->envp);
    posix_spawnattr_destroy(&attr);
no_attr:
    posix_spawn_file_actions_destroy(&actions);
no_actions:
    free(argv);
    return e;
}

pid_t
local_spawn(const char *program, const struct local_spec *spec, int *sock)
{
    int pair[2], theirs, e;
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    /* Away from the descriptors that are put in place: dup2 onto itself would leave it closing. */
    theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, WARDEN_FD + 1);
    close(pair[1]);
    e = theirs == -1 ? errno : spawn(&pid, program, spec, theirs);
    if (theirs != -1)
        close(theirs);
    if (e == 0) {
        *sock = pair[0];
        return pid;
    }
    close(pair[0]);
    errno = e;
    return -1;
}

/* What ends by itself, but not at once: wardens, and the processes of a cgroup. */
struct burial {
    char cgroup[256]; /* "": none */
    unsigned n;
    pid_t pid[];
};

#define BURIAL_TRIES 1000
#define BURIAL_PAUSE_MS 5

static void *
bury(void *arg)
{
    struct burial *b = arg;

    for (unsigned i = 0; i < b->n; i++)
        while (waitpid(b->pid[i], NULL, 0) == -1 && errno == EINTR)
            continue;
    for (int i = 0; b->cgroup[0] && i < BURIAL_TRIES; i++) {
        if (rmdir(b->cgroup) == 0 || errno != EBUSY)
            break;
        poll(NULL, 0, BURIAL_PAUSE_MS);
    }
    free(b);
    return NULL;
}

static void
start_burial(const char *cgroup, const pid_t *pid, unsigned n)
{
    struct burial *b = calloc(1, sizeof(*b) + n * sizeof(pid[0]));
    sigset_t all, old;
    pthread_t thread;

    if (!b)
        return;
    snprintf(b->cgroup, sizeof(b->cgroup), "%s", cgroup);
    b->n = n;
    if (n > 0)
        memcpy(b->pid, pid, n * sizeof(pid[0]));
    /* Signals are for the threads that wait for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&thread, NULL, bury, b) == 0)
        pthread_detach(thread);
    else
        free(b);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
local_spawn_clean(const char *cgroup)
{
    char path[256];
    int fd;

    if (cgroup[0] == '\0')
        return;
    snprintf(path, sizeof(path), "%s/cgroup.kill", cgroup);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd != -1) {
        if (write(fd, "1", 1) != 1)
            errno = 0;
        close(fd);
    }
    start_burial(cgroup, NULL, 0);
}

void
local_spawn_reap(const pid_t *pid, unsigned n)
{
    start_burial("", pid, n);
}
