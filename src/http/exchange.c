/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange.c: who is attached, what is due, and how it ends. It must not know any protocol: it
 * moves no bytes and reads no head. Owner: the front session that made it, until on_end; one loop.
 */
#include "config.h"

#include "http/exchange.h"

#include "http/tunnel.h"

#include <stddef.h>

/* Callbacks due, in the order in which they are made. */
enum todo {
    TODO_REQUEST = 1,
    TODO_SILENCE = 2,
    TODO_INTERIM = 4,
    TODO_ANSWER = 8,
    TODO_BACK_LOST = 16,
};

static void
run_end(struct task *t)
{
    struct exchange_end *end = container_of(t, struct exchange_end, task);
    unsigned marks = end->marks;
    struct exchange *ex = end->ex;

    end->marks = 0;
    if (marks & MARK_RESET) {
        end->ops->reset(end, end->reset_reason);
        return;
    }
    if (!ex)
        return;
    if (marks & MARK_HEAD) {
        end->ops->head(end);
        if (end->ex != ex)
            return;
        if (end == ex->front && ex->interim_here) {
            ex->interim_here = false;
            exchange_signal(ex->back, MARK_CREDIT);
        }
    }
    if (marks & MARK_KICK && end->ex == ex)
        end->ops->kick(end);
    if (marks & MARK_CREDIT && end->ex == ex)
        end->ops->credit(end);
}

void
exchange_end_init(struct exchange_end *end, const struct exchange_end_ops *ops)
{
    *end = (struct exchange_end){.ops = ops};
    task_init(&end->task, run_end);
}

void
exchange_signal(struct exchange_end *end, unsigned marks)
{
    if (!end || !end->ex)
        return;
    end->marks |= marks;
    loop_queue_run(end->ex->loop, &end->task);
}

void
exchange_drain(struct pipe *p, size_t n, struct exchange_end *writer)
{
    pipe_drain(p, n);
    if (p->thirsty && p->window > 0 && pipe_pending(p) <= p->window / 2) {
        p->thirsty = false;
        exchange_signal(writer, MARK_CREDIT);
    }
}

void
exchange_stop(struct pipe *p, struct exchange_end *writer)
{
    if (p->stopped)
        return;
    pipe_stop(p);
    p->thirsty = false;
    exchange_signal(writer, MARK_CREDIT);
}

/* The end lets go and hears nothing more. */
static void
detach(struct exchange *ex, struct exchange_end *end)
{
    if (!end)
        return;
    if (end == ex->front)
        ex->front = NULL;
    else
        ex->back = NULL;
    end->ex = NULL;
    end->marks = 0;
    task_cancel(&end->task);
}

/* The same, but it is told to stop. */
static void
reset(struct exchange *ex, struct exchange_end *end, enum reason why)
{
    if (!end)
        return;
    detach(ex, end);
    if (!end->ops->reset)
        return;
    end->marks = MARK_RESET;
    end->reset_reason = why;
    loop_queue_run(ex->loop, &end->task);
}

static void
finish(struct exchange *ex, enum exchange_end_kind outcome, enum reason why)
{
    if (ex->ended)
        return;
    ex->ended = true;
    ex->outcome = outcome;
    if (why != REASON_NONE)
        ex->reason = why;
    pipe_abort(&ex->to_back, why);
    reset(ex, ex->front, why);
    reset(ex, ex->back, why);
    task_cancel(&ex->run);
    ex->todo = 0;
    loop_queue_reap(ex->loop, &ex->reap);
}

static void
run_exchange(struct task *t)
{
    struct exchange *ex = container_of(t, struct exchange, run);
    unsigned todo = ex->todo;

    ex->todo = 0;
    if (todo & TODO_REQUEST) {
        ex->announced = true;
        ex->handler->on_request(ex);
    }
    if (todo & TODO_SILENCE && ex->back && !ex->answer_here && ex->handler->on_silence)
        ex->handler->on_silence(ex);
    if (todo & TODO_INTERIM && ex->interim_here) {
        if (ex->handler->on_interim)
            ex->handler->on_interim(ex);
        exchange_signal(ex->front, MARK_HEAD);
    }
    if (todo & TODO_ANSWER && !ex->ended) {
        ex->handler->on_answer(ex);
        exchange_signal(ex->front, MARK_HEAD | MARK_KICK);
    }
    if (todo & TODO_BACK_LOST && !ex->ended)
        ex->handler->on_back_lost(ex, ex->lost);
}

static void
due(struct exchange *ex, unsigned todo)
{
    ex->todo |= todo;
    loop_queue_run(ex->loop, &ex->run);
}

static void
reap_exchange(struct task *t)
{
    struct exchange *ex = container_of(t, struct exchange, reap);
    const struct exchange_handler *h = ex->handler;

    if (ex->announced)
        h->on_end(ex);
    pipe_fini(&ex->to_back);
    pipe_fini(&ex->to_front);
    arena_reset(&ex->arena);
    h->release(ex);
}

