/* SPDX-License-Identifier: BSD-2-Clause */
/* The back pool keeps connections apart by sandbox, life and address, and keeps few of them. */
#include "config.h"

#include "http_rig.h"

#include "http/back_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PEERS 8

struct world {
    struct loop loop;
    struct back_pool_options o;
    struct back_pool *pool;
    int peer[PEERS]; /* the far ends, in the order of adoption */
    int peers;
};

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    assert_int_equal(loop_init(&w->loop, &(struct loop_options){.tick = 1000}), 0);
    back_pool_options_init(&w->o);
    w->pool = back_pool_new(&w->loop, &w->o);
    assert_non_null(w->pool);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    back_pool_free(w->pool);
    for (int i = 0; i < 3; i++)
        loop_turn(&w->loop, 0);
    for (int i = 0; i < w->peers; i++)
        close(w->peer[i]);
    loop_fini(&w->loop);
    free(w);
    return 0;
}

/* Another pool with what is in w->o. */
static void
renew(struct world *w)
{
    back_pool_free(w->pool);
    loop_turn(&w->loop, 0);
    w->pool = back_pool_new(&w->loop, &w->o);
    assert_non_null(w->pool);
}

static struct back_key
key(uint64_t sandbox, uint64_t incarnation, uint16_t port)
{
    struct back_key k = {.sandbox = sandbox, .incarnation = incarnation};

    k.to = (struct endpoint){.family = 4, .port = port, .ip = {127, 0, 0, 1}};
    return k;
}

static void
on_event(struct conn *c, unsigned events)
{
    (void)c;
    (void)events;
}

static const struct conn_owner owner = {.name = "test", .on_event = on_event};

static struct back *
adopt(struct world *w, struct back_key k)
{
    struct conn c;
    int ours;

    assert_true(w->peers < PEERS);
    rig_pair(&ours, &w->peer[w->peers++]);
    assert_int_equal(conn_open_accepted(&c, &w->loop, ours, NULL, &owner), 0);
    return back_pool_adopt(w->pool, &k, &c);
}

static void
park(struct world *w, struct back_key k)
{
    struct back *c = adopt(w, k);

    assert_non_null(c);
    back_pool_park(w->pool, c);
}

static struct back *
take(struct world *w, struct back_key k)
{
    return back_pool_take(w->pool, &k, true);
}

/* Takes one that must be there, and is done with it. */
static struct back *
spend(struct world *w, struct back_key k)
{
    struct back *c = take(w, k);

    assert_non_null(c);
    back_close(c, REASON_NONE);
    return c;
}

static void
test_keys_are_kept_apart(void **state)
{
    struct world *w = *state;
    struct back *c;

    park(w, key(1, 1, 80));
    assert_null(take(w, key(2, 1, 80)));
    assert_null(take(w, key(1, 2, 80)));
    assert_null(take(w, key(1, 1, 81)));
    assert_int_equal(back_pool_idle(w->pool), 1);
    c = take(w, key(1, 1, 80));
    assert_non_null(c);
    assert_null(take(w, key(1, 1, 80)));
    assert_int_equal(back_pool_in_use(w->pool), 1);
    back_pool_park(w->pool, c);
    assert_int_equal(back_pool_idle(w->pool), 1);
}

static void
test_latest_first(void **state)
{
    struct world *w = *state;
    struct back *a = adopt(w, key(1, 1, 80)), *b = adopt(w, key(1, 1, 80));

    back_pool_park(w->pool, a);
    back_pool_park(w->pool, b);
    assert_ptr_equal(spend(w, key(1, 1, 80)), b);
    assert_ptr_equal(spend(w, key(1, 1, 80)), a);
}

static void
test_limits(void **state)
{
    struct world *w = *state;

    w->o.per_key = 2;
    w->o.total = 3;
    renew(w);
    for (int i = 0; i < 3; i++)
        park(w, key(1, 1, 80));
    assert_int_equal(back_pool_idle(w->pool), 2);
    park(w, key(2, 1, 80));
    park(w, key(3, 1, 80)); /* the longest idle goes */
    assert_int_equal(back_pool_idle(w->pool), 3);
    spend(w, key(3, 1, 80));
    spend(w, key(2, 1, 80));
    spend(w, key(1, 1, 80));
    assert_null(take(w, key(1, 1, 80)));
}

