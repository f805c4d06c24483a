/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_end.c: a back whose answer is in the exchange's arena. It lends the whole body at once and
 * lets go; the pipe's window does not bind it, since the bytes are there anyway. Owner: the arena.
 */
#include "config.h"

#include "http/memory_end.h"

#include "http/phrase.h"

#include <stddef.h>

struct memory_end {
    struct exchange_end end;
    struct slice body;
};

static void
on_head(struct exchange_end *end)
{
    struct memory_end *m = container_of(end, struct memory_end, end);
    struct exchange *ex = end->ex;

    exchange_answer_ready(ex);
    if (m->body.n > 0 && pipe_lend(&ex->to_front, m->body) < 0) {
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
        return;
    }
    pipe_end(&ex->to_front);
    exchange_back_done(ex);
}

/* Nothing to send on, nothing more to fill. */
static void
on_nothing(struct exchange_end *end)
{
    (void)end;
}

static const struct exchange_end_ops memory_ops = {
    .name = "memory",
    .head = on_head,
    .kick = on_nothing,
    .credit = on_nothing,
};

int
memory_answer(struct exchange *ex, uint16_t status, struct slice content_type, struct slice body)
{
    struct memory_end *m = arena_alloc(&ex->arena, sizeof(*m));
    struct head *h = &ex->resp;

    if (!m)
        return -1;
    exchange_end_init(&m->end, &memory_ops);
    m->body = arena_copy(&ex->arena, body);
    if (!m->body.p)
        return -1;
    h->version = 11;
    h->status = status;
    h->phrase = phrase_of(status);
    h->keep_alive = true;
    h->framing = status == 204 || status == 304 ? FRAMING_NONE : FRAMING_LENGTH;
    h->length = body.n;
    if (content_type.n > 0 &&
        head_set(h, &ex->arena, FIELD_CONTENT_TYPE, SLICE("Content-Type"), content_type) < 0)
        return -1;
    exchange_attach_back(ex, &m->end, false);
    return 0;
}
