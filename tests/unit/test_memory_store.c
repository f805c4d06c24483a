/* SPDX-License-Identifier: BSD-2-Clause */
/* Leases, epochs and publications of a gateway that stands alone (invariant 5). */
#include "config.h"

#include "store/memory_store.h"

#include "failalloc.h"
#include "unit.h"

#include <stdio.h>

#define SEED 1000000u
#define TTL (15 * USEC_SEC)
#define T0 (100 * USEC_SEC)

struct fixture {
    struct loop loop;
    struct memory_store *store;
    struct store_result last;
    struct record record; /* of the last result */
    unsigned answers, again;
    uint64_t order[64];
};

static void ask(struct fixture *f, uint64_t id, enum store_op op, const char *name, uint64_t epoch);

static void
on_result(void *ctx, const struct store_result *r)
{
    struct fixture *f = ctx;

    f->order[f->answers++ % 64] = r->id;
    f->last = *r;
    record_fini(&f->record);
    if (r->has_record)
        assert_int_equal(record_copy(&f->record, &r->record), 0);
    if (f->again > 0) {
        f->again--;
        ask(f, 1000 + f->again, STORE_GET, "again", 0);
    }
}

static void
open_store(struct fixture *f, size_t max)
{
    *f = (struct fixture){0};
    record_init(&f->record);
    assert_int_equal(loop_init(&f->loop, &(struct loop_options){0}), 0);
    f->store = memory_store_new(&f->loop, max, SEED, on_result, f);
    assert_non_null(f->store);
}

static void
close_store(struct fixture *f)
{
    memory_store_free(f->store);
    record_fini(&f->record);
    loop_fini(&f->loop);
}

static struct sandbox_key
key_of(const char *name)
{
    struct sandbox_key k = {.platform = 1, .n = (uint16_t)strlen(name)};

    memcpy(k.id, name, k.n);
    return k;
}

static void
ask(struct fixture *f, uint64_t id, enum store_op op, const char *name, uint64_t epoch)
{
    struct record r;
    struct store_call c = {.id = id, .op = op, .key = key_of(name), .epoch = epoch, .ttl = TTL};

    record_init(&r);
    r.state = SANDBOX_RUNNING;
    name_set(&r.generation, slice_of(name));
    struct wake_rule *rule = calloc(1, sizeof *rule);
    if (rule) {
        rule->port = 3000;
        r.rules = rule;
        r.rules_n = 1;
    }
    c.record = op == STORE_PUBLISH ? &r : NULL;
    memory_store_ops.call(f->store, &c);
    memset(&r.generation, 'x', sizeof r.generation);
    record_fini(&r);
}

/* Asks at that time and turns the loop until it is answered. */
static enum store_status
at(struct fixture *f, usec_t now, enum store_op op, const char *name, uint64_t epoch)
{
    unsigned before = f->answers;

    f->loop.now = now;
    ask(f, 7, op, name, epoch);
    assert_int_equal(f->answers, before);
    loop_turn(&f->loop, 0);
    assert_int_equal(f->answers, before + 1);
    assert_int_equal(f->last.id, 7);
    return f->last.status;
}

static void
test_records(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    assert_int_equal(at(&f, T0, STORE_GET, "a", 0), STORE_NONE);
    assert_false(f.last.has_record);
    assert_int_equal(f.last.epoch, 0);
    assert_int_equal(at(&f, T0, STORE_PUBLISH, "a", 0), STORE_OK);
    assert_int_equal(at(&f, T0, STORE_GET, "a", 0), STORE_OK);
    assert_true(f.last.has_record);
    assert_int_equal(f.record.state, SANDBOX_RUNNING);
    assert_slice(name_slice(&f.record.generation), "a");
    assert_int_equal(f.record.rules[0].port, 3000);
    assert_int_equal(at(&f, T0, STORE_GET, "b", 0), STORE_NONE);
    assert_int_equal(at(&f, T0, STORE_FORGET, "a", 0), STORE_OK);
    assert_int_equal(at(&f, T0, STORE_FORGET, "zz", 0), STORE_OK);
    assert_int_equal(at(&f, T0, STORE_GET, "a", 0), STORE_NONE);
    close_store(&f);
}

