/* SPDX-License-Identifier: BSD-2-Clause */
/* heap.c: the binary heap; every node knows its place, so that it can be moved and taken out. */
#include "config.h"

#include "base/heap.h"

#include <stdbool.h>
#include <stdlib.h>

#define HEAP_FIRST 16

void
heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

void
heap_fini(struct heap *h)
{
    free(h->node);
    heap_init(h);
}

static bool
before(const struct heap_node *a, const struct heap_node *b)
{
    return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

static void
place(struct heap *h, struct heap_node *n, size_t pos)
{
    h->node[pos] = n;
    n->pos = pos;
}

/* Finds n its place, beginning at pos, whose old occupant has been moved away. */
static void
settle(struct heap *h, struct heap_node *n, size_t pos)
{
    while (pos > 1 && before(n, h->node[pos / 2])) {
        place(h, h->node[pos / 2], pos);
        pos /= 2;
    }
    for (;;) {
        size_t child = 2 * pos;
        if (child > h->n)
            break;
        if (child < h->n && before(h->node[child + 1], h->node[child]))
            child++;
        if (!before(h->node[child], n))
            break;
        place(h, h->node[child], pos);
        pos = child;
    }
    place(h, n, pos);
}

int
heap_set(struct heap *h, struct heap_node *n, usec_t at)
{
    if (n->pos == 0) {
        if (h->n + 1 >= h->cap) {
            size_t cap = h->cap > 0 ? h->cap * 2 : HEAP_FIRST;
            struct heap_node **node = realloc(h->node, cap * sizeof(struct heap_node *));
            if (!node)
                return -1;
            h->node = node;
            h->cap = cap;
        }
        place(h, n, ++h->n);
    }
    n->at = at;
    n->seq = ++h->seq;
    settle(h, n, n->pos);
    return 0;
}

void
heap_remove(struct heap *h, struct heap_node *n)
{
    size_t pos = n->pos;

    if (pos == 0)
        return;
    ensure(pos <= h->n && h->node[pos] == n);
    n->pos = 0;
    struct heap_node *last = h->node[h->n--];
    if (last != n)
        settle(h, last, pos);
}

struct heap_node *
heap_top(const struct heap *h)
{
    return h->n > 0 ? h->node[1] : NULL;
}
