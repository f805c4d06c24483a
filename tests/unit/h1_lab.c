/* SPDX-License-Identifier: BSD-2-Clause */
/* h1_lab.c: see h1_lab.h. Knows no test framework. */
#include "config.h"

#include "h1_lab.h"

#include "http/h1_agree_priv.h"
#include "http/h1_body.h"
#include "http/h1_write.h"
#include "http/octet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX (1024u * 1024)
#define TOLD_MAX (4u * 1024 * 1024)
#define LONG_INPUT 700

void
lab_init(struct lab *l, enum lab_kind kind)
{
    static const struct h1_limits request = H1_LIMITS_REQUEST, answer = H1_LIMITS_ANSWER;

    pool_init(&l->pool, 4096, 64, 0);
    arena_init(&l->arena, &l->pool, ARENA_MAX);
    arena_init(&l->again, &l->pool, ARENA_MAX);
    buf_init(&l->told, TOLD_MAX);
    l->kind = kind;
    l->quick = false;
    l->limits = kind == LAB_REQUEST ? request : answer;
}

void
lab_fini(struct lab *l)
{
    buf_fini(&l->told);
    arena_reset(&l->arena);
    arena_reset(&l->again);
    pool_fini(&l->pool);
}

static enum method
asked(const struct lab *l)
{
    return l->kind == LAB_ANSWER_HEAD ? METHOD_HEAD : METHOD_GET;
}

static enum reason
parse(const struct lab *l, struct head *h, struct arena *a, struct slice block, const char **detail)
{
    struct head request;

    if (l->kind == LAB_REQUEST)
        return h1_parse_request(h, a, block, detail);
    head_init(&request);
    request.method = asked(l);
    return h1_parse_answer(h, a, block, &request, detail);
}

static int
write_head(const struct lab *l, struct buf *out, const struct head *h)
{
    return l->kind == LAB_REQUEST
               ? h1_write_request(out, h, !h->keep_alive)
               : h1_write_answer(out, h, 11, !h->keep_alive, asked(l) == METHOD_HEAD);
}

static void
tell_model(struct lab *l, const struct head *h)
{
    if (l->kind == LAB_REQUEST)
        buf_printf(&l->told, "%.*s %.*s HTTP/%u host=[%.*s]", SLICE_ARG(h->method_text),
                   SLICE_ARG(h->target), h->version, SLICE_ARG(h->host));
    else
        buf_printf(&l->told, "HTTP/%u %u [%.*s]", h->version, h->status, SLICE_ARG(h->phrase));
    buf_printf(&l->told, " framing=%d length=%llu%s%s%s%s\n", (int)h->framing,
               (unsigned long long)h->length, h->keep_alive ? " keep" : "",
               h->expect_continue ? " expect" : "", h->upgrade ? " upgrade" : "",
               h->te_trailers ? " trailers" : "");
    for (unsigned i = 0; i < h->fields; i++)
        buf_printf(&l->told, "| %.*s: %.*s\n", SLICE_ARG(h->field[i].name),
                   SLICE_ARG(h->field[i].value));
}

static void
tell_lines(struct lab *l, struct slice out)
{
    while (out.n > 0) {
        ptrdiff_t end = slice_index(out, '\n');
        ensure(end >= 1);
        buf_add_str(&l->told, "> ");
        buf_add(&l->told, out.p, (size_t)end - 1);
        buf_add_str(&l->told, "\n");
        out = slice_sub(out, (size_t)end + 1, out.n);
    }
}

/* What stands between the first two blanks. */
static struct slice
raw_target(struct slice block)
{
    const char *from = (const char *)memchr(block.p, ' ', block.n) + 1;
    const char *to = memchr(from, ' ', block.n - (size_t)(from - block.p));

    return (struct slice){from, (size_t)(to - from)};
}

/* llhttp and we agree on a head that we accepted, whether or not production would have asked. */
static void
ensure_agreement(const struct lab *l, const struct head *h, struct slice block)
{
    bool request = l->kind == LAB_REQUEST;

    /* Here the framing is not what the fields tell. */
    if (!request && (h->status < 200 || h->status == 204 || h->framing == FRAMING_CLOSE))
        return;
    /* llhttp before 9.4.2 takes no TAB around a length; it is not asked about counted answers. */
    if (!request && h->framing == FRAMING_LENGTH && memchr(block.p, '\t', block.n))
        return;
    const char *objection = h1_agree(h, block, request, request ? raw_target(block) : SLICE_NONE);
    if (objection)
        fprintf(stderr, "%s: %.*s", objection, SLICE_ARG(block));
    ensure(!objection);
}

