/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bench's origin: answers as fast as one thread can, so that the proxy in front is what is
 * measured.  GET /N answers a body of N bytes; a body with Content-Length is swallowed first.  What
 * asks for a WebSocket gets one whose small messages come back.
 * It trusts its peers (three proxies on one machine) and understands nothing else.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, BODY_MAX = 1 << 24 };

struct client {
    int fd;
    bool writing;               /* the socket was full */
    bool echoes;                /* it is a WebSocket */
    char key[24];               /* what it asked with; empty: it did not */
    size_t have;                /* bytes of the head so far */
    size_t swallow;             /* body bytes still to come */
    size_t answer;              /* size of the answer's body */
    char out_head[160];
    size_t out_head_len, sent, total; /* of head and body together; total 0: nothing to send */
    char head[HEAD_MAX];
};

struct origin {
    int epoll, listener;
    char *body;
};

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

static void
drop(struct client *client)
{
    close(client->fd);
    free(client);
}

/* Sends what is left of the answer; 0: done, 1: socket full, -1: gone. */
static int
put(const struct origin *origin, struct client *client)
{
    while (client->sent < client->total) {
        struct iovec part[2];
        int parts = 0;
        ssize_t got;
        size_t skip = client->sent;

        if (skip < client->out_head_len) {
            part[parts].iov_base = client->out_head + skip;
            part[parts++].iov_len = client->out_head_len - skip;
            skip = client->out_head_len;
        }
        part[parts].iov_base = origin->body + (skip - client->out_head_len);
        part[parts++].iov_len = client->total - skip;
        got = writev(client->fd, part, parts);
        if (got < 0)
            return errno == EAGAIN ? 1 : -1;
        client->sent += (size_t)got;
    }
    client->total = client->sent = 0;
    return 0;
}

/* Reads the head that ends at END; -1 if it is not one of ours. */
static int
read_head(struct client *client, const char *end)
{
    const char *at = client->head, *path = memchr(at, '/', 64);

    client->swallow = 0;
    client->key[0] = '\0';
    if (!path)
        return -1;
    client->answer = strtoul(path + 1, NULL, 10);
    if (client->answer > BODY_MAX)
        return -1;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at < end)
        if (!strncasecmp(at, "content-length:", 15))
            client->swallow = strtoul(at + 15, NULL, 10);
        else if (!strncasecmp(at, "sec-websocket-key: ", 19) && end - at >= 19 + 24)
            memcpy(client->key, at + 19, sizeof client->key);
        else if (!strncasecmp(at, "transfer-encoding:", 18))
            return -1;
    return 0;
}

static void
make_answer(struct client *client)
{
    int len = snprintf(client->out_head, sizeof client->out_head,
                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                       client->answer);

    client->out_head_len = (size_t)len;
    client->total = client->out_head_len + client->answer;
    client->sent = 0;
}

static void
make_yes(struct client *client)
{
    char text[61];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
    int len;

    memcpy(text, client->key, 24);
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
    SHA1((unsigned char *)text, 60, digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    len = snprintf(client->out_head, sizeof client->out_head,
                   "HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n", (char *)accept);
    client->echoes = true;
    client->total = client->out_head_len = (size_t)len;
    client->sent = 0;
}

/* All whole messages of at most 125 bytes in head[] go back at once; -1: gone, or none of those. */
static int
echo(struct client *client)
{
    char out[HEAD_MAX];
    size_t at = 0, n = 0;

    while (client->have - at >= 6) {
        const unsigned char *in = (unsigned char *)client->head + at;
        size_t size = in[1] & 0x7f;

        if (size > 125 || !(in[1] & 0x80))
            return -1;
        if (client->have - at < 6 + size)
            break;
        out[n] = client->head[at];
        out[n + 1] = (char)size;
        for (size_t i = 0; i < size; i++)
            out[n + 2 + i] = (char)(in[6 + i] ^ in[2 + (i & 3)]);
        n += 2 + size;
        at += 6 + size;
    }
    client->have -= at;
    memmove(client->head, client->head + at, client->have);
    return n == 0 || send(client->fd, out, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

/* Works through the bytes in head[]; 0: wants more, 1: socket full, -1: gone. */
static int
run(const struct origin *origin, struct client *client)
{
    for (;;) {
        char *end;
        size_t used, take;
        int done;

        if (client->echoes)
            return echo(client);
        end = memmem(client->head, client->have, "\r\n\r\n", 4);
        if (!end)
            return client->have == HEAD_MAX ? -1 : 0;
        if (read_head(client, end) < 0)
            return -1;
        used = (size_t)(end - client->head) + 4;
        take = client->have - used < client->swallow ? client->have - used : client->swallow;
        used += take;
        client->swallow -= take;
        client->have -= used;
        memmove(client->head, client->head + used, client->have);
        if (client->key[0])
            make_yes(client);
        else
            make_answer(client);
        if (client->swallow)
            return 0;
        done = put(origin, client);
        if (done)
            return done;
    }
}

static int
take(const struct origin *origin, struct client *client)
{
    for (;;) {
        char trash[1 << 16];
        ssize_t got;
        int done;

        if (client->swallow) {
            size_t want = client->swallow < sizeof trash ? client->swallow : sizeof trash;

            got = recv(client->fd, trash, want, 0);
        } else {
            got = recv(client->fd, client->head + client->have, HEAD_MAX - client->have, 0);
        }
        if (got <= 0)
            return got < 0 && errno == EAGAIN ? 0 : -1;
        if (client->swallow) {
            client->swallow -= (size_t)got;
            if (client->swallow)
                continue;
            done = put(origin, client);
        } else {
            client->have += (size_t)got;
            done = run(origin, client);
        }
        if (done)
            return done;
        if (!client->swallow)
            return 0;           /* the next request wakes us: one recv a request */
    }
}

static void
serve(const struct origin *origin, struct client *client)
{
    int done = 0;

    if (client->writing) {
        done = put(origin, client);
        if (!done)
            done = run(origin, client);
    } else {
        done = take(origin, client);
    }
    if (done < 0) {
        drop(client);
    } else if ((done == 1) != client->writing) {
        struct epoll_event event = {.data = {.ptr = client}};

        client->writing = done == 1;
        event.events = client->writing ? EPOLLOUT : EPOLLIN;
        epoll_ctl(origin->epoll, EPOLL_CTL_MOD, client->fd, &event);
    }
}

static void
welcome(const struct origin *origin)
{
    int one = 1, fd;

    while ((fd = accept4(origin->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *client = calloc(1, sizeof *client);
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = client}};

        if (!client)
            fail("calloc");
        client->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(origin->epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

int
main(int argc, char **argv)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
    struct origin origin = {.epoll = epoll_create1(EPOLL_CLOEXEC), .body = malloc(BODY_MAX)};
    socklen_t len = sizeof name;
    int one = 1;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    name.sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));
    origin.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(origin.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!origin.body || origin.epoll < 0 ||
        bind(origin.listener, (struct sockaddr *)&name, sizeof name) < 0 ||
        listen(origin.listener, 4096) < 0 ||
        getsockname(origin.listener, (struct sockaddr *)&name, &len) < 0 ||
        epoll_ctl(origin.epoll, EPOLL_CTL_ADD, origin.listener, &event) < 0)
        fail("origin");
    memset(origin.body, 'x', BODY_MAX);
    printf("%d\n", ntohs(name.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int got = epoll_wait(origin.epoll, events, 64, -1);

        for (int i = 0; i < got; i++)
            if (events[i].data.ptr)
                serve(&origin, events[i].data.ptr);
            else
                welcome(&origin);
    }
}
