/* SPDX-License-Identifier: BSD-2-Clause */
/* release.c: queue and window of one port. It must not know sandboxes, mail or deadlines. */
#include "config.h"

#include "sandbox/release.h"

#include <stdlib.h>

struct pair *
pair_new(uint16_t port, unsigned workers)
{
    struct pair *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    list_init(&p->link);
    p->port = port;
    p->workers = workers;
    p->window = 1;
    return p;
}

void
pair_free(struct pair *p)
{
    ensure(p->refs == 0 && p->queued == 0 && p->out == 0);
    list_unlink(&p->link);
    free(p->queue);
    free(p);
}

static int
make_queues(struct pair *p)
{
    if (p->queue)
        return 0;
    p->queue = calloc(2 * (size_t)p->workers, sizeof(*p->queue));
    if (!p->queue)
        return -1;
    for (unsigned i = 0; i < 2 * p->workers; i++)
        list_init(&p->queue[i]);
    return 0;
}

int
pair_push(struct pair *p, struct waiter *w)
{
    unsigned n = (unsigned)w->id.worker + (w->keep_alive ? 0 : p->workers);

    if (make_queues(p) < 0)
        return -1;
    list_push_back(&p->queue[n], &w->queue);
    p->queued++;
    p->refs++;
    w->pair = p;
    return 0;
}

void
pair_remove(struct pair *p, struct waiter *w)
{
    ensure(w->pair == p && list_linked(&w->queue) && p->queued > 0);
    list_unlink(&w->queue);
    p->queued--;
    p->refs--;
    w->pair = NULL;
}

/* The next worker's oldest, in the queues of one kind. */
static struct list *
next_in_line(struct pair *p, struct list *queue)
{
    for (unsigned i = 0; i < p->workers; i++) {
        unsigned n = (p->next + i) % p->workers;
        struct list *l = list_first(&queue[n]);

        if (l) {
            p->next = (n + 1) % p->workers;
            return l;
        }
    }
    return NULL;
}

struct waiter *
pair_pop(struct pair *p, usec_t now)
{
    struct list *l;

    if (p->queued == 0 || p->out >= (p->proven ? p->window : 1))
        return NULL;
    if (!p->proven && now < p->not_before)
        return NULL;
    l = next_in_line(p, p->queue);
    if (!l)
        l = next_in_line(p, p->queue + p->workers);
    ensure(l);
    list_unlink(l);
    p->queued--;
    p->out++;
    p->released++;
    if (p->since == 0)
        p->since = now;
    return container_of(l, struct waiter, queue);
}

bool
pair_ramping(const struct pair *p)
{
    return p->queued > 0 || (!p->proven && p->out > 0);
}

static void
give_back(struct pair *p)
{
    ensure(p->out > 0);
    p->out--;
}

void
pair_on_connected(struct pair *p, usec_t took)
{
    p->proven = true;
    if (took > RELEASE_SLOW_CONNECT && p->window > 1)
        p->window /= 2;
}

void
pair_on_failed(struct pair *p, usec_t since)
{
    give_back(p);
    if (since != 0 && (p->since == 0 || since < p->since))
        p->since = since;
}

void
pair_on_left(struct pair *p)
{
    give_back(p);
}

void
pair_on_answered(struct pair *p, bool ok, bool slow)
{
    if (!slow)
        give_back(p);
    if (ok && p->window < RELEASE_WINDOW_MAX)
        p->window++;
}

void
pair_on_slow(struct pair *p)
{
    give_back(p);
}

void
pair_reset(struct pair *p)
{
    p->proven = false;
    p->told = false;
    p->window = 1;
    p->since = 0;
    p->not_before = 0;
}
