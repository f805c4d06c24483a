/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_output.c: see h1_output.h. On the wire, in this order: text, frame, body bytes, tail. The tail
 * (what ends a chunk, and the body if nothing follows) is decided anew for each send; what the
 * kernel did not take of it becomes the frame of the next. Owner: one h1 session.
 */
#include "config.h"

#include "http/h1_output.h"

#include <errno.h>
#include <string.h>

/* text, frame, the blocks and loans of a full pipe, tail */
#define IOV_BODY 22
#define IOV_MAX_USED (IOV_BODY + 3)

void
h1_output_init(struct h1_output *o, struct loop *l)
{
    *o = (struct h1_output){.loop = l};
    buf_init(&o->text, 0);
}

static void
drop_text(struct h1_output *o)
{
    if (o->block) {
        pool_give(&o->loop->blocks, o->block);
        o->block = NULL;
    } else if (o->text.p) {
        buf_fini(&o->text);
    }
    buf_init(&o->text, 0);
    o->text_sent = 0;
}

void
h1_output_fini(struct h1_output *o)
{
    drop_text(o);
    o->frame = SLICE_NONE;
    o->open = false;
}

/* From the pool's block to the heap: a head that is larger than most. */
static int
grow_text(struct h1_output *o)
{
    struct buf larger;

    if (!o->text.fixed)
        return -1;
    buf_init(&larger, H1_OUTPUT_TEXT_MAX);
    if (buf_add(&larger, o->text.p + o->text_sent, o->text.n - o->text_sent) < 0)
        return -1;
    drop_text(o);
    o->text = larger;
    return 0;
}

int
h1_output_text(struct h1_output *o, int (*write)(struct buf *b, const void *arg), const void *arg)
{
    size_t before;

    if (!o->text.p) {
        o->block = pool_take(&o->loop->blocks);
        if (!o->block)
            return -1;
        buf_init_fixed(&o->text, o->block, o->loop->blocks.size);
    }
    before = o->text.n;
    if (write(&o->text, arg) == 0 && !o->text.full)
        return 0;
    o->text.n = before;
    if (!o->text.full || grow_text(o) < 0)
        return -1;
    return write(&o->text, arg) == 0 && !o->text.full ? 0 : -1;
}

void
h1_output_open(struct h1_output *o, enum framing f, uint64_t length, bool whole)
{
    ensure(!o->open && o->frame.n == 0);
    o->open = true;
    o->finished = f == FRAMING_NONE || (f == FRAMING_LENGTH && length == 0);
    o->framing = f;
    o->left = f == FRAMING_LENGTH ? length : 0;
    o->whole = whole;
}

bool
h1_output_pending(const struct h1_output *o)
{
    return o->open || o->text.n > o->text_sent || o->frame.n > 0;
}

struct last_chunk {
    const struct head *of;
};

static int
write_last_chunk(struct buf *b, const void *arg)
{
    const struct last_chunk *l = arg;

    return h1_write_last_chunk(b, l->of->trailer, l->of->trailers);
}

/* What frames the chunked bytes that are pending. -1: out of memory. */
static int
frame_chunk(struct h1_output *o, const struct pipe *p, const struct head *of)
{
    size_t pending = pipe_pending(p);
    struct last_chunk last = {of};

    if (o->finished || o->left > 0 || o->frame.n > 0)
        return 0;
    if (pending > 0) {
        o->left = pending;
        o->frame = (struct slice){o->small, h1_write_chunk_head(o->small, pending)};
    } else if (p->ended) {
        o->finished = true;
        if (of && of->trailers > 0)
            return h1_output_text(o, write_last_chunk, &last);
        o->frame = SLICE("0\r\n\r\n");
    }
    return 0;
}

/* What may follow n body bytes in the same send. */
static struct slice
tail_of(const struct h1_output *o, const struct pipe *p, const struct head *of, size_t n)
{
    if (!p || o->framing != FRAMING_CHUNKED || n == 0 || n < o->left)
        return SLICE_NONE;
    if (p->ended && !(of && of->trailers > 0) && pipe_pending(p) == n)
        return SLICE("\r\n0\r\n\r\n");
    return SLICE("\r\n");
}

static void
push(struct iovec *iov, int *n, struct slice s)
{
    if (s.n == 0)
        return;
    iov[*n].iov_base = (char *)(uintptr_t)s.p;
    iov[*n].iov_len = s.n;
    (*n)++;
}

/* Bytes that still wait for the writer's end. */
static size_t
held_back(const struct h1_output *o, const struct pipe *p)
{
    return o->whole && o->framing == FRAMING_LENGTH && !p->ended && o->left > 0 ? 1 : 0;
}

