/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_input.c: see h1_input.h. It must not know what the bytes mean. Owner: one h1 session.
 */
#include "config.h"

#include "http/h1_input.h"

#include <errno.h>

void
h1_input_init(struct h1_input *in, struct loop *l)
{
    *in = (struct h1_input){.loop = l};
    buf_init(&in->kept, H1_INPUT_MAX);
}

static void
give_back(struct h1_input *in)
{
    if (in->block && in->pool)
        pool_give(in->pool, in->block);
    in->block = NULL;
}

void
h1_input_fini(struct h1_input *in)
{
    give_back(in);
    buf_fini(&in->kept);
    in->cur = SLICE_NONE;
}

/* Behind what was kept: copied there. */
static int
add_to_kept(struct h1_input *in, size_t n)
{
    size_t used = (size_t)(in->cur.p - in->kept.p);

    buf_consume(&in->kept, used);
    if (buf_add(&in->kept, in->block, n) < 0)
        return -1;
    in->cur = buf_slice(&in->kept);
    give_back(in);
    return 0;
}

ssize_t
h1_input_read(struct h1_input *in, struct conn *c, size_t n, bool large)
{
    ssize_t got;

    ensure(!in->block);
    in->pool = large ? &in->loop->large_reads : &in->loop->small_reads;
    in->block = pool_take(in->pool);
    if (!in->block) {
        errno = ENOMEM;
        return -1;
    }
    got = conn_read(c, in->block, n < in->pool->size ? n : in->pool->size);
    if (got <= 0) {
        int error = errno;

        give_back(in);
        errno = error;
        return got;
    }
    if (in->cur.n == 0) {
        in->cur = (struct slice){in->block, (size_t)got};
    } else if (add_to_kept(in, (size_t)got) < 0) {
        give_back(in);
        errno = ENOMEM;
        return -1;
    }
    return got;
}

void
h1_input_lend(struct h1_input *in, struct slice s)
{
    ensure(!in->block && in->cur.n == 0);
    in->pool = NULL;
    in->block = (char *)(uintptr_t)s.p;
    in->cur = s;
}

void
h1_input_use(struct h1_input *in, size_t n)
{
    ensure(n <= in->cur.n);
    if (n == 0)
        return; /* cur may be no memory at all */
    in->cur.p += n;
    in->cur.n -= n;
}

int
h1_input_rearm(struct h1_input *in)
{
    int r = 0;

    if (in->cur.n == 0) {
        if (in->kept.p)
            buf_fini(&in->kept);
        in->cur = SLICE_NONE;
    } else if (in->block) {
        buf_clear(&in->kept);
        r = buf_add_slice(&in->kept, in->cur);
        in->cur = buf_slice(&in->kept);
    }
    give_back(in);
    return r;
}
