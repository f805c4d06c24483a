/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.c: the growing buffer. One byte beyond the contents is always allocated, so that printf and
 * buf_cstr() have room for their NUL.
 */
#include "config.h"

#include "base/buf.h"

#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64

void
buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void
buf_init_fixed(struct buf *b, char *storage, size_t size)
{
    *b = (struct buf){.p = storage, .cap = size, .max = size > 0 ? size - 1 : 0, .fixed = true};
}

void
buf_fini(struct buf *b)
{
    if (!b->fixed)
        free(b->p);
    *b = (struct buf){.max = b->max};
}

void
buf_clear(struct buf *b)
{
    b->n = 0;
    b->full = false;
}

/* Room for n more bytes and a NUL: the slow half of buf_reserve. */
static bool
grow(struct buf *b, size_t n)
{
    if (b->fixed || n > b->max - b->n)
        return false;

    size_t want = b->cap > 0 ? b->cap : BUF_FIRST;
    while (want < b->n + n + 1)
        want = want > b->max / 2 ? b->max + 1 : want * 2;
    if (want > b->max)
        want = b->max + 1;

    char *p = realloc(b->p, want);
    if (!p)
        return false;
    b->p = p;
    b->cap = want;
    return true;
}

char *
buf_reserve(struct buf *b, size_t n)
{
    if (b->cap > b->n && n < b->cap - b->n)
        return b->p + b->n;
    if (grow(b, n))
        return b->p + b->n;
    b->full = true;
    return NULL;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
    char *at = buf_reserve(b, n);

    if (!at)
        return -1;
    if (n > 0)
        memcpy(at, p, n);
    b->n += n;
    return 0;
}

int
buf_add_slice(struct buf *b, struct slice s)
{
    return buf_add(b, s.p, s.n);
}

int
buf_add_str(struct buf *b, const char *cstr)
{
    return buf_add(b, cstr, strlen(cstr));
}

int
buf_add_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int
buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[DECIMAL_MAX];

    return buf_add(b, digits, decimal_u64(digits, v));
}

int
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    size_t room = b->cap > b->n ? b->cap - b->n : 0;

    va_copy(again, ap);
    int n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, fmt, ap);
    if (n >= 0 && (size_t)n >= room) {
        char *at = buf_reserve(b, (size_t)n);
        n = at ? vsnprintf(at, (size_t)n + 1, fmt, again) : -1;
    }
    va_end(again);
    if (n < 0) {
        b->full = true;
        return -1;
    }
    b->n += (size_t)n;
    return 0;
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int result = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return result;
}

void
buf_consume(struct buf *b, size_t n)
{
    ensure(n <= b->n);
    b->n -= n;
    if (b->n > 0)
        memmove(b->p, b->p + n, b->n);
}

struct slice
buf_slice(const struct buf *b)
{
    return (struct slice){b->p, b->n};
}

const char *
buf_cstr(struct buf *b)
{
    if (b->cap == 0)
        return "";
    b->p[b->n] = '\0';
    return b->p;
}