static void
test_a_lease_is_exclusive_until_it_runs_out(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    assert_int_equal(at(&f, T0, STORE_LEASE, "a", 0), STORE_OK);
    uint64_t first = f.last.epoch;
    assert_int_equal(first, SEED + 1);
    assert_int_equal(f.last.lease_for, TTL);
    assert_int_equal(at(&f, T0 + 1, STORE_LEASE, "a", 0), STORE_HELD);
    assert_int_equal(f.last.lease_for, TTL - 1);
    assert_int_equal(at(&f, T0 + 2, STORE_LEASE, "b", 0), STORE_OK);
    assert_int_equal(at(&f, T0 + 3, STORE_GET, "a", 0), STORE_NONE);
    assert_int_equal(f.last.lease_for, TTL - 3);
    assert_int_equal(f.last.epoch, first);

    assert_int_equal(at(&f, T0 + 5, STORE_RENEW, "a", first), STORE_OK);
    assert_int_equal(at(&f, T0 + TTL + 4, STORE_LEASE, "a", 0), STORE_HELD);
    assert_int_equal(f.last.lease_for, 1);
    assert_int_equal(at(&f, T0 + TTL + 5, STORE_RENEW, "a", first), STORE_LOST);
    assert_int_equal(at(&f, T0 + TTL + 5, STORE_LEASE, "a", 0), STORE_OK);
    assert_true(f.last.epoch > first);
    assert_int_equal(at(&f, T0 + TTL + 6, STORE_RENEW, "a", first), STORE_LOST);
    assert_int_equal(at(&f, T0 + TTL + 6, STORE_RELEASE, "a", first), STORE_LOST);
    assert_int_equal(at(&f, T0 + TTL + 6, STORE_LEASE, "a", 0), STORE_HELD);
    close_store(&f);
}

static void
test_release_lets_the_next_one_in(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    assert_int_equal(at(&f, T0, STORE_LEASE, "a", 0), STORE_OK);
    uint64_t first = f.last.epoch;
    assert_int_equal(at(&f, T0, STORE_RELEASE, "a", first + 1), STORE_LOST);
    assert_int_equal(at(&f, T0, STORE_RELEASE, "a", 0), STORE_LOST);
    assert_int_equal(at(&f, T0, STORE_RELEASE, "a", first), STORE_OK);
    assert_int_equal(f.last.lease_for, 0);
    assert_int_equal(at(&f, T0, STORE_RELEASE, "a", first), STORE_LOST);
    assert_int_equal(at(&f, T0, STORE_LEASE, "a", 0), STORE_OK);
    assert_int_equal(f.last.epoch, first + 1);
    close_store(&f);
}

static void
test_only_the_highest_epoch_publishes(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    assert_int_equal(at(&f, T0, STORE_PUBLISH, "a", 5), STORE_STALE);
    assert_int_equal(at(&f, T0, STORE_LEASE, "a", 0), STORE_OK);
    uint64_t first = f.last.epoch;
    assert_int_equal(at(&f, T0, STORE_PUBLISH, "a", 0), STORE_STALE);
    assert_int_equal(at(&f, T0, STORE_PUBLISH, "a", first), STORE_OK);
    /* Nobody has taken over: a late leader may still say how it ended. */
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_PUBLISH, "a", first), STORE_OK);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_PUBLISH, "a", 0), STORE_OK);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_LEASE, "a", 0), STORE_OK);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_PUBLISH, "a", first), STORE_STALE);
    assert_int_equal(f.last.epoch, first + 1);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_PUBLISH, "a", first + 2), STORE_STALE);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_FORGET, "a", 0), STORE_OK);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_PUBLISH, "a", first), STORE_STALE);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_PUBLISH, "a", first + 1), STORE_OK);
    close_store(&f);
}

