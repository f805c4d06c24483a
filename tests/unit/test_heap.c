/* SPDX-License-Identifier: BSD-2-Clause */
/* Exact deadlines: always the earliest, and of equals the one set first. */
#include "config.h"

#include "base/heap.h"

#include "base/random.h"
#include "failalloc.h"
#include "unit.h"

static void
test_edges(void **state)
{
    struct heap h;
    struct heap_node a = {0}, b = {0}, c = {0};

    (void)state;
    heap_init(&h);
    assert_null(heap_top(&h));
    heap_remove(&h, &a);
    failalloc_from(1);
    assert_int_equal(heap_set(&h, &a, 5), -1);
    failalloc_from(0);
    assert_int_equal(a.pos, 0);
    assert_int_equal(heap_set(&h, &a, 5), 0);
    assert_int_equal(heap_set(&h, &b, 5), 0);
    assert_int_equal(heap_set(&h, &c, -1), 0);
    assert_ptr_equal(heap_top(&h), &c);
    failalloc_from(1);
    assert_int_equal(heap_set(&h, &c, USEC_NEVER), 0);
    failalloc_from(0);
    assert_ptr_equal(heap_top(&h), &a);
    assert_int_equal(heap_set(&h, &a, 5), 0);
    assert_ptr_equal(heap_top(&h), &b);
    heap_remove(&h, &b);
    heap_remove(&h, &b);
    heap_remove(&h, &a);
    heap_remove(&h, &c);
    assert_null(heap_top(&h));
    heap_fini(&h);
}

#define NODES 200

/* The earliest by looking at all of them. */
static struct heap_node *
slow_top(struct heap_node *node)
{
    struct heap_node *top = NULL;

    for (size_t i = 0; i < NODES; i++)
        if (node[i].pos != 0 && (!top || node[i].at < top->at ||
                                 (node[i].at == top->at && node[i].seq < top->seq)))
            top = &node[i];
    return top;
}

static void
test_against_search(void **state)
{
    static struct heap_node node[NODES];
    struct heap h;
    struct random r;

    (void)state;
    random_seed(&r, 4);
    heap_init(&h);
    for (int step = 0; step < 50000; step++) {
        struct heap_node *n = &node[random_below(&r, NODES)];
        if (random_below(&r, 3) == 0)
            heap_remove(&h, n);
        else
            assert_int_equal(heap_set(&h, n, (usec_t)random_below(&r, 50)), 0);
        assert_ptr_equal(heap_top(&h), slow_top(node));
    }
    usec_t last = 0;
    struct heap_node *top;
    while ((top = heap_top(&h)) != NULL) {
        assert_true(top->at >= last);
        last = top->at;
        heap_remove(&h, top);
    }
    heap_fini(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_against_search),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