static void
wait_idle(struct world *w, uint32_t n)
{
    for (int i = 0; back_pool_idle(w->pool) != n; i++) {
        assert_in_range(i, 0, 400);
        loop_turn(&w->loop, 5 * USEC_MS);
    }
}

static void
test_idle_for_too_long(void **state)
{
    struct world *w = *state;

    w->o.idle = 20 * USEC_MS;
    renew(w);
    park(w, key(1, 1, 80));
    park(w, key(2, 1, 80));
    wait_idle(w, 0);
    park(w, key(1, 1, 80));
    wait_idle(w, 0);
}

static void
test_a_byte_or_fin_closes(void **state)
{
    struct world *w = *state;

    park(w, key(1, 1, 80));
    park(w, key(2, 1, 80));
    assert_int_equal(send(w->peer[0], "x", 1, 0), 1);
    wait_idle(w, 1);
    shutdown(w->peer[1], SHUT_WR);
    wait_idle(w, 0);
}

static void
test_one_that_spoke_first_is_not_parked(void **state)
{
    struct world *w = *state;
    struct back *c = adopt(w, key(1, 1, 80));

    c->conn.readable = true; /* the dialer was told, and nobody will be again */
    back_pool_park(w->pool, c);
    assert_int_equal(back_pool_idle(w->pool), 0);
    assert_int_equal(back_pool_in_use(w->pool), 0);
}

static void
test_older_ones_are_looked_at(void **state)
{
    struct world *w = *state;

    w->o.fresh = 0;
    renew(w);
    park(w, key(1, 1, 80));
    park(w, key(1, 1, 80));
    for (usec_t t = w->loop.now; w->loop.now <= t;)
        loop_turn(&w->loop, USEC_MS);
    assert_null(back_pool_take(w->pool, &(struct back_key){.sandbox = 9}, false));
    struct back_key k = key(1, 1, 80);
    assert_null(back_pool_take(w->pool, &k, false)); /* not for what must not run twice */
    assert_int_equal(send(w->peer[1], "x", 1, 0), 1);
    spend(w, k); /* the other one */
    assert_int_equal(back_pool_idle(w->pool), 0);
    assert_int_equal(back_pool_in_use(w->pool), 0);
}

static void
test_the_last_stale_one_takes_its_group_along(void **state)
{
    struct world *w = *state;

    w->o.fresh = 0;
    renew(w);
    park(w, key(1, 1, 80));
    for (usec_t t = w->loop.now; w->loop.now <= t;)
        loop_turn(&w->loop, USEC_MS);
    close(w->peer[0]);
    w->peers = 0;
    assert_null(take(w, key(1, 1, 80)));
    assert_int_equal(back_pool_idle(w->pool) + back_pool_in_use(w->pool), 0);
}

static void
test_drop(void **state)
{
    struct world *w = *state;
    struct back *busy = adopt(w, key(1, 1, 80));

    park(w, key(1, 1, 80));
    park(w, key(1, 2, 80));
    park(w, key(2, 1, 80));
    back_pool_drop(w->pool, 1, 2);
    assert_int_equal(back_pool_idle(w->pool), 2);
    back_pool_park(w->pool, busy); /* its generation is over: closed */
    assert_int_equal(back_pool_idle(w->pool), 2);
    assert_int_equal(back_pool_in_use(w->pool), 0);
    back_pool_drop(w->pool, 1, 0);
    assert_int_equal(back_pool_idle(w->pool), 1);
    back_pool_drop(w->pool, 7, 0);
    park(w, key(1, 1, 80)); /* the same key may live again */
    spend(w, key(1, 1, 80));
}

static void
test_free_while_in_use(void **state)
{
    struct world *w = *state;
    struct back *c = adopt(w, key(1, 1, 80));

    park(w, key(1, 1, 80));
    back_pool_free(w->pool);
    loop_turn(&w->loop, 0);
    back_close(c, REASON_SHUTDOWN);
    loop_turn(&w->loop, 0);
    w->pool = back_pool_new(&w->loop, &w->o);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_keys_are_kept_apart),
        T(test_latest_first),
        T(test_limits),
        T(test_idle_for_too_long),
        T(test_a_byte_or_fin_closes),
        T(test_one_that_spoke_first_is_not_parked),
        T(test_older_ones_are_looked_at),
        T(test_the_last_stale_one_takes_its_group_along),
        T(test_drop),
        T(test_free_while_in_use),
    };
    return cmocka_run_group_tests_name("back_pool", tests, NULL, NULL);
}
