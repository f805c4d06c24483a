/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.c: blocks from the loop's pool hold what was settled; a few borrowed slices come behind
 * them. It must not know who reads or writes it.
 *
 *   retained | pending in blocks | lent
 *   base     ^ taken (at, at_off)        ^ written
 */
#include "config.h"

#include "http/pipe.h"

#include <string.h>

struct pipe_block {
    struct pipe_block *next;
    uint32_t n;
    char bytes[];
};

static uint32_t
block_room(const struct pipe *p)
{
    return (uint32_t)(p->blocks->size - sizeof(struct pipe_block));
}

void
pipe_init(struct pipe *p, struct pool *blocks, uint32_t window)
{
    *p = (struct pipe){.blocks = blocks, .window = window};
}

/* Gives back every block before stop; NULL: all of them. */
static void
drop_blocks(struct pipe *p, const struct pipe_block *stop)
{
    while (p->first && p->first != stop) {
        struct pipe_block *b = p->first;

        p->first = b->next;
        pool_give(p->blocks, b);
    }
    if (!p->first)
        p->last = NULL;
}

void
pipe_fini(struct pipe *p)
{
    drop_blocks(p, NULL);
    p->at = NULL;
    p->lents = 0;
    p->taken = p->base = p->written;
}

size_t
pipe_pending(const struct pipe *p)
{
    return (size_t)(p->written - p->taken);
}

size_t
pipe_room(const struct pipe *p)
{
    size_t pending = pipe_pending(p);

    if (p->stopped)
        return SIZE_MAX;
    return p->window > pending ? p->window - pending : 0;
}

static struct pipe_block *
add_block(struct pipe *p)
{
    struct pipe_block *b = pool_take(p->blocks);

    if (!b)
        return NULL;
    b->next = NULL;
    b->n = 0;
    if (p->last)
        p->last->next = b;
    else
        p->first = b;
    p->last = b;
    return b;
}

static int
append(struct pipe *p, struct slice s)
{
    while (s.n > 0) {
        struct pipe_block *b = p->last;
        size_t n;

        if (!b || b->n == block_room(p)) {
            b = add_block(p);
            if (!b)
                return -1;
        }
        if (!p->at) {
            p->at = b;
            p->at_off = b->n;
        }
        n = block_room(p) - b->n;
        if (n > s.n)
            n = s.n;
        memcpy(b->bytes + b->n, s.p, n);
        b->n += (uint32_t)n;
        s.p += n;
        s.n -= n;
    }
    return 0;
}

/* The reader wants no more: the bytes count as gone. */
static void
vanish(struct pipe *p, size_t n)
{
    p->written += n;
    p->taken = p->drained = p->base = p->written;
}

static void
stop_retaining(struct pipe *p)
{
    if (!p->retained)
        return;
    p->retained = false;
    if (p->taken == 0)
        return; /* nothing drained: nothing lost */
    drop_blocks(p, p->at);
    p->base = p->taken;
}

int
pipe_write(struct pipe *p, struct slice s)
{
    ensure(!p->ended && !p->aborted);
    if (p->stopped) {
        vanish(p, s.n);
        return 0;
    }
    if (pipe_settle(p) < 0)
        return -1;
    if (p->written + s.n > PIPE_RETAIN_MAX)
        stop_retaining(p);
    p->written += s.n;
    return append(p, s);
}

int
pipe_lend(struct pipe *p, struct slice s)
{
    ensure(!p->ended && !p->aborted);
    if (p->retained && p->written + s.n <= PIPE_RETAIN_MAX)
        return pipe_write(p, s);
    if (p->stopped) {
        vanish(p, s.n);
        return 0;
    }
    stop_retaining(p);
    if (p->lents == PIPE_LENT_MAX && pipe_settle(p) < 0)
        return -1;
    if (s.n > 0)
        p->lent[p->lents++] = s;
    p->written += s.n;
    return 0;
}

int
pipe_settle(struct pipe *p)
{
    uint32_t n = p->lents;

    p->lents = 0;
    for (uint32_t i = 0; i < n; i++)
        if (append(p, p->lent[i]) < 0)
            return -1;
    return 0;
}

void
pipe_end(struct pipe *p)
{
    if (!p->aborted)
        p->ended = true;
}

void
pipe_abort(struct pipe *p, enum reason r)
{
    if (p->ended || p->aborted)
        return;
    p->aborted = true;
    p->reason = r;
}

int
pipe_peek(const struct pipe *p, struct iovec *iov, int max)
{
    const struct pipe_block *b = p->at;
    uint32_t off = p->at_off;
    int n = 0;

    for (; b && n < max; b = b->next, off = 0) {
        if (b->n == off)
            continue;
        iov[n].iov_base = (char *)(uintptr_t)(b->bytes + off);
        iov[n].iov_len = b->n - off;
        n++;
    }
    if (b)
        return n;
    for (uint32_t i = 0; i < p->lents && n < max; i++, n++) {
        iov[n].iov_base = (char *)(uintptr_t)p->lent[i].p;
        iov[n].iov_len = p->lent[i].n;
    }
    return n;
}

/* Takes up to n bytes out of the blocks; returns how many. */
static size_t
drain_blocks(struct pipe *p, size_t n)
{
    size_t done = 0;

    while (p->at && done < n) {
        struct pipe_block *b = p->at;
        size_t left = b->n - p->at_off;

        if (left > n - done) {
            p->at_off += (uint32_t)(n - done);
            return n;
        }
        done += left;
        p->at = b->next;
        p->at_off = 0;
        if (!p->retained)
            drop_blocks(p, p->at);
    }
    return done;
}

static void
drain_lent(struct pipe *p, size_t n)
{
    uint32_t gone = 0;

    while (n > 0) {
        struct slice *s = &p->lent[gone];

        ensure(gone < p->lents);
        if (s->n > n) {
            s->p += n;
            s->n -= n;
            break;
        }
        n -= s->n;
        gone++;
    }
    if (gone == 0)
        return;
    p->lents = (uint8_t)(p->lents - gone);
    memmove(p->lent, p->lent + gone, p->lents * sizeof(p->lent[0]));
}

void
pipe_drain(struct pipe *p, size_t n)
{
    ensure(n <= pipe_pending(p));
    drain_lent(p, n - drain_blocks(p, n));
    p->taken += n;
    if (p->taken > p->drained)
        p->drained = p->taken;
    if (!p->retained)
        p->base = p->taken;
}

bool
pipe_at_end(const struct pipe *p)
{
    return p->ended && p->written == p->taken;
}

bool
pipe_closed(const struct pipe *p)
{
    return p->ended || p->aborted;
}

void
pipe_stop(struct pipe *p)
{
    p->stopped = true;
    p->retained = false;
    pipe_fini(p);
    p->drained = p->written;
}

void
pipe_retain(struct pipe *p)
{
    ensure(p->drained == 0);
    if (!p->stopped && p->written <= PIPE_RETAIN_MAX && pipe_settle(p) == 0)
        p->retained = true;
}

bool
pipe_can_rewind(const struct pipe *p)
{
    return p->base == 0 && !p->stopped;
}

void
pipe_rewind(struct pipe *p)
{
    ensure(pipe_can_rewind(p));
    p->taken = 0;
    p->at = p->first;
    p->at_off = 0;
}

void
pipe_forget(struct pipe *p)
{
    stop_retaining(p);
}
