/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn.c: see spawn.h. vfork, because fork would copy the page tables of a process that may be
 * large and leave every thread with page faults to pay. Until exec the child runs in our memory:
 * it only makes system calls, and reports a failure through a pipe that closes on exec.
 *
 * The input is a file in memory: the child may leave it unread, there is no pipe to break.
 */
#include "config.h"

#include "net/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the pipe for errno stands in the child, behind stdio. */
#define REPORT_FD 3

struct plan {
    const struct spawn *spawn;
    int report; /* > REPORT_FD */
    pid_t parent;
    sigset_t none;
};

_Noreturn static void
run_child(const struct plan *p)
{
    const struct spawn *s = p->spawn;
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    int error;

    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &dfl, NULL);
    if (dup3(p->report, REPORT_FD, O_CLOEXEC) != REPORT_FD)
        _exit(127);
    if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == p->parent &&
        dup2(s->stdio[0], 0) == 0 && dup2(s->stdio[1], 1) == 1 && dup2(s->stdio[2], 2) == 2) {
        close_range(REPORT_FD + 1, ~0U, 0);
        sigprocmask(SIG_SETMASK, &p->none, NULL);
        execvpe(s->argv[0], s->argv, s->envp);
    }
    error = errno;
    if (write(REPORT_FD, &error, sizeof(error)) != sizeof(error))
        _exit(126);
    _exit(127);
}

/* Returns in the parent only. */
static __attribute__((noinline)) pid_t
split(const struct plan *p)
{
    pid_t pid = vfork();

    if (pid == 0)
        run_child(p);
    return pid;
}

int
spawn_lift(int fd)
{
    int high;

    if (fd > REPORT_FD || fd == -1)
        return fd;
    high = fcntl(fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    close(fd);
    return high;
}

pid_t
spawn_start(const struct spawn *s)
{
    struct plan p = {.spawn = s, .parent = getpid()};
    sigset_t all, old;
    int report[2], error = 0;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) != 0)
        return -1;
    p.report = report[1] = spawn_lift(report[1]);
    if (p.report == -1) {
        close(report[0]);
        errno = EMFILE;
        return -1;
    }
    sigfillset(&all);
    sigemptyset(&p.none);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pid = split(&p);
    if (pid == -1)
        error = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(report[1]);
    if (pid != -1 && read(report[0], &error, sizeof(error)) == sizeof(error)) {
        while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
            continue;
        pid = -1;
    }
    close(report[0]);
    errno = error;
    return pid;
}

static bool
is_private(struct slice name)
{
    static const char *const ours[] = {"LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_"};
    static const char *const secret[] = {"SECRET", "TOKEN", "PASSW", "CREDENTIAL", "KEY"};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (slice_starts(name, slice_of(ours[i])))
            return true;
    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
        for (size_t at = 0; at < name.n; at++)
            if (slice_istarts(slice_sub(name, at, name.n), slice_of(secret[i])))
                return true;
    return false;
}

char **
spawn_environment(void)
{
    size_t n = 0, kept = 0;
    char **env;

    while (environ && environ[n])
        n++;
    env = calloc(n + 1, sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct slice entry = slice_of(environ[i]);
        ptrdiff_t equals = slice_index(entry, '=');

        if (equals > 0 && !is_private(slice_sub(entry, 0, (size_t)equals)))
            env[kept++] = environ[i];
    }
    return env;
}

int
spawn_input(struct slice bytes)
{
    int fd = spawn_lift(memfd_create("rouse-input", MFD_CLOEXEC)), error;

    if (fd == -1)
        return -1;
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            goto fail;
        bytes = slice_sub(bytes, (size_t)n, bytes.n);
    }
    if (lseek(fd, 0, SEEK_SET) == 0)
        return fd;
fail:
    error = errno;
    close(fd);
    errno = error;
    return -1;
}
