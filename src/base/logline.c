/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logline.c: one line in one of the three formats. The last bytes of the line are kept for its
 * end, so that it is always whole: a field that finds no room is left out, a text is cut.
 */
#include "config.h"

#include "base/decimal.h"
#include "base/escape.h"
#include "base/log_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* `,"cut":true}` or ` cut=true`, the end of a colour and the newline. */
#define LINE_END 24
#define LINE_ROOM (LOG_LINE_MAX - LINE_END)
/* A text that is cut to less than this is left out. */
#define TEXT_LEAST 16

struct key {
    const char *text;
    size_t n;
};

#define LITERAL(s) {s, sizeof(s) - 1}
/* What stands before the value: by format. */
static const struct key json_keys[] = {
#define LOGFIELD(sym, json, logfmt) LITERAL(",\"" json "\":"),
#include "base/logfield.def"
#undef LOGFIELD
};
static const struct key logfmt_keys[] = {
#define LOGFIELD(sym, json, logfmt) LITERAL(" " logfmt "="),
#include "base/logfield.def"
#undef LOGFIELD
};

static void
raw(struct log_line *l, const char *p, size_t n)
{
    memcpy(l->text + l->n, p, n);
    l->n += n;
}

static void
raw_str(struct log_line *l, const char *s)
{
    raw(l, s, strlen(s));
}

/* Writes the key when it and `value` more bytes fit. */
static bool
add_key(struct log_line *l, enum log_field f, size_t value)
{
    const struct key *k = l->log->hub->format == LOG_JSON ? &json_keys[f] : &logfmt_keys[f];

    if (k->n + value > LINE_ROOM - l->n) {
        l->cut = true;
        return false;
    }
    raw(l, k->text, k->n);
    return true;
}

/* The calendar part of the time changes once a second at most. */
static void
refresh_date(struct log *log, time_t second)
{
    bool readable = log->hub->format == LOG_READABLE;
    struct tm tm;

    if (!(readable ? localtime_r(&second, &tm) : gmtime_r(&second, &tm)))
        memset(&tm, 0, sizeof tm);
    log->second = second;
    log->date_n =
        strftime(log->date, sizeof log->date, readable ? "%H:%M:%S." : "%Y-%m-%dT%H:%M:%S.", &tm);
}

static void
add_time(struct log_line *l, size_t digits)
{
    struct log *log = l->log;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != log->second)
        refresh_date(log, now.tv_sec);
    raw(l, log->date, log->date_n);
    decimal_fixed(l->text + l->n, (uint64_t)now.tv_nsec / (digits == 3 ? 1000000 : 1000), digits);
    l->n += digits;
}

static void
open_readable(struct log_line *l, enum log_level level, enum log_stream stream, const char *event)
{
    static const char *const colours[] = {"2", "", "33", "31"};

    log_style(l, "2");
    add_time(l, 3);
    log_style(l, "");
    if (level >= LOG_WARN) {
        raw_str(l, " ");
        log_style(l, colours[level]);
        raw_str(l, log_level_name(level));
        log_style(l, "");
    }
    if (stream == LOG_EVENT) {
        char padded[40];
        size_t n = (size_t)snprintf(padded, sizeof padded, " %-8s", event);
        raw(l, padded, n < sizeof padded ? n : sizeof padded - 1);
    }
}

void
log_open(struct log_line *l, struct log *log, enum log_level level, enum log_stream stream,
         const char *event)
{
    static const char *const json_levels[] = {
        "Z\",\"level\":\"debug\",\"stream\":\"", "Z\",\"level\":\"info\",\"stream\":\"",
        "Z\",\"level\":\"warn\",\"stream\":\"", "Z\",\"level\":\"error\",\"stream\":\""};

    l->log = NULL;
    if (!log_enabled(log, level))
        return;
    l->log = log;
    l->n = 0;
    l->cut = false;
    l->style = false;
    if (log->hub->format == LOG_READABLE) {
        open_readable(l, level, stream, event);
        return;
    }
    bool json = log->hub->format == LOG_JSON;
    raw_str(l, json ? "{\"time\":\"" : "ts=");
    add_time(l, 6);
    if (json) {
        raw_str(l, json_levels[level]);
        raw_str(l, stream == LOG_ACCESS ? "access\",\"msg\":\"" : "event\",\"msg\":\"");
    } else {
        raw_str(l, "Z lvl=");
        raw_str(l, log_level_name(level));
        raw_str(l, stream == LOG_ACCESS ? " s=access msg=" : " s=event msg=");
    }
    size_t used;
    l->n += escape_json(l->text + l->n, 128, slice_of(event), &used);
    if (json)
        raw_str(l, "\"");
}