void
exchange_init(struct exchange *ex, struct loop *l, const struct exchange_handler *h)
{
    *ex = (struct exchange){.loop = l, .handler = h};
    arena_init(&ex->arena, &l->arena_blocks, EXCHANGE_ARENA_MAX);
    head_init(&ex->req);
    head_init(&ex->resp);
    pipe_init(&ex->to_back, &l->blocks, 0);
    pipe_init(&ex->to_front, &l->blocks, PIPE_WINDOW);
    task_init(&ex->run, run_exchange);
    task_init(&ex->reap, reap_exchange);
}

void
exchange_attach_front(struct exchange *ex, struct exchange_end *front)
{
    ensure(!ex->front && !front->ex && !ex->ended);
    ex->front = front;
    front->ex = ex;
    front->marks = 0;
}

void
exchange_request_ready(struct exchange *ex)
{
    due(ex, TODO_REQUEST);
}

void
exchange_discard(struct exchange *ex)
{
    ensure(!ex->announced);
    if (ex->front)
        detach(ex, ex->front);
    finish(ex, END_NONE, REASON_NONE);
}

void
exchange_front_lost(struct exchange *ex, enum reason why)
{
    bool left = why == REASON_CLIENT_LEFT || why == REASON_CLIENT_TRUNCATED;

    if (ex->tunnel && ex->tunnel->closing) { /* it went because it was told to */
        why = ex->tunnel->why;
        left = false;
    }
    detach(ex, ex->front);
    finish(ex, left ? END_CLIENT_LEFT : END_ABORTED, why);
}

void
exchange_front_done(struct exchange *ex)
{
    bool cut = ex->to_front.aborted, closed = ex->tunnel && ex->tunnel->closing;
    enum reason why = cut ? ex->to_front.reason : closed ? ex->tunnel->why : REASON_NONE;

    detach(ex, ex->front);
    finish(ex, cut || closed ? END_ABORTED : END_ANSWERED, why);
}

void
exchange_attach_back(struct exchange *ex, struct exchange_end *back, bool real)
{
    ensure(!ex->back && !back->ex && !ex->ended && !ex->answer_here);
    ex->back = back;
    ex->back_is_real = real;
    ex->interim_here = false;
    ex->unprocessed = false;
    ex->todo &= ~(unsigned)(TODO_BACK_LOST | TODO_SILENCE);
    back->ex = ex;
    back->marks = 0;
    exchange_signal(back, MARK_HEAD | MARK_KICK);
    if (!real) {
        exchange_stop(&ex->to_back, ex->front);
        return;
    }
    if (ex->to_back.taken > 0)
        pipe_rewind(&ex->to_back);
    ex->to_back.window = PIPE_WINDOW;
    exchange_signal(ex->front, MARK_CREDIT);
}

/* An interim head that the front has not taken goes with its back. */
static void
forget_interim(struct exchange *ex)
{
    ex->interim_here = false;
    if (ex->front && !ex->answer_here)
        ex->front->marks &= ~(unsigned)MARK_HEAD;
}

void
exchange_detach_back(struct exchange *ex, enum reason why)
{
    ex->todo &= ~(unsigned)(TODO_BACK_LOST | TODO_SILENCE);
    if (!ex->back || ex->ended)
        return;
    reset(ex, ex->back, why);
    forget_interim(ex);
    if (ex->answer_here) {
        pipe_abort(&ex->to_front, why);
        exchange_signal(ex->front, MARK_KICK);
        exchange_stop(&ex->to_back, ex->front);
    } else {
        ex->to_back.window = 0;
    }
}

void
exchange_abort(struct exchange *ex, enum reason why)
{
    finish(ex, END_ABORTED, why);
}

void
exchange_interim_ready(struct exchange *ex)
{
    ex->interims++;
    ex->interim_here = true;
    due(ex, TODO_INTERIM);
}

void
exchange_answer_ready(struct exchange *ex)
{
    ex->answer_here = true;
    if (ex->back_is_real)
        ex->delivered = DELIVERED_YES;
    pipe_forget(&ex->to_back);
    due(ex, TODO_ANSWER);
}

void
exchange_back_lost(struct exchange *ex, enum reason why)
{
    detach(ex, ex->back);
    forget_interim(ex);
    if (ex->ended)
        return;
    if (ex->answer_here) {
        if (!ex->tunnel || !tunnel_back_lost(ex, why))
            pipe_abort(&ex->to_front, why);
        exchange_signal(ex->front, MARK_KICK);
        exchange_stop(&ex->to_back, ex->front);
        return;
    }
    ex->to_back.window = 0;
    ex->lost = why;
    due(ex, TODO_BACK_LOST);
}

void
exchange_back_done(struct exchange *ex)
{
    detach(ex, ex->back);
    if (ex->ended)
        return;
    exchange_signal(ex->front, MARK_KICK);
    if (!pipe_at_end(&ex->to_back))
        exchange_stop(&ex->to_back, ex->front);
}

void
exchange_silence(struct exchange *ex)
{
    due(ex, TODO_SILENCE);
}

bool
exchange_can_resend(const struct exchange *ex)
{
    if (ex->answer_here || ex->answer_started || ex->to_back.aborted || ex->ended)
        return false;
    if (ex->first_byte != 0 && !ex->unprocessed) /* it was being answered */
        return false;
    if (!pipe_can_rewind(&ex->to_back))
        return false;
    return ex->delivered == DELIVERED_NO || ex->unprocessed || method_idempotent(ex->req.method);
}
