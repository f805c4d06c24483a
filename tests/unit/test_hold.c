/* SPDX-License-Identifier: BSD-2-Clause */
/* The caps of the hold and who loses; the window of a port; the handshake's and the idle clock's
 * sums. */
#include "config.h"

#include "sandbox/release.h"

#include "sandbox/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hold_caps wide = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX};

static void
make(struct waiter *w, uint16_t site, uint32_t bytes)
{
    memset(w, 0, sizeof(*w));
    w->site = site;
    w->bytes = bytes;
    list_init(&w->link);
    list_init(&w->queue);
    list_init(&w->peers);
}

static struct name
tenant(const char *text)
{
    struct name n = {0};

    name_set(&n, slice_of(text));
    return n;
}

static void
test_caps(void **state)
{
    struct hold_caps caps = wide;
    struct name none = tenant(""), t = tenant("t");
    struct waiter w[4], *victim;
    struct hold h;

    (void)state;
    hold_init(&h, 1, 2);
    for (unsigned i = 0; i < 4; i++)
        make(&w[i], 0, 10);
    caps.per_sandbox = 2;
    assert_int_equal(hold_admit(&h, &w[0], &caps, 1, &none, &victim), REASON_NONE);
    assert_int_equal(hold_admit(&h, &w[1], &caps, 2, &none, &victim), REASON_HOLD_QUEUE_FULL);
    caps = wide;
    caps.per_tenant = 1;
    assert_int_equal(hold_admit(&h, &w[1], &caps, 0, &t, &victim), REASON_NONE);
    assert_int_equal(hold_admit(&h, &w[2], &caps, 0, &t, &victim), REASON_HOLD_QUEUE_FULL);
    /* The first one's tenant becomes known: no room there. */
    assert_int_equal(hold_move(&h, &w[0], &caps, &t), -1);
    caps = wide;
    assert_int_equal(hold_move(&h, &w[0], &caps, &t), 0);
    assert_ptr_equal(w[0].account, w[1].account);
    caps.bytes = 25;
    assert_int_equal(hold_admit(&h, &w[2], &caps, 0, &t, &victim), REASON_HOLD_QUEUE_FULL);
    caps.total = 0;
    assert_int_equal(hold_admit(&h, &w[2], &caps, 0, &t, &victim), REASON_HOLD_QUEUE_FULL);
    hold_drop(&h, &w[0]);
    hold_drop(&h, &w[0]);
    hold_drop(&h, &w[1]);
    assert_int_equal(h.n, 0);
    hold_fini(&h);
}

static void
test_source(void **state)
{
    struct hold_caps caps = wide;
    struct name none = tenant("");
    struct waiter a, b, *victim;
    uint8_t ip[16] = {1};
    struct hold h;

    (void)state;
    hold_init(&h, 1, 2);
    caps.per_source = 1;
    make(&a, 0, 0);
    make(&b, 0, 0);
    a.source = hold_source(&h, ip, 5);
    b.source = hold_source(&h, ip, 5);
    assert_ptr_equal(a.source, b.source);
    assert_int_equal(hold_admit(&h, &a, &caps, 0, &none, &victim), REASON_NONE);
    assert_int_equal(hold_admit(&h, &b, &caps, 0, &none, &victim), REASON_HOLD_QUEUE_FULL);
    hold_drop(&h, &a);
    ip[0] = 2;
    assert_non_null(hold_source(&h, ip, 5));
    assert_int_equal(h.sources.count, 1); /* the idle one made room */
    hold_fini(&h);
}

/* A tenant below its fair share displaces the newest of the heaviest; the heaviest displaces
 * nobody. */
static void
test_fair(void **state)
{
    struct hold_caps caps = wide;
    struct name heavy = tenant("heavy"), light = tenant("light");
    struct waiter w[10], l[6], *victim;
    unsigned light_n = 0;
    struct hold h;

    (void)state;
    hold_init(&h, 1, 2);
    caps.total = 10;
    for (unsigned i = 0; i < 10; i++) {
        make(&w[i], 0, 0);
        assert_int_equal(hold_admit(&h, &w[i], &caps, 0, &heavy, &victim), REASON_NONE);
    }
    for (unsigned i = 0; i < 6; i++) {
        make(&l[i], 0, 0);
        if (hold_admit(&h, &l[i], &caps, 0, &light, &victim) != REASON_NONE)
            continue;
        assert_ptr_equal(victim, &w[9 - i]);
        hold_drop(&h, victim);
        light_n++;
    }
    assert_int_equal(light_n, 5);
    make(&w[9], 0, 0);
    assert_int_equal(hold_admit(&h, &w[9], &caps, 0, &heavy, &victim), REASON_HOLD_QUEUE_FULL);
    for (unsigned i = 0; i < 5; i++) {
        hold_drop(&h, &w[i]);
        hold_drop(&h, &l[i]);
    }
    hold_fini(&h);
}