/* What goes on must be one head, and the same one when it is read and written once more. */
static void
ensure_same_again(struct lab *l, struct slice out)
{
    struct h1_limits wide = {UINT32_MAX / 4, UINT32_MAX / 4, UINT32_MAX / 4, 1000};
    struct h1_scan scan;
    struct head h;
    enum reason why;
    const char *detail = "";
    struct buf twice;

    h1_scan_init(&scan);
    ensure(h1_scan_run(&scan, &wide, out, l->kind == LAB_REQUEST, &why) == (ptrdiff_t)out.n);
    ensure(parse(l, &h, &l->again, out, &detail) == REASON_NONE);
    ensure_agreement(l, &h, out);
    ensure(head_strip(&h, l->kind == LAB_REQUEST) == 0);
    buf_init(&twice, TOLD_MAX);
    ensure(write_head(l, &twice, &h) == 0);
    ensure(slice_eq(buf_slice(&twice), out));
    buf_fini(&twice);
    arena_reset(&l->again);
}

/* Where reading stands. */
struct reading {
    struct h1_scan scan;
    struct h1_body *body;
    struct buf data;
    char *block; /* the head, in memory of exactly its size */
    size_t at;   /* bytes done with */
    const char *end; /* why it is over; NULL: go on */
};

static void
begin_body(struct lab *l, struct reading *r, const struct head *h)
{
    enum framing f = h->framing;

    if (l->kind != LAB_REQUEST && head_bodiless(h, asked(l)))
        f = FRAMING_NONE;
    r->body = h1_body_new(&l->arena, f, h->length);
    ensure(r->body);
}

static void
take_head(struct lab *l, struct reading *r, struct slice seen)
{
    const char *detail = "";
    struct head h;
    enum reason why = REASON_NONE;
    ptrdiff_t n = h1_scan_run(&r->scan, &l->limits, seen, l->kind == LAB_REQUEST, &why);

    if (n == 0)
        return;
    struct slice block = SLICE_NONE;
    if (n > 0) {
        r->block = malloc((size_t)n);
        ensure(r->block);
        memcpy(r->block, seen.p, (size_t)n);
        block = (struct slice){r->block, (size_t)n};
        why = parse(l, &h, &l->arena, block, &detail);
    }
    if (why != REASON_NONE) {
        buf_printf(&l->told, "refused %s: %s\n", reason_slug(why), detail);
        r->end = "";
        return;
    }
    tell_model(l, &h);
    ensure_agreement(l, &h, block);
    unsigned dropped = head_strip(&h, l->kind == LAB_REQUEST);
    if (dropped > 0)
        buf_printf(&l->told, "dropped %u\n", dropped);
    struct buf out;
    buf_init(&out, TOLD_MAX);
    ensure(write_head(l, &out, &h) == 0);
    tell_lines(l, buf_slice(&out));
    ensure_same_again(l, buf_slice(&out));
    buf_fini(&out);
    begin_body(l, r, &h);
    r->at = (size_t)n;
}

static void
take_body(struct lab *l, struct reading *r, struct slice piece)
{
    size_t at = 0;

    (void)l;
    for (;;) {
        struct slice data;
        size_t used;
        enum h1_body_says says = h1_body_next(r->body, slice_sub(piece, at, piece.n), &used, &data);
        at += used;
        r->at += used;
        ensure(at <= piece.n);
        ensure(data.n == 0 || (data.p >= piece.p && data.p + data.n <= piece.p + at));
        buf_add_slice(&r->data, data);
        if (says == H1_BODY_DATA) {
            ensure(data.n > 0);
            continue;
        }
        if (says == H1_BODY_MORE)
            ensure(at == piece.n);
        else
            r->end = says == H1_BODY_END ? "end" : "bad";
        return;
    }
}

