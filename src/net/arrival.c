/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrival.c: see arrival.h. It must not know sessions, sites or limits of connections. Owner: the
 * worker; one loop.
 *
 * A PROXY header is looked at with MSG_PEEK and then taken exactly, because TLS reads from the
 * descriptor itself.
 */
#include "config.h"

#include "net/arrival.h"

#include "base/metric.h"
#include "net/proxy_header.h"
#include "net/tls_info.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* For the first byte, once draining. */
#define DRAIN_TIME USEC_SEC
#define MAX_HANDSHAKES 1000
/* Part of its time that a handshake has while others wait for room. */
#define PATIENCE 5
/* Spare arrivals that are kept: as many as are accepted in a turn, twice. */
#define SPARE 128
#define TO(sym) (1u << ARRIVAL_IS_##sym)

static const char client_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
_Static_assert(sizeof(client_preface) - 1 == ARRIVAL_PREFACE, "preface");

static const unsigned legal_moves[ARRIVAL_STATE_COUNT] = {
    [ARRIVAL_IS_HEADER] = TO(HELLO) | TO(FIRST) | TO(GONE),
    [ARRIVAL_IS_HELLO] = TO(QUEUED) | TO(SHAKING) | TO(GONE),
    [ARRIVAL_IS_QUEUED] = TO(SHAKING) | TO(GONE),
    [ARRIVAL_IS_SHAKING] = TO(GONE),
    [ARRIVAL_IS_FIRST] = TO(PREFACE) | TO(GONE),
    [ARRIVAL_IS_PREFACE] = TO(GONE),
};

void
arrival_options_init(struct arrival_options *o)
{
    *o = (struct arrival_options){
        .header_time = USEC_SEC,
        .handshake_time = 10 * USEC_SEC,
        .idle = 60 * USEC_SEC,
        .head_time = 10 * USEC_SEC,
    };
}

/* --- life ------------------------------------------------------------------------------------ */

static usec_t
state_due(const struct arrival *a)
{
    switch (a->state) {
    case ARRIVAL_IS_HEADER:
        return usec_add(a->accepted, a->o->header_time);
    case ARRIVAL_IS_HELLO:
        return usec_min(usec_add(a->accepted, a->o->handshake_time),
                        a->draining ? a->since + DRAIN_TIME : USEC_NEVER);
    case ARRIVAL_IS_QUEUED:
    case ARRIVAL_IS_SHAKING:
        return usec_add(a->accepted, a->o->handshake_time);
    case ARRIVAL_IS_FIRST:
        return usec_add(a->since, a->draining ? DRAIN_TIME : a->o->idle);
    case ARRIVAL_IS_PREFACE:
        return usec_add(a->first, a->o->head_time);
    case ARRIVAL_IS_GONE:
    case ARRIVAL_STATE_COUNT:
        break;
    }
    return USEC_NEVER;
}

static void
arm(struct arrival *a)
{
    usec_t due = state_due(a);

    if (due < a->timer.deadline)
        loop_timer_set(a->hall->loop, &a->timer, due);
}

static void
set_state(struct arrival *a, enum arrival_state to)
{
    ensure(legal_moves[a->state] & 1u << to);
    a->state = to;
    a->since = a->hall->loop->now;
    arm(a);
}

static void
on_reap(struct task *t)
{
    struct arrival *a = container_of(t, struct arrival, reap);

    pool_give(&a->hall->loop->small_reads, a->block);
    pool_give(&a->hall->pool, a);
}

static void
leave(struct arrival *a)
{
    if (a->state == ARRIVAL_IS_SHAKING) {
        a->hall->handshakes--;
        metric_add(a->hall->loop->metrics, METRIC_TLS_SHAKING, -1);
        if (!list_empty(&a->hall->queue))
            loop_queue_run(a->hall->loop, &a->hall->next);
    }
    list_unlink(&a->turn);
    set_state(a, ARRIVAL_IS_GONE);
    loop_timer_cancel(a->hall->loop, &a->timer);
    loop_queue_reap(a->hall->loop, &a->reap);
}

