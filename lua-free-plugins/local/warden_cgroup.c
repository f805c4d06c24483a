/* SPDX-License-Identifier: BSD-2-Clause */
/* warden_cgroup.c: see warden_cgroup.h. */
#include "config.h"

#include "local/warden_cgroup.h"
#include "local/warden_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t
read_file(int dir, const char *name, char *out, size_t n)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd == -1)
        return -1;
    got = read(fd, out, n - 1);
    close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got;
}

static int
write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC), saved;
    ssize_t n;

    if (fd == -1)
        return -1;
    n = write(fd, text, strlen(text));
    saved = errno;
    close(fd);
    errno = saved;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Our own place in the version 2 tree, the line "0::/path". */
static bool
own_path(char *out, size_t n)
{
    char text[4096], *at, *end;

    if (read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) <= 0)
        return false;
    at = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!at)
        return false;
    at = strchr(at, '/');
    end = at ? strchr(at, '\n') : NULL;
    if (!end || (size_t)(end - at) >= n)
        return false;
    *end = '\0';
    snprintf(out, n, "%s", strcmp(at, "/") == 0 ? "" : at);
    return true;
}

static bool
make_below(struct cgroup *g, const char *mount, const char *own, const char *name)
{
    char path[300];
    int n;

    n = snprintf(path, sizeof(path), "%s/cgroup.controllers", mount);
    if (n < 0 || access(path, R_OK) != 0)
        return false;
    n = snprintf(path, sizeof(path), "%s%s/rouse.%d.%s", mount, own, (int)getpid(), name);
    if (n < 0 || (size_t)n >= sizeof(g->path) || mkdir(path, 0755) != 0)
        return false;
    g->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (g->dir != -1 && faccessat(g->dir, "cgroup.freeze", W_OK, 0) == 0 &&
        faccessat(g->dir, "cgroup.kill", W_OK, 0) == 0) {
        memcpy(g->path, path, (size_t)n + 1);
        return true;
    }
    if (g->dir != -1)
        close(g->dir);
    g->dir = -1;
    rmdir(path);
    return false;
}

bool
cgroup_open(struct cgroup *g, const char *name)
{
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char own[200];

    *g = (struct cgroup){.dir = -1};
    if (!own_path(own, sizeof(own)))
        return false;
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
        if (make_below(g, mounts[i], own, name))
            return true;
    return false;
}

int
cgroup_add(struct cgroup *g, pid_t pid)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    return write_file(g->dir, "cgroup.procs", text);
}

bool
cgroup_is_frozen(struct cgroup *g)
{
    char text[256];

    return read_file(g->dir, "cgroup.events", text, sizeof(text)) > 0 &&
        strstr(text, "frozen 1") != NULL;
}

/* Lines of cgroup.procs. */
static int
population(struct cgroup *g)
{
    char text[4096];
    int fd = openat(g->dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), count = 0;
    ssize_t n;

    if (fd == -1)
        return 0;
    while ((n = read(fd, text, sizeof(text))) > 0)
        for (ssize_t i = 0; i < n; i++)
            count += text[i] == '\n';
    close(fd);
    return count;
}

int
cgroup_freeze(struct cgroup *g, int64_t deadline)
{
    int events = openat(g->dir, "cgroup.events", O_RDONLY | O_CLOEXEC), n = -1;
    struct pollfd p = {.fd = events, .events = POLLPRI};
    char text[256];

    if (events == -1 || write_file(g->dir, "cgroup.freeze", "1") != 0)
        goto out;
    for (;;) {
        int64_t left = deadline - tree_now();
        ssize_t got = pread(events, text, sizeof(text) - 1, 0);

        text[got > 0 ? got : 0] = '\0';
        if (strstr(text, "frozen 1")) {
            n = population(g);
            break;
        }
        if (left <= 0) {
            write_file(g->dir, "cgroup.freeze", "0");
            errno = ETIMEDOUT;
            break;
        }
        /* A change between the read and the poll is not lost: the file remembers. */
        poll(&p, 1, (int)(left / 1000) + 1);
    }
out:
    if (events != -1)
        close(events);
    return n;
}

int
cgroup_thaw(struct cgroup *g)
{
    return write_file(g->dir, "cgroup.freeze", "0");
}

void
cgroup_kill(struct cgroup *g)
{
    if (g->dir != -1)
        write_file(g->dir, "cgroup.kill", "1");
}

void
cgroup_close(struct cgroup *g, int64_t deadline)
{
    if (g->dir == -1)
        return;
    close(g->dir);
    g->dir = -1;
    while (rmdir(g->path) != 0 && errno == EBUSY && tree_now() < deadline)
        poll(NULL, 0, 1);
}