static void
tell_body(struct lab *l, struct reading *r)
{
    struct field *trailer = NULL;

    if (!r->end)
        r->end = h1_body_eof(r->body) ? "close" : "more";
    buf_add_str(&l->told, "body [");
    buf_add_slice(&l->told, buf_slice(&r->data));
    /* Where a bad one was noticed depends on the pieces; that it was, does not. */
    if (strcmp(r->end, "bad") == 0)
        buf_add_str(&l->told, "] bad\n");
    else
        buf_printf(&l->told, "] %s %zu\n", r->end, r->at);
    if (strcmp(r->end, "end") == 0)
        ensure(h1_body_eof(r->body) && h1_body_left(r->body) == 0);
    unsigned n = h1_body_trailers(r->body, &trailer);
    for (unsigned i = 0; i < n; i++)
        buf_printf(&l->told, "trailer %.*s: %.*s\n", SLICE_ARG(trailer[i].name),
                   SLICE_ARG(trailer[i].value));
    if (n > 0) {
        struct buf out;
        buf_init(&out, TOLD_MAX);
        ensure(h1_write_last_chunk(&out, trailer, n) == 0);
        buf_fini(&out);
    }
}

/* have bytes have come. */
static void
take(struct lab *l, struct reading *r, struct slice in, size_t have)
{
    size_t from = r->body ? r->at : 0;
    char *copy = malloc(have - from > 0 ? have - from : 1);

    ensure(copy);
    if (have > from)
        memcpy(copy, in.p + from, have - from);
    if (!r->body)
        take_head(l, r, (struct slice){copy, have});
    else
        take_body(l, r, (struct slice){copy, have - from});
    free(copy);
}

void
lab_read(struct lab *l, struct slice in, const size_t *cut, size_t cuts)
{
    struct reading r = {0};

    buf_clear(&l->told);
    buf_init(&r.data, TOLD_MAX);
    h1_scan_init(&r.scan);
    if (l->kind == LAB_CHUNKED) {
        r.body = h1_body_new(&l->arena, FRAMING_CHUNKED, 0);
        ensure(r.body);
    }
    for (size_t i = 0; i <= cuts && !r.end; i++) {
        size_t have = i < cuts ? cut[i] : in.n;
        bool in_head = !r.body;
        take(l, &r, in, have);
        /* What came behind the head in the same piece. */
        if (in_head && r.body && !r.end)
            take(l, &r, in, have);
    }
    if (r.body)
        tell_body(l, &r);
    else if (!r.end)
        buf_add_str(&l->told, "more\n");
    ensure(!l->told.full);
    free(r.block);
    buf_fini(&r.data);
    arena_reset(&l->arena);
}

static void
ensure_told(struct lab *l, struct slice in, struct slice whole, size_t cut, const char *how)
{
    if (slice_eq(buf_slice(&l->told), whole))
        return;
    fprintf(stderr, "cut %s, %zu, of:\n%.*s\nwhole:\n%.*scut:\n%.*s", how, cut, SLICE_ARG(in),
            SLICE_ARG(whole), SLICE_ARG(buf_slice(&l->told)));
    bool same_at_every_cut = false;
    ensure(same_at_every_cut);
}

static int
by_size(const void *a, const void *b)
{
    const size_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

void
lab_cut(struct lab *l, struct slice in, struct random *random, unsigned rounds)
{
    size_t *cut = malloc((in.n + 1) * sizeof *cut);
    size_t step = in.n > LONG_INPUT ? in.n / 64 : 1;
    struct buf whole;

    ensure(cut);
    buf_init(&whole, TOLD_MAX);
    lab_read(l, in, NULL, 0);
    ensure(buf_add_slice(&whole, buf_slice(&l->told)) == 0);
    if (step == 1) {
        for (size_t i = 0; i < in.n; i++)
            cut[i] = i + 1;
        lab_read(l, in, cut, in.n);
        ensure_told(l, in, buf_slice(&whole), 1, "byte by byte");
    }
    for (size_t at = 1; at < in.n && !l->quick; at += step) {
        lab_read(l, in, &at, 1);
        ensure_told(l, in, buf_slice(&whole), at, "once");
    }
    for (unsigned k = 0; k < rounds; k++) {
        size_t cuts = 1 + (size_t)random_below(random, 12);
        if (cuts > in.n)
            cuts = in.n;
        for (size_t i = 0; i < cuts; i++)
            cut[i] = (size_t)random_below(random, in.n + 1);
        qsort(cut, cuts, sizeof *cut, by_size);
        lab_read(l, in, cut, cuts);
        ensure_told(l, in, buf_slice(&whole), k, "at random");
    }
    buf_clear(&l->told);
    buf_add_slice(&l->told, buf_slice(&whole));
    buf_fini(&whole);
    free(cut);
}
