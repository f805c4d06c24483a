/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a crowd's connection, in the clear or over TLS.  No certificate is checked: what the
 * crowd counts is who was answered, not by whom.
 */
#include "config.h"

#include "crowd.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void
crowd_tls_init(struct crowd *crowd)
{
    static const unsigned char h2[] = "\2h2", h1[] = "\10http/1.1";
    int bad;

    crowd->tls = SSL_CTX_new(TLS_client_method());
    if (!crowd->tls)
        tool_die(0, "no TLS");
    SSL_CTX_set_mode(crowd->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(crowd->tls, SSL_SESS_CACHE_OFF);
    bad = SSL_CTX_set_alpn_protos(crowd->tls, crowd->streams ? h2 : h1,
                                  crowd->streams ? sizeof h2 - 1 : sizeof h1 - 1);
    if (bad)
        tool_die(0, "no ALPN");
}

int
crowd_wire_connect(struct crowd *crowd, struct crowd_wire *wire)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        tool_die(errno, "socket");
    wire->watch.fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (crowd->from.sin_family) {
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&crowd->from, sizeof crowd->from) < 0)
            tool_die(errno, "bind");
    }
    crowd->connecting++;
    crowd->opened++;
    if (connect(fd, (struct sockaddr *)&crowd->to, sizeof crowd->to) < 0 && errno != EINPROGRESS)
        return -1;
    toolloop_watch(&crowd->loop, &wire->watch, EPOLLOUT);
    return 0;
}

void
crowd_wire_open(struct crowd *crowd, struct crowd_wire *wire)
{
    const char *end = strchr(crowd->host, ':');
    char name[256];

    wire->ssl = NULL;
    wire->secured = !crowd->tls;
    if (!crowd->tls)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(end ? end - crowd->host : 250), crowd->host);
    wire->ssl = SSL_new(crowd->tls);
    if (!wire->ssl || SSL_set_fd(wire->ssl, wire->watch.fd) != 1 ||
        SSL_set_tlsext_host_name(wire->ssl, name) != 1)
        tool_die(0, "SSL_new");
    SSL_set_connect_state(wire->ssl);
}

void
crowd_wire_close(struct crowd *crowd, struct crowd_wire *wire, bool rst)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (wire->watch.fd < 0)
        return;
    if (rst)
        setsockopt(wire->watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    else if (wire->ssl && wire->secured)
        SSL_shutdown(wire->ssl);
    ERR_clear_error();
    SSL_free(wire->ssl);
    wire->ssl = NULL;
    toolloop_watch(&crowd->loop, &wire->watch, 0);
    close(wire->watch.fd);
    wire->watch.fd = -1;
}

/* What a TLS call that returned RESULT means. */
static ssize_t
verdict(struct crowd_wire *wire, int result)
{
    int why = SSL_get_error(wire->ssl, result), error = errno;

    ERR_clear_error();
    wire->secured = wire->secured || SSL_is_init_finished(wire->ssl);
    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = EPROTO;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        errno = EAGAIN;
    else if (why == SSL_ERROR_SYSCALL && error)
        errno = error;
    return -1;
}

ssize_t
crowd_wire_send(struct crowd_wire *wire, const void *data, size_t len)
{
    int put;

    if (!wire->ssl)
        return send(wire->watch.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    put = SSL_write(wire->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
    if (put <= 0)
        return verdict(wire, put);
    wire->secured = true;
    return put;
}

ssize_t
crowd_wire_recv(struct crowd_wire *wire, void *data, size_t len)
{
    int got;

    if (!wire->ssl)
        return recv(wire->watch.fd, data, len, MSG_DONTWAIT);
    got = SSL_read(wire->ssl, data, (int)len);
    if (got <= 0)
        return verdict(wire, got);
    wire->secured = true;
    return got;
}

uint32_t
crowd_wire_wants(const struct crowd_wire *wire, bool unsent)
{
    if (wire->ssl)
        return EPOLLIN | (SSL_want_write(wire->ssl) ? (uint32_t)EPOLLOUT : 0);
    return EPOLLIN | (unsent ? (uint32_t)EPOLLOUT : 0);
}
