/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.h: a growing byte buffer with a maximum given at birth. Appending past the maximum fails,
 * leaves the contents as they were and sets `full`, so that a writer may check once at the end.
 */
#ifndef ROUSE_BASE_BUF_H
#define ROUSE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/ensure.h"
#include "base/slice.h"

struct buf {
    char *p;
    size_t n;   /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* never grows beyond */
    bool full;  /* an append was refused, for want of room or memory */
    bool fixed; /* storage is the caller's: never grown, never freed */
};

/* An empty buffer that owns no memory yet and will never hold more than max bytes. */
void buf_init(struct buf *b, size_t max);
/* A buffer over the caller's storage: size - 1 bytes of contents and room for a NUL. */
void buf_init_fixed(struct buf *b, char *storage, size_t size);
void buf_fini(struct buf *b);
/* Forgets the contents, keeps the memory, clears `full`. */
void buf_clear(struct buf *b);
/* All return 0, or -1 with `full` set; ignoring the result is fine when `full` is checked later. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_add_slice(struct buf *b, struct slice s);
int buf_add_str(struct buf *b, const char *cstr);
int buf_add_char(struct buf *b, char c);
int buf_add_u64(struct buf *b, uint64_t v);
int buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) printf_like(2, 0);
/* Room for n more bytes without another allocation; returns where to write, or NULL. */
char *buf_reserve(struct buf *b, size_t n);
/* Drops n bytes at the front. */
void buf_consume(struct buf *b, size_t n);
struct slice buf_slice(const struct buf *b);
/* The contents as a NUL-terminated string owned by the buffer (the NUL is not counted). */
const char *buf_cstr(struct buf *b);

#endif
