/* SPDX-License-Identifier: BSD-2-Clause */
/* admin_client.c: a small HTTP/1 client for answers that end with the connection. */
#include "config.h"

#include "app/admin_client.h"

#include "app/reason_help.h"
#include "app/settings.h"
#include "app/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (4u << 20)
/* Longer than the longest hold: a wake answers when it is over. */
#define ANSWER_TIME 150

int
admin_socket(const struct command_args *a, char *path, size_t n)
{
    const char *env = getenv("ROUSE_SOCKET");
    struct mistakes m;
    int status = EXIT_FINE;

    if (a->socket || env) {
        slice_copy(slice_of(a->socket ? a->socket : env), path, n);
        return EXIT_FINE;
    }
    mistakes_init(&m);
    struct gateway_config *c = settings_load(a->config, NULL, &m);
    if (c && !c->admin_socket[0]) {
        fprintf(stderr, "rouse: %s has no admin.socket\n", c->source);
        status = EXIT_CONFIG;
    } else if (!c && a->config) {
        mistakes_print(&m, stderr);
        status = EXIT_CONFIG;
    }
    slice_copy(c ? slice_of(c->admin_socket) : SLICE("/run/rouse/admin.sock"), path, n);
    gateway_config_unref(c);
    mistakes_fini(&m);
    return status;
}

static int
open_socket(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = ANSWER_TIME};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    slice_copy(slice_of(path), un.sun_path, sizeof un.sun_path);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int
send_all(int fd, struct slice s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return -1;
        s = slice_sub(s, (size_t)n, s.n);
    }
    return 0;
}

/* The whole answer, to the end of the connection. */
static int
converse(int fd, const char *method, const char *path, struct buf *answer)
{
    char request[1024], block[16384];
    struct buf b;
    ssize_t n;

    buf_init_fixed(&b, request, sizeof request);
    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: rouse\r\nConnection: close\r\n%s\r\n", method, path,
               strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
    if (b.full || send_all(fd, buf_slice(&b)))
        return -1;
    while ((n = recv(fd, block, sizeof block, 0)) > 0)
        if (buf_add(answer, block, (size_t)n))
            return -1;
    return n < 0 ? -1 : 0;
}

/* Splits the answer: status and body. -1: it is none. */
static int
take_answer(struct buf *all, struct admin_answer *out)
{
    struct slice s = buf_slice(all), line;
    uint64_t status, length = UINT64_MAX;
    char *end = all->n > 0 ? memmem(all->p, all->n, "\r\n\r\n", 4) : NULL;

    if (!end || !slice_starts(s, SLICE("HTTP/1.1 ")) ||
        slice_u64(slice_sub(s, 9, 12), 599, &status))
        return -1;
    struct slice head = slice_sub(s, 0, (size_t)(end - all->p) + 2);
    while (slice_next(&head, '\n', &line))
        if (slice_istarts(line, SLICE("content-length:")) &&
            slice_u64(slice_trim(slice_sub(line, 15, line.n - 1)), SIZE_MAX, &length))
            return -1;
    buf_consume(all, (size_t)(end - all->p) + 4);
    if (length != UINT64_MAX && all->n != length)
        return -1;
    out->status = (int)status;
    return buf_add_slice(&out->body, buf_slice(all));
}

static int
say_error(const struct admin_answer *x)
{
    const char *slug = NULL, *message = NULL;
    enum reason why;

    (void)json_unpack(x->json, "{s?s,s?s}", "error", &slug, "message", &message);
    if (slug && message && strcmp(slug, message) != 0)
        fprintf(stderr, "rouse: %s: %s\n", slug, message);
    else if (slug && (why = reason_of_slug(slice_of(slug))) != REASON_NONE)
        fprintf(stderr, "rouse: %s: %s\n", slug, reason_help(why).meaning);
    else
        fprintf(stderr, "rouse: %s\n", slug ? slug : "the gateway refused");
    if (slug && reason_of_slug(slice_of(slug)) != REASON_NONE)
        fprintf(stderr, "hint: `rouse help %s` says what to do\n", slug);
    if (slug && strcmp(slug, reason_slug(REASON_SANDBOX_BUSY)) == 0)
        return EXIT_RETRY;
    return x->status == 429 || x->status >= 503 ? EXIT_RETRY : EXIT_FAILED;
}

int
admin_probe(const char *socket_path)
{
    int fd = open_socket(socket_path);

    if (fd >= 0)
        close(fd);
    return fd < 0 ? -1 : 0;
}

int
admin_ask(const char *socket_path, const char *method, const char *path, struct admin_answer *out)
{
    struct buf all;
    int status, fd = open_socket(socket_path);

    memset(out, 0, sizeof *out);
    buf_init(&out->body, ANSWER_MAX);
    if (fd < 0) {
        int error = errno;
        fprintf(stderr, "rouse: no gateway at %s: %s\n", socket_path, strerror(error));
        fputs(error == EACCES
              ? "hint: the socket is for its owner and group only: be one of them, or root\n"
              : "hint: is it running? -s PATH or -c FILE say where its admin socket is\n", stderr);
        return EXIT_FAILED;
    }
    buf_init(&all, ANSWER_MAX);
    if (converse(fd, method, path, &all) || take_answer(&all, out)) {
        fprintf(stderr, "rouse: the gateway at %s did not answer properly\n", socket_path);
        status = EXIT_FAILED;
    } else {
        out->json = json_loadb(out->body.p ? out->body.p : "", out->body.n, JSON_DECODE_ANY, NULL);
        status = out->status / 100 == 2 ? EXIT_FINE : EXIT_FAILED;
    }
    buf_fini(&all);
    close(fd);
    return status;
}

int
admin_call(const struct command_args *a, const char *method, const char *path,
           struct admin_answer *out)
{
    char where[sizeof ((struct sockaddr_un *)NULL)->sun_path];
    int status = admin_socket(a, where, sizeof where);

    memset(out, 0, sizeof *out);
    buf_init(&out->body, ANSWER_MAX);
    if (status == EXIT_FINE)
        status = admin_ask(where, method, path, out);
    return out->status > 0 && status != EXIT_FINE ? say_error(out) : status;
}

void
admin_answer_fini(struct admin_answer *x)
{
    buf_fini(&x->body);
    json_decref(x->json);
}

int
admin_print(const struct command_args *a, const char *method, const char *path)
{
    struct admin_answer x;
    int status = admin_call(a, method, path, &x);

    if (x.body.n > 0 && x.json) {
        json_dumpf(x.json, stdout, TABLE_JSON);
        putchar('\n');
    }
    admin_answer_fini(&x);
    return status;
}