static void
test_bounded_and_leases_stay(void **state)
{
    static struct fixture f;
    char name[16];

    (void)state;
    open_store(&f, 3);
    assert_int_equal(at(&f, T0, STORE_LEASE, "leased", 0), STORE_OK);
    uint64_t first = f.last.epoch;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_int_equal(at(&f, T0, STORE_PUBLISH, name, 0), STORE_OK);
        assert_int_equal(at(&f, T0, STORE_GET, "s0", 0), STORE_OK);
        assert_true(memory_store_counts(f.store).sandboxes <= 3);
    }
    assert_int_equal(memory_store_counts(f.store).evicted, 98);
    assert_int_equal(at(&f, T0, STORE_LEASE, "leased", 0), STORE_HELD);
    /* A sandbox that was forgotten gets a higher epoch, and its old one is refused. */
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(at(&f, T0 + TTL, STORE_LEASE, name, 0), STORE_OK);
    }
    assert_int_equal(at(&f, T0 + TTL, STORE_GET, "leased", 0), STORE_NONE);
    assert_int_equal(f.last.epoch, 0);
    assert_int_equal(at(&f, T0 + TTL, STORE_PUBLISH, "leased", first), STORE_STALE);
    assert_int_equal(at(&f, T0 + TTL, STORE_LEASE, "leased", 0), STORE_DOWN);
    assert_int_equal(at(&f, T0 + TTL, STORE_PUBLISH, "leased", 0), STORE_DOWN);
    assert_int_equal(at(&f, T0 + 2 * TTL, STORE_LEASE, "leased", 0), STORE_OK);
    assert_true(f.last.epoch > first + 3);
    close_store(&f);
}

static void
test_answers_in_order_and_never_nested(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    f.again = 3;
    for (uint64_t id = 1; id <= 5; id++)
        ask(&f, id, id == 3 ? STORE_PUBLISH : STORE_GET, "a", 0);
    assert_int_equal(f.answers, 0);
    loop_turn(&f.loop, 0);
    assert_int_equal(f.answers, 8);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(f.order[i], i + 1);
    assert_int_equal(f.order[5], 1002);
    assert_int_equal(f.order[7], 1000);
    ask(&f, 1, STORE_PUBLISH, "a", 0);
    close_store(&f);
}

static void
test_no_memory(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    failalloc_from(1);
    assert_null(memory_store_new(&f.loop, 1, 1, on_result, &f));
    for (int i = 0; i < 70; i++)
        ask(&f, (uint64_t)i, STORE_GET, "a", 0);
    loop_turn(&f.loop, 0);
    failalloc_from(0);
    assert_int_equal(f.answers, 64);
    assert_int_equal(f.last.status, STORE_DOWN);
    assert_int_equal(f.last.id, 63);
    assert_int_equal(memory_store_counts(f.store).dropped, 6);
    assert_int_equal(memory_store_counts(f.store).pending, 0);
    /* Wherever a publication or a lease runs out of memory, the next one works. */
    for (unsigned n = 1; n < 8; n++) {
        unsigned before = f.answers;
        failalloc_from(n);
        ask(&f, 1, n % 2 ? STORE_PUBLISH : STORE_LEASE, "b", 0);
        loop_turn(&f.loop, 0);
        failalloc_from(0);
        assert_int_equal(f.answers, before + 1);
    }
    assert_int_equal(at(&f, T0, STORE_PUBLISH, "c", 0), STORE_OK);
    close_store(&f);
}

static void
test_too_many_calls_are_refused(void **state)
{
    static struct fixture f;

    (void)state;
    open_store(&f, 100);
    for (uint64_t i = 0; i < MEMORY_STORE_PENDING + 10; i++)
        ask(&f, i, STORE_GET, "a", 0);
    while (memory_store_counts(f.store).pending > 0)
        loop_turn(&f.loop, 0);
    assert_int_equal(f.answers, MEMORY_STORE_PENDING + 10);
    assert_int_equal(memory_store_counts(f.store).refused, 10);
    close_store(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_a_lease_is_exclusive_until_it_runs_out),
        cmocka_unit_test(test_release_lets_the_next_one_in),
        cmocka_unit_test(test_only_the_highest_epoch_publishes),
        cmocka_unit_test(test_bounded_and_leases_stay),
        cmocka_unit_test(test_answers_in_order_and_never_nested),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_too_many_calls_are_refused),
    };
    return cmocka_run_group_tests_name("memory_store", tests, NULL, NULL);
}