void
log_slice(struct log_line *l, enum log_field f, struct slice v)
{
    size_t used, least = v.n < TEXT_LEAST ? v.n * ESCAPE_MAX : TEXT_LEAST;

    if (!l->log || !add_key(l, f, least + 2))
        return;
    if (l->log->hub->format != LOG_JSON && v.n < LINE_ROOM - l->n && escape_bare(v)) {
        raw(l, v.p, v.n);
        return;
    }
    l->text[l->n++] = '"';
    l->n += escape_json(l->text + l->n, LINE_ROOM - l->n - 1, v, &used);
    l->text[l->n++] = '"';
    if (used < v.n)
        l->cut = true;
}

void
log_str(struct log_line *l, enum log_field f, const char *v)
{
    if (l->log && v)
        log_slice(l, f, slice_of(v));
}

void
log_i64(struct log_line *l, enum log_field f, int64_t v)
{
    if (l->log && add_key(l, f, DECIMAL_MAX))
        l->n += decimal_i64(l->text + l->n, v);
}

void
log_bool(struct log_line *l, enum log_field f, bool v)
{
    if (l->log && add_key(l, f, 5))
        raw_str(l, v ? "true" : "false");
}

void
log_usec(struct log_line *l, enum log_field f, usec_t v)
{
    if (!l->log || v < 0 || !add_key(l, f, DECIMAL_MAX + 2))
        return;
    uint64_t tenths = ((uint64_t)v + 50) / 100;
    l->n += decimal_u64(l->text + l->n, tenths / 10);
    l->text[l->n++] = '.';
    l->text[l->n++] = (char)('0' + tenths % 10);
}

void
log_text(struct log_line *l, struct slice text)
{
    size_t used;

    if (!l->log || l->log->hub->format != LOG_READABLE || l->n >= LINE_ROOM)
        return;
    l->text[l->n++] = ' ';
    l->n += escape_text(l->text + l->n, LINE_ROOM - l->n, text, &used);
    if (used < text.n)
        l->cut = true;
}

void
log_style(struct log_line *l, const char *sgr)
{
    size_t n = strlen(sgr);

    if (!l->log || !l->log->hub->colour || n + 3 > LINE_ROOM - l->n)
        return;
    if (n == 0 && !l->style)
        return;
    raw(l, "\x1b[", 2);
    raw(l, sgr, n);
    raw(l, "m", 1);
    l->style = n > 0;
}

void
log_close(struct log_line *l)
{
    if (!l->log)
        return;
    bool json = l->log->hub->format == LOG_JSON;
    if (l->style)
        raw_str(l, "\x1b[m");
    if (l->cut)
        raw_str(l, json ? ",\"cut\":true" : " cut=true");
    raw_str(l, json ? "}\n" : "\n");
    log_put(l->log, l->text, l->n);
    l->log = NULL;
}

void
log_event(struct log *log, enum log_level level, const char *event, const char *fmt, ...)
{
    struct log_line l;
    char detail[1024];
    va_list ap;

    if (!log_enabled(log, level))
        return;
    va_start(ap, fmt);
    int n = vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;

    bool cut = (size_t)n >= sizeof detail;
    struct slice text = {detail, cut ? sizeof detail - 1 : (size_t)n};
    log_open(&l, log, level, LOG_EVENT, event);
    if (log_format(log) == LOG_READABLE)
        log_text(&l, text);
    else if (text.n > 0)
        log_slice(&l, LF_DETAIL, text);
    l.cut = l.cut || cut;
    log_close(&l);
}
