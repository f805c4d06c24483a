/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bench's load: a fixed number of requests over a fixed number of keep-alive connections, each
 * sending its next request when the last one is answered.  Every answer's status and length are
 * verified.  Prints one line of JSON; exit status 1 if an answer was wrong.
 *
 *   load HOST PORT HOSTNAME PATH CONNECTIONS REQUESTS ANSWER_BYTES [UPLOAD_BYTES]
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, READ_MAX = 1 << 18 };

struct client {
    int fd;
    bool busy, writing;
    size_t sent;                /* of the request */
    int64_t began;
    size_t head_len;            /* of the answer's head so far, while it is incomplete */
    size_t left;                /* body bytes still to come */
    bool in_body;
    char head[HEAD_MAX];
};

struct load {
    int epoll;
    struct sockaddr_in to;
    char *request, *input;
    size_t request_len, expect;
    uint64_t wanted, started, finished, wrong;
    uint32_t *latency;          /* us of each answer */
    int64_t began, ended;
};

static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

static void
watch(const struct load *load, struct client *client, int op, bool writing)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = client}};

    if (writing)
        event.events |= EPOLLOUT;
    client->writing = writing;
    if (epoll_ctl(load->epoll, op, client->fd, &event) < 0)
        fail("epoll_ctl");
}

static void
open_client(const struct load *load, struct client *client)
{
    int one = 1;

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&load->to, sizeof load->to) < 0)
        fail("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(load, client, EPOLL_CTL_ADD, false);
}

static void
push(const struct load *load, struct client *client)
{
    while (client->sent < load->request_len) {
        ssize_t put = send(client->fd, load->request + client->sent,
                           load->request_len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put < 0 && errno != EAGAIN)
            fail("send");
        if (put < 0)
            break;
        client->sent += (size_t)put;
    }
    if ((client->sent < load->request_len) != client->writing)
        watch(load, client, EPOLL_CTL_MOD, client->sent < load->request_len);
}

static void
begin(struct load *load, struct client *client)
{
    if (load->started == load->wanted)
        return;
    load->started++;
    client->busy = true;
    client->sent = client->head_len = 0;
    client->in_body = false;
    client->began = now_ns();
    push(load, client);
}

static void
finish(struct load *load, struct client *client)
{
    load->ended = now_ns();
    load->latency[load->finished++] = (uint32_t)((load->ended - client->began) / 1000);
    client->busy = false;
    begin(load, client);
}

/* Judges the complete head and returns the body's length. */
static size_t
judge(struct load *load, struct client *client, const char *end)
{
    const char *at = client->head;
    size_t length = SIZE_MAX;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at < end)
        if (!strncasecmp(at, "content-length:", 15))
            length = strtoul(at + 15, NULL, 10);
    if (strncmp(client->head, "HTTP/1.1 200 ", 13) || length != load->expect) {
        load->wrong++;
        fprintf(stderr, "wrong answer: %.*s\n", (int)(end - client->head), client->head);
        exit(1);
    }
    return length;
}

static void
take_head(struct load *load, struct client *client, const char *data, size_t len)
{
    const char *end;
    size_t room = HEAD_MAX - client->head_len, take = len < room ? len : room, had, body;

    memcpy(client->head + client->head_len, data, take);
    had = client->head_len;
    client->head_len += take;
    end = memmem(client->head, client->head_len, "\r\n\r\n", 4);
    if (!end && client->head_len == HEAD_MAX)
        fail("answer's head");
    if (!end)
        return;
    client->left = judge(load, client, end);
    client->in_body = true;
    body = len - ((size_t)(end - client->head) + 4 - had);
    if (body > client->left)
        fail("more bytes than the answer has");
    client->left -= body;
    if (!client->left)
        finish(load, client);
}

static void
pull(struct load *load, struct client *client)
{
    ssize_t got = recv(client->fd, load->input, READ_MAX, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        fprintf(stderr, "connection lost %s a request\n", client->busy ? "in" : "without");
        exit(1);
    }
    if (!client->in_body) {
        take_head(load, client, load->input, (size_t)got);
        return;
    }
    if ((size_t)got > client->left)
        fail("more bytes than the answer has");
    client->left -= (size_t)got;
    if (!client->left)
        finish(load, client);
}

static int
compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;

    return one < two ? -1 : one > two;
}

static void
report(const struct load *load)
{
    double seconds = (double)(load->ended - load->began) / 1e9;
    size_t count = load->finished;

    qsort(load->latency, count, sizeof *load->latency, compare);
    printf("{\"requests\":%zu,\"seconds\":%.6f,\"rps\":%.1f,\"p50_us\":%u,\"p99_us\":%u,"
           "\"max_us\":%u}\n", count, seconds, (double)count / seconds, load->latency[count / 2],
           load->latency[count - 1 - count / 100], load->latency[count - 1]);
}

static void
make_request(struct load *load, char **argv, size_t upload)
{
    char head[1024], length[64] = "";

    if (upload)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", upload);
    load->request_len = (size_t)snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n%s"
        "\r\n", upload ? "POST" : "GET", argv[4], argv[3], length);
    load->request = malloc(load->request_len + upload);
    if (!load->request)
        fail("malloc");
    memcpy(load->request, head, load->request_len);
    memset(load->request + load->request_len, 'u', upload);
    load->request_len += upload;
}

int
main(int argc, char **argv)
{
    struct load load = {.epoll = epoll_create1(EPOLL_CLOEXEC), .to = {.sin_family = AF_INET}};
    struct client *clients;
    size_t count;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc < 8) {
        fputs("usage: load HOST PORT HOSTNAME PATH CONNECTIONS REQUESTS ANSWER_BYTES "
              "[UPLOAD_BYTES]\n", stderr);
        return 2;
    }
    load.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    count = strtoul(argv[5], NULL, 10);
    load.wanted = strtoul(argv[6], NULL, 10);
    load.expect = strtoul(argv[7], NULL, 10);
    clients = calloc(count, sizeof *clients);
    load.latency = calloc(load.wanted, sizeof *load.latency);
    load.input = malloc(READ_MAX);
    if (inet_pton(AF_INET, argv[1], &load.to.sin_addr) != 1 || !clients || !load.latency ||
        !load.input || !count || !load.wanted)
        fail("load");
    make_request(&load, argv, argc > 8 ? strtoul(argv[8], NULL, 10) : 0);
    for (size_t i = 0; i < count; i++)
        open_client(&load, &clients[i]);
    load.began = now_ns();
    for (size_t i = 0; i < count; i++)
        begin(&load, &clients[i]);
    while (load.finished < load.wanted) {
        struct epoll_event events[64];
        int got = epoll_wait(load.epoll, events, 64, -1);

        for (int i = 0; i < got; i++) {
            if (events[i].events & EPOLLOUT)
                push(&load, events[i].data.ptr);
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                pull(&load, events[i].data.ptr);
        }
    }
    report(&load);
    return 0;
}
