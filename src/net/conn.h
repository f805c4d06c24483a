/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.h: one byte connection, plain or TLS behind the same functions. One persistent edge-
 * triggered libevent event per descriptor, added once: no epoll_ctl afterwards. The readiness
 * bits are kept here; not reading is back-pressure. The event lives in a handle of its own, so
 * that a connection can change hands (conn_move) without a system call and late events find
 * nobody.
 *
 *     connecting -> open -> closed (reaped at the end of the turn)
 *
 * With TLS, "connecting" lasts until the handshake is over; no byte goes up before. An end of
 * file that the peer did not announce (close_notify) is an error, ECONNRESET. After a short or
 * refused write the next one must begin with the same bytes, and offer no fewer.
 *
 * Knows nothing of HTTP. Owned by its session; lives on one loop.
 */
#ifndef ROUSE_NET_CONN_H
#define ROUSE_NET_CONN_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/endpoint.h"
#include "base/slice.h"
#include "net/loop.h"

/* What conn_owner.on_event is told; several bits may come at once. */
enum conn_event {
    CONN_READABLE = 1 << 0, /* bytes, end of file or an error can be read; maybe nothing new */
    CONN_WRITABLE = 1 << 1, /* an earlier short write may go on; also the end of connecting */
    CONN_HUP = 1 << 2,      /* the peer sent FIN (EV_CLOSED), said once; sticky in conn->hup */
    CONN_FAILED = 1 << 3,   /* connecting failed, or RST came; conn->error holds errno */
};

struct conn;
struct conn_handle;
struct tls_client;
struct tls_conn;
struct tls_info;
struct tls_server;
struct tls_words;
struct conn_owner {
    const char *name; /* "front", "back", for logs */
    void (*on_event)(struct conn *c, unsigned events);
};

struct conn {
    struct conn_handle *handle;     /* NULL when closed */
    struct tls_conn *tls;           /* NULL: plain */
    struct loop *loop;
    const struct conn_owner *owner; /* the session embeds the conn: container_of */
    int fd;                         /* -1 when closed */
    bool connecting;
    bool readable, writable; /* as far as we know: cleared by EAGAIN or a short read */
    bool hup;                /* sticky: FIN was seen */
    bool eof;                /* sticky: read returned 0 */
    int error;               /* errno of the failure, sticky */
    struct endpoint peer;
    uint64_t bytes_in, bytes_out;
};

/* A connection that is closed already, so that conn_close is harmless. Each conn_open_* implies
 * it. */
void conn_init(struct conn *c);
/* Takes over an accepted (or otherwise connected), non-blocking descriptor. -1: it was closed.
 * What waits to be read is told by an event; writable at once. peer may be NULL. */
int conn_open_accepted(struct conn *c, struct loop *l, int fd, const struct endpoint *peer,
                       const struct conn_owner *owner) must_check;
/*
 * Starts connecting (TCP_NODELAY, non-blocking). The outcome comes as CONN_WRITABLE or
 * CONN_FAILED, never from within this call; -1 with errno when it failed at once (no descriptor,
 * no route, refused on loopback).
 */
int conn_open_connect(struct conn *c, struct loop *l, const struct endpoint *to,
                      const struct conn_owner *owner) must_check;
/*
 * From now on the connection speaks TLS: `connecting` until the handshake is over. The outcome
 * comes as CONN_WRITABLE (with CONN_READABLE when bytes may be there), or CONN_FAILED with error
 * ECONNRESET (the peer went away), EKEYREJECTED (its certificate is not good), EPROTO (anything
 * else); never from within this call. Nobody keeps time but the owner. -1, and nothing has
 * changed: out of memory, or a server name that is neither a host name nor an address (EINVAL).
 *
 * Server: a connection that is open, bytes that were read before (a PROXY header) are not part of
 * it. Client: open, or still connecting. server_name: what the certificate must be for; a name or
 * an IP address in text; may be empty when the client is `insecure`.
 */
int conn_start_tls_server(struct conn *c, struct tls_server *s) must_check;
int conn_start_tls_client(struct conn *c, struct tls_client *t,
                          struct slice server_name) must_check;
/* What the handshake agreed on (net/tls_info.h); NULL: plain, or not yet over. */
const struct tls_info *conn_tls(const struct conn *c);
/* The same in words, while conn_tls is not NULL. -1: out of memory. */
int conn_tls_words(const struct conn *c, struct tls_words *w) must_check;
/* Why TLS failed, for a log line; "" when it did not. */
const char *conn_tls_error(const struct conn *c);
/*
 * Moves an open connection from one owner (pool, dialer) to another: `to` must be unused memory,
 * `from` is closed afterwards. Readiness bits and sticky bits travel along, and are not told
 * again: the new owner looks at them. No system call. -1: it was closed.
 */
int conn_move(struct conn *to, struct conn *from, const struct conn_owner *owner) must_check;
/*
 * Reads at most n bytes. > 0; 0 at the end of file; -1 and errno EAGAIN when there is nothing now
 * (readable is cleared; also after a short read, unless FIN was seen), other errno: the
 * connection is broken.
 */
ssize_t conn_read(struct conn *c, void *p, size_t n) must_check;
/*
 * Writes. Bytes taken (maybe fewer than offered: writable is cleared), or -1 as above.
 * MSG_NOSIGNAL.
 */
ssize_t conn_writev(struct conn *c, const struct iovec *iov, int n) must_check;
/* FIN (before it, with TLS, close_notify): no more output; reading goes on. */
void conn_shut_write(struct conn *c);
/* Keepalive (idle and interval in seconds, probes) and the limit for unacknowledged bytes, on a
 * connection that is to last: five system calls. */
void conn_keep_alive(struct conn *c, int idle, int interval, int probes, usec_t user_timeout);
/* Closes the descriptor now; no further callback comes. abort: RST instead of FIN (SO_LINGER 0).
 * The memory is the owner's, who frees it in the reap phase. Harmless when closed already. */
void conn_close(struct conn *c, bool abort);
/*
 * The sticky errno, else getsockopt(SO_ERROR): 0 or what is pending; an RST does not show as
 * CONN_HUP (DESIGN section 3). While one neither reads nor writes, to be asked on each
 * CONN_READABLE; an RST that came in one edge with bytes that were read is told by CONN_FAILED
 * within two ticks.
 */
int conn_check_error(struct conn *c);
/* A look without reading: true when the peer has sent bytes or FIN, or the connection is broken.
 * One system call (recv MSG_PEEK); for a pooled connection about to be used. What TLS says to
 * itself (tickets) does not count, here as in CONN_READABLE to a client. */
bool conn_is_dirty(struct conn *c);
/* Who is at the other end of the socket, where `peer` is whom a PROXY header named: one system
 * call. Family 0: a unix socket, or it has gone. */
struct endpoint conn_socket_peer(const struct conn *c);
/* For loop.c: the timer of loop.suspects. */
void conn_on_suspects(struct wheel_timer *t);
/* Bytes that the peer's kernel has not acknowledged (SIOCOUTQ); 0 on error. */
size_t conn_unacked(struct conn *c);

#endif
