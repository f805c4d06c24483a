/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h: an intrusive, circular, doubly linked list. A node is in at most one list; a node that is
 * in none points at itself, so unlinking twice is harmless.
 */
#ifndef ROUSE_BASE_LIST_H
#define ROUSE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ensure.h"

struct list {
    struct list *next, *prev;
};

static inline void
list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
    return l->next == l;
}

static inline bool
list_linked(const struct list *n)
{
    return n->next != n;
}

static inline void
list_insert(struct list *at, struct list *n)
{
    n->next = at->next;
    n->prev = at;
    at->next->prev = n;
    at->next = n;
}

static inline void
list_push_front(struct list *l, struct list *n)
{
    list_insert(l, n);
}

static inline void
list_push_back(struct list *l, struct list *n)
{
    list_insert(l->prev, n);
}

static inline void
list_unlink(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

/* The first node, or NULL. */
static inline struct list *
list_first(const struct list *l)
{
    return l->next == l ? NULL : l->next;
}

static inline struct list *
list_last(const struct list *l)
{
    return l->prev == l ? NULL : l->prev;
}

/* Removes and returns the first node, or NULL. */
static inline struct list *
list_pop_front(struct list *l)
{
    struct list *n = list_first(l);

    if (n)
        list_unlink(n);
    return n;
}

/* Moves all of src to the end of dst. */
static inline void
list_splice_back(struct list *dst, struct list *src)
{
    if (list_empty(src))
        return;
    src->next->prev = dst->prev;
    dst->prev->next = src->next;
    src->prev->next = dst;
    dst->prev = src->prev;
    list_init(src);
}

/* The body may unlink n. */
#define list_each_safe(n, tmp, l) \
    for (struct list *n = (l)->next, *tmp = n->next; n != (l); n = tmp, tmp = n->next)
#define list_each(n, l) for (struct list *n = (l)->next; n != (l); n = n->next)

#endif
