/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crowd: many clients of one address, and what became of each request.
 *
 * crowd.c          options, pace, report
 * crowd_client.c   one client: connect, send, judge the answer, or leave half way
 */
#ifndef CROWD_H
#define CROWD_H

#include <netinet/in.h>
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

struct crowd_client {
    struct crowd *crowd;
    struct crowd_client *next;  /* among the idle */
    struct toolfd watch;
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
    struct sockaddr_in to;
    const char *host, *path, *method, *prefix;
    struct toolbuf fields;
    uint64_t clients, total, concurrent, seed;
    size_t body;
    double rate;                /* requests a second; 0: one request a client, at once */
    bool check, keep_open;
    uint64_t abort_percent;
    int64_t abort_wait;         /* ns */
    int64_t timeout;            /* ns */
    FILE *times;

    struct crowd_client *client, *idle;
    uint64_t opened, begun, sent, answered, finished, left, lost, reset, refused, silent, wrong;
    uint64_t late;
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

/* crowd.c: the client's request is over; it may be given another. */
void crowd_over(struct crowd *crowd, struct crowd_client *client);
/* A random number below LIMIT. */
uint64_t crowd_random(struct crowd *crowd, uint64_t limit);
/* Every request has been sent: says so once. */
void crowd_sent(struct crowd *crowd);

#endif
