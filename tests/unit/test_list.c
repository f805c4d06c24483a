/* SPDX-License-Identifier: BSD-2-Clause */
/* The intrusive list against an array that does the same slowly. */
#include "config.h"

#include "base/list.h"

#include "base/random.h"
#include "unit.h"

struct item {
    struct list link;
    int number;
};

static int
number_of(const struct list *l)
{
    return container_of(l, const struct item, link)->number;
}

static void
test_edges(void **state)
{
    struct list l, other;
    struct item a = {.number = 1}, b = {.number = 2};

    (void)state;
    list_init(&l);
    list_init(&other);
    list_init(&a.link);
    list_init(&b.link);
    assert_true(list_empty(&l));
    assert_null(list_first(&l));
    assert_null(list_last(&l));
    assert_null(list_pop_front(&l));
    assert_false(list_linked(&a.link));
    list_unlink(&a.link);
    list_splice_back(&l, &other);
    assert_true(list_empty(&l));
    list_push_back(&l, &a.link);
    list_push_front(&l, &b.link);
    assert_int_equal(number_of(list_first(&l)), 2);
    assert_int_equal(number_of(list_last(&l)), 1);
    list_unlink(&a.link);
    list_unlink(&a.link);
    assert_false(list_linked(&a.link));
    list_splice_back(&other, &l);
    assert_true(list_empty(&l));
    assert_ptr_equal(list_first(&other), &b.link);
}

#define ITEMS 32

static void
same_as_model(const struct list *l, const int *model, size_t n)
{
    size_t i = 0;

    list_each(at, l) {
        assert_true(i < n);
        assert_int_equal(number_of(at), model[i]);
        assert_ptr_equal(at->next->prev, at);
        i++;
    }
    assert_int_equal(i, n);
}

static void
test_against_array(void **state)
{
    struct item item[ITEMS];
    int model[ITEMS];
    size_t n = 0;
    struct list l;
    struct random r;

    (void)state;
    random_seed(&r, 1);
    list_init(&l);
    for (int i = 0; i < ITEMS; i++) {
        list_init(&item[i].link);
        item[i].number = i;
    }
    for (int step = 0; step < 20000; step++) {
        int i = (int)random_below(&r, ITEMS);
        size_t at = 0;
        while (at < n && model[at] != i)
            at++;
        if (at < n) {
            list_unlink(&item[i].link);
            memmove(model + at, model + at + 1, (n - at - 1) * sizeof model[0]);
            n--;
        } else if (random_below(&r, 2)) {
            list_push_back(&l, &item[i].link);
            model[n++] = i;
        } else {
            list_push_front(&l, &item[i].link);
            memmove(model + 1, model, n * sizeof model[0]);
            model[0] = i;
            n++;
        }
        same_as_model(&l, model, n);
    }
    list_each_safe(at, tmp, &l) {
        list_unlink(at);
        n--;
    }
    assert_int_equal(n, 0);
    assert_true(list_empty(&l));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_against_array),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
