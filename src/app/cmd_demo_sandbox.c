/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_demo_sandbox.c: rouse demo-sandbox PORT: what runs in the demo's sandbox: a web page with a
 * counter and a clock in memory. Stands for somebody's program: it knows nothing of Rouse. It ticks
 * five times a second; a long gap between two ticks means that it was asleep.
 */
#include "config.h"

#include "app/command.h"
#include "base/slice.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 64
#define HEAD_MAX 8192
#define TICK_MS 200

struct visitor {
    size_t n;
    char head[HEAD_MAX];
};

struct page {
    struct pollfd poll[1 + CLIENTS]; /* the listener, then clients */
    struct visitor *visitor[1 + CLIENTS];
    unsigned n;
    unsigned counter, naps;
    double ticks;     /* seconds it has lived awake, by its own counting */
    double last_tick; /* of the machine's clock */
    double slept;     /* the latest nap */
};

static double
clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
tick(struct page *p)
{
    double now = clock_now(), gap = now - p->last_tick;

    p->last_tick = now;
    if (gap < 1) {
        p->ticks += gap;
        return;
    }
    p->slept = gap;
    p->naps++;
    printf("          sandbox    slept %.1f s and noticed nothing: the counter is still %u\n", gap,
           p->counter);
    fflush(stdout);
}

static int
write_body(struct page *p, bool html, char *out, size_t n)
{
    char wall[64];
    time_t now = time(NULL);
    struct tm tm;

    if (!gmtime_r(&now, &tm) || strftime(wall, sizeof wall, "%H:%M:%S UTC", &tm) == 0)
        wall[0] = 0;
    if (!html)
        return snprintf(out, n, "counter %u\npid %d\nawake for %.1f s of its life, %u naps, the "
                        "last of %.1f s\nclock %s\n", p->counter, (int)getpid(), p->ticks, p->naps,
                        p->slept, wall);
    return snprintf(out, n,
                    "<!doctype html><html lang=en><meta charset=utf-8><title>%u</title>\n"
                    "<meta name=viewport content=\"width=device-width\">\n"
                    "<style>body{font:1.1em system-ui;max-width:34em;margin:3em auto;padding:0 1em}"
                    "b{font-size:5em;display:block}</style>\n"
                    "<p>This page has been asked for<b>%u</b>times. The number lives in the memory "
                    "of process %d and nowhere else.\n"
                    "<p>By its own counting it has been awake for %.1f s. It was paused %u times, "
                    "lately for %.1f s, and did not notice. It is %s.\n"
                    "<p>Wait for it to fall asleep, then <a href=\"/\">call again</a>.\n",
                    p->counter, p->counter, (int)getpid(), p->ticks, p->naps, p->slept, wall);
}

/* One answer to the head that is complete. -1: the connection is to be closed. */
static int
answer(struct page *p, int fd, struct visitor *v, size_t head)
{
    static const struct slice home[] = {{"GET / ", 6}, {"GET /?", 6}};
    char body[2048], out[4096];
    struct slice h = {v->head, head};
    bool found = slice_starts(h, home[0]) || slice_starts(h, home[1]);
    bool html = memmem(h.p, h.n, "text/html", 9) != NULL;
    int n, total;

    p->counter += found;
    n = found ? write_body(p, html, body, sizeof body)
              : snprintf(body, sizeof body, "there is only /\n");
    total = snprintf(out, sizeof out,
                     "HTTP/1.1 %s\r\nContent-Type: text/%s; charset=utf-8\r\n"
                     "Cache-Control: no-store\r\nContent-Length: %d\r\n\r\n%s",
                     found ? "200 OK" : "404 Not Found", found && html ? "html" : "plain", n, body);
    if (found) {
        printf("          sandbox    answers: counter %u\n", p->counter);
        fflush(stdout);
    }
    memmove(v->head, v->head + head, v->n - head);
    v->n -= head;
    /* Small enough for any socket buffer of a client that reads its answers. */
    return send(fd, out, (size_t)total, MSG_NOSIGNAL) == total ? 0 : -1;
}

static int
serve(struct page *p, int fd, struct visitor *v)
{
    ssize_t n = recv(fd, v->head + v->n, HEAD_MAX - v->n, 0);
    char *end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    v->n += (size_t)n;
    while ((end = memmem(v->head, v->n, "\r\n\r\n", 4)) != NULL)
        if (answer(p, fd, v, (size_t)(end - v->head) + 4))
            return -1;
    return v->n == HEAD_MAX ? -1 : 0;
}

static void
drop(struct page *p, unsigned i)
{
    close(p->poll[i].fd);
    free(p->visitor[i]);
    p->n--;
    p->poll[i] = p->poll[p->n];
    p->visitor[i] = p->visitor[p->n];
}

static void
welcome(struct page *p)
{
    int fd = accept4(p->poll[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct visitor *v;

    if (fd < 0)
        return;
    if (p->n > CLIENTS || !(v = calloc(1, sizeof *v))) {
        close(fd);
        return;
    }
    p->poll[p->n] = (struct pollfd){.fd = fd, .events = POLLIN};
    p->visitor[p->n++] = v;
}

static int
listen_on(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&in, sizeof in) == 0 && listen(fd, 128) == 0)
        return fd;
    close(fd);
    return -1;
}

static int
run_demo_sandbox(const struct command *c, const struct command_args *a)
{
    struct page p = {.n = 1, .last_tick = clock_now()};
    uint64_t port;

    if (slice_u64(slice_of(a->word[0]), 65535, &port) || port == 0)
        return command_usage(c, "\"%.20s\" is not a port", a->word[0]);
    p.poll[0] = (struct pollfd){.fd = listen_on((uint16_t)port), .events = POLLIN};
    if (p.poll[0].fd < 0) {
        perror("rouse demo-sandbox");
        return EXIT_FAILED;
    }
    for (;;) {
        if (poll(p.poll, p.n, TICK_MS) < 0 && errno != EINTR)
            return EXIT_FAILED;
        tick(&p);
        for (unsigned i = p.n; i-- > 1;)
            if (p.poll[i].revents && serve(&p, p.poll[i].fd, p.visitor[i]))
                drop(&p, i);
        if (p.poll[0].revents)
            welcome(&p);
    }
}

const struct command cmd_demo_sandbox = {
    .name = "demo-sandbox", .args = "PORT", .summary = "the program in the demo's sandbox",
    .min_words = 1, .max_words = 1, .hidden = true, .run = run_demo_sandbox,
};
