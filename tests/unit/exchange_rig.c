/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange_rig.c: see exchange_rig.h. */
#include "config.h"

#include "exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct rig *the_rig; /* of the exchange's handler */

char
rig_byte(uint64_t i)
{
    return (char)(i * 7 + i / 200);
}

const char *
rig_stream(void)
{
    static char stream[RIG_STREAM];

    if (stream[1] == 0)
        for (size_t i = 0; i < sizeof(stream); i++)
            stream[i] = rig_byte(i);
    return stream;
}

static void
act(struct rig *r)
{
    if (r->act && !r->gone && r->ex && !r->ex->ended)
        r->act(r);
}

/* --- ends ----------------------------------------------------------------------------------- */

static struct side *
of_end(struct exchange_end *end)
{
    struct side *s = container_of(end, struct side, end);

    assert_non_null(end->ex); /* no op reaches a detached end */
    assert_ptr_equal(end->ex, s->rig->ex);
    assert_false(end->ex->ended);
    return s;
}

static void
on_head(struct exchange_end *end)
{
    of_end(end)->heads++;
    act(container_of(end, struct side, end)->rig);
}

static void
on_kick(struct exchange_end *end)
{
    of_end(end)->kicks++;
    act(container_of(end, struct side, end)->rig);
}

static void
on_credit(struct exchange_end *end)
{
    of_end(end)->credits++;
    act(container_of(end, struct side, end)->rig);
}

static void
on_reset(struct exchange_end *end, enum reason why)
{
    struct side *s = container_of(end, struct side, end);

    (void)why;
    assert_null(end->ex);
    s->resets = true;
}

static const struct exchange_end_ops ops = {
    .name = "test",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
    .reset = on_reset,
};

void
rig_attach(struct rig *r)
{
    r->back.heads = 0;
    r->back.seen = 0;
    task_cancel(&r->back.end.task);
    exchange_end_init(&r->back.end, &ops);
    exchange_attach_back(r->ex, &r->back.end, true);
}

/* --- the handler ---------------------------------------------------------------------------- */

static void
on_request(struct exchange *ex)
{
    struct rig *r = the_rig;

    assert_false(ex->ended);
    r->requests++;
    act(r);
}

static void
on_answer(struct exchange *ex)
{
    assert_false(ex->ended);
    assert_int_equal(the_rig->requests, 1);
    the_rig->answers++;
    act(the_rig);
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    (void)why;
    assert_false(ex->ended);
    assert_null(ex->back);
    assert_false(ex->answer_here);
    the_rig->losses++;
    act(the_rig);
}

static void
on_silence(struct exchange *ex)
{
    assert_false(ex->ended);
    assert_false(ex->answer_here);
    the_rig->silences++;
    act(the_rig);
}

static void
on_end(struct exchange *ex)
{
    struct rig *r = the_rig;

    assert_true(ex->ended);
    assert_int_not_equal(ex->outcome, END_NONE);
    assert_null(ex->front);
    assert_null(ex->back);
    assert_int_equal(r->ends, 0);
    r->ends++;
    r->outcome = ex->outcome;
    r->cut = ex->to_front.aborted;
    r->forth = ex->to_back.drained;
    r->back_bytes = ex->to_front.drained;
    r->gone = true;
}

static void
release(struct exchange *ex)
{
    the_rig->releases++;
    the_rig->gone = true;
    the_rig->ex = NULL;
    free(ex);
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_silence = on_silence,
    .on_end = on_end,
    .release = release,
};

void
rig_begin(struct rig *r)
{
    the_rig = r;
    r->ex = malloc(sizeof(*r->ex));
    assert_non_null(r->ex);
    exchange_init(r->ex, &r->loop, &handler);
    r->front.rig = r->back.rig = r;
    exchange_end_init(&r->front.end, &ops);
    exchange_end_init(&r->back.end, &ops);
    exchange_attach_front(r->ex, &r->front.end);
    exchange_request_ready(r->ex);
}
