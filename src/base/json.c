/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c: the writer keeps commas; the buffer keeps the limit (`full` after too much). */
#include "config.h"

#include "base/json.h"

#include "base/decimal.h"
#include "base/escape.h"

void
json_init(struct json *j, struct buf *out)
{
    *j = (struct json){.out = out};
}

/* What stands between the last value and the next one. */
static void
separate(struct json *j)
{
    if (j->keyed)
        j->keyed = false;
    else if (j->more[j->depth])
        buf_add_char(j->out, ',');
    j->more[j->depth] = true;
}

static void
open_with(struct json *j, char c)
{
    separate(j);
    ensure(j->depth + 1 < JSON_DEPTH);
    j->more[++j->depth] = false;
    buf_add_char(j->out, c);
}

static void
close_with(struct json *j, char c)
{
    ensure(j->depth > 0 && !j->keyed);
    j->depth--;
    buf_add_char(j->out, c);
}

void
json_object(struct json *j)
{
    open_with(j, '{');
}

void
json_object_end(struct json *j)
{
    close_with(j, '}');
}

void
json_array(struct json *j)
{
    open_with(j, '[');
}

void
json_array_end(struct json *j)
{
    close_with(j, ']');
}

void
json_escape(struct buf *out, struct slice s)
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
json_key(struct json *j, const char *key)
{
    separate(j);
    buf_add_char(j->out, '"');
    json_escape(j->out, slice_of(key));
    buf_add(j->out, "\":", 2);
    j->keyed = true;
}

void
json_slice(struct json *j, struct slice s)
{
    separate(j);
    buf_add_char(j->out, '"');
    json_escape(j->out, s);
    buf_add_char(j->out, '"');
}

void
json_str(struct json *j, const char *cstr)
{
    if (cstr)
        json_slice(j, slice_of(cstr));
    else
        json_null(j);
}

void
json_i64(struct json *j, int64_t v)
{
    char digits[DECIMAL_MAX];

    separate(j);
    buf_add(j->out, digits, decimal_i64(digits, v));
}

void
json_u64(struct json *j, uint64_t v)
{
    separate(j);
    buf_add_u64(j->out, v);
}

void
json_milli(struct json *j, int64_t thousandths)
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
json_bool(struct json *j, bool v)
{
    separate(j);
    buf_add_str(j->out, v ? "true" : "false");
}

void
json_null(struct json *j)
{
    separate(j);
    buf_add_str(j->out, "null");
}

void
json_kv_str(struct json *j, const char *key, const char *v)
{
    json_key(j, key);
    json_str(j, v);
}

void
json_kv_slice(struct json *j, const char *key, struct slice v)
{
    json_key(j, key);
    json_slice(j, v);
}

void
json_kv_i64(struct json *j, const char *key, int64_t v)
{
    json_key(j, key);
    json_i64(j, v);
}

void
json_kv_u64(struct json *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

void
json_kv_bool(struct json *j, const char *key, bool v)
{
    json_key(j, key);
    json_bool(j, v);
}
