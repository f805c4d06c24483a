/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The witness: an origin that records every byte it gets and misbehaves as it is told.
 *
 * witness.c          options, listening sockets
 * witness_plan.c     what to do with one request, read from its query or from the control port
 * witness_conn.c     one connection: reading, recording, the queue of requests, its end
 * witness_answer.c   one answer: delays, interim answers, body with canaries, cuts
 * witness_control.c  the control port: commands in, records out as JSON
 */
#ifndef WITNESS_H
#define WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolbuf.h"
#include "toolhttp.h"
#include "toolloop.h"
#include "toolsha.h"
#include "witness_plan.h"

enum { WITNESS_PORTS = 64, WITNESS_NAME = 64, WITNESS_BLOCK = 4096 };

/* One request as the witness read it; kept until /reset. */
struct record {
    struct record *next;
    uint64_t number;            /* in its connection, from 1 */
    uint64_t offset;            /* of its first byte in the connection */
    int64_t head_at, done_at, answered_at, finished_at; /* ns; 0: not yet */
    char id[80];
    struct toolbuf start;       /* the start line */
    struct toolbuf odd;         /* JSON list */
    int64_t body;
    char digest[65];
    bool keep_alive;            /* the client lets the connection live */
    bool head_only;             /* HEAD */
    bool counted;               /* among the unanswered */
    struct plan *plan;
};

enum answer_stage {
    ANSWER_NONE, ANSWER_INTERIM, ANSWER_DELAY, ANSWER_HEAD, ANSWER_BODY_DELAY, ANSWER_BODY,
    ANSWER_TAIL, ANSWER_DONE,
};

/* The answer being given; its plan is that of conn->answering. */
struct answer {
    enum answer_stage stage;
    int left;                   /* repetitions still to send */
    int interims;               /* interim answers sent */
    struct toolbuf out;
    size_t sent;                /* of out */
    int64_t total;              /* bytes of this answer written */
    int64_t offset, size;       /* of the body */
    bool bare;                  /* the head promises a body that HEAD or 304 do not send */
    bool blocked;               /* the socket is full */
    int64_t not_before;         /* ns: nothing is sent earlier */
    struct tooltimer timer;
};

struct conn {
    struct conn *next;          /* every connection since /reset, newest first */
    struct witness *witness;
    struct toolfd watch;
    uint64_t number;
    int port;
    int64_t opened_at, ended_at;
    const char *end;            /* NULL while open */
    bool peer_done;             /* FIN was read */
    bool deaf;                  /* reads nothing */
    bool mute;                  /* answers nothing more */
    struct toolbuf bytes;       /* what came, up to the recording limit */
    uint64_t received, framed;  /* bytes; framed: what the framer has used */
    struct toolhttp http;
    struct toolsha sha;
    struct record *first, *last, *reading, *answering;
    uint64_t requests;
    struct answer answer;
    struct tooltimer idle;      /* data on the idle connection */
    char idle_text[64];
};

enum accept_mode { ACCEPT_SERVE, ACCEPT_RST, ACCEPT_FIN, ACCEPT_DEAF };

struct port {
    struct witness *witness;
    struct toolfd watch;
    struct tooltimer opening;
    int port;
    bool listening;
    int64_t listen_at, refuse_at, first_conn_at, first_request_at;
    enum accept_mode mode;
    uint64_t accepted;
};

struct control;

struct witness {
    struct toolloop loop;
    char name[WITNESS_NAME];
    char generation[WITNESS_NAME];
    char address[64];
    int backlog;
    int rcvbuf;                 /* 0: the system's */
    size_t record_max;
    bool forget;                /* drop records of answered requests: long runs */
    bool query;                 /* a request's query may hold its plan */
    struct port port[WITNESS_PORTS];
    size_t ports;
    struct conn *conns;
    struct plan *script, **script_end;
    struct plan *named;
    struct plan standard;
    uint64_t next_conn, open, requests, executed, answered, received, ended;
    uint64_t unanswered, unanswered_max;
    uint64_t reading;           /* requests whose end has not come */
    struct control *waiting;    /* control requests of /wait */
    struct execution *executions;
    size_t execution_room, execution_count;
    uint64_t executions_max;
};

/* One request id and how often a request with it was read completely. */
struct execution {
    char id[80];
    uint64_t count;
};

/* witness_conn.c */
void conn_accept(struct port *port, int fd);
/* Ends the connection with FIN or RST; its record stays. */
void conn_end(struct conn *conn, const char *how, bool rst);
/* Recomputes what the connection waits for. */
void conn_rearm(struct conn *conn);
/* The answer in progress has been given; goes on with the next request or ends. */
void conn_answered(struct conn *conn);
/* Writes bytes at once outside any answer. */
void conn_push(struct conn *conn, const char *data, size_t len);
/* Frees the records of ended connections, and of open ones that are idle. */
void conn_forget_ended(struct witness *witness);
/* The first byte of the final answer leaves now. */
void conn_answering(struct conn *conn, struct record *record);

/* witness_answer.c */
void answer_start(struct conn *conn);
/* Sends what it may; called when the socket has room. */
void answer_run(struct conn *conn);
void answer_init(struct conn *conn);
void answer_fini(struct conn *conn);
/* Fills OUT with LEN bytes of the body for RECORD from OFFSET on. */
void answer_body(const struct conn *conn, const struct record *record, int64_t offset, char *out,
                 size_t len);

/* witness_control.c */
void control_open(struct witness *witness, int fd);
/* Something was counted: wakes control requests that wait for it. */
void control_notify(struct witness *witness);

/* witness.c */
/* Opens or closes the port's listening socket. */
void port_listen(struct port *port);
void port_refuse(struct port *port);
struct port *port_find(struct witness *witness, int number);
void witness_execute(struct witness *witness, const char *id);

#endif
