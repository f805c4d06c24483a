/* SPDX-License-Identifier: BSD-2-Clause */
/* config_expand.c: ${VAR}, ${VAR:-default} and {file: PATH}. */
#include "config.h"

#include "app/config_expand.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct slice
config_copy(struct arena *a, struct slice s)
{
    char *p = arena_bytes(a, s.n + 1);

    if (!p)
        return SLICE_NONE;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct slice){p, s.n};
}

/* Length of the name at the beginning of s. */
static size_t
name_length(struct slice s)
{
    size_t n = 0;

    while (n < s.n && (isalnum((unsigned char)s.p[n]) || s.p[n] == '_'))
        n++;
    return n > 0 && isdigit((unsigned char)s.p[0]) ? 0 : n;
}

/* inside: what stands between the braces. */
static void
add_variable(struct buf *out, struct slice inside, int line, int column, struct mistakes *m)
{
    char name[128];
    size_t n = name_length(inside);
    struct slice rest = slice_sub(inside, n, inside.n);

    if (n == 0 || n >= sizeof name || (rest.n > 0 && !slice_starts(rest, SLICE(":-")))) {
        mistakes_add(m, line, column, "\"${%.*s}\" is not a variable",
                     inside.n > 60 ? 60 : SLICE_ARG(inside));
        mistakes_hint(m, "write ${NAME} or ${NAME:-default}; $${ is a literal ${");
        return;
    }
    slice_copy(slice_sub(inside, 0, n), name, sizeof name);
    const char *value = secure_getenv(name);
    if (rest.n > 0 && (!value || !value[0])) {
        buf_add_slice(out, slice_sub(rest, 2, rest.n));
    } else if (value) {
        buf_add_str(out, value);
    } else {
        mistakes_add(m, line, column, "the variable %s is not set", name);
        mistakes_hint(m, "${%s:-default} gives it a default", name);
    }
}

struct slice
config_expand(struct slice s, int line, int column, struct arena *a, struct mistakes *m,
              bool *expanded)
{
    struct buf out;
    struct slice done;

    *expanded = false;
    if (slice_index(s, '$') < 0)
        return config_copy(a, s);
    buf_init(&out, 256u << 10);
    while (s.n > 0) {
        ptrdiff_t end;
        if (slice_starts(s, SLICE("$${"))) {
            buf_add_str(&out, "${");
            s = slice_sub(s, 3, s.n);
        } else if (!slice_starts(s, SLICE("${"))) {
            buf_add_char(&out, s.p[0]);
            s = slice_sub(s, 1, s.n);
        } else if ((end = slice_index(s, '}')) < 0) {
            mistakes_add(m, line, column, "\"${\" without its \"}\"");
            mistakes_hint(m, "write ${NAME} or ${NAME:-default}; $${ is a literal ${");
            break;
        } else {
            *expanded = true;
            add_variable(&out, slice_sub(s, 2, (size_t)end), line, column, m);
            s = slice_sub(s, (size_t)end + 1, s.n);
        }
    }
    if (out.full)
        mistakes_add(m, line, column, "this value is too long with its variables");
    done = config_copy(a, buf_slice(&out));
    buf_fini(&out);
    return done;
}

static int
open_secret(const char *path, int line, int column, struct mistakes *m)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        int error = errno;
        mistakes_add(m, line, column, "cannot read %s: %s", path, strerror(error));
        mistakes_hint(m, error == EACCES ? "the file must be readable by the user Rouse runs as"
                                         : "the file holds the secret and nothing else");
        return -1;
    }
    if (fstat(fd, &st)) {
        mistakes_add(m, line, column, "cannot look at %s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
        mistakes_add(m, line, column, "%s is not a file", path);
    } else if (S_ISREG(st.st_mode) && (st.st_mode & 07)) {
        mistakes_add(m, line, column, "%s is open to every user (mode %04o)", path,
                     (unsigned)st.st_mode & 07777);
        mistakes_hint(m, "chmod o= %s", path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

struct slice
config_secret_file(const char *path, int line, int column, struct arena *a, struct mistakes *m)
{
    char text[CONFIG_SECRET_MAX + 1];
    size_t n = 0;
    ssize_t got;
    int fd = open_secret(path, line, column, m);

    if (fd < 0)
        return SLICE_NONE;
    while (n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0)
        n += (size_t)got;
    close(fd);
    if (n > CONFIG_SECRET_MAX) {
        mistakes_add(m, line, column, "%s is longer than %d bytes", path, CONFIG_SECRET_MAX);
        return SLICE_NONE;
    }
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    if (n == 0 || memchr(text, 0, n)) {
        mistakes_add(m, line, column, n == 0 ? "%s is empty" : "%s holds a NUL", path);
        return SLICE_NONE;
    }
    struct slice done = config_copy(a, (struct slice){text, n});
    explicit_bzero(text, sizeof text);
    return done;
}
