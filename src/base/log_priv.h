/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_priv.h: what log.c (rings, hub, draining) and logline.c (formatting) share. Only for them.
 */
#ifndef ROUSE_BASE_LOG_PRIV_H
#define ROUSE_BASE_LOG_PRIV_H

#include <time.h>

#include "base/log.h"

#define LOG_CACHE_LINE 64
#define LOG_DATE_MAX 24

/*
 * One thread's handle. The thread that logs is the only one to touch the first part; the writer
 * touches the second; the ring's bytes belong to the writer between tail and head, else to the
 * thread.
 */
struct log {
    /* The logging thread's. */
    uint64_t head;      /* bytes ever put in: read by the writer */
    uint64_t tail_seen; /* the writer's tail when last looked at */
    uint64_t dropped;   /* lines: read by anybody */
    bool alarmed;       /* the writer was told that much waits; until it has taken it */
    time_t second;      /* of date */
    char date[LOG_DATE_MAX];
    size_t date_n;
    struct log_hub *hub;
    char *ring;
    size_t size; /* a power of two */
    struct log *next;

    /* The writer's. */
    _Alignas(LOG_CACHE_LINE) uint64_t tail; /* bytes ever taken out: read by the thread */
    uint64_t broken;                        /* lines lost with the descriptor */
};

struct log_hub {
    enum log_format format;
    int level; /* atomic */
    bool colour;
    size_t ring_bytes;
    void (*alarm)(void *ctx); /* may be NULL */
    void *alarm_ctx;
    struct log *logs;    /* atomic; only ever prepended */
    struct log *partial; /* the writer's: a line of this ring is half written */
};

/* Puts a whole line into the ring, or counts it as dropped. */
void log_put(struct log *log, const char *text, size_t n);

#endif