static void
test_order(void **state)
{
    struct pair *p = pair_new(80, 3);
    struct waiter w[6];
    unsigned want[] = {3, 1, 0, 2, 4, 5};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        make(&w[i], 0, 0);
        w[i].id.ticket = i;
    }
    w[0].id.worker = 0, w[1].id.worker = 1, w[2].id.worker = 1;
    w[3].id.worker = 0, w[4].id.worker = 2, w[5].id.worker = 0;
    w[1].keep_alive = w[3].keep_alive = true;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(pair_push(p, &w[i]), 0);
    p->proven = true;
    p->window = 6;
    for (unsigned i = 0; i < 6; i++) {
        struct waiter *n = pair_pop(p, 1);

        assert_non_null(n);
        want[i] = (unsigned)n->id.ticket;
    }
    /* Keep-alive first: one of each worker in turn; then the others, round robin, in their order.
     * */
    assert_int_equal(want[0], 3);
    assert_int_equal(want[1], 1);
    assert_int_equal(want[2], 4);
    assert_int_equal(want[3], 0);
    assert_int_equal(want[4], 2);
    assert_int_equal(want[5], 5);
    p->refs = 0;
    while (p->out > 0)
        pair_on_left(p);
    pair_free(p);
}

static void
test_window(void **state)
{
    struct pair *p = pair_new(80, 1);
    struct waiter w[40];
    unsigned at = 0, in_flight = 0, wave[4] = {0};

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        make(&w[i], 0, 0);
        assert_int_equal(pair_push(p, &w[i]), 0);
    }
    assert_true(pair_ramping(p));
    for (unsigned i = 0; i < 4; i++) {
        while (pair_pop(p, 100 + i))
            wave[i]++;
        assert_null(pair_pop(p, 100 + i));
        in_flight = wave[i];
        for (unsigned n = 0; n < in_flight; n++)
            pair_on_connected(p, 10);
        for (unsigned n = 0; n < in_flight; n++)
            pair_on_answered(p, true, false);
        at += in_flight;
    }
    assert_int_equal(wave[0], 1);
    assert_int_equal(wave[1], 2);
    assert_int_equal(wave[2], 4);
    assert_int_equal(wave[3], 8);
    assert_int_equal(p->since, 100);
    assert_int_equal(p->window, 16);
    assert_non_null(pair_pop(p, 200));
    pair_on_connected(p, 101 * USEC_MS);
    assert_int_equal(p->window, 8);
    pair_on_slow(p);
    pair_on_answered(p, false, true);
    assert_int_equal(p->out, 0);
    for (unsigned i = at + 1; i < 40; i++)
        pair_remove(p, &w[i]);
    assert_false(pair_ramping(p));
    p->refs = 0;
    pair_free(p);
}

static void
test_inherit(void **state)
{
    struct pair *p = pair_new(80, 1);
    struct waiter w[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        make(&w[i], 0, 0);
        assert_int_equal(pair_push(p, &w[i]), 0);
    }
    assert_ptr_equal(pair_pop(p, 100), &w[0]);
    assert_null(pair_pop(p, 110));
    pair_on_failed(p, 105);
    assert_int_equal(p->since, 100);
    assert_ptr_equal(pair_pop(p, 120), &w[1]);
    pair_on_left(p);
    assert_int_equal(p->since, 100);
    assert_ptr_equal(pair_pop(p, 130), &w[2]);
    assert_true(pair_ramping(p)); /* a first probe is out */
    pair_on_left(p);
    p->refs = 0;
    pair_free(p);
}

static void
test_quiesce(void **state)
{
    struct workers know = {{0}};
    struct quiesce q = {0};

    (void)state;
    workers_add(&know, 3);
    workers_add(&know, 200);
    quiesce_begin(&q, &know, 7, true, 100);
    assert_false(quiesce_calm(&q));
    assert_false(quiesce_on_reply(&q, 3, 6, 0));
    assert_true(quiesce_on_reply(&q, 3, 7, 0));
    assert_true(quiesce_on_reply(&q, 200, 7, 2));
    assert_false(quiesce_calm(&q));
    assert_false(quiesce_disturbed(&q)); /* patient */
    quiesce_on_activity(&q, 200, 1);
    assert_false(quiesce_calm(&q));
    quiesce_on_activity(&q, 200, 0);
    assert_true(quiesce_calm(&q));
    quiesce_begin(&q, &know, 8, false, 100);
    quiesce_on_reply(&q, 200, 8, 1);
    assert_true(quiesce_disturbed(&q));
    quiesce_end(&q);
    assert_false(quiesce_calm(&q));
}

static void
test_idle(void **state)
{
    uint32_t open[2] = {0, 0};
    struct idle i = {.worker = open};

    (void)state;
    idle_touch(&i, 10);
    assert_int_equal(idle_due(&i, 5), 15);
    assert_true(idle_due(&i, USEC_OFF) == USEC_NEVER);
    idle_report(&i, 1, 2, 12);
    idle_report(&i, 0, 1, 13);
    assert_true(idle_due(&i, 5) == USEC_NEVER);
    assert_int_equal(idle_for(&i, 50), 0);
    idle_report(&i, 1, 0, 20);
    assert_true(idle_due(&i, 5) == USEC_NEVER);
    idle_report(&i, 0, 0, 30);
    assert_int_equal(idle_due(&i, 5), 35);
    assert_int_equal(idle_for(&i, 50), 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps),    cmocka_unit_test(test_source),
        cmocka_unit_test(test_fair),    cmocka_unit_test(test_order),
        cmocka_unit_test(test_window),  cmocka_unit_test(test_inherit),
        cmocka_unit_test(test_quiesce), cmocka_unit_test(test_idle),
    };

    return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
