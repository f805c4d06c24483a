/* SPDX-License-Identifier: BSD-2-Clause */
/* warden_tree.c: see warden_tree.h. */
#include "config.h"

#include "local/warden_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* More processes than any pid_max of today allows. */
#define TREE_MAX (1u << 22)
#define NEARLY_CLEAN 20

void
tree_fini(struct tree *t)
{
    free(t->process);
    *t = (struct tree){0};
}

int64_t
tree_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Reads PATH/stat below dir; false: it is gone. */
static bool
read_stat(int dir, const char *pid, struct tree_process *p)
{
    char path[300], text[512];
    const char *at;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/stat", pid);
    fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    /* pid (name) state parent group ...; the name may hold anything. */
    at = strrchr(text, ')');
    *p = (struct tree_process){.pid = (pid_t)strtol(text, NULL, 10)};
    return at && sscanf(at + 1, " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
                        " %d", &p->state, &p->parent, &p->group, &p->threads) == 4;
}

static int
add(struct tree *t, const struct tree_process *p)
{
    if (t->n == t->room) {
        size_t room = t->room ? t->room * 2 : 512;
        struct tree_process *more;

        if (room > TREE_MAX || !(more = realloc(t->process, room * sizeof(*more)))) {
            errno = ENOMEM;
            return -1;
        }
        t->process = more;
        t->room = room;
    }
    t->process[t->n++] = *p;
    return 0;
}

static int
by_pid(const void *a, const void *b)
{
    const struct tree_process *x = a, *y = b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void
mark(struct tree *t)
{
    pid_t self = getpid();
    bool found = true;

    while (found) {
        found = false;
        for (size_t i = 0; i < t->n; i++) {
            struct tree_process *p = &t->process[i], key = {.pid = p->parent};
            const struct tree_process *parent;

            if (p->ours)
                continue;
            parent = bsearch(&key, t->process, t->n, sizeof(key), by_pid);
            p->ours = p->parent == self || (parent && parent->ours);
            found |= p->ours;
        }
    }
}

/* The numbers of all processes there are at this moment, rising. */
static int
list_all(struct tree *t)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;
    struct tree_process p = {0};
    int r = 0;

    t->n = 0;
    if (!proc)
        return -1;
    while (r == 0 && (e = readdir(proc)))
        if (isdigit((unsigned char)e->d_name[0])) {
            p.pid = (pid_t)strtol(e->d_name, NULL, 10);
            r = add(t, &p);
        }
    closedir(proc);
    if (r == 0 && t->n > 1)
        qsort(t->process, t->n, sizeof(p), by_pid);
    return r;
}

/*
 * hunt: orphans are stopped as soon as they are seen. The youngest come first: a chain of processes
 * that fork and end is caught at its head, or not at all.
 */
static int
read_all(struct tree *t, bool hunt)
{
    char name[16];
    size_t kept = 0;
    pid_t self = getpid();

    if (list_all(t) != 0)
        return -1;
    t->vanished = 0;
    for (size_t i = t->n; i-- > 0;) {
        struct tree_process *p = &t->process[i];

        snprintf(name, sizeof(name), "/proc/%d", (int)p->pid);
        if (!read_stat(AT_FDCWD, name, p)) {
            p->pid = 0;
            t->vanished++;
        } else if (hunt && p->parent == self && p->state != 'T' && p->state != 'Z') {
            kill(p->pid, SIGSTOP);
        }
    }
    for (size_t i = 0; i < t->n; i++)
        if (t->process[i].pid != 0)
            t->process[kept++] = t->process[i];
    t->n = kept;
    mark(t);
    return 0;
}

int
tree_read(struct tree *t)
{
    return read_all(t, false);
}

static bool
is_dead(const struct tree_process *p)
{
    /* A process whose first thread has ended looks like a zombie while others run. */
    return p->state == 'X' || (p->state == 'Z' && p->threads <= 1);
}

