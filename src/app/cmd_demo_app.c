/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_demo_app.c: rouse demo-app PORT: what runs in the demo's sandbox: a small HTTP/1.1 server
 * whose only state is in its memory: how many visitors it had and how long it was awake. Plain
 * sockets, and nothing of Rouse: it stands for somebody's program.
 */
#include "config.h"

#include "app/command.h"
#include "base/slice.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 64
#define HEAD_MAX 8192
#define STEP 100

struct client {
    int fd; /* -1: free */
    size_t n;
    char head[HEAD_MAX];
};

struct demo_app {
    unsigned visits;
    int64_t started, awake, last; /* ms; awake is counted in small steps, last: when */
    int listening;
    struct client client[CLIENTS];
};

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* However long the sleep, it ends with one step. */
static void
count_time(struct demo_app *a)
{
    int64_t now = now_ms(), step = now - a->last;

    a->awake += step < 2 * STEP ? step : STEP;
    a->last = now;
}

/* ---- answers --------------------------------------------------------------------------------- */

static const char page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>visit %u</title>\n"
    "<style>body{font:1.2rem/1.5 system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}"
    "b{font-size:4rem}</style>\n"
    "<h1>Hello from the sandbox</h1>\n"
    "<p><b>%u</b> visits, counted in the memory of process %d.\n"
    "<p>It was started %u s ago and has been awake for %u s of them: its clock stands still\n"
    "while it is paused. This page was made at <span id=t></span> your time.\n"
    "<p>Wait until the terminal says <i>paused</i>, then <a href=\"/\">come again</a>.\n"
    "<script>document.getElementById('t').textContent=new Date().toLocaleTimeString()</script>\n";

static void
say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One write a line: Rouse writes to the same terminal. */
static void
say(const char *format, ...)
{
    char line[300], now[16], text[200];
    time_t t = time(NULL);
    struct tm tm;
    va_list args;
    int n;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&t, &tm));
    n = snprintf(line, sizeof(line),
                 isatty(STDOUT_FILENO) && !getenv("NO_COLOR")
                     ? "  \033[2m%s\033[0m  \033[36msandbox\033[0m  %s\n" : "  %s  sandbox  %s\n",
                 now, text);
    if (n > 0 && write(STDOUT_FILENO, line, (size_t)n) == -1)
        return;
}

static int
send_answer(const struct client *c, unsigned status, const char *type, const char *body, bool head)
{
    char answer[4096];
    int n = snprintf(answer, sizeof(answer),
                     "HTTP/1.1 %u %s\r\nContent-Type: %s; charset=utf-8\r\n"
                     "Cache-Control: no-store\r\nContent-Length: %zu\r\n\r\n%s",
                     status, status == 200 ? "OK" : status == 404 ? "Not Found" : "Bad Request",
                     type, strlen(body), head ? "" : body);

    return n > 0 && (size_t)n < sizeof(answer) &&
        send(c->fd, answer, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -1;
}

static int
visit(struct demo_app *a, const struct client *c, bool html, bool head)
{
    unsigned age = (unsigned)((now_ms() - a->started) / 1000);
    unsigned awake = (unsigned)(a->awake / 1000);
    char body[2048];

    a->visits++;
    say("visit %u to process %d, awake for %u of its %u s", a->visits, (int)getpid(), awake, age);
    if (!html) {
        snprintf(body, sizeof(body), "visit %u\n", a->visits);
        return send_answer(c, 200, "text/plain", body, head);
    }
    snprintf(body, sizeof(body), page, a->visits, a->visits, (int)getpid(), age, awake);
    return send_answer(c, 200, "text/html", body, head);
}

/* One request, head complete. -1: close. Bodies are not for us: closing drops them. */
static int
serve(struct demo_app *a, const struct client *c, struct slice request)
{
    ptrdiff_t space = slice_index(request, ' ');
    struct slice method = slice_sub(request, 0, space < 0 ? 0 : (size_t)space);
    struct slice rest = slice_sub(request, method.n + 1, request.n), path;
    bool head = slice_eq(method, slice_of("HEAD"));

    space = slice_index(rest, ' ');
    path = slice_sub(rest, 0, space < 0 ? 0 : (size_t)space);
    if (!head && !slice_eq(method, slice_of("GET"))) {
        send_answer(c, 400, "text/plain", "GET or HEAD\n", false);
        return -1;
    }
    if (slice_eq(path, slice_of("/")))
        return visit(a, c, true, head);
    if (slice_eq(path, slice_of("/count")))
        return visit(a, c, false, head);
    if (slice_eq(path, slice_of("/hello")))
        return send_answer(c, 200, "text/plain", "hello from demo\n", head);
    return send_answer(c, 404, "text/plain", "try / or /count or /hello\n", head);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void
drop(struct client *c)
{
    close(c->fd);
    *c = (struct client){.fd = -1};
}

static void
on_client(struct demo_app *a, struct client *c)
{
    ssize_t got = recv(c->fd, c->head + c->n, sizeof(c->head) - c->n, MSG_DONTWAIT);
    char *end;

    if (got == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(c);
        return;
    }
    c->n += (size_t)got;
    while ((end = memmem(c->head, c->n, "\r\n\r\n", 4))) {
        size_t used = (size_t)(end - c->head) + 4;

        if (serve(a, c, (struct slice){c->head, used}) != 0) {
            drop(c);
            return;
        }
        memmove(c->head, c->head + used, c->n - used);
        c->n -= used;
    }
    if (c->n == sizeof(c->head))
        drop(c);
}

static void
on_listening(struct demo_app *a)
{
    int fd = accept4(a->listening, NULL, NULL, SOCK_CLOEXEC);

    for (int i = 0; fd != -1 && i < CLIENTS; i++)
        if (a->client[i].fd == -1) {
            a->client[i].fd = fd;
            return;
        }
    if (fd != -1)
        close(fd);
}

static void
turn(struct demo_app *a)
{
    struct pollfd p[CLIENTS + 1] = {{.fd = a->listening, .events = POLLIN}};
    for (int i = 0; i < CLIENTS; i++)
        p[i + 1] = (struct pollfd){.fd = a->client[i].fd, .events = POLLIN};
    poll(p, CLIENTS + 1, STEP);
    count_time(a);
    for (int i = 0; i < CLIENTS; i++)
        if (p[i + 1].revents)
            on_client(a, &a->client[i]);
    if (p[0].revents)
        on_listening(a);
}

static int
listen_on(uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 || listen(fd, 64) != 0) {
        fprintf(stderr, "rouse: demo-app: port %u: %s\n", port, strerror(errno));
        return -1;
    }
    return fd;
}

static int
run_demo_app(const struct command *c, const struct command_args *args)
{
    struct demo_app *a;
    uint64_t port;

    if (slice_u64(slice_of(args->word[0]), 65535, &port) != 0 || port == 0)
        return command_usage(c, "\"%.40s\" is no port", args->word[0]);
    /* Whoever read our lines may be gone. */
    signal(SIGPIPE, SIG_IGN);
    a = calloc(1, sizeof(*a));
    if (!a)
        return EXIT_FAILED;
    for (int i = 0; i < CLIENTS; i++)
        a->client[i].fd = -1;
    a->started = now_ms();
    a->last = a->started;
    a->listening = listen_on((uint16_t)port);
    while (a->listening != -1)
        turn(a);
    free(a);
    return EXIT_FAILED;
}

const struct command cmd_demo_app = {
    .name = "demo-app", .args = "PORT", .summary = "the program in the demo's sandbox",
    .min_words = 1, .max_words = 1, .hidden = true, .run = run_demo_app,
};
