/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_valid.c: field lines and framing. Every line is known to end in CRLF and to hold no other
 * control but TAB (h1_scan), so one look at each byte is enough. The last byte is a LF: loops over
 * tokens and blanks end there at the latest.
 */
#include "config.h"

#include "http/h1_valid_priv.h"

#include "http/field_priv.h"
#include "http/h1_agree_priv.h"
#include "http/octet.h"
#include "http/octet_priv.h"

#include <string.h>

#define CONNECTION_OPTIONS_MAX 64
#define LENGTH_DIGITS_MAX 19
#define METHOD_MAX 32

uint8_t
h1_valid_version(struct slice s)
{
    if (s.n != 8 || memcmp(s.p, "HTTP/", 5) != 0)
        return 0;
    if (memcmp(s.p + 5, "1.1", 3) == 0)
        return 11;
    if (memcmp(s.p + 5, "1.0", 3) == 0)
        return 10;
    return octet_is(s.p[5], OCTET_DIGIT) && s.p[6] == '.' && octet_is(s.p[7], OCTET_DIGIT);
}

static void
count(uint8_t *n)
{
    if (*n < 2)
        ++*n;
}

static int
note_connection(struct h1_facts *facts, struct slice list)
{
    struct slice option;

    if (slice_ieq(list, SLICE("keep-alive"))) {
        facts->keep_alive = true;
        return 0;
    }
    for (unsigned n = 0; slice_next(&list, ',', &option); n++) {
        if (n == CONNECTION_OPTIONS_MAX)
            return -1;
        if (slice_ieq(option, SLICE("close")))
            facts->close = true;
        else if (slice_ieq(option, SLICE("keep-alive")))
            facts->keep_alive = true;
        else if (slice_ieq(option, SLICE("upgrade")))
            facts->upgrade = true;
    }
    return 0;
}

static void
note_te(struct h1_facts *facts, struct slice list)
{
    struct slice coding;

    while (slice_next(&list, ',', &coding))
        if (slice_ieq(coding, SLICE("trailers")))
            facts->te_trailers = true;
}

int
h1_valid_note(struct h1_facts *facts, const struct field *f)
{
    switch ((unsigned)f->id) {
    case FIELD_CONNECTION:
        return note_connection(facts, f->value);
    case FIELD_CONTENT_LENGTH:
        facts->length = f->value;
        count(&facts->lengths);
        break;
    case FIELD_EXPECT:
        facts->expect_continue = slice_ieq(f->value, SLICE("100-continue"));
        count(&facts->expects);
        break;
    case FIELD_HOST:
        facts->host = f->value;
        count(&facts->hosts);
        break;
    case FIELD_TE:
        note_te(facts, f->value);
        break;
    case FIELD_TRANSFER_ENCODING:
        facts->coding = f->value;
        count(&facts->codings);
        break;
    case FIELD_UPGRADE:
        facts->has_upgrade = true;
        break;
    default:
        break;
    }
    return 0;
}

static const char *
refuse(struct h1_verdict *v, const char *detail)
{
    *v = (struct h1_verdict){REASON_REQUEST_INVALID, detail};
    return NULL;
}

static inline bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * The name at p: what stands before the first byte that is no token character. Sixteen plain bytes
 * at a time, so that names with anything else in them are looked at twice.
 */
static inline const char *
name_end(const char *p, const char *end, bool *plain)
{
    const char *at = p;

    while (end - at >= OCTETS) {
        unsigned other = ~octets_mask(octets_plain(octets_load(at))) & 0xffff;
        if (other != 0) {
            at += __builtin_ctz(other);
            break;
        }
        at += OCTETS;
    }
    while (octet_is(*at, OCTET_TOKEN)) {
        *plain = *plain && *at != '_';
        at++;
    }
    return at;
}

/* The line from p; returns what follows it. */
static inline const char *
cut_field(struct field *f, const char *p, const char *end, struct h1_verdict *v)
{
    bool plain = true;
    const char *at = name_end(p, end, &plain);

    if (*at != ':' || at == p)
        return refuse(v, is_blank(*p) ? "folded or indented line" : "field name");
    f->name = (struct slice){p, (size_t)(at - p)};
    f->id = (uint16_t)field_lookup(p, f->name.n);
    f->plain = plain;

    do
        at++;
    while (is_blank(*at));
    const char *cr = at + octet_find(at, (size_t)(end - at), '\r');
    const char *next = cr + 2;
    if (next > end || cr[1] != '\n')
        return refuse(v, "line end");
    while (cr > at && is_blank(cr[-1]))
        cr--;
    f->value = (struct slice){at, (size_t)(cr - at)};
    return next;
}