static void
gone(struct arrival *a, enum reason why, const char *detail)
{
    if (a->state == ARRIVAL_IS_GONE)
        return;
    leave(a);
    a->owner->on_gone(a->ctx, a, why, detail);
    conn_close(&a->conn, false);
}

static void
ready(struct arrival *a, enum arrival_protocol protocol, struct slice early)
{
    leave(a);
    a->owner->on_ready(a->ctx, a, &a->conn, protocol, early);
    conn_close(&a->conn, false); /* unless it was moved away */
}

/* A read gave got, no bytes: the peer has closed, after part of something or nothing, or the
 * connection is broken. */
static void
lost(struct arrival *a, ssize_t got, bool part)
{
    if (got < 0)
        gone(a, REASON_CLIENT_LEFT, "");
    else
        gone(a, part ? REASON_CLIENT_TRUNCATED : REASON_NONE, "");
}

/* --- TLS ------------------------------------------------------------------------------------- */

static usec_t
patience_over(const struct arrival *a)
{
    return usec_add(a->since, a->o->handshake_time / PATIENCE);
}

/* Somebody waits: the oldest handshake has only so much time left. */
static void
hurry(struct arrival_hall *h)
{
    struct list *oldest = list_first(&h->shaking);
    usec_t due;

    if (list_empty(&h->queue) || !oldest)
        return;
    due = patience_over(container_of(oldest, struct arrival, turn));
    if (due < h->patience.deadline)
        loop_timer_set(h->loop, &h->patience, due);
}

static void
on_patience(struct wheel_timer *t)
{
    struct arrival_hall *h = container_of(t, struct arrival_hall, patience);
    struct list *n;

    while (!list_empty(&h->queue) && (n = list_first(&h->shaking)) != NULL) {
        struct arrival *a = container_of(n, struct arrival, turn);

        if (patience_over(a) > h->loop->now)
            break;
        gone(a, REASON_TLS_HANDSHAKE, "slow while others waited");
    }
    hurry(h);
}

/* There is room. */
static void
shake_hands(struct arrival *a)
{
    list_unlink(&a->turn);
    list_push_back(&a->hall->shaking, &a->turn);
    a->hall->handshakes++;
    metric_add(a->hall->loop->metrics, METRIC_TLS_SHAKING, 1);
    set_state(a, ARRIVAL_IS_SHAKING);
    if (!a->o->tls)
        gone(a, REASON_SHUTDOWN, "the listener no longer speaks TLS");
    else if (conn_start_tls_server(&a->conn, a->o->tls) < 0)
        gone(a, REASON_OUT_OF_MEMORY, "");
}

/* The first byte has come. */
static void
greet(struct arrival *a)
{
    a->first = a->hall->loop->now;
    if (a->conn.hup) {
        gone(a, REASON_NONE, ""); /* no handshake ends without the client */
    } else if (a->hall->handshakes < a->hall->max_handshakes) {
        shake_hands(a);
    } else {
        list_push_back(&a->hall->queue, &a->turn);
        set_state(a, ARRIVAL_IS_QUEUED);
        hurry(a->hall);
    }
}

static void
on_next(struct task *t)
{
    struct arrival_hall *h = container_of(t, struct arrival_hall, next);
    struct list *n;

    while (h->handshakes < h->max_handshakes && (n = list_first(&h->queue)) != NULL)
        shake_hands(container_of(n, struct arrival, turn));
    hurry(h);
}

void
arrival_hall_init(struct arrival_hall *h, struct loop *l)
{
    *h = (struct arrival_hall){.loop = l, .max_handshakes = MAX_HANDSHAKES};
    pool_init(&h->pool, sizeof(struct arrival), SPARE, 0);
    list_init(&h->shaking);
    list_init(&h->queue);
    task_init(&h->next, on_next);
    wheel_timer_init(&h->patience, on_patience);
}

void
arrival_hall_fini(struct arrival_hall *h)
{
    task_cancel(&h->next);
    loop_timer_cancel(h->loop, &h->patience);
    pool_fini(&h->pool);
}

static void
end_handshake(struct arrival *a)
{
    const struct tls_info *tls = conn_tls(&a->conn);

    metric_add(a->hall->loop->metrics, METRIC_TLS_HANDSHAKES, 1);
    ready(a, tls && tls->h2 ? ARRIVAL_H2 : ARRIVAL_H1, SLICE_NONE);
}

