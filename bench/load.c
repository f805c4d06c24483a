/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bench's load: a fixed number of requests over a fixed number of keep-alive connections, each
 * sending its next request when the last one is answered.  Every answer's status and length are
 * verified.  Prints one line of JSON; exit status 1 if an answer was wrong.
 *
 *   load [--tls] [--close] [--hold] HOST PORT HOSTNAME PATH CONNECTIONS REQUESTS ANSWER_BYTES
 *        [UPLOAD_BYTES]
 *
 * --tls    TLS 1.3, the same cipher suite whoever answers, never a resumed session
 * --close  a new connection for each request; its time counts from the connect
 * --hold   one request on each connection, 32 at a time; then keeps them until standard input ends
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
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

enum { HEAD_MAX = 16384, READ_MAX = 1 << 18, HOLD_AT_ONCE = 32 };

struct client {
    int fd;
    SSL *ssl;                   /* NULL: plain */
    bool busy, writing, leaving; /* leaving: answered, the server is to close */
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
    SSL_CTX *tls;
    const char *name;
    bool close, hold;
    struct client *clients;
    size_t count, opened;
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
    if (load->tls) {
        client->ssl = SSL_new(load->tls);
        if (!client->ssl || fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0 ||
            SSL_set_fd(client->ssl, client->fd) != 1 ||
            SSL_set_tlsext_host_name(client->ssl, load->name) != 1)
            fail("SSL_new");
        SSL_set_connect_state(client->ssl);
    }
    watch(load, client, EPOLL_CTL_ADD, false);
}

static void
close_client(struct client *client)
{
    SSL_free(client->ssl);
    client->ssl = NULL;
    close(client->fd);
    client->fd = -1;
}

