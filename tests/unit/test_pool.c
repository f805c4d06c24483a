/* SPDX-License-Identifier: BSD-2-Clause */
/* Pool and arena: what goes out comes back, and nothing beyond the limits. */
#include "config.h"

#include "base/pool.h"

#include "base/arena.h"
#include "base/random.h"
#include "failalloc.h"
#include "unit.h"

static void
test_pool_limits(void **state)
{
    struct pool p;
    void *b[4];

    (void)state;
    pool_init(&p, 64, 2, 3);
    for (int i = 0; i < 3; i++)
        assert_non_null(b[i] = pool_take(&p));
    assert_null(pool_take(&p));
    assert_int_equal(p.refused, 1);
    assert_int_equal(p.out, 3);
    for (int i = 0; i < 3; i++) {
        memset(b[i], i, 64);
        pool_give(&p, b[i]);
    }
    pool_give(&p, NULL);
    assert_int_equal(p.out, 0);
    assert_true(p.spares == p.max_spare && p.spares <= 2);
    failalloc_from(1);
    for (size_t i = 0; i < p.max_spare; i++)
        assert_non_null(b[i] = pool_take(&p));
    assert_null(pool_take(&p));
    failalloc_from(0);
    assert_int_equal(p.refused, 2);
    for (size_t i = 0; i < p.max_spare; i++)
        pool_give(&p, b[i]);
    pool_fini(&p);
}

static void
test_arena_alignment_and_text(void **state)
{
    struct pool p;
    struct arena a;

    (void)state;
    pool_init(&p, 1024, 4, 0);
    arena_init(&a, &p, 1 << 20);
    assert_int_equal(p.out, 0);
    assert_slice(arena_copy(&a, SLICE_NONE), "");
    assert_non_null(arena_copy(&a, SLICE_NONE).p);
    assert_int_equal(p.out, 0);
    for (size_t n = 0; n < 300; n++) {
        char *text = arena_bytes(&a, n);
        void *obj = arena_alloc(&a, n);
        assert_non_null(text);
        assert_non_null(obj);
        assert_int_equal((uintptr_t)obj % _Alignof(max_align_t), 0);
        memset(text, 't', n);
        memset(obj, 'o', n);
    }
    assert_slice(arena_copy(&a, SLICE("hello")), "hello");
    arena_reset(&a);
    assert_int_equal(p.out, 0);
    assert_int_equal(a.used, 0);
    pool_fini(&p);
}

static void
test_arena_limit(void **state)
{
    struct pool p;
    struct arena a;

    (void)state;
    pool_init(&p, 256, 4, 0);
    arena_init(&a, &p, 1000);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_bytes(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, 1000));
    assert_non_null(arena_alloc(&a, 700));
    assert_non_null(arena_alloc(&a, 100));
    assert_non_null(arena_bytes(&a, 50));
    assert_null(arena_alloc(&a, 200));
    assert_true(a.used <= 1000);
    arena_reset(&a);
    arena_init(&a, &p, 100);
    assert_null(arena_alloc(&a, 1));
    arena_reset(&a);
    pool_fini(&p);
}

/* Lent bytes come first, are not counted, and are nobody's to free. */
static void
test_arena_lent(void **state)
{
    _Alignas(max_align_t) char room[128];
    struct pool p;
    struct arena a;

    (void)state;
    pool_init(&p, 256, 4, 0);
    arena_init(&a, &p, 1000);
    arena_lend(&a, room, sizeof(room));
    for (int i = 0; i < 2; i++) {
        char *object = arena_alloc(&a, 32), *text = arena_bytes(&a, 16);

        assert_true(object >= room && object < room + sizeof(room));
        assert_true(text >= object + 32 && text + 16 <= room + sizeof(room));
        assert_int_equal(p.out, 0);
        assert_int_equal(a.used, 0);
        assert_non_null(arena_alloc(&a, 400)); /* a block of its own */
        assert_non_null(arena_alloc(&a, 100)); /* one of the pool's */
        assert_int_equal(p.out, 1);
        arena_reset(&a);
        assert_int_equal(p.out, 0);
        arena_lend(&a, room, sizeof(room));
    }
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 32));
    assert_int_equal(p.out, 1);
    arena_reset(&a);
    pool_fini(&p);
}

static void
test_arena_no_memory(void **state)
{
    struct pool p;
    struct arena a;

    (void)state;
    pool_init(&p, 256, 0, 0);
    arena_init(&a, &p, 10000);
    failalloc_from(1);
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_bytes(&a, 1000));
    assert_null(arena_copy(&a, SLICE("x")).p);
    failalloc_from(0);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 1));
    arena_reset(&a);
    pool_fini(&p);
}

#define PARTS 200

/* Nothing that was handed out overlaps anything else, whatever the sizes. */
static void
test_arena_parts_are_apart(void **state)
{
    struct pool p;
    struct arena a;
    struct random r;
    unsigned char *part[PARTS];
    size_t size[PARTS];

    (void)state;
    random_seed(&r, 6);
    pool_init(&p, 512, 4, 0);
    arena_init(&a, &p, 1 << 20);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < PARTS; i++) {
            size[i] = random_below(&r, random_below(&r, 10) == 0 ? 1500 : 60);
            part[i] = random_below(&r, 2) ? arena_alloc(&a, size[i])
                                          : (unsigned char *)arena_bytes(&a, size[i]);
            assert_non_null(part[i]);
            memset(part[i], (int)i, size[i]);
        }
        for (size_t i = 0; i < PARTS; i++)
            for (size_t k = 0; k < size[i]; k++)
                if (part[i][k] != (unsigned char)i)
                    fail_msg("part %zu was overwritten", i);
        arena_reset(&a);
    }
    pool_fini(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_limits),     cmocka_unit_test(test_arena_alignment_and_text),
        cmocka_unit_test(test_arena_limit),     cmocka_unit_test(test_arena_no_memory),
        cmocka_unit_test(test_arena_parts_are_apart), cmocka_unit_test(test_arena_lent),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