/* --- what it speaks -------------------------------------------------------------------------- */

/* n bytes have come, and they are the client preface as far as they go. */
static bool
may_be_h2(const struct arrival *a, const char *p, size_t n)
{
    return a->o->h2 && memcmp(p, client_preface, n < ARRIVAL_PREFACE ? n : ARRIVAL_PREFACE) == 0;
}

/* Keeps what is undecided and gives the block back. */
static void
keep_early(struct arrival *a, size_t n)
{
    memcpy(a->preface, a->block, n);
    a->early = (uint32_t)n;
    pool_give(&a->hall->loop->small_reads, a->block);
    a->block = NULL;
    if (a->state == ARRIVAL_IS_FIRST) {
        a->first = a->hall->loop->now;
        set_state(a, ARRIVAL_IS_PREFACE);
    }
}

/* n bytes are in the block. */
static void
judge(struct arrival *a, size_t n)
{
    bool h2 = may_be_h2(a, a->block, n);

    if (h2 && n < ARRIVAL_PREFACE) {
        keep_early(a, n);
        return;
    }
    if (a->state == ARRIVAL_IS_FIRST)
        a->first = a->hall->loop->now;
    ready(a, h2 ? ARRIVAL_H2 : ARRIVAL_H1, (struct slice){a->block, n});
}

/* One read behind what is kept. */
static void
read_first(struct arrival *a)
{
    struct pool *pool = &a->hall->loop->small_reads;
    ssize_t got;

    a->block = pool_take(pool);
    if (!a->block) {
        gone(a, REASON_OUT_OF_MEMORY, "");
        return;
    }
    memcpy(a->block, a->preface, a->early);
    got = conn_read(&a->conn, a->block + a->early, pool->size - a->early);
    if (got > 0) {
        judge(a, a->early + (size_t)got);
        return;
    }
    pool_give(pool, a->block);
    a->block = NULL;
    if (got == 0 || errno != EAGAIN)
        lost(a, got, a->early > 0);
}

/* A preface that does not go on is HTTP/1's to refuse. */
static void
give_up_preface(struct arrival *a)
{
    a->block = pool_take(&a->hall->loop->small_reads);
    if (!a->block) {
        gone(a, REASON_OUT_OF_MEMORY, "");
        return;
    }
    memcpy(a->block, a->preface, a->early);
    ready(a, ARRIVAL_H1, (struct slice){a->block, a->early});
}

/* --- whose it is ----------------------------------------------------------------------------- */

/* Takes the header's n bytes, which were seen, off the descriptor. */
static int
take_header(struct arrival *a, size_t n)
{
    char header[PROXY_HEADER_MAX];

    return conn_read(&a->conn, header, n) == (ssize_t)n ? 0 : -1;
}

/* Whose it is, is known; what it speaks comes next. */
static void
start(struct arrival *a)
{
    a->known = true;
    set_state(a, a->o->tls ? ARRIVAL_IS_HELLO : ARRIVAL_IS_FIRST);
}

static void
end_header(struct arrival *a, const struct proxy_header *h)
{
    if (take_header(a, h->n) < 0) {
        lost(a, -1, true);
        return;
    }
    if (h->announced)
        a->conn.peer = h->source;
    if (!a->owner->on_announced(a->ctx, a))
        gone(a, REASON_CONNECTION_LIMIT, "too many of the announced client");
    else if (a->state != ARRIVAL_IS_GONE)
        start(a);
}

static void
read_header(struct arrival *a)
{
    char bytes[PROXY_HEADER_MAX];
    struct proxy_header h;
    const char *why;
    ssize_t got;

    do
        got = recv(a->conn.fd, bytes, sizeof(bytes), MSG_PEEK);
    while (got == -1 && errno == EINTR);
    if (got == -1 && errno == EAGAIN) {
        a->conn.readable = false;
        return;
    }
    if (got <= 0) {
        lost(a, got, false);
        return;
    }
    switch (proxy_header_parse((struct slice){bytes, (size_t)got}, &h, &why)) {
    case PROXY_HEADER_MORE:
        if (a->conn.hup)
            lost(a, 0, true);
        else
            a->conn.readable = false; /* what comes is an edge of its own */
        return;
    case PROXY_HEADER_BAD:
        gone(a, REASON_PROXY_HEADER, why);
        return;
    case PROXY_HEADER_DONE:
        end_header(a, &h);
        return;
    }
}

