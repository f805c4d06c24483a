/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A framer of HTTP/1 messages that accepts nearly everything and says what was odd about it.
 */
#include "config.h"

#include "toolhttp.h"

#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 1 << 20, LINE_MAX_LEN = 1 << 16 };

#define odd(http, symbol) ((http)->odd |= 1u << TOOLHTTP_BIT_##symbol)

void
toolhttp_start(struct toolhttp *http, bool answer)
{
    http->answer = answer;
    http->no_body = false;
    http->phase = TOOLHTTP_HEAD;
    http->chunked = false;
    http->has_length = false;
    http->keep_alive = false;
    http->expect = false;
    http->status = 0;
    http->left = 0;
    http->body = 0;
    http->odd = 0;
    http->head.len = 0;
    http->line.len = 0;
}

void
toolhttp_fini(struct toolhttp *http)
{
    toolbuf_fini(&http->head);
    toolbuf_fini(&http->line);
}

/* Cuts the next line off [*at, end) and drops its line end; false when there is none. */
static bool
next_line(struct toolhttp *http, const char **at, const char *end, const char **line, size_t *len)
{
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));

    if (!lf)
        return false;
    *line = *at;
    *len = (size_t)(lf - *at);
    *at = lf + 1;
    if (*len && (*line)[*len - 1] == '\r')
        --*len;
    else
        odd(http, BARE_LF);
    if (memchr(*line, '\r', *len))
        odd(http, BARE_CR);
    if (memchr(*line, '\0', *len))
        odd(http, NUL);
    return true;
}

static bool
is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void
judge_value(struct toolhttp *http, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            odd(http, VALUE);
    }
}

static void
take_length(struct toolhttp *http, const char *value, size_t len)
{
    int64_t sum = 0;

    if (http->has_length)
        odd(http, CL_TWICE);
    if (!len || len > 18)
        odd(http, CL_VALUE);
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') {
            odd(http, CL_VALUE);
            break;
        }
        if (i < 18)
            sum = sum * 10 + (value[i] - '0');
    }
    http->has_length = true;
    http->left = sum;
}

static bool
has_word(const char *value, size_t len, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= len; i++)
        if (!strncasecmp(value + i, word, size))
            return true;
    return false;
}

static void
take_encoding(struct toolhttp *http, const char *value, size_t len)
{
    if (http->chunked)
        odd(http, TE_TWICE);
    if (len != 7 || strncasecmp(value, "chunked", 7))
        odd(http, TE_VALUE);
    if (has_word(value, len, "chunked"))
        http->chunked = true;
}

static bool
is_name(const char *name, size_t len, const char *word)
{
    return len == strlen(word) && !strncasecmp(name, word, len);
}

