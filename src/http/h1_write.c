/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_write.c: heads to bytes. Room for the whole head is taken once; then lines are copied,
 * neighbours that lie in memory exactly as they will be sent (an unchanged head block) in one
 * go. At the end the lines of the result are counted: one CR or LF more than we wrote ourselves,
 * or a NUL, fails it.
 */
#include "config.h"

#include "http/h1_write.h"

#include "http/octet.h"

#include <string.h>

#define LENGTH_LINE_MAX 40
#define START_MAX (64 + OCTET_PADDING)

/* Where the next byte goes; there is room for all. */
struct pen {
    char *at;
    size_t lines;
};

static void
put(struct pen *pen, struct slice s)
{
    if (s.n > 0)
        memcpy(pen->at, s.p, s.n);
    pen->at += s.n;
}

#define PUT(pen, literal) put(pen, SLICE(literal))

static void
end_line(struct pen *pen)
{
    pen->at[0] = '\r';
    pen->at[1] = '\n';
    pen->at += 2;
    pen->lines++;
}

static size_t
decimal(char *out, uint64_t v)
{
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

static void
put_length(struct pen *pen, uint64_t length)
{
    PUT(pen, "Content-Length: ");
    pen->at += decimal(pen->at, length);
    end_line(pen);
}

static void
put_chunked(struct pen *pen)
{
    PUT(pen, "Transfer-Encoding: chunked");
    end_line(pen);
}

/* Fields that are written from the model instead. */
static bool
is_ours(const struct field *f)
{
    return f->id == FIELD_HOST || f->id == FIELD_CONTENT_LENGTH ||
           f->id == FIELD_TRANSFER_ENCODING || f->id == FIELD_CONNECTION;
}

/* The bytes from a's end to b's start are these two. */
static bool
joined_by(struct slice a, struct slice b, const char *two)
{
    return a.p && b.p == a.p + a.n + 2 && memcmp(a.p + a.n, two, 2) == 0;
}

static void
put_fields(struct pen *pen, const struct field *field, unsigned n)
{
    struct slice run = SLICE_NONE; /* a line, or several, as they lie in memory */

    for (unsigned i = 0; i < n; i++) {
        const struct field *f = &field[i];
        if (is_ours(f))
            continue;
        pen->lines++;
        if (!joined_by(f->name, f->value, ": ")) {
            if (run.n > 0) {
                put(pen, run);
                PUT(pen, "\r\n");
                run = SLICE_NONE;
            }
            put(pen, f->name);
            PUT(pen, ": ");
            put(pen, f->value);
            PUT(pen, "\r\n");
            continue;
        }
        if (joined_by(run, f->name, "\r\n")) {
            run.n = (size_t)(f->value.p + f->value.n - run.p);
            continue;
        }
        if (run.n > 0) {
            put(pen, run);
            PUT(pen, "\r\n");
        }
        run = (struct slice){f->name.p, f->name.n + 2 + f->value.n};
    }
    if (run.n > 0) {
        put(pen, run);
        PUT(pen, "\r\n");
    }
}

static size_t
fields_size(const struct field *field, unsigned n)
{
    size_t size = 0;

    for (unsigned i = 0; i < n; i++)
        size += field[i].name.n + field[i].value.n + 4;
    return size;
}

/* The blank line, and the last look. */
static int
finish(struct pen *pen, struct buf *out, char *start)
{
    size_t n;

    end_line(pen);
    n = (size_t)(pen->at - start);
    if (!octet_has_lines(start, n, pen->lines))
        return -1;
    out->n += n;
    return 0;
}

static bool
wants_length(enum method m)
{
    return m == METHOD_POST || m == METHOD_PUT || m == METHOD_PATCH;
}

int
h1_write_request(struct buf *out, const struct head *h, bool close)
{
    size_t size = h->method_text.n + h->target.n + h->host.n + START_MAX + 2 * LENGTH_LINE_MAX +
                  fields_size(h->field, h->fields);
    char *start = buf_reserve(out, size);
    struct pen pen = {start, 0};

    if (!start || slice_index(h->target, ' ') >= 0 || slice_index(h->method_text, ' ') >= 0)
        return -1;
    put(&pen, h->method_text);
    PUT(&pen, " ");
    put(&pen, h->target);
    PUT(&pen, " HTTP/1.1\r\nHost: ");
    pen.lines++;
    put(&pen, h->host);
    end_line(&pen);
    put_fields(&pen, h->field, h->fields);
    if (h->framing == FRAMING_CHUNKED)
        put_chunked(&pen);
    else if (h->framing == FRAMING_LENGTH)
        put_length(&pen, h->length);
    else if (wants_length(h->method))
        put_length(&pen, 0);
    if (h->upgrade) {
        PUT(&pen, "Connection: Upgrade");
        end_line(&pen);
        PUT(&pen, "Upgrade: websocket");
        end_line(&pen);
    } else if (close) {
        PUT(&pen, "Connection: close");
        end_line(&pen);
    }
    return finish(&pen, out, start);
}

static void
put_answer_framing(struct pen *pen, const struct head *h, uint8_t to_version, bool bodiless)
{
    if (h->status < 200 || h->status == 204)
        return;
    if (h->framing == FRAMING_LENGTH)
        put_length(pen, h->length);
    else if (h->framing == FRAMING_CHUNKED && to_version >= 11 && h->status != 304)
        put_chunked(pen);
    else if (h->framing == FRAMING_NONE && h->status != 304 && !bodiless)
        put_length(pen, 0);
}

/* The end of this answer is the end of the connection, whatever the caller wants. */
static bool
ends_connection(const struct head *h, uint8_t to_version, bool bodiless)
{
    if (bodiless || head_bodiless(h, METHOD_OTHER))
        return false;
    return h->framing == FRAMING_CLOSE || (h->framing == FRAMING_CHUNKED && to_version < 11);
}

int
h1_write_answer(struct buf *out, const struct head *h, uint8_t to_version, bool close,
                bool bodiless)
{
    size_t size = h->phrase.n + START_MAX + 2 * LENGTH_LINE_MAX + fields_size(h->field, h->fields);
    char *start = buf_reserve(out, size);
    struct pen pen = {start, 0};

    if (!start)
        return -1;
    PUT(&pen, "HTTP/1.1 ");
    pen.at += decimal(pen.at, h->status);
    PUT(&pen, " ");
    put(&pen, h->phrase);
    end_line(&pen);
    put_fields(&pen, h->field, h->fields);
    put_answer_framing(&pen, h, to_version, bodiless);
    if (h->status == 101) {
        PUT(&pen, "Connection: Upgrade");
        end_line(&pen);
    } else if (h->status == 426 && close && head_find(h, FIELD_UPGRADE)) {
        PUT(&pen, "Connection: Upgrade, close");
        end_line(&pen);
    } else if (h->status >= 200) {
        if (close || ends_connection(h, to_version, bodiless)) {
            PUT(&pen, "Connection: close");
            end_line(&pen);
        } else if (to_version < 11) {
            PUT(&pen, "Connection: keep-alive");
            end_line(&pen);
        }
    }
    return finish(&pen, out, start);
}

size_t
h1_write_chunk_head(char *out, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned shift = 0;
    size_t at = 0;

    while (shift < 60 && n >> (shift + 4) > 0)
        shift += 4;
    for (;; shift -= 4) {
        out[at++] = hex[n >> shift & 15];
        if (shift == 0)
            break;
    }
    out[at++] = '\r';
    out[at++] = '\n';
    return at;
}

int
h1_write_last_chunk(struct buf *out, const struct field *trailer, unsigned n)
{
    char *start = buf_reserve(out, 5 + fields_size(trailer, n) + OCTET_PADDING);
    struct pen pen = {start, 0};

    if (!start)
        return -1;
    PUT(&pen, "0");
    end_line(&pen);
    put_fields(&pen, trailer, n);
    return finish(&pen, out, start);
}
