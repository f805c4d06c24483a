/* SPDX-License-Identifier: BSD-2-Clause */
/* The back pool keeps the load on few HTTP/2 connections, and gives none to another key. */
#include "config.h"

#include "h2_back_rig.h"

#include "http/back_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS 8

struct world {
    struct bench b; /* its calls, and its loop */
    struct back_pool_options o;
    struct back_pool *pool;
    int peer[PEERS];
    int peers;
};

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    bench_init(&w->b);
    back_close(w->b.back, REASON_SHUTDOWN);
    back_pool_options_init(&w->o);
    w->pool = back_pool_new(&w->b.loop, &w->o);
    assert_non_null(w->pool);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    w->b.back = NULL; /* the pool's */
    for (int i = 0; i < w->peers; i++)
        close(w->peer[i]);
    bench_quiet(&w->b);
    back_pool_free(w->pool);
    bench_quiet(&w->b);
    bench_fini(&w->b);
    free(w);
    return 0;
}

static struct back_key
key(uint64_t incarnation, enum back_kind kind, uint64_t tls)
{
    return (struct back_key){
        .sandbox = 1,
        .incarnation = incarnation,
        .to = {.family = 4, .port = 80, .ip = {127, 0, 0, 1}},
        .kind = kind,
        .tls = tls,
    };
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
    int fd[2];

    assert_true(w->peers < PEERS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    w->peer[w->peers++] = fd[1];
    assert_int_equal(conn_open_accepted(&c, &w->b.loop, fd[0], NULL, &owner), 0);
    return back_pool_adopt(w->pool, &k, &c);
}

static struct back *
take(struct world *w, struct back_key k, bool idempotent)
{
    return back_pool_take(w->pool, &k, idempotent);
}

static struct call *
serve(struct world *w, struct back *back)
{
    struct call *c = call_new(&w->b, "GET", "/");

    w->b.back = back;
    call_serve(c, NULL, false);
    return c;
}

static bool
is_closed(int fd)
{
    char bytes[4096];
    ssize_t n;

    do
        n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    while (n > 0);
    return n == 0;
}

static void
age(struct world *w)
{
    for (usec_t t = w->b.loop.now; w->b.loop.now <= t;)
        loop_turn(&w->b.loop, USEC_MS);
}

static void
test_one_for_all(void **state)
{
    struct world *w = *state;
    struct back *a = adopt(w, key(1, BACK_H2, 0));

    assert_string_equal(a->ops->name, "h2");
    serve(w, a);
    assert_ptr_equal(take(w, key(1, BACK_H2, 0), false), a); /* busy, and yet it has room */
    serve(w, a);
    assert_ptr_equal(adopt(w, key(1, BACK_H2, 0)), a);
    assert_true(is_closed(w->peer[1])); /* the surplus one */
    assert_int_equal(back_pool_in_use(w->pool), 1);
    for (int i = 2; i < 100; i++)
        serve(w, a);
    assert_null(take(w, key(1, BACK_H2, 0), true));
    assert_ptr_not_equal(adopt(w, key(1, BACK_H2, 0)), a);
    assert_int_equal(back_pool_in_use(w->pool), 2);
}

static void
test_keys_are_kept_apart(void **state)
{
    struct world *w = *state;
    struct back *a = adopt(w, key(1, BACK_H2, 0));

    back_pool_park(w->pool, a);
    assert_int_equal(back_pool_idle(w->pool), 1);
    assert_null(take(w, key(1, BACK_H1, 0), true));
    assert_null(take(w, key(1, BACK_ALPN, 0), true));
    assert_null(take(w, key(1, BACK_H2, 7), true));
    assert_null(take(w, key(2, BACK_H2, 0), true));
    assert_ptr_equal(take(w, key(1, BACK_H2, 0), true), a);
    assert_string_equal(adopt(w, key(1, BACK_ALPN, 0))->ops->name, "h1"); /* nothing was said */
}

static void
test_it_is_idle_when_the_last_is_over(void **state)
{
    struct world *w = *state;
    struct back *a = adopt(w, key(1, BACK_H2, 0));
    struct call *one = serve(w, a), *two = serve(w, a);

    assert_int_equal(back_pool_idle(w->pool), 0);
    exchange_front_lost(&one->ex, REASON_CLIENT_LEFT);
    bench_quiet(&w->b);
    assert_int_equal(back_pool_idle(w->pool), 0);
    exchange_front_lost(&two->ex, REASON_CLIENT_LEFT);
    bench_quiet(&w->b);
    assert_int_equal(back_pool_idle(w->pool), 1);
    assert_ptr_equal(take(w, key(1, BACK_H2, 0), true), a);
    assert_int_equal(back_pool_idle(w->pool), 0);
    back_pool_park(w->pool, a);
    assert_int_equal(back_pool_idle(w->pool), 1);
}

static void
test_a_life_that_is_over(void **state)
{
    struct world *w = *state;
    struct back *busy = adopt(w, key(1, BACK_H2, 0));
    struct call *c = serve(w, busy);

    back_pool_drop(w->pool, 1, 2);
    assert_null(take(w, key(1, BACK_H2, 0), true)); /* no other exchange for it */
    assert_false(c->over);
    back_pool_park(w->pool, adopt(w, key(2, BACK_H2, 0)));
    assert_int_equal(back_pool_in_use(w->pool), 1);
    back_pool_drop(w->pool, 1, 2);
    assert_int_equal(back_pool_idle(w->pool), 1);
    exchange_front_lost(&c->ex, REASON_CLIENT_LEFT);
    bench_quiet(&w->b);
    assert_int_equal(back_pool_in_use(w->pool), 0);
    assert_true(is_closed(w->peer[0]));
    back_pool_drop(w->pool, 1, 0);
    assert_int_equal(back_pool_idle(w->pool), 0);
}

/* One that was quiet for long is for who can send again, unless it has others to answer. */
static void
test_quiet_ones(void **state)
{
    struct world *w = *state;
    struct back *old, *young;
    struct call *c;

    w->o.fresh = 0;
    back_pool_configure(w->pool, &w->o);
    old = adopt(w, key(1, BACK_H2, 0));
    c = serve(w, old);
    age(w);
    assert_null(take(w, key(1, BACK_H2, 0), true)); /* it did not even acknowledge */
    assert_false(is_closed(w->peer[0]));            /* reads what came */
    assert_ptr_equal(take(w, key(1, BACK_H2, 0), true), old);
    assert_ptr_equal(take(w, key(1, BACK_H2, 0), false), old);
    exchange_front_lost(&c->ex, REASON_CLIENT_LEFT);
    bench_quiet(&w->b);
    assert_false(is_closed(w->peer[0]));
    assert_null(take(w, key(1, BACK_H2, 0), false));
    assert_ptr_equal(take(w, key(1, BACK_H2, 0), true), old);
    back_pool_park(w->pool, old);
    young = adopt(w, key(1, BACK_H2, 0)); /* takes its place */
    assert_ptr_not_equal(young, old);
    assert_true(is_closed(w->peer[0]));
    back_pool_park(w->pool, young);
    assert_int_equal(back_pool_idle(w->pool), 1);
}

/* One that does not acknowledge serves who is there, and no other. */
static void
test_one_that_does_not_acknowledge(void **state)
{
    struct world *w = *state;
    struct back *old, *young;
    struct call *c;

    w->o.fresh = 0;
    back_pool_configure(w->pool, &w->o);
    old = adopt(w, key(1, BACK_H2, 0));
    c = serve(w, old);
    age(w);
    young = adopt(w, key(1, BACK_H2, 0));
    assert_ptr_not_equal(young, old);
    assert_false(c->over);
    exchange_front_lost(&c->ex, REASON_CLIENT_LEFT);
    bench_quiet(&w->b);
    assert_true(is_closed(w->peer[0]));
    back_pool_park(w->pool, young);
    assert_int_equal(back_pool_idle(w->pool) + back_pool_in_use(w->pool), 1);
}

static void
test_one_that_hung_up(void **state)
{
    struct world *w = *state;
    struct back *a = adopt(w, key(1, BACK_H2, 0));

    back_pool_park(w->pool, a);
    close(w->peer[0]);
    w->peers = 0;
    bench_quiet(&w->b);
    assert_null(take(w, key(1, BACK_H2, 0), true));
    assert_int_equal(back_pool_idle(w->pool) + back_pool_in_use(w->pool), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_one_for_all),
        T(test_keys_are_kept_apart),
        T(test_it_is_idle_when_the_last_is_over),
        T(test_a_life_that_is_over),
        T(test_quiet_ones),
        T(test_one_that_does_not_acknowledge),
        T(test_one_that_hung_up),
    };

    return cmocka_run_group_tests_name("back_pool_h2", tests, NULL, NULL);
}
