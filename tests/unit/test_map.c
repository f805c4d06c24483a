/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash map: SipHash by the reference's vectors, the table against a naive one. */
#include "config.h"

#include "base/map.h"

#include "base/random.h"
#include "failalloc.h"
#include "unit.h"

struct item {
    struct map_node node;
    char key[16];
    bool in;
    unsigned seen;
};

/* SipHash written after the paper, with its two numbers of rounds, to compare with. */
static uint64_t
reference(const unsigned char *p, size_t n, uint64_t k0, uint64_t k1, int c, int d)
{
    uint64_t v0 = k0 ^ 0x736f6d6570736575, v1 = k1 ^ 0x646f72616e646f6d;
    uint64_t v2 = k0 ^ 0x6c7967656e657261, v3 = k1 ^ 0x7465646279746573;
    size_t words = n / 8 + 1;

    for (size_t w = 0; w <= words; w++) {
        uint64_t m = 0;
        int rounds = w < words ? c : d;
        for (size_t i = 0; w < words && i < 8; i++)
            if (w * 8 + i < n)
                m |= (uint64_t)p[w * 8 + i] << 8 * i;
        if (w == words - 1)
            m |= (uint64_t)n << 56;
        v3 ^= m;
        if (w == words)
            v2 ^= 0xff;
        while (rounds-- > 0) {
            v0 += v1;
            v2 += v3;
            v1 = (v1 << 13 | v1 >> 51) ^ v0;
            v3 = (v3 << 16 | v3 >> 48) ^ v2;
            v0 = v0 << 32 | v0 >> 32;
            v2 += v1;
            v0 += v3;
            v1 = (v1 << 17 | v1 >> 47) ^ v2;
            v3 = (v3 << 21 | v3 >> 43) ^ v0;
            v2 = v2 << 32 | v2 >> 32;
        }
        v0 ^= m;
    }
    return v0 ^ v1 ^ v2 ^ v3;
}

static void
test_siphash(void **state)
{
    const uint64_t k0 = 0x0706050403020100, k1 = 0x0f0e0d0c0b0a0908;
    unsigned char in[80];

    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)i;
    /* The paper's vectors for SipHash-2-4 prove the reference. */
    assert_true(reference(in, 0, k0, k1, 2, 4) == 0x726fdb47dd0e0e31);
    assert_true(reference(in, 15, k0, k1, 2, 4) == 0xa129ca6149be45e5);
    assert_true(reference(in, 63, k0, k1, 2, 4) == 0x958a324ceb064572);
    for (size_t n = 0; n < sizeof in; n++)
        assert_true(map_hash((struct slice){(const char *)in, n}, k0, k1) ==
                    reference(in, n, k0, k1, 1, 3));
    assert_true(map_hash(SLICE_NONE, k0, k1) == 0xabac0158050fc4dc);
    assert_true(map_hash(SLICE("a"), 1, 2) != map_hash(SLICE("a"), 2, 1));
}

static void
test_edges(void **state)
{
    struct map m;
    struct item a = {0}, b = {0}, c = {0};
    size_t cursor = 0;

    (void)state;
    map_init(&m, 2, 1, 2);
    assert_null(map_find(&m, SLICE("a")));
    assert_null(map_next(&m, &cursor, NULL));
    assert_int_equal(map_insert(&m, &a.node, SLICE("a")), 0);
    assert_int_equal(map_insert(&m, &b.node, SLICE("a")), -1);
    assert_int_equal(map_insert(&m, &b.node, SLICE("")), 0);
    assert_int_equal(map_insert(&m, &c.node, SLICE("c")), -1);
    assert_ptr_equal(map_find(&m, SLICE_NONE), &b.node);
    assert_int_equal(m.count, 2);
    map_remove(&m, &a.node);
    assert_null(map_find(&m, SLICE("a")));
    map_remove(&m, &b.node);
    assert_int_equal(m.count, 0);
    map_fini(&m);
    assert_int_equal(map_insert(&m, &a.node, SLICE("a")), 0);
    map_fini(&m);
    map_init(&m, 0, 1, 2);
    assert_int_equal(map_insert(&m, &a.node, SLICE("a")), -1);
    map_fini(&m);
}

#define ITEMS 500

static void
make_items(struct item *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        item[i] = (struct item){0};
        item[i].key[0] = (char)('a' + i % 26);
        item[i].key[1] = (char)('a' + i / 26 % 26);
        item[i].key[2] = '\0';
        item[i].key[3] = (char)('a' + i / 676);
    }
}

static struct slice
key_of(const struct item *it)
{
    return (struct slice){it->key, 4};
}

static void
test_no_memory(void **state)
{
    static struct item item[100];
    struct map m;

    (void)state;
    make_items(item, 100);
    map_init(&m, 1000, 1, 2);
    failalloc_from(1);
    assert_int_equal(map_insert(&m, &item[0].node, key_of(&item[0])), -1);
    assert_int_equal(m.count, 0);
    /* With its first slots there, it goes on without more. */
    failalloc_from(2);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(map_insert(&m, &item[i].node, key_of(&item[i])), 0);
    assert_int_equal(m.slots, 16);
    failalloc_from(0);
    for (size_t i = 0; i < 100; i++)
        assert_ptr_equal(map_find(&m, key_of(&item[i])), &item[i].node);
    map_fini(&m);
}

static void
walk(struct map *m, struct item *item, struct random *r, bool removing)
{
    size_t cursor = 0;
    struct map_node *n = NULL;

    for (size_t i = 0; i < ITEMS; i++)
        item[i].seen = 0;
    while ((n = map_next(m, &cursor, n)) != NULL) {
        struct item *it = container_of(n, struct item, node);
        assert_true(it->in || it->seen > 0);
        it->seen++;
        if (removing && random_below(r, 2)) {
            map_remove(m, n);
            it->in = false;
            memset(n, 0x5a, sizeof *n);
        }
    }
    for (size_t i = 0; i < ITEMS; i++) {
        assert_true(item[i].seen <= 1);
        assert_true(!item[i].in || item[i].seen == 1);
    }
}

static void
test_against_flags(void **state)
{
    static struct item item[ITEMS];
    struct map m;
    struct random r;
    size_t count = 0;

    (void)state;
    make_items(item, ITEMS);
    random_seed(&r, 2);
    map_init(&m, ITEMS - 50, 3, 4);
    for (int step = 0; step < 60000; step++) {
        struct item *it = &item[random_below(&r, ITEMS)];
        assert_ptr_equal(map_find(&m, key_of(it)), it->in ? &it->node : NULL);
        if (it->in && random_below(&r, 3) == 0) {
            map_remove(&m, &it->node);
            it->in = false;
            count--;
        } else if (!it->in) {
            int done = map_insert(&m, &it->node, key_of(it));
            assert_int_equal(done, count < ITEMS - 50 ? 0 : -1);
            if (done == 0) {
                it->in = true;
                count++;
            }
        }
        assert_int_equal(m.count, count);
        if (step % 6000 == 5999) {
            walk(&m, item, &r, false);
            walk(&m, item, &r, true);
            count = m.count;
        }
    }
    map_fini(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_against_flags),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
