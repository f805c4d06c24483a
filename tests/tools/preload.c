/* SPDX-License-Identifier: BSD-2-Clause */
/* preload.c: the shared page. Runs before main(), uses no stdio and no malloc. */
#include "config.h"

#include "preload.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *
preload_option(const char *name, const char *key, size_t *n)
{
    const char *at = getenv(name);

    while (at) {
        const char *end = strchr(at, ',');
        size_t len = end ? (size_t)(end - at) : strlen(at);
        if (strncmp(at, key, strlen(key)) == 0) {
            *n = len - strlen(key);
            return at + strlen(key);
        }
        at = end ? end + 1 : NULL;
    }
    return NULL;
}

void *
preload_page(const char *name, size_t size)
{
    char path[PATH_MAX];
    size_t n = 0;
    const char *file = preload_option(name, "file=", &n);
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;

    if (!getenv(name))
        return NULL;
    if (file) {
        if (n >= sizeof path)
            return NULL;
        memcpy(path, file, n);
        path[n] = '\0';
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
            return NULL;
        flags = MAP_SHARED;
    }
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (fd >= 0)
        close(fd);
    return page == MAP_FAILED ? NULL : page;
}

void
preload_forget(const char *name)
{
    unsetenv(name);
    unsetenv("LD_PRELOAD");
}
