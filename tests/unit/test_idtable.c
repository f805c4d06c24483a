/* SPDX-License-Identifier: BSD-2-Clause */
/* Ids find their object and nobody else's, ever. */
#include "config.h"

#include "base/idtable.h"

#include "base/random.h"
#include "failalloc.h"
#include "unit.h"

static void
test_edges(void **state)
{
    struct idtable t;
    int a, b;

    (void)state;
    idtable_init(&t, 3);
    assert_null(idtable_get(&t, 0));
    assert_null(idtable_get(&t, 1));
    assert_null(idtable_remove(&t, 0));
    uint64_t id = idtable_add(&t, &a);
    assert_int_equal(id, 1);
    assert_ptr_equal(idtable_get(&t, id), &a);
    assert_null(idtable_get(&t, id + 1));
    assert_null(idtable_get(&t, id | 1 << 20));
    assert_ptr_equal(idtable_remove(&t, id), &a);
    assert_null(idtable_remove(&t, id));
    assert_null(idtable_get(&t, id));
    uint64_t again = idtable_add(&t, &b);
    assert_true(again != id);
    assert_null(idtable_get(&t, id));
    assert_ptr_equal(idtable_get(&t, again), &b);
    assert_int_equal(t.count, 1);
    idtable_fini(&t);
    idtable_init(&t, 0);
    assert_int_equal(idtable_add(&t, &a), 0);
    idtable_fini(&t);
}

static void
test_limit_and_memory(void **state)
{
    struct idtable t;
    int objs[20];
    uint64_t id[20];

    (void)state;
    idtable_init(&t, 20);
    failalloc_from(1);
    assert_int_equal(idtable_add(&t, &objs[0]), 0);
    failalloc_from(2);
    for (int i = 0; i < 16; i++)
        assert_true((id[i] = idtable_add(&t, &objs[i])) != 0);
    assert_int_equal(idtable_add(&t, &objs[16]), 0);
    failalloc_from(0);
    for (int i = 16; i < 20; i++)
        assert_true((id[i] = idtable_add(&t, &objs[i])) != 0);
    assert_int_equal(idtable_add(&t, &objs[0]), 0);
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(idtable_get(&t, id[i]), &objs[i]);
    assert_ptr_equal(idtable_remove(&t, id[7]), &objs[7]);
    assert_true(idtable_add(&t, &objs[7]) != 0);
    idtable_fini(&t);
}

#define OBJS 64
#define OLD 4096

static void
test_stale_ids_stay_stale(void **state)
{
    struct idtable t;
    struct random r;
    int objs[OBJS];
    uint64_t id[OBJS] = {0};
    static uint64_t old[OLD];
    size_t olds = 0;

    (void)state;
    random_seed(&r, 3);
    idtable_init(&t, OBJS);
    for (int step = 0; step < 100000; step++) {
        size_t i = random_below(&r, OBJS);
        if (id[i]) {
            assert_ptr_equal(idtable_get(&t, id[i]), &objs[i]);
            assert_ptr_equal(idtable_remove(&t, id[i]), &objs[i]);
            old[olds++ % OLD] = id[i];
            id[i] = 0;
        } else {
            id[i] = idtable_add(&t, &objs[i]);
            assert_true(id[i] != 0);
        }
        uint64_t stale = old[random_below(&r, OLD)];
        assert_null(idtable_get(&t, stale));
        assert_null(idtable_remove(&t, stale));
    }
    idtable_fini(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_limit_and_memory),
        cmocka_unit_test(test_stale_ids_stay_stale),
    };
    return cmocka_run_group_tests_name("idtable", tests, NULL, NULL);
}
