/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_body.c: bodies. Counted and close-delimited ones are arithmetic. Chunked ones:
 *
 *     line -> data -> (CRLF) line -> data ... -> line "0" -> trailers -> ended
 *
 * llhttp reads chunk lines, data and the CRLF behind it, and stops at the end of each, so that
 * we can count what it does not: digits, bytes of a line, bytes of all extensions. The trailer
 * section is a block of field lines: h1_scan finds its end and the validator judges it, as with
 * heads. Every verdict depends on the bytes alone, not on how they were cut.
 */
#include "config.h"

#include "http/h1_body.h"

#include "http/h1_scan.h"
#include "http/h1_valid_priv.h"
#include "http/octet.h"

#include <llhttp.h>

#include <string.h>

#define SIZE_DIGITS_MAX 16
#define TRAILER_FIRST 256

/* To h1_scan the first field is a start line. */
static const struct h1_limits trailer_limits = {
    .line = H1_TRAILER_BYTES_MAX,
    .field = H1_TRAILER_BYTES_MAX,
    .block = H1_TRAILER_BYTES_MAX,
    .fields = H1_TRAILER_FIELDS_MAX - 1,
};

enum step { STEP_COUNTED, STEP_CLOSE, STEP_LINE, STEP_DATA, STEP_TRAILERS, STEP_ENDED, STEP_BAD };

/* What a chunked body needs besides. */
struct chunks {
    llhttp_t parser;
    struct arena *arena;
    struct slice data;     /* what on_body saw */
    bool header;           /* the chunk's line is complete */
    bool complete;         /* its data and the CRLF behind it are */
    bool sizing;           /* still within the digits of a line */
    uint32_t digits;       /* of the line */
    uint32_t line;         /* bytes of the line behind the digits, so far */
    uint32_t extensions;   /* of the whole body */
    size_t word;           /* bytes of the extension's name or value, so far */
    struct h1_scan scan;   /* of the trailers */
    char *trailer;         /* what came of them */
    uint32_t trailer_n, trailer_cap;
    struct head trailers;
};

struct h1_body {
    enum step step;
    uint64_t left;         /* STEP_COUNTED */
    struct chunks *chunks;
};

static struct chunks *
chunks_of(llhttp_t *p)
{
    return p->data;
}

static int
on_body(llhttp_t *p, const char *at, size_t n)
{
    chunks_of(p)->data = (struct slice){at, n};
    return HPE_PAUSED;
}

static int
on_chunk_header(llhttp_t *p)
{
    chunks_of(p)->header = true;
    return HPE_PAUSED;
}

static int
on_chunk_complete(llhttp_t *p)
{
    chunks_of(p)->complete = true;
    return HPE_PAUSED;
}

/* llhttp lets names and values of extensions be empty (";;a", ";a=;b"). */
static int
on_extension(llhttp_t *p, const char *at, size_t n)
{
    (void)at;
    chunks_of(p)->word += n;
    return 0;
}

static int
on_extension_complete(llhttp_t *p)
{
    struct chunks *c = chunks_of(p);
    bool empty = c->word == 0;

    c->word = 0;
    return empty ? HPE_USER : 0;
}

static const llhttp_settings_t settings = {
    .on_chunk_extension_name = on_extension,
    .on_chunk_extension_value = on_extension,
    .on_chunk_extension_name_complete = on_extension_complete,
    .on_chunk_extension_value_complete = on_extension_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_chunk_complete = on_chunk_complete,
};

static void
begin_line(struct chunks *c)
{
    c->header = c->complete = false;
    c->sizing = true;
    c->digits = c->line = 0;
}

/* llhttp reads bodies only behind a head: it is given the shortest one. */
static struct chunks *
chunks_new(struct arena *a)
{
    static const char head[] = "PUT / HTTP/1.1\r\nTransfer-Encoding:chunked\r\n\r\n";
    struct chunks *c = arena_alloc(a, sizeof *c);

    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->arena = a;
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = c;
    ensure(llhttp_execute(&c->parser, head, sizeof head - 1) == HPE_OK);
    begin_line(c);
    return c;
}