const char *
h1_valid_fields(struct head *h, struct arena *a, const char *p, const char *end,
                struct h1_facts *facts, struct h1_verdict *v)
{
    if (end - p < 2 || end[-1] != '\n')
        return refuse(v, "line end");
    while (*p != '\r') {
        struct field *f = h->fields < h->fields_cap ? &h->field[h->fields++] : head_slot(h, a);
        if (!f) {
            *v = (struct h1_verdict){REASON_OUT_OF_MEMORY, "out of memory"};
            return NULL;
        }
        p = cut_field(f, p, end, v);
        if (!p)
            return NULL;
        if (p == end)
            return refuse(v, "no blank line");
        if ((field_known[f->id].traits & JUDGED) != 0 && h1_valid_note(facts, f) != 0)
            return refuse(v, "too many connection options");
    }
    return end - p >= 2 && p[1] == '\n' ? p + 2 : refuse(v, "line end");
}

/* Digits only, at most 19 of them, below 2^63. Leading zeros pass: what goes on is written anew. */
static int
read_length(struct slice s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0 || s.n > LENGTH_DIGITS_MAX || !octet_all(s, OCTET_DIGIT))
        return -1;
    for (size_t i = 0; i < s.n; i++)
        v = v * 10 + (unsigned)(s.p[i] - '0');
    *out = v;
    return v <= INT64_MAX ? 0 : -1;
}

static int
bad(struct h1_verdict *v, enum reason reason, const char *detail)
{
    *v = (struct h1_verdict){reason, detail};
    return -1;
}

/* Exactly chunked passes; a well-formed list with another coding is not implemented. */
static int
judge_coding(struct slice list, struct h1_verdict *v)
{
    struct slice coding;
    bool chunked = false, unknown = false;

    while (slice_next(&list, ',', &coding)) {
        if (coding.n == 0 || !octet_all(coding, OCTET_TOKEN))
            return bad(v, REASON_REQUEST_INVALID, "transfer-encoding");
        if (chunked)
            return bad(v, REASON_REQUEST_INVALID, "chunked is not the last transfer coding");
        if (slice_ieq(coding, SLICE("chunked")))
            chunked = true;
        else
            unknown = true;
    }
    return unknown ? bad(v, REASON_NOT_IMPLEMENTED, "unknown transfer coding") : 0;
}

int
h1_valid_framing(struct head *h, const struct h1_facts *facts, struct h1_verdict *v)
{
    h->framing = FRAMING_NONE;
    if (facts->lengths + facts->codings == 0)
        return 0;
    if (facts->lengths > 0 && facts->codings > 0)
        return bad(v, REASON_REQUEST_INVALID, "content-length with transfer-encoding");
    if (facts->lengths > 1)
        return bad(v, REASON_REQUEST_INVALID, "repeated content-length");
    if (facts->codings > 1)
        return bad(v, REASON_REQUEST_INVALID, "repeated transfer-encoding");
    if (facts->lengths > 0) {
        h->framing = FRAMING_LENGTH;
        if (read_length(facts->length, &h->length) != 0)
            return bad(v, REASON_REQUEST_INVALID, "content-length");
        return 0;
    }
    if (h->version < 11)
        return bad(v, REASON_REQUEST_INVALID, "transfer-encoding in HTTP/1.0");
    if (judge_coding(facts->coding, v) != 0)
        return -1;
    h->framing = FRAMING_CHUNKED;
    return 0;
}

int
h1_valid_method(struct head *h, struct slice text, struct h1_verdict *v)
{
    h->method_text = text;
    h->method = method_of(text);
    if (h->method == METHOD_CONNECT || h->method == METHOD_TRACE)
        return bad(v, REASON_METHOD_NOT_ALLOWED, "method is not allowed");
    if (h->method != METHOD_OTHER)
        return 0;
    if (!octet_all(text, OCTET_TOKEN))
        return bad(v, REASON_REQUEST_INVALID, "method");
    if (text.n > METHOD_MAX || !h1_agree_method(text))
        return bad(v, REASON_NOT_IMPLEMENTED, "unknown method");
    return 0;
}

int
h1_valid_expect(struct head *h, const struct h1_facts *facts, struct h1_verdict *v)
{
    if (facts->expects > 1 || (facts->expects == 1 && !facts->expect_continue))
        return bad(v, REASON_EXPECTATION_FAILED, "unknown expectation");
    h->expect_continue = facts->expect_continue && h->version >= 11;
    return 0;
}
