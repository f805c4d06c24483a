/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crowd: many clients of one address, and what became of each request.
 *
 * crowd.c          options, pace, report
 * crowd_client.c   one client: connect, send, judge the answer, or leave half way
 * crowd_h2.c       the same as streams of few connections
 * crowd_tls.c      the bytes of a connection, in the clear or over TLS
 */
#ifndef CROWD_H
#define CROWD_H

#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "toolbuf.h"
#include "toolhttp.h"
#include "toolloop.h"

/* Where a client that leaves does so. */
enum leave {
    LEAVE_NEVER,
    LEAVE_CONNECTED,            /* before its first byte */
    LEAVE_IN_HEAD,
    LEAVE_IN_BODY,              /* of its request */
    LEAVE_WAITING,              /* after a while without an answer */
    LEAVE_IN_ANSWER,            /* when the first bytes of it have come */
    LEAVES
};

/* One connection. */
struct crowd_wire {
    struct toolfd watch;
    SSL *ssl;                   /* NULL: in the clear */
    bool secured;               /* the handshake is done, or there is none */
};

/* An HTTP/2 connection of several clients. */
struct crowd_link {
    struct crowd *crowd;
    struct crowd_wire wire;
    nghttp2_session *session;
    struct toolbuf out;
    uint64_t slot;              /* whose clients it serves */
    bool connected, unflushed;
};

struct crowd_client {
    struct crowd *crowd;
    struct crowd_client *next;  /* among the idle */
    struct crowd_wire wire;
    struct crowd_link *link;    /* HTTP/2: of its stream, while there is one */
    int32_t stream;
    int status;                 /* HTTP/2: of the answer, 0 before it */
    bool ours;                  /* HTTP/2: the answer named this request */
    struct tooltimer leaving;
    struct toolhttp http;
    struct toolbuf out, body;
    size_t sent;
    uint64_t number;            /* of the request */
    int64_t due;                /* when it should have been sent */
    enum leave leave;
    bool leave_rst, connected, busy;
};

struct crowd {
    struct toolloop loop;
    struct sockaddr_in to, from; /* from: family 0, any */
    const char *host, *path, *method, *prefix;
    struct toolbuf fields;
    uint64_t clients, total, concurrent, seed;
    uint64_t streams;           /* HTTP/2: clients of one connection; 0: HTTP/1 */
    uint32_t window;            /* HTTP/2: a stream's; UINT32_MAX: the usual one */
    SSL_CTX *tls;               /* NULL: in the clear */
    bool want_tls;
    nghttp2_session_callbacks *calls;
    struct crowd_link **link;   /* the newest of each slot, or NULL */
    uint64_t links;             /* slots: clients / streams */
    bool unflushed;
    size_t body;
    double rate;                /* requests a second; 0: one request a client, at once */
    bool check, keep_open, fresh; /* fresh: a new connection for each request */
    uint64_t abort_percent;
    int64_t abort_wait;         /* ns */
    int64_t timeout;            /* ns */
    FILE *times;

    struct crowd_client *client, *idle;
    uint64_t opened, begun, sent, answered, finished, left, lost, reset, refused, silent, wrong;
    uint64_t late, insecure, goaways;
    uint64_t connecting, interims, status[1000];
    uint32_t *latency;          /* us, `answered` of them */
    int64_t began, first, last, last_sent;
    struct tooltimer pace, deadline;
    struct toolbuf waiting;     /* int64_t due times of requests that found no idle client */
    bool said_sent;
};

/* Gives the client its next request, which was due at DUE, connecting first if it must. */
void crowd_client_begin(struct crowd_client *client, int64_t due);
/* Closes whatever is open. */
void crowd_client_fini(struct crowd_client *client);

/* The client has its answer, with that status; ours: it is the one it asked for. */
void crowd_client_answered(struct crowd_client *client, int status, bool ours);
/* The request was lost for the reason that COUNTER counts; connections are the caller's. */
void crowd_client_failed(struct crowd_client *client, uint64_t *counter);
/* It leaves, as its `leave` says. */
void crowd_client_depart(struct crowd_client *client);
/* The request is out. */
void crowd_client_sent(struct crowd_client *client);
/* Writes the request's id, PREFIX-NUMBER. */
int crowd_client_id(const struct crowd_client *client, char *id, size_t size);
/* Every block of the body names this request and its own offset. */
bool crowd_client_body_fits(const struct crowd_client *client, const char *id);

/* crowd_h2.c: the slots; the client's request; its RST_STREAM; both are sent later, by flush; the
 * end of all. */
void crowd_h2_init(struct crowd *crowd);
void crowd_h2_begin(struct crowd_client *client);
void crowd_h2_leave(struct crowd_client *client);
void crowd_h2_flush(struct crowd *crowd);
void crowd_h2_fini(struct crowd *crowd);

/* crowd_tls.c: a context with the right ALPN for crowd->tls. */
void crowd_tls_init(struct crowd *crowd);
/* Begins to connect; EPOLLOUT tells when it is done.  -1: it failed at once. */
int crowd_wire_connect(struct crowd *crowd, struct crowd_wire *wire);
/* It is connected: begins TLS if the crowd speaks it. */
void crowd_wire_open(struct crowd *crowd, struct crowd_wire *wire);
/* Ends the watch and the connection, with RST if so told. */
void crowd_wire_close(struct crowd *crowd, struct crowd_wire *wire, bool rst);
/* As send and recv that never wait. */
ssize_t crowd_wire_send(struct crowd_wire *wire, const void *data, size_t len);
ssize_t crowd_wire_recv(struct crowd_wire *wire, void *data, size_t len);
/* The events to watch for when nothing more can be read now; unsent: bytes wait to be sent. */
uint32_t crowd_wire_wants(const struct crowd_wire *wire, bool unsent);

/* crowd.c: the client's request is over; it may be given another. */
void crowd_over(struct crowd *crowd, struct crowd_client *client);
/* A random number below LIMIT. */
uint64_t crowd_random(struct crowd *crowd, uint64_t limit);
/* Every request has been sent: says so once. */
void crowd_sent(struct crowd *crowd);

#endif