struct h1_body *
h1_body_new(struct arena *a, enum framing f, uint64_t length)
{
    struct h1_body *b = arena_alloc(a, sizeof *b);

    if (!b)
        return NULL;
    *b = (struct h1_body){.step = STEP_ENDED};
    if (f == FRAMING_LENGTH && length > 0) {
        b->step = STEP_COUNTED;
        b->left = length;
    } else if (f == FRAMING_CLOSE) {
        b->step = STEP_CLOSE;
    } else if (f == FRAMING_CHUNKED) {
        b->step = STEP_LINE;
        b->chunks = chunks_new(a);
        if (!b->chunks)
            return NULL;
    }
    return b;
}

static enum h1_body_says
bad(struct h1_body *b)
{
    b->step = STEP_BAD;
    return H1_BODY_BAD;
}

static enum h1_body_says
next_counted(struct h1_body *b, struct slice in, size_t *used, struct slice *data)
{
    *used = in.n < b->left ? in.n : (size_t)b->left;
    *data = (struct slice){in.p, *used};
    b->left -= *used;
    if (b->left == 0)
        b->step = STEP_ENDED;
    return H1_BODY_DATA;
}

static enum h1_body_says
next_until_close(struct slice in, size_t *used, struct slice *data)
{
    *used = in.n;
    *data = in;
    return H1_BODY_DATA;
}

/* llhttp over in; *used: how far it came. -1: it objects. */
static int
run_llhttp(struct chunks *c, struct slice in, size_t *used)
{
    llhttp_errno_t e = llhttp_execute(&c->parser, in.p, in.n);

    if (e == HPE_OK) {
        *used = in.n;
        return 0;
    }
    if (e != HPE_PAUSED)
        return -1;
    *used = (size_t)(llhttp_get_error_pos(&c->parser) - in.p);
    llhttp_resume(&c->parser);
    return 0;
}

/* Counts the bytes of a chunk's line, or of a piece of it, its CRLF included. */
static int
count_line(struct chunks *c, struct slice piece)
{
    size_t i = 0;

    while (c->sizing && i < piece.n && octet_is(piece.p[i], OCTET_HEX)) {
        if (++c->digits > SIZE_DIGITS_MAX)
            return -1;
        i++;
    }
    if (i == piece.n)
        return 0;
    c->sizing = false;
    c->line += (uint32_t)(piece.n - i);
    return c->line <= H1_CHUNK_EXTENSION_MAX + 2 ? 0 : -1;
}

static enum h1_body_says
next_line(struct h1_body *b, struct slice in, size_t *used)
{
    struct chunks *c = b->chunks;

    if (run_llhttp(c, in, used) != 0 || count_line(c, slice_sub(in, 0, *used)) != 0)
        return bad(b);
    if (!c->header)
        return H1_BODY_MORE;
    if (c->line > 2)
        c->extensions += c->line - 2;
    if (c->extensions > H1_CHUNK_EXTENSIONS_MAX)
        return bad(b);
    b->step = c->parser.content_length > 0 ? STEP_DATA : STEP_TRAILERS;
    return H1_BODY_MORE;
}

/* Data, and the CRLF behind it, which llhttp reports by completing the chunk. */
static enum h1_body_says
next_data(struct h1_body *b, struct slice in, size_t *used, struct slice *data)
{
    struct chunks *c = b->chunks;

    c->data = SLICE_NONE;
    if (run_llhttp(c, in, used) != 0)
        return bad(b);
    if (c->data.n > 0) {
        *data = c->data;
        return H1_BODY_DATA;
    }
    if (c->complete) {
        begin_line(c);
        b->step = STEP_LINE;
    }
    return H1_BODY_MORE;
}

/* Appends what fits under the limit. */
static int
keep_trailer(struct chunks *c, struct slice in)
{
    uint32_t n = H1_TRAILER_BYTES_MAX - c->trailer_n;

    if (in.n < n)
        n = (uint32_t)in.n;
    if (c->trailer_n + n > c->trailer_cap) {
        uint32_t cap = c->trailer_cap > 0 ? c->trailer_cap : TRAILER_FIRST;
        while (cap < c->trailer_n + n)
            cap *= 2;
        char *grown = arena_bytes(c->arena, cap);
        if (!grown)
            return -1;
        if (c->trailer_n > 0)
            memcpy(grown, c->trailer, c->trailer_n);
        c->trailer = grown;
        c->trailer_cap = cap;
    }
    memcpy(c->trailer + c->trailer_n, in.p, n);
    c->trailer_n += n;
    return 0;
}

