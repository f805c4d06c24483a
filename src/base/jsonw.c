/* SPDX-License-Identifier: BSD-2-Clause */
/* jsonw.c: the writer keeps commas; the buffer keeps the limit (`full` after too much). */
#include "config.h"

#include "base/jsonw.h"

#include "base/decimal.h"
#include "base/escape.h"

void
jsonw_init(struct jsonw *j, struct buf *out)
{
    *j = (struct jsonw){.out = out};
}

/* What stands between the last value and the next one. */
static void
separate(struct jsonw *j)
{
    if (j->keyed)
        j->keyed = false;
    else if (j->more[j->depth])
        buf_add_char(j->out, ',');
    j->more[j->depth] = true;
}

static void
open_with(struct jsonw *j, char c)
{
    separate(j);
    ensure(j->depth + 1 < JSONW_DEPTH);
    j->more[++j->depth] = false;
    buf_add_char(j->out, c);
}

static void
close_with(struct jsonw *j, char c)
{
    ensure(j->depth > 0 && !j->keyed);
    j->depth--;
    buf_add_char(j->out, c);
}

void
jsonw_object(struct jsonw *j)
{
    open_with(j, '{');
}

void
jsonw_object_end(struct jsonw *j)
{
    close_with(j, '}');
}

void
jsonw_array(struct jsonw *j)
{
    open_with(j, '[');
}

void
jsonw_array_end(struct jsonw *j)
{
    close_with(j, ']');
}

void
jsonw_escape(struct buf *out, struct slice s)
{
    size_t before = out->n;
    bool full = out->full;

    while (s.n > 0) {
        /* Mostly nothing needs escaping; then once round is enough. */
        size_t used = 0, room = s.n < ESCAPE_MAX ? ESCAPE_MAX : s.n;
        char *at = buf_reserve(out, room);
        if (!at)
            at = buf_reserve(out, room = s.n);
        if (at)
            out->n += escape_json(at, room, s, &used);
        if (used == 0) {
            out->n = before;
            out->full = true;
            return;
        }
        s = slice_sub(s, used, s.n);
        out->full = full; /* the larger room was only wished for */
    }
}

void
jsonw_key(struct jsonw *j, const char *key)
{
    separate(j);
    buf_add_char(j->out, '"');
    jsonw_escape(j->out, slice_of(key));
    buf_add(j->out, "\":", 2);
    j->keyed = true;
}

void
jsonw_slice(struct jsonw *j, struct slice s)
{
    separate(j);
    buf_add_char(j->out, '"');
    jsonw_escape(j->out, s);
    buf_add_char(j->out, '"');
}

void
jsonw_str(struct jsonw *j, const char *cstr)
{
    if (cstr)
        jsonw_slice(j, slice_of(cstr));
    else
        jsonw_null(j);
}

void
jsonw_i64(struct jsonw *j, int64_t v)
{
    char digits[DECIMAL_MAX];

    separate(j);
    buf_add(j->out, digits, decimal_i64(digits, v));
}

void
jsonw_u64(struct jsonw *j, uint64_t v)
{
    separate(j);
    buf_add_u64(j->out, v);
}

void
jsonw_milli(struct jsonw *j, int64_t thousandths)
{
    uint64_t v = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    char digits[1 + DECIMAL_MAX + 4];
    size_t n = 0;

    if (thousandths < 0)
        digits[n++] = '-';
    n += decimal_u64(digits + n, v / 1000);
    digits[n++] = '.';
    decimal_fixed(digits + n, v, 3);
    separate(j);
    buf_add(j->out, digits, n + 3);
}

void
jsonw_bool(struct jsonw *j, bool v)
{
    separate(j);
    buf_add_str(j->out, v ? "true" : "false");
}

void
jsonw_null(struct jsonw *j)
{
    separate(j);
    buf_add_str(j->out, "null");
}

void
jsonw_kv_str(struct jsonw *j, const char *key, const char *v)
{
    jsonw_key(j, key);
    jsonw_str(j, v);
}

void
jsonw_kv_slice(struct jsonw *j, const char *key, struct slice v)
{
    jsonw_key(j, key);
    jsonw_slice(j, v);
}

void
jsonw_kv_i64(struct jsonw *j, const char *key, int64_t v)
{
    jsonw_key(j, key);
    jsonw_i64(j, v);
}

void
jsonw_kv_u64(struct jsonw *j, const char *key, uint64_t v)
{
    jsonw_key(j, key);
    jsonw_u64(j, v);
}

void
jsonw_kv_bool(struct jsonw *j, const char *key, bool v)
{
    jsonw_key(j, key);
    jsonw_bool(j, v);
}
