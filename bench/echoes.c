/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bench's WebSocket load: connections that each send the next message when the last one came
 * back.  Handshakes are not counted.  Every echo is compared, byte by byte.  Prints one line of
 * JSON; exit status 1 if an echo was wrong.
 *
 *   echoes HOST PORT HOSTNAME PATH CONNECTIONS MESSAGES BYTES      (at most 125)
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD_MAX = 125, CONNECTIONS_MAX = 4096 };

struct client {
    int fd;
    unsigned turn;              /* decides what the message holds */
    size_t have;                /* bytes of its echo so far */
    int64_t began;
    unsigned char got[2 + PAYLOAD_MAX];
};

struct load {
    int epoll;
    size_t bytes;
    struct client *clients;
    uint64_t wanted, started, finished, wrong;
    uint32_t *latency;          /* us of each echo */
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

static unsigned char
content(const struct client *client, size_t i)
{
    return (unsigned char)(client->turn * 31 + i);
}

static void
say(struct load *load, struct client *client)
{
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    unsigned char out[6 + PAYLOAD_MAX] = {0x82};

    client->turn++;
    client->have = 0;
    client->began = now_ns();
    load->started++;
    out[1] = (unsigned char)(0x80 | load->bytes);
    memcpy(out + 2, mask, 4);
    for (size_t i = 0; i < load->bytes; i++)
        out[6 + i] = (unsigned char)(content(client, i) ^ mask[i & 3]);
    if (send(client->fd, out, 6 + load->bytes, MSG_NOSIGNAL) != (ssize_t)(6 + load->bytes))
        fail("send");
}

static bool
is_right(const struct load *load, const struct client *client)
{
    if (client->got[0] != 0x82 || client->got[1] != load->bytes)
        return false;
    for (size_t i = 0; i < load->bytes; i++)
        if (client->got[2 + i] != content(client, i))
            return false;
    return true;
}

static void
hear(struct load *load, struct client *client)
{
    size_t size = 2 + load->bytes;
    ssize_t n = recv(client->fd, client->got + client->have, size - client->have, 0);

    if (n <= 0)
        fail("recv");
    client->have += (size_t)n;
    if (client->have < size)
        return;
    load->wrong += !is_right(load, client);
    load->latency[load->finished++] = (uint32_t)((now_ns() - client->began) / 1000);
    if (load->started < load->wanted)
        say(load, client);
}

static void
shake_hands(const struct client *client, const char *name, const char *path)
{
    char text[1024];
    size_t have = 0;
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, name);

    if (send(client->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        fail("send");
    while (have < sizeof text - 1) {
        ssize_t got = recv(client->fd, text + have, sizeof text - 1 - have, 0);

        if (got <= 0)
            fail("handshake");
        have += (size_t)got;
        text[have] = '\0';
        if (have > 4 && !strcmp(text + have - 4, "\r\n\r\n"))
            break;
    }
    if (strncmp(text, "HTTP/1.1 101 ", 13) != 0) {
        fprintf(stderr, "no 101: %s\n", text);
        exit(1);
    }
}

static void
open_clients(struct load *load, char **argv, size_t count)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int one = 1;

    to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
        fail(argv[1]);
    for (size_t i = 0; i < count; i++) {
        struct client *client = &load->clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = client}};

        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof to) < 0)
            fail("connect");
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        shake_hands(client, argv[3], argv[4]);
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
            fail("epoll_ctl");
    }
}

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
    struct load load = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
    size_t count = argc == 8 ? strtoul(argv[5], NULL, 10) : 0;
    int64_t began;
    double took;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    load.wanted = argc == 8 ? strtoul(argv[6], NULL, 10) : 0;
    load.bytes = argc == 8 ? strtoul(argv[7], NULL, 10) : 0;
    if (count == 0 || count > CONNECTIONS_MAX || load.wanted < count || load.bytes > PAYLOAD_MAX) {
        fprintf(stderr, "usage: echoes HOST PORT HOSTNAME PATH CONNECTIONS MESSAGES BYTES\n");
        return 2;
    }
    load.clients = calloc(count, sizeof *load.clients);
    load.latency = calloc(load.wanted, sizeof *load.latency);
    if (!load.clients || !load.latency)
        fail("calloc");
    open_clients(&load, argv, count);
    began = now_ns();
    for (size_t i = 0; i < count; i++)
        say(&load, &load.clients[i]);
    while (load.finished < load.wanted) {
        struct epoll_event events[64];
        int got = epoll_wait(load.epoll, events, 64, 20000);

        if (got <= 0)
            fail("no echo");
        for (int i = 0; i < got; i++)
            hear(&load, events[i].data.ptr);
    }
    took = (double)(now_ns() - began) / 1e9;
    qsort(load.latency, load.finished, sizeof *load.latency, compare);
    printf("{\"rps\": %.1f, \"p50_us\": %u, \"p99_us\": %u, \"wrong\": %llu}\n",
           (double)load.finished / took, load.latency[load.finished / 2],
           load.latency[load.finished * 99 / 100], (unsigned long long)load.wrong);
    return load.wrong > 0;
}