/* --- events ---------------------------------------------------------------------------------- */

static void
fail(struct arrival *a)
{
    if (a->state == ARRIVAL_IS_SHAKING && a->conn.error != ECONNRESET)
        gone(a, REASON_TLS_HANDSHAKE, conn_tls_error(&a->conn));
    else
        gone(a, REASON_CLIENT_LEFT, "");
}

static void
on_event(struct conn *c, unsigned events)
{
    struct arrival *a = container_of(c, struct arrival, conn);

    if (events & CONN_FAILED) {
        fail(a);
        return;
    }
    if (a->state == ARRIVAL_IS_SHAKING) {
        if (events & CONN_WRITABLE)
            end_handshake(a);
        return;
    }
    if (a->state == ARRIVAL_IS_HEADER && c->readable)
        read_header(a);
    if (a->state == ARRIVAL_IS_HELLO && c->readable)
        greet(a);
    else if (a->state == ARRIVAL_IS_QUEUED && c->hup)
        gone(a, REASON_CLIENT_TRUNCATED, "");
    while ((a->state == ARRIVAL_IS_FIRST || a->state == ARRIVAL_IS_PREFACE) && c->readable)
        read_first(a);
}

static const struct conn_owner conn_owner = {.name = "arrival", .on_event = on_event};

static void
time_out(struct arrival *a)
{
    switch (a->state) {
    case ARRIVAL_IS_HEADER:
        gone(a, REASON_PROXY_HEADER, "not complete in time");
        break;
    case ARRIVAL_IS_QUEUED:
    case ARRIVAL_IS_SHAKING:
        gone(a, REASON_TLS_HANDSHAKE, "not over in time");
        break;
    case ARRIVAL_IS_HELLO:
    case ARRIVAL_IS_FIRST:
        gone(a, a->draining ? REASON_SHUTDOWN : REASON_IDLE, "");
        break;
    case ARRIVAL_IS_PREFACE:
        give_up_preface(a);
        break;
    case ARRIVAL_IS_GONE:
    case ARRIVAL_STATE_COUNT:
        break;
    }
}

static void
on_timer(struct wheel_timer *t)
{
    struct arrival *a = container_of(t, struct arrival, timer);

    if (state_due(a) <= a->hall->loop->now)
        time_out(a);
    else
        arm(a);
}

struct arrival *
arrival_open(struct arrival_hall *h, int fd, const struct endpoint *peer,
             const struct arrival_options *o, const struct arrival_owner *owner, void *ctx)
{
    struct arrival *a = pool_take(&h->pool);

    if (!a) {
        close(fd);
        return NULL;
    }
    if (conn_open_accepted(&a->conn, h->loop, fd, peer, &conn_owner) < 0) {
        pool_give(&h->pool, a);
        return NULL;
    }
    list_init(&a->link);
    list_init(&a->turn);
    a->hall = h;
    a->o = o;
    a->owner = owner;
    a->ctx = ctx;
    wheel_timer_init(&a->timer, on_timer);
    task_init(&a->reap, on_reap);
    a->state = ARRIVAL_IS_HEADER;
    a->draining = a->known = false;
    a->accepted = a->since = a->first = h->loop->now;
    a->block = NULL;
    a->early = 0;
    if (o->proxy_header)
        arm(a);
    else
        start(a);
    return a;
}

void
arrival_drain(struct arrival *a)
{
    if (a->draining || a->state == ARRIVAL_IS_GONE)
        return;
    a->draining = true;
    if (a->state == ARRIVAL_IS_HELLO || a->state == ARRIVAL_IS_FIRST)
        a->since = a->hall->loop->now;
    arm(a);
}

void
arrival_close(struct arrival *a, enum reason why)
{
    gone(a, why, "");
}