/* What a TLS call that returned RESULT means to the caller: 0 try again later, -1 the end. */
static ssize_t
tls_verdict(const struct client *client, int result)
{
    int why = SSL_get_error(client->ssl, result);

    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    errno = why == SSL_ERROR_SYSCALL ? errno : EPROTO;
    ERR_clear_error();
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static ssize_t
put_bytes(const struct client *client, const void *data, size_t len)
{
    int put;

    if (!client->ssl)
        return send(client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    put = SSL_write(client->ssl, data, (int)len);
    return put > 0 ? put : tls_verdict(client, put);
}

static ssize_t
get_bytes(const struct client *client, void *data, size_t len)
{
    int got;

    if (!client->ssl)
        return recv(client->fd, data, len, MSG_DONTWAIT);
    got = SSL_read(client->ssl, data, (int)len);
    return got > 0 ? got : tls_verdict(client, got);
}

static void
push(const struct load *load, struct client *client)
{
    bool want;

    while (client->sent < load->request_len) {
        ssize_t put = put_bytes(client, load->request + client->sent,
                                load->request_len - client->sent);

        if (put < 0 && errno != EAGAIN)
            fail("send");
        if (put < 0)
            break;
        client->sent += (size_t)put;
    }
    want = client->ssl ? SSL_want_write(client->ssl) : client->sent < load->request_len;
    if (want != client->writing)
        watch(load, client, EPOLL_CTL_MOD, want);
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
    if (client->fd < 0)
        open_client(load, client);
    push(load, client);
}

static void
finish(struct load *load, struct client *client)
{
    load->ended = now_ns();
    load->latency[load->finished++] = (uint32_t)((load->ended - client->began) / 1000);
    client->busy = false;
    client->leaving = load->close;
    if (load->hold)
        client = load->opened < load->count ? &load->clients[load->opened++] : NULL;
    if (client && !load->close)
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

/* Takes LEN bytes of an answer. */
static void
take(struct load *load, struct client *client, size_t len)
{
    if (!client->in_body) {
        take_head(load, client, load->input, len);
        return;
    }
    if (len > client->left)
        fail("more bytes than the answer has");
    client->left -= len;
    if (!client->left)
        finish(load, client);
}

/* Reads what there is; a TLS record that OpenSSL has taken from the socket wakes nobody again. */
static void
pull(struct load *load, struct client *client)
{
    do {
        ssize_t got = get_bytes(client, load->input, READ_MAX);

        if (got < 0 && errno == EAGAIN)
            break;
        if (client->leaving && got <= 0) {
            client->leaving = false;
            close_client(client);
            begin(load, client);
            return;
        }
        if (got <= 0) {
            fprintf(stderr, "connection lost %s a request\n", client->busy ? "in" : "without");
            exit(1);
        }
        take(load, client, (size_t)got);
    } while (client->ssl);
    if (client->busy && client->sent < load->request_len)
        push(load, client);         /* the handshake is done */
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
        head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n%s%s"
        "\r\n", upload ? "POST" : "GET", argv[4], argv[3], length,
        load->close ? "Connection: close\r\n" : "");
    load->request = malloc(load->request_len + upload);
    if (!load->request)
        fail("malloc");
    memcpy(load->request, head, load->request_len);
    memset(load->request + load->request_len, 'u', upload);
    load->request_len += upload;
}

static void
open_tls(struct load *load)
{
    load->tls = SSL_CTX_new(TLS_client_method());
    if (!load->tls || SSL_CTX_set_min_proto_version(load->tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(load->tls, "TLS_AES_128_GCM_SHA256") != 1)
        fail("SSL_CTX_new");
    SSL_CTX_set_mode(load->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(load->tls, SSL_SESS_CACHE_OFF);
}

/* Sets what the options say; returns how many words they were. */
static int
parse_options(struct load *load, int argc, char **argv)
{
    int used = 0;

    while (used + 1 < argc && !strncmp(argv[used + 1], "--", 2)) {
        const char *word = argv[++used];

        if (!strcmp(word, "--tls"))
            open_tls(load);
        else if (!strcmp(word, "--close"))
            load->close = true;
        else if (!strcmp(word, "--hold"))
            load->hold = true;
        else
            return argc;
    }
    return used;
}

/* Keeps the connections until standard input ends. */
static void
hold(void)
{
    char byte;

    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void
run(struct load *load)
{
    while (load->finished < load->wanted) {
        struct epoll_event events[64];
        int got = epoll_wait(load->epoll, events, 64, -1);

        for (int i = 0; i < got; i++) {
            struct client *client = events[i].data.ptr;

            if (events[i].events & EPOLLOUT)
                push(load, client);
            if (client->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT)
                pull(load, client);
        }
    }
}

/* Opens the connections, the handshakes included in the first requests, and begins. */
static void
open_all(struct load *load)
{
    load->opened = load->hold && load->count > HOLD_AT_ONCE ? HOLD_AT_ONCE : load->count;
    for (size_t i = 0; i < load->count; i++) {
        load->clients[i].fd = -1;
        if (!load->close && !load->hold)
            open_client(load, &load->clients[i]);
    }
    load->began = now_ns();
    for (size_t i = 0; i < load->opened; i++)
        begin(load, &load->clients[i]);
}

int
main(int argc, char **argv)
{
    struct load load = {.epoll = epoll_create1(EPOLL_CLOEXEC), .to = {.sin_family = AF_INET}};
    int used = parse_options(&load, argc, argv);

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    argc -= used;
    argv += used;
    if (argc < 8) {
        fputs("usage: load [--tls] [--close] [--hold] HOST PORT HOSTNAME PATH CONNECTIONS REQUESTS "
              "ANSWER_BYTES [UPLOAD_BYTES]\n", stderr);
        return 2;
    }
    load.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    load.name = argv[3];
    load.count = strtoul(argv[5], NULL, 10);
    load.wanted = load.hold ? load.count : strtoul(argv[6], NULL, 10);
    load.expect = strtoul(argv[7], NULL, 10);
    load.clients = calloc(load.count, sizeof *load.clients);
    load.latency = calloc(load.wanted, sizeof *load.latency);
    load.input = malloc(READ_MAX);
    if (inet_pton(AF_INET, argv[1], &load.to.sin_addr) != 1 || !load.clients || !load.latency ||
        !load.input || !load.count || !load.wanted)
        fail("load");
    make_request(&load, argv, argc > 8 ? strtoul(argv[8], NULL, 10) : 0);
    open_all(&load);
    run(&load);
    report(&load);
    if (load.hold)
        hold();
    return 0;
}
