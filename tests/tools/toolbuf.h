/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing byte buffers, a clock and a way to give up, for the test tools.
 *
 * The tools stand alone: nothing here knows Rouse, so that a defect of Rouse cannot hide in its
 * own witness.  Memory that cannot be had ends the program.
 */
#ifndef TOOLBUF_H
#define TOOLBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct toolbuf {
    char *data;
    size_t len;
    size_t cap;
};

/* Appends LEN bytes. */
void toolbuf_add(struct toolbuf *buf, const void *data, size_t len);

/* Appends a C string. */
void toolbuf_puts(struct toolbuf *buf, const char *text);

/* Appends formatted text. */
void toolbuf_printf(struct toolbuf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(1, 2)));

/* Appends DATA as lower-case hexadecimal digits. */
void toolbuf_hex(struct toolbuf *buf, const void *data, size_t len);

/* Appends DATA as a JSON string with its quotes; bytes outside printable ASCII become \u00XX. */
void toolbuf_json(struct toolbuf *buf, const void *data, size_t len);

/* Makes room for LEN more bytes and returns where they go; the caller raises len itself. */
char *toolbuf_room(struct toolbuf *buf, size_t len);

/* Removes the first LEN bytes. */
void toolbuf_drop(struct toolbuf *buf, size_t len);

/* Frees the bytes; the buffer is empty and usable afterwards. */
void toolbuf_fini(struct toolbuf *buf);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t tool_now(void);

/* calloc that ends the program when there is no memory. */
void *tool_alloc(size_t size);

/* Prints the text and, if ERRNUM is not 0, its meaning; ends the program with status 1. */
void tool_die(int errnum, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* Reads a whole decimal number in [MIN, MAX]; ends the program naming WHAT if it is not one. */
int64_t tool_number(const char *what, const char *text, int64_t min, int64_t max);

#endif
