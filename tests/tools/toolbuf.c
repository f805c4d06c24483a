/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing byte buffers, a clock and a way to give up, for the test tools.
 */
#include "config.h"

#include "toolbuf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char *
toolbuf_room(struct toolbuf *buf, size_t len)
{
    if (buf->cap - buf->len < len) {
        size_t cap = buf->cap ? buf->cap : 256;

        while (cap - buf->len < len)
            cap *= 2;
        buf->data = realloc(buf->data, cap);
        if (!buf->data)
            tool_die(errno, "no memory for %zu bytes", cap);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void
toolbuf_add(struct toolbuf *buf, const void *data, size_t len)
{
    if (len) {
        memcpy(toolbuf_room(buf, len), data, len);
        buf->len += len;
    }
}

void
toolbuf_puts(struct toolbuf *buf, const char *text)
{
    toolbuf_add(buf, text, strlen(text));
}

void
toolbuf_printf(struct toolbuf *buf, const char *format, ...)
{
    va_list args;
    int need;

    va_start(args, format);
    need = vsnprintf(toolbuf_room(buf, 256), 256, format, args);
    va_end(args);
    if (need >= 256) {
        va_start(args, format);
        need = vsnprintf(toolbuf_room(buf, (size_t)need + 1), (size_t)need + 1, format, args);
        va_end(args);
    }
    buf->len += (size_t)need;
}

void
toolbuf_hex(struct toolbuf *buf, const void *data, size_t len)
{
    const unsigned char *byte = data;
    char *out = toolbuf_room(buf, len * 2);

    for (size_t i = 0; i < len; i++) {
        out[i * 2] = "0123456789abcdef"[byte[i] >> 4];
        out[i * 2 + 1] = "0123456789abcdef"[byte[i] & 15];
    }
    buf->len += len * 2;
}

void
toolbuf_json(struct toolbuf *buf, const void *data, size_t len)
{
    const unsigned char *byte = data;

    toolbuf_add(buf, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        if (byte[i] < 0x20 || byte[i] >= 0x7f || byte[i] == '"' || byte[i] == '\\')
            toolbuf_printf(buf, "\\u%04x", byte[i]);
        else
            toolbuf_add(buf, &byte[i], 1);
    }
    toolbuf_add(buf, "\"", 1);
}

void
toolbuf_drop(struct toolbuf *buf, size_t len)
{
    if (len < buf->len)
        memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
}

void
toolbuf_fini(struct toolbuf *buf)
{
    free(buf->data);
    *buf = (struct toolbuf){NULL, 0, 0};
}

int64_t
tool_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void *
tool_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        tool_die(errno, "no memory for %zu bytes", size);
    return memory;
}

void
tool_die(int errnum, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (errnum)
        fprintf(stderr, ": %s", strerror(errnum));
    fputc('\n', stderr);
    exit(1);
}

int64_t
tool_number(const char *what, const char *text, int64_t min, int64_t max)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max)
        tool_die(0, "%s: '%s' is not a number from %lld to %lld", what, text, (long long)min,
                 (long long)max);
    return value;
}
