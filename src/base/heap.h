/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.h: an intrusive binary min-heap of exact deadlines, for the pure domain, where a timer that
 * fires late by a tick would blur what is tested. Ties fire in the order they were set.
 */
#ifndef ROUSE_BASE_HEAP_H
#define ROUSE_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/usec.h"

/* All zero before its first use. */
struct heap_node {
    usec_t at;
    uint64_t seq;
    size_t pos; /* 0: not in the heap */
};

struct heap {
    struct heap_node **node; /* 1-based */
    size_t n, cap;
    uint64_t seq;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h);
/* Puts the node at that time, or moves it there. -1 only when out of memory and the node is new. */
int heap_set(struct heap *h, struct heap_node *n, usec_t at) must_check;
/* Harmless when the node is not in the heap. */
void heap_remove(struct heap *h, struct heap_node *n);
/* The earliest node, or NULL. */
struct heap_node *heap_top(const struct heap *h);

#endif