unsigned
tree_count(const struct tree *t)
{
    unsigned n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->process[i].ours && !is_dead(&t->process[i]);
    return n;
}

/* Not one thread of it can run. */
static bool
is_quiet(const struct tree_process *p)
{
    char path[64];
    const struct dirent *e;
    struct tree_process thread;
    bool quiet = true;
    DIR *tasks;

    if (p->threads <= 1)
        return strchr("TtZX", p->state) != NULL;
    snprintf(path, sizeof(path), "/proc/%d/task", p->pid);
    tasks = opendir(path);
    if (!tasks)
        return true;
    while (quiet && (e = readdir(tasks)))
        if (isdigit((unsigned char)e->d_name[0]) && read_stat(dirfd(tasks), e->d_name, &thread))
            quiet = strchr("TtZX", thread.state) != NULL;
    closedir(tasks);
    return quiet;
}

static unsigned
count_dead(const struct tree *t)
{
    unsigned n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->process[i].ours && is_dead(&t->process[i]);
    return n;
}

/* SIGSTOP to what is not quiet; how many could run, those in the kernel's hands apart. */
static unsigned
sweep(struct tree *t, unsigned *deep)
{
    unsigned running = 0;

    *deep = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct tree_process *p = &t->process[i];

        if (!p->ours || is_dead(p) || is_quiet(p))
            continue;
        if (kill(p->pid, SIGSTOP) == -1 && errno == ESRCH)
            continue;
        if (p->state == 'D')
            ++*deep;
        else
            running++;
    }
    return running;
}

/*
 * A sweep first lists /proc, then looks at each process. It is clean when none of ours could run,
 * and none ended meanwhile: one that ended may have left a child that the list does not have yet,
 * and that child another. After two clean sweeps nothing runs: whoever forked during the first one
 * stands still, and what it made is in the second one's list. Other processes of the machine that
 * end spoil sweeps as well, so that many nearly clean ones must do.
 */
int
tree_stop(struct tree *t, int64_t deadline)
{
    unsigned clean = 0, nearly = 0, dead = 0, running, deep;

    while (clean < 2 && nearly < NEARLY_CLEAN) {
        unsigned before = dead;

        if (read_all(t, true) != 0)
            return -1;
        running = sweep(t, &deep);
        dead = count_dead(t);
        if (running + deep == 0) {
            clean = t->vanished == 0 && dead == before ? clean + 1 : 0;
            nearly++;
            continue;
        }
        clean = nearly = 0;
        if (tree_now() > deadline) {
            /* What sleeps deep in the kernel (the parent of a vfork) stops before it runs again. */
            if (running == 0)
                break;
            errno = ETIMEDOUT;
            return -1;
        }
        sched_yield();
    }
    return (int)tree_count(t);
}

int
tree_continue(struct tree *t)
{
    bool stopped = true;

    for (int pass = 0; pass < 3 && stopped; pass++) {
        if (tree_read(t) != 0)
            return -1;
        stopped = false;
        for (size_t i = t->n; i-- > 0;) {
            const struct tree_process *p = &t->process[i];

            if (!p->ours || is_dead(p) || (pass > 0 && p->state != 'T'))
                continue;
            kill(p->pid, SIGCONT);
            stopped = true;
        }
    }
    return 0;
}

int
tree_kill(struct tree *t)
{
    if (tree_read(t) != 0)
        return -1;
    for (size_t i = 0; i < t->n; i++)
        if (t->process[i].ours)
            kill(t->process[i].pid, SIGKILL);
    return 0;
}

char
tree_state(pid_t pid)
{
    char path[64];
    struct tree_process p;

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return read_stat(AT_FDCWD, path, &p) ? p.state : 0;
}

bool
tree_is_stopped(struct tree *t, pid_t group)
{
    if (tree_read(t) != 0)
        return false;
    for (size_t i = 0; i < t->n; i++) {
        const struct tree_process *p = &t->process[i];

        if (p->ours && p->group == group && p->state == 'T')
            return true;
    }
    return false;
}