static void
take_field(struct toolhttp *http, const char *name, size_t name_len, const char *value, size_t len,
           int *hosts)
{
    if (is_name(name, name_len, "content-length")) {
        take_length(http, value, len);
    } else if (is_name(name, name_len, "transfer-encoding")) {
        take_encoding(http, value, len);
    } else if (is_name(name, name_len, "host")) {
        if ((*hosts)++)
            odd(http, HOST_TWICE);
    } else if (is_name(name, name_len, "connection")) {
        if (has_word(value, len, "close"))
            http->keep_alive = false;
        else if (has_word(value, len, "keep-alive"))
            http->keep_alive = true;
    } else if (is_name(name, name_len, "expect")) {
        http->expect = has_word(value, len, "100-continue");
    }
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void
split_field(struct toolhttp *http, const char *line, size_t len, int *hosts)
{
    const char *colon = memchr(line, ':', len);
    const char *value, *end = line + len;
    size_t name_len;

    if (is_blank(*line)) {
        odd(http, FOLD);
        return;
    }
    if (!colon) {
        odd(http, NO_COLON);
        return;
    }
    name_len = (size_t)(colon - line);
    for (size_t i = 0; i < name_len; i++)
        if (!is_token(line[i]))
            odd(http, NAME);
    if (!name_len)
        odd(http, NAME);
    while (name_len && is_blank(line[name_len - 1]))
        name_len--;
    for (value = colon + 1; value < end && is_blank(*value); value++)
        ;
    while (end > value && is_blank(end[-1]))
        end--;
    judge_value(http, value, (size_t)(end - value));
    take_field(http, line, name_len, value, (size_t)(end - value), hosts);
}

/* Returns whether it speaks HTTP/1.0. */
static bool
judge_start_line(struct toolhttp *http, const char *line, size_t len)
{
    size_t spaces = 0;
    bool old;

    for (size_t i = 0; i < len; i++)
        spaces += line[i] == ' ';
    if (http->answer) {
        old = len >= 8 && !strncmp(line, "HTTP/1.0", 8);
        if (len < 12 || (strncmp(line, "HTTP/1.1 ", 9) && !old))
            odd(http, START_LINE);
        else
            http->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    } else {
        old = len >= 9 && !strncmp(line + len - 9, " HTTP/1.0", 9);
        if (spaces != 2 || len < 9 || (strncmp(line + len - 9, " HTTP/1.1", 9) && !old))
            odd(http, START_LINE);
    }
    http->keep_alive = !old;
    return old;
}

static void
begin_body(struct toolhttp *http)
{
    bool bare = http->answer && (http->no_body || http->status / 100 == 1 ||
                                 http->status == 204 || http->status == 304);

    if (http->chunked && http->has_length)
        odd(http, CL_AND_TE);
    if (bare) {
        http->phase = TOOLHTTP_DONE;
    } else if (http->chunked) {
        http->phase = TOOLHTTP_CHUNK_LINE;
    } else if (http->has_length) {
        http->phase = http->left ? TOOLHTTP_BODY : TOOLHTTP_DONE;
    } else if (http->answer) {
        http->phase = TOOLHTTP_UNTIL_CLOSE;
        http->keep_alive = false;
    } else {
        http->phase = TOOLHTTP_DONE;
    }
}

static void
judge_head(struct toolhttp *http)
{
    const char *at = http->head.data, *end = at + http->head.len, *line;
    size_t len;
    int hosts = 0;
    bool old;

    while (next_line(http, &at, end, &line, &len) && !len)
        odd(http, LEADING_LINE);
    old = judge_start_line(http, line, len);
    while (next_line(http, &at, end, &line, &len) && len)
        split_field(http, line, len, &hosts);
    if (!http->answer && !hosts)
        odd(http, NO_HOST);
    if (http->chunked && old)
        odd(http, TE_OLD);
    begin_body(http);
}

/* Whether the head, which now ends in LF, is complete: a blank line that is not a leading one. */
static bool
head_complete(struct toolhttp *http)
{
    const char *data = http->head.data;
    size_t len = http->head.len, at = 0;

    while (at < len && (data[at] == '\r' || data[at] == '\n'))
        at++;
    if (at == len)
        return false;
    return (len - at >= 2 && data[len - 2] == '\n') ||
           (len - at >= 3 && data[len - 2] == '\r' && data[len - 3] == '\n');
}

static size_t
feed_head(struct toolhttp *http, const char *data, size_t len)
{
    size_t used = 0;

    while (used < len) {
        const char *lf = memchr(data + used, '\n', len - used);
        size_t take = lf ? (size_t)(lf - data) + 1 - used : len - used;

        toolbuf_add(&http->head, data + used, take);
        used += take;
        if (http->head.len > HEAD_MAX) {
            odd(http, TOO_LONG);
            http->head.len = HEAD_MAX;
        }
        if (lf && head_complete(http)) {
            judge_head(http);
            break;
        }
    }
    return used;
}

static void
judge_chunk_line(struct toolhttp *http)
{
    const char *at = http->line.data, *line;
    size_t len, i;
    uint64_t size = 0;

    if (!next_line(http, &at, at + http->line.len, &line, &len))
        return;
    for (i = 0; i < len; i++) {
        const char *digits = "0123456789abcdef", *found = strchr(digits, line[i] | 32);

        if (line[i] < '0' || !found)
            break;
        size = size << 4 | (uint64_t)(found - digits);
    }
    if (!i || i > 15)
        odd(http, CHUNK_SIZE);
    if (i < len) {
        if (line[i] == ';')
            odd(http, CHUNK_EXTENSION);
        else
            odd(http, CHUNK_SIZE);
    }
    http->left = (int64_t)(size & INT64_MAX);
    http->phase = size ? TOOLHTTP_CHUNK_DATA : TOOLHTTP_TRAILER;
}

/* Reads up to the LF of a chunk line, of the line after a chunk's data, or of a trailer. */
static size_t
feed_line(struct toolhttp *http, const char *data, size_t len)
{
    const char *lf = memchr(data, '\n', len);
    size_t take = lf ? (size_t)(lf - data) + 1 : len;

    toolbuf_add(&http->line, data, take);
    if (http->line.len > LINE_MAX_LEN) {
        odd(http, TOO_LONG);
        http->line.len = LINE_MAX_LEN;
    }
    if (!lf)
        return take;
    if (http->phase == TOOLHTTP_CHUNK_LINE) {
        judge_chunk_line(http);
    } else if (http->phase == TOOLHTTP_CHUNK_END) {
        if (http->line.len != 2 || http->line.data[0] != '\r')
            odd(http, CHUNK_CRLF);
        http->phase = TOOLHTTP_CHUNK_LINE;
    } else if (http->line.len <= 2 && (http->line.len == 1 || http->line.data[0] == '\r')) {
        if (http->line.len == 1)
            odd(http, BARE_LF);
        http->phase = TOOLHTTP_DONE;
    } else {
        odd(http, TRAILERS);
    }
    http->line.len = 0;
    return take;
}

static size_t
feed_body(struct toolhttp *http, const char *data, size_t len)
{
    size_t take = len;

    if (http->phase != TOOLHTTP_UNTIL_CLOSE && (int64_t)take > http->left)
        take = (size_t)http->left;
    if (http->hash)
        toolsha_add(http->hash, data, take);
    if (http->store)
        toolbuf_add(http->store, data, take);
    http->body += (int64_t)take;
    if (http->phase == TOOLHTTP_UNTIL_CLOSE)
        return take;
    http->left -= (int64_t)take;
    if (!http->left)
        http->phase = http->phase == TOOLHTTP_BODY ? TOOLHTTP_DONE : TOOLHTTP_CHUNK_END;
    return take;
}

size_t
toolhttp_feed(struct toolhttp *http, const char *data, size_t len)
{
    size_t used = 0;

    if (http->phase == TOOLHTTP_HEAD)
        return feed_head(http, data, len);
    while (used < len && http->phase != TOOLHTTP_DONE) {
        if (http->phase == TOOLHTTP_BODY || http->phase == TOOLHTTP_CHUNK_DATA ||
            http->phase == TOOLHTTP_UNTIL_CLOSE)
            used += feed_body(http, data + used, len - used);
        else
            used += feed_line(http, data + used, len - used);
    }
    return used;
}

const char *
toolhttp_field(const struct toolhttp *http, const char *name, size_t *len)
{
    const char *at = http->head.data, *end = at + http->head.len;
    size_t size = strlen(name);

    while (at && at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at)), *value = at + size + 1;

        if (!lf)
            break;
        if ((size_t)(lf - at) > size && at[size] == ':' && !strncasecmp(at, name, size)) {
            while (value < lf && (*value == ' ' || *value == '\t'))
                value++;
            while (lf > value && (lf[-1] == ' ' || lf[-1] == '\t' || lf[-1] == '\r'))
                lf--;
            *len = (size_t)(lf - value);
            return value;
        }
        at = lf + 1;
    }
    return NULL;
}

const char *
toolhttp_word(const struct toolhttp *http, int n, size_t *len)
{
    const char *at = http->head.data, *end = at + http->head.len;

    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    for (;; n--) {
        const char *start = at;

        while (at < end && *at != ' ' && *at != '\r' && *at != '\n')
            at++;
        if (!n) {
            *len = (size_t)(at - start);
            return at > start ? start : NULL;
        }
        if (at == end || *at != ' ')
            return NULL;
        at++;
    }
}

void
toolhttp_odd_json(const struct toolhttp *http, struct toolbuf *out)
{
    static const char *const name[] = {
#define X(symbol, text) text,
        TOOLHTTP_ODD(X)
#undef X
    };
    const char *comma = "";

    toolbuf_puts(out, "[");
    for (size_t i = 0; i < TOOLHTTP_BITS; i++) {
        if (http->odd & 1u << i) {
            toolbuf_printf(out, "%s\"%s\"", comma, name[i]);
            comma = ",";
        }
    }
    toolbuf_puts(out, "]");
}