/* Body bytes that may go now, into iov; returns how many. */
static size_t
push_body(const struct h1_output *o, const struct pipe *p, struct iovec *iov, int *n)
{
    size_t total = 0, limit = SIZE_MAX;
    int slices;

    if (!p || o->finished)
        return 0;
    if (o->framing != FRAMING_CLOSE)
        limit = (size_t)o->left - held_back(o, p);
    slices = pipe_peek(p, iov + *n, IOV_BODY);
    for (int i = 0; i < slices && total < limit; i++) {
        struct iovec *v = &iov[*n];

        if (v->iov_len > limit - total)
            v->iov_len = limit - total;
        total += v->iov_len;
        (*n)++;
    }
    return total;
}

/* Takes up to *put bytes as sent text and frame; *put is what is left of it. */
static void
account_text(struct h1_output *o, size_t *put)
{
    size_t n = o->text.n - o->text_sent;

    if (n > *put)
        n = *put;
    o->text_sent += n;
    *put -= n;
    if (o->text_sent == o->text.n && o->text.p)
        drop_text(o);
    n = o->frame.n < *put ? o->frame.n : *put;
    if (n == 0) /* frame.p may be NULL, which nothing can be added to, not even nothing */
        return;
    o->frame.p += n;
    o->frame.n -= n;
    *put -= n;
}

static void
account_body(struct h1_output *o, struct pipe *p, struct exchange_end *writer, size_t n)
{
    if (n == 0)
        return;
    exchange_drain(p, n, writer);
    if (o->framing != FRAMING_CLOSE)
        o->left -= n;
    if (o->framing == FRAMING_LENGTH && o->left == 0)
        o->finished = true;
}

/* One send. Bytes taken, 0 when there was nothing; -1 as conn_writev. *all: it took everything. */
static ssize_t
send_ready(struct h1_output *o, struct conn *c, struct pipe *p, struct exchange_end *writer,
           const struct head *of, bool *all)
{
    struct iovec iov[IOV_MAX_USED];
    struct slice tail;
    size_t put, body, fixed;
    int n = 0;
    ssize_t r;

    push(iov, &n, slice_sub(buf_slice(&o->text), o->text_sent, o->text.n));
    push(iov, &n, o->frame);
    fixed = o->text.n - o->text_sent + o->frame.n;
    body = push_body(o, p, iov, &n);
    tail = tail_of(o, p, of, body);
    push(iov, &n, tail);
    *all = true;
    if (n == 0)
        return 0;
    if (!c->writable) {
        errno = EAGAIN;
        return -1;
    }
    r = conn_writev(c, iov, n);
    if (r < 0)
        return -1;
    put = (size_t)r;
    *all = put == fixed + body + tail.n;
    account_text(o, &put);
    account_body(o, p, writer, put < body ? put : body);
    if (tail.n > 0 && put >= body) {
        put -= body;
        o->frame = (struct slice){tail.p + put, tail.n - put};
        o->finished = tail.n > 2;
    }
    return r;
}

/* Everything that was ready is sent: what does that mean? */
static enum h1_output_says
after_all(struct h1_output *o, const struct pipe *p)
{
    if (!o->open || !p)
        return H1_OUTPUT_MORE;
    if (o->framing == FRAMING_CLOSE && pipe_at_end(p))
        o->finished = true;
    if (o->finished) {
        bool over = o->framing == FRAMING_NONE || p->stopped || pipe_at_end(p);

        if (over)
            o->open = false;
        else if (pipe_pending(p) > 0)
            return H1_OUTPUT_CUT;
        else if (p->aborted)
            return H1_OUTPUT_CUT;
        return over ? H1_OUTPUT_DONE : H1_OUTPUT_MORE;
    }
    if (p->aborted || p->ended)
        return pipe_pending(p) <= held_back(o, p) ? H1_OUTPUT_CUT : H1_OUTPUT_MORE;
    return H1_OUTPUT_MORE;
}

enum h1_output_says
h1_output_flush(struct h1_output *o, struct conn *c, struct pipe *p, struct exchange_end *writer,
                const struct head *of, size_t *sent)
{
    bool all = true;

    *sent = 0;
    if (!o->open)
        p = NULL;
    for (;;) {
        ssize_t r;

        if (p && o->framing == FRAMING_CHUNKED && frame_chunk(o, p, of) < 0)
            return H1_OUTPUT_CUT;
        r = send_ready(o, c, p, writer, of, &all);
        if (r < 0)
            return errno == EAGAIN ? H1_OUTPUT_BLOCKED : H1_OUTPUT_FAILED;
        if (r == 0)
            return after_all(o, p);
        *sent += (size_t)r;
        if (!all)
            return H1_OUTPUT_BLOCKED;
        if (p && pipe_pending(p) == 0 && (!p->ended || o->framing == FRAMING_CLOSE))
            return after_all(o, p); /* spares another look at nothing */
    }
}