/*
 * A trailer must not frame, and names that we look at in heads have no business here: dropped,
 * as are underscores (RELIABILITY A9, B7).
 */
static int
judge_trailers(struct chunks *c, size_t n)
{
    struct h1_facts facts = {0};
    struct h1_verdict v;
    struct head *h = &c->trailers;
    unsigned kept = 0;

    if (!h1_valid_fields(h, c->arena, c->trailer, c->trailer + n, &facts, &v))
        return -1;
    if (facts.lengths + facts.codings > 0)
        return -1;
    for (unsigned i = 0; i < h->fields; i++)
        if (h->field[i].id == FIELD_OTHER && slice_index(h->field[i].name, '_') < 0)
            h->field[kept++] = h->field[i];
    h->fields = (uint16_t)kept;
    return 0;
}

static enum h1_body_says
next_trailers(struct h1_body *b, struct slice in, size_t *used)
{
    struct chunks *c = b->chunks;
    uint32_t before = c->trailer_n;
    ptrdiff_t n = 2;
    enum reason why;

    if (before > 0 || in.n < 2 || memcmp(in.p, "\r\n", 2) != 0) {
        if (keep_trailer(c, in) != 0)
            return bad(b);
        bool blank = c->trailer_n >= 2 && memcmp(c->trailer, "\r\n", 2) == 0;
        if (!blank)
            n = h1_scan_run(&c->scan, &trailer_limits, (struct slice){c->trailer, c->trailer_n},
                            false, &why);
        if (n < 0 || (n > 2 && judge_trailers(c, (size_t)n) != 0))
            return bad(b);
    }
    if (n == 0) {
        *used = c->trailer_n - before;
        return H1_BODY_MORE;
    }
    *used = (size_t)n - before;
    b->step = STEP_ENDED;
    return H1_BODY_MORE;
}

/* One step; H1_BODY_MORE: go on with what is left of in. */
static enum h1_body_says
step(struct h1_body *b, struct slice in, size_t *used, struct slice *data)
{
    switch (b->step) {
    case STEP_COUNTED:
        return next_counted(b, in, used, data);
    case STEP_CLOSE:
        return next_until_close(in, used, data);
    case STEP_LINE:
        return next_line(b, in, used);
    case STEP_DATA:
        return next_data(b, in, used, data);
    case STEP_TRAILERS:
        return next_trailers(b, in, used);
    case STEP_ENDED:
    case STEP_BAD:
        break;
    }
    return bad(b);
}

enum h1_body_says
h1_body_next(struct h1_body *b, struct slice in, size_t *used, struct slice *data)
{
    *used = 0;
    *data = SLICE_NONE;
    for (;;) {
        size_t n = 0;
        if (b->step == STEP_ENDED)
            return H1_BODY_END;
        if (b->step == STEP_BAD)
            return H1_BODY_BAD;
        if (*used == in.n)
            return H1_BODY_MORE;
        enum h1_body_says says = step(b, slice_sub(in, *used, in.n), &n, data);
        *used += n;
        if (says != H1_BODY_MORE)
            return says;
    }
}

bool
h1_body_eof(const struct h1_body *b)
{
    return b->step == STEP_CLOSE || b->step == STEP_ENDED;
}

uint64_t
h1_body_left(const struct h1_body *b)
{
    if (b->step == STEP_COUNTED)
        return b->left;
    return b->step == STEP_ENDED ? 0 : UINT64_MAX;
}

unsigned
h1_body_trailers(const struct h1_body *b, struct field **trailers)
{
    if (!b->chunks || b->step != STEP_ENDED)
        return 0;
    *trailers = b->chunks->trailers.field;
    return b->chunks->trailers.fields;
}
