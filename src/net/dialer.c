/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialer.c: see dialer.h. An attempt ends once, whatever ends it: what it came to is written
 * down, and told from the run list.
 *
 *     connecting --connected, failed, ttl over--> ended --run list--> told, reaped
 *                --dialer_stop--> reaped
 */
#include "config.h"

#include "net/dialer.h"

#include "base/metric.h"

#include <errno.h>
#include <stdlib.h>

struct attempt {
    struct list link;
    struct dialer *dialer;
    struct loop *loop;
    struct conn conn;
    struct wheel_timer ttl;
    struct task tell, reap;
    usec_t started;
    int error; /* 0: connected */
};

static void
reap_attempt(struct task *t)
{
    free(container_of(t, struct attempt, reap));
}

/* Takes the attempt out of its dialer; the caller still sees to the connection. */
static void
let_go(struct attempt *a)
{
    ensure(a->dialer->open > 0 && a->loop->dials > 0);
    a->dialer->open--;
    a->loop->dials--;
    list_unlink(&a->link);
    task_cancel(&a->tell);
    loop_timer_cancel(a->loop, &a->ttl);
    loop_queue_reap(a->loop, &a->reap);
}

static void
tell(struct task *t)
{
    struct attempt *a = container_of(t, struct attempt, tell);
    struct dialer *d = a->dialer;

    let_go(a);
    if (a->error != 0) {
        d->why = conn_tls_error(&a->conn);
        conn_close(&a->conn, false);
        d->owner->on_failed(d, a->error, d->open);
    } else {
        d->owner->on_connected(d, &a->conn, a->loop->now - a->started);
        conn_close(&a->conn, false); /* unless it was moved away */
    }
}

static void
end(struct attempt *a, int error)
{
    if (list_linked(&a->tell.link))
        return;
    a->error = error;
    loop_queue_run(a->loop, &a->tell);
}

static void
on_attempt(struct conn *c, unsigned events)
{
    struct attempt *a = container_of(c, struct attempt, conn);

    if (events & CONN_FAILED)
        end(a, c->error);
    else if (events & CONN_WRITABLE)
        end(a, 0);
}

static const struct conn_owner attempt_owner = {"attempt", on_attempt};

static void
on_ttl(struct wheel_timer *t)
{
    end(container_of(t, struct attempt, ttl), ETIMEDOUT);
}

void
dialer_init(struct dialer *d, struct loop *l, const struct dialer_owner *o)
{
    *d = (struct dialer){.loop = l, .owner = o};
    list_init(&d->attempts);
}

/* 0, or -1 with errno. */
static int
secure(struct attempt *a)
{
    const struct dialer_tls *tls = a->dialer->tls;

    return tls ? conn_start_tls_client(&a->conn, tls->client, tls->server_name) : 0;
}

int
dialer_start(struct dialer *d, const struct endpoint *to, usec_t ttl)
{
    struct loop *l = d->loop;
    struct attempt *a;

    if (d->open >= DIALER_MAX_PARALLEL || l->dials >= DIALER_MAX_OPEN) {
        errno = EAGAIN;
        return -1;
    }
    a = calloc(1, sizeof(*a));
    if (!a)
        return -1;
    a->dialer = d;
    a->loop = l;
    a->started = l->now;
    list_push_back(&d->attempts, &a->link);
    wheel_timer_init(&a->ttl, on_ttl);
    task_init(&a->tell, tell);
    task_init(&a->reap, reap_attempt);
    d->open++;
    d->started++;
    l->dials++;
    metric_add(l->metrics, METRIC_BACK_CONNECTS, 1);
    if (conn_open_connect(&a->conn, l, to, &attempt_owner) != 0 || secure(a) != 0)
        end(a, errno != 0 ? errno : ENOMEM);
    else
        loop_timer_set(l, &a->ttl, usec_add(l->now, ttl));
    return 0;
}

void
dialer_stop(struct dialer *d)
{
    struct list *n;

    while ((n = list_first(&d->attempts)) != NULL) {
        struct attempt *a = container_of(n, struct attempt, link);

        let_go(a);
        conn_close(&a->conn, false);
    }
}
