/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h: structured log lines (OPERATING section d): a level, a stream, a fixed event word and
 * fields from logfield.def. A line is formatted by the thread that has something to say, into that
 * thread's own bounded ring; one writer drains the rings. Logging never blocks and never makes a
 * system call; a line that finds no room is dropped and counted.
 *
 * A NULL log, or a level below the hub's, makes every call a no-op: the pure domain and the tests
 * pass NULL.
 */
#ifndef ROUSE_BASE_LOG_H
#define ROUSE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/slice.h"
#include "base/usec.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };
enum log_format { LOG_JSON, LOG_LOGFMT, LOG_READABLE };
enum log_stream { LOG_EVENT, LOG_ACCESS };

enum log_field {
#define LOGFIELD(sym, json, logfmt) LF_##sym,
#include "base/logfield.def"
#undef LOGFIELD
    LOG_FIELDS
};

#define LOG_LINE_MAX 4096

struct log_hub; /* the process's: format, level, rings */
struct log;     /* one thread's handle with its ring */

/* ring_bytes: room of each thread's ring. colour: for LOG_READABLE on a terminal. */
struct log_hub *log_hub_new(enum log_format f, enum log_level min, bool colour, size_t ring_bytes);
/* The threads must have ended. Frees the logs too. */
void log_hub_free(struct log_hub *h);
void log_hub_set_level(struct log_hub *h, enum log_level min);
/*
 * Before any thread logs: alarm is called, by the thread that logs, when its ring holds so much
 * that the writer should not wait for its timer. It must be quick and safe from any thread.
 */
void log_hub_set_alarm(struct log_hub *h, void (*alarm)(void *ctx), void *ctx);
/* A handle for one thread; owned by the hub. */
struct log *log_new(struct log_hub *h);
/*
 * Writes what the rings hold to fd, oldest first within a ring, without blocking longer than
 * write(2) on fd does; to be called by one thread only, by timer and once at the end. Returns bytes
 * written, or -1 when fd is broken (lines are then dropped and counted).
 */
long log_hub_drain(struct log_hub *h, int fd);
/* Is anything left that fd did not take? The writer's thread. */
bool log_hub_pending(const struct log_hub *h);
uint64_t log_hub_dropped(const struct log_hub *h);

enum log_format log_format(const struct log *log);
bool log_colour(const struct log *log);
bool log_enabled(const struct log *log, enum log_level level);

/* A line being built, on the caller's stack. */
struct log_line {
    struct log *log; /* NULL: discarded */
    size_t n;
    bool cut;
    bool style; /* a colour is on */
    char text[LOG_LINE_MAX];
};

/* Starts a line: time (wall clock, RFC 3339 UTC with microseconds), level, stream, msg. */
void log_open(struct log_line *l, struct log *log, enum log_level level, enum log_stream stream,
              const char *event);
void log_slice(struct log_line *l, enum log_field f, struct slice v);
void log_str(struct log_line *l, enum log_field f, const char *v);
void log_i64(struct log_line *l, enum log_field f, int64_t v);
void log_bool(struct log_line *l, enum log_field f, bool v);
/* Milliseconds with one decimal (JSON, logfmt); a negative v is left out. */
void log_usec(struct log_line *l, enum log_field f, usec_t v);
/*
 * LOG_READABLE only, the other formats ignore both. log_text: a blank and the text as it is,
 * controls escaped. log_style: a colour for what follows, as the inside of an SGR sequence,
 * "1;33"; "" ends it.
 *
 * A readable line is the time, the level from warn on, the event's name unless it is an access
 * line, and then what is added, in order: fields as key=value, texts as they are. Who composes a
 * readable line from texts asks log_format() and adds no fields to it.
 */
void log_text(struct log_line *l, struct slice text);
void log_style(struct log_line *l, const char *sgr);
/*
 * Ends the line and puts it into the ring. What found no room in the line was left out or cut
 * short; then the line says so (cut=true).
 */
void log_close(struct log_line *l);

/*
 * One line with a single detail text: log_event(log, LOG_WARN, "config_invalid", "no such file:
 * %s").
 */
void log_event(struct log *log, enum log_level level, const char *event, const char *fmt, ...)
    printf_like(4, 5);

const char *log_level_name(enum log_level l);

#endif
