/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out at every point of a TLS connection's life, OpenSSL's share of it included:
 * nothing leaks (the sanitizers look), nothing crashes, and the next connection works
 * (RELIABILITY H11, I7).
 */
#include "config.h"

#include "tls_rig.h"

#include "failalloc.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

/* OpenSSL's allocations go through ours, and so through failalloc. */
static unsigned long allocations;

static void *
our_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return malloc(n);
}

static void *
our_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return realloc(p, n);
}

static void
our_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* Turns until both are ready, or one has failed, or nothing more comes. */
static void
wait_or_not(struct tls_rig *r, struct end *front, struct end *back)
{
    for (unsigned i = 0; i < 50; i++) {
        if (front->failed || back->failed || (front->ready && back->ready))
            return;
        loop_turn(&r->loop, USEC_MS);
    }
}

/* A whole life. True: it all went well. */
static bool
live(struct tls_rig *r, unsigned from)
{
    struct tls_certs_options co = {.directory = r->dir};
    struct tls_server_options so = {.tickets = r->tickets};
    struct tls_client_options o = {.ca_file = r->ca_file, .alpn = TLS_ALPN_H2};
    struct tls_policy_options po = {.name = SLICE("site"), .ca_file = r->ca_file};
    struct tls_server *s = NULL;
    struct tls_client *c = NULL;
    struct tls_policy *p = NULL;
    struct tls_certs *certs;
    struct end front, back;
    char why[256];
    bool fine = false;

    ends_open(r, &front, &back);
    failalloc_from(from);
    certs = tls_certs_new(r->lib, &co);
    so.certs = certs;
    if (certs)
        s = tls_server_new(r->lib, &so, why, sizeof(why));
    c = tls_client_new(r->lib, &o, why, sizeof(why));
    p = tls_policy_new(r->lib, &po, why, sizeof(why));
    if (s && c && conn_start_tls_server(&front.conn, s) == 0 &&
        conn_start_tls_client(&back.conn, c, SLICE("a.example")) == 0) {
        wait_or_not(r, &front, &back);
        if (front.ready && back.ready && end_write(&back, "hello") == 5) {
            front.read_all = true;
            on_end(&front.conn, 0);
            for (unsigned i = 0; i < 20 && front.got < 5 && front.error == 0; i++)
                loop_turn(&r->loop, USEC_MS);
            fine = p && front.got == 5;
        }
    }
    failalloc_from(0);
    end_close(&front);
    end_close(&back);
    tls_policy_free(p);
    tls_client_free(c);
    tls_server_free(s);
    tls_certs_free(certs);
    loop_turn(&r->loop, 0);
    assert_int_equal(tls_library_handshakes(r->lib), 0);
    return fine;
}

static void
test_memory_runs_out(void **state)
{
    struct tls_rig r;
    unsigned long before;
    unsigned all, failed = 0, tried = 0;

    (void)state;
    tls_rig_open(&r);
    before = allocations;
    assert_true(live(&r, 0));
    all = (unsigned)(allocations - before) + 50;
    assert_true(all > 500);
    for (unsigned n = 1; n < all; n += 1 + n / 60) {
        failed += !live(&r, n);
        tried++;
    }
    assert_true(failed > tried / 2);
    assert_true(live(&r, 0));
    tls_rig_close(&r);
}

/* Allocations of OSSL_LIB_CTX_new, which leaks (3.0) when one of its own fails. */
static unsigned
of_context(void)
{
    unsigned long before = allocations;

    OSSL_LIB_CTX_free(OSSL_LIB_CTX_new());
    return (unsigned)(allocations - before);
}

static void
test_no_library(void **state)
{
    unsigned context = of_context();
    struct tls_library *lib;
    struct tls_tickets *t;
    struct loop l;

    (void)state;
    rig_loop(&l);
    for (unsigned n = 1; n < context + 1000; n += 1 + n / 40) {
        if (n == 2)
            n += context;
        failalloc_from(n);
        lib = tls_library_new(&l);
        t = tls_tickets_new(SLICE_NONE, 0);
        failalloc_from(0);
        tls_library_free(lib);
        tls_tickets_unref(t);
    }
    loop_fini(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_no_library),
    };

    if (CRYPTO_set_mem_functions(our_malloc, our_realloc, our_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("tls_torture", tests, NULL, NULL);
}
