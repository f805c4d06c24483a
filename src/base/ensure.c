/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ensure.c: the last words of a process that found itself wrong. Uses write(2) only, so that a
 * signal handler or a thread with a broken heap may fail too.
 */
#include "config.h"

#include "base/ensure.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static struct iovec
piece(const char *s)
{
    return (struct iovec){.iov_base = (char *)(uintptr_t)s, .iov_len = strlen(s)};
}

void
ensure_failed(const char *file, int line, const char *func, const char *text)
{
    char digits[12];
    char *d = digits + sizeof digits - 1;
    unsigned v = line > 0 ? (unsigned)line : 0;

    *d = '\0';
    do {
        *--d = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);

    struct iovec out[] = {
        piece(file), piece(":"), piece(d),    piece(": "),
        piece(func), piece(": ensure failed: "), piece(text), piece("\n"),
    };
    ssize_t ignored = writev(STDERR_FILENO, out, sizeof out / sizeof out[0]);
    (void)ignored;
    abort();
}
