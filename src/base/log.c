/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c: the hub and the rings. A ring is a byte queue between one thread and the writer, with
 * free-running indices: head is published after the whole line is in, tail after the bytes are
 * out, so neither side ever waits. Formatting is logline.c.
 */
#include "config.h"

#include "base/log.h"

#include "base/log_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* Bytes in one ring that are worth waking the writer for. */
#define ALARM_AT ((size_t)256 * 1024)

struct log_hub *
log_hub_new(enum log_format f, enum log_level min, bool colour, size_t ring_bytes)
{
    struct log_hub *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->format = f;
    h->level = (int)min;
    h->colour = colour && f == LOG_READABLE;
    h->ring_bytes = 2 * LOG_LINE_MAX;
    while (h->ring_bytes < ring_bytes)
        h->ring_bytes *= 2;
    return h;
}

void
log_hub_free(struct log_hub *h)
{
    if (!h)
        return;
    for (struct log *log = h->logs, *next; log; log = next) {
        next = log->next;
        free(log->ring);
        free(log);
    }
    free(h);
}

void
log_hub_set_level(struct log_hub *h, enum log_level min)
{
    __atomic_store_n(&h->level, (int)min, __ATOMIC_RELAXED);
}

void
log_hub_set_alarm(struct log_hub *h, void (*alarm)(void *ctx), void *ctx)
{
    h->alarm = alarm;
    h->alarm_ctx = ctx;
}

struct log *
log_new(struct log_hub *h)
{
    struct log *log = NULL;

    if (!h || posix_memalign((void **)&log, LOG_CACHE_LINE, sizeof *log) != 0)
        return NULL;
    *log = (struct log){.hub = h, .size = h->ring_bytes, .second = -1};
    log->ring = malloc(log->size);
    if (!log->ring) {
        free(log);
        return NULL;
    }
    log->next = __atomic_load_n(&h->logs, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&h->logs, &log->next, log, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    return log;
}

enum log_format
log_format(const struct log *log)
{
    return log ? log->hub->format : LOG_JSON;
}

bool
log_colour(const struct log *log)
{
    return log && log->hub->colour;
}

bool
log_enabled(const struct log *log, enum log_level level)
{
    return log && (int)level >= __atomic_load_n(&log->hub->level, __ATOMIC_RELAXED);
}

/* Once each time that a good part of the ring has filled since the writer was there. */
static void
tell_writer(struct log *log)
{
    size_t much = log->size / 2 < ALARM_AT ? log->size / 2 : ALARM_AT;

    if ((size_t)(log->head - log->tail_seen) < much)
        return;
    log->tail_seen = __atomic_load_n(&log->tail, __ATOMIC_ACQUIRE);
    if ((size_t)(log->head - log->tail_seen) < much) {
        log->alarmed = false;
    } else if (!log->alarmed && log->hub->alarm) {
        log->alarmed = true;
        log->hub->alarm(log->hub->alarm_ctx);
    }
}

void
log_put(struct log *log, const char *text, size_t n)
{
    if (n > log->size - (size_t)(log->head - log->tail_seen)) {
        log->tail_seen = __atomic_load_n(&log->tail, __ATOMIC_ACQUIRE);
        if (n > log->size - (size_t)(log->head - log->tail_seen)) {
            __atomic_store_n(&log->dropped, log->dropped + 1, __ATOMIC_RELAXED);
            return;
        }
    }

    size_t at = (size_t)log->head & (log->size - 1);
    size_t first = n < log->size - at ? n : log->size - at;
    memcpy(log->ring + at, text, first);
    memcpy(log->ring, text + first, n - first);
    __atomic_store_n(&log->head, log->head + n, __ATOMIC_RELEASE);
    tell_writer(log);
}

/* The ring's contents as one or two pieces; returns how many. */
static int
pieces(const struct log *log, uint64_t head, struct iovec out[2])
{
    size_t n = (size_t)(head - log->tail), at = (size_t)log->tail & (log->size - 1);
    size_t first = n < log->size - at ? n : log->size - at;

    out[0] = (struct iovec){.iov_base = log->ring + at, .iov_len = first};
    out[1] = (struct iovec){.iov_base = log->ring, .iov_len = n - first};
    return n > first ? 2 : 1;
}

static void
take_out(struct log *log, size_t n)
{
    __atomic_store_n(&log->tail, log->tail + n, __ATOMIC_RELEASE);
}

static void
discard(struct log *log, uint64_t head)
{
    uint64_t lines = 0;

    for (uint64_t i = log->tail; i < head; i++)
        lines += log->ring[i & (log->size - 1)] == '\n';
    __atomic_store_n(&log->broken, log->broken + lines, __ATOMIC_RELAXED);
    take_out(log, (size_t)(head - log->tail));
}

/*
 * Writes one ring's contents. Returns the bytes written, with *more set when fd would not take
 * the rest; -1 when fd is broken.
 */
static long
drain_one(struct log_hub *h, struct log *log, int fd, bool *more)
{
    long total = 0;
    uint64_t head = __atomic_load_n(&log->head, __ATOMIC_ACQUIRE);

    while (log->tail != head) {
        struct iovec out[2];
        int count = pieces(log, head, out);
        ssize_t n = writev(fd, out, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            *more = true;
            return total;
        }
        if (n < 0) {
            discard(log, head);
            h->partial = NULL;
            return -1;
        }
        if (n > 0) {
            bool whole = log->ring[(log->tail + (uint64_t)n - 1) & (log->size - 1)] == '\n';
            h->partial = whole ? NULL : log;
            take_out(log, (size_t)n);
            total += n;
        }
    }
    return total;
}

long
log_hub_drain(struct log_hub *h, int fd)
{
    long total = 0;
    bool more = false, broken = false;

    /* Nobody else's line may land in the middle of one that is half out. */
    if (h->partial) {
        total = drain_one(h, h->partial, fd, &more);
        broken = total < 0;
    }
    struct log *log = __atomic_load_n(&h->logs, __ATOMIC_ACQUIRE);
    for (; log && !more; log = log->next) {
        long n = drain_one(h, log, fd, &more);
        if (n < 0)
            broken = true;
        else
            total += n;
    }
    return broken ? -1 : total;
}

bool
log_hub_pending(const struct log_hub *h)
{
    for (struct log *log = __atomic_load_n(&h->logs, __ATOMIC_ACQUIRE); log; log = log->next)
        if (log->tail != __atomic_load_n(&log->head, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

uint64_t
log_hub_dropped(const struct log_hub *h)
{
    uint64_t lines = 0;

    for (struct log *log = __atomic_load_n(&h->logs, __ATOMIC_ACQUIRE); log; log = log->next)
        lines += __atomic_load_n(&log->dropped, __ATOMIC_RELAXED) +
                 __atomic_load_n(&log->broken, __ATOMIC_RELAXED);
    return lines;
}

const char *
log_level_name(enum log_level l)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    ensure((unsigned)l < LOG_LEVELS);
    return names[l];
}
