/* SPDX-License-Identifier: BSD-2-Clause */
/* How a sandbox is spoken to: the request, its record and its site each have a word in it. */
#include "config.h"

#include "gateway/speak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct bench {
    struct pool blocks;
    struct arena arena;
    struct tls_library *lib;
    struct speakers speakers;
    struct site site;
};

static int
setup(void **state)
{
    static struct bench b;

    pool_init(&b.blocks, 1024, 4, 0);
    arena_init(&b.arena, &b.blocks, 64u * 1024);
    b.lib = tls_library_new(NULL);
    assert_non_null(b.lib);
    speakers_init(&b.speakers);
    site_init(&b.site);
    *state = &b;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *b = *state;

    speakers_fini(&b->speakers);
    tls_library_free(b->lib);
    arena_reset(&b->arena);
    pool_fini(&b->blocks);
    return 0;
}

static enum reason
choose(struct bench *b, const char *type, struct record_manner manner, struct speak *out)
{
    struct head req;
    const char *detail = NULL;

    head_init(&req);
    req.host = SLICE("3000-abc.Example.com:8443");
    if (type)
        assert_int_equal(head_add(&req, &b->arena, FIELD_CONTENT_TYPE, SLICE("Content-Type"),
                                  slice_of(type)),
                         0);
    return speak_choose(&b->speakers, b->lib, &b->site, manner, 3000, &req, &b->arena, out,
                        &detail);
}

static void
test_plain(void **state)
{
    static const struct {
        const char *type;
        enum record_speaks record;
        enum site_speaks site;
        enum back_kind kind;
    } cases[] = {
        {NULL, SPEAKS_UNSAID, SITE_SPEAKS_AUTO, BACK_H1},
        {NULL, SPEAKS_UNSAID, SITE_SPEAKS_H1, BACK_H1},
        {NULL, SPEAKS_UNSAID, SITE_SPEAKS_H2, BACK_H2},
        {NULL, SPEAKS_H1, SITE_SPEAKS_H2, BACK_H1},
        {NULL, SPEAKS_H2, SITE_SPEAKS_H1, BACK_H2},
        {"application/grpc", SPEAKS_H1, SITE_SPEAKS_H1, BACK_H2},
        {"Application/gRPC+proto", SPEAKS_UNSAID, SITE_SPEAKS_AUTO, BACK_H2},
        {"application/grpc;x=1", SPEAKS_UNSAID, SITE_SPEAKS_AUTO, BACK_H2},
        {"application/grpc-web+proto", SPEAKS_UNSAID, SITE_SPEAKS_AUTO, BACK_H1},
        {"application/json", SPEAKS_UNSAID, SITE_SPEAKS_AUTO, BACK_H1},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record_manner manner = {(uint8_t)cases[i].record, false};
        struct speak s;

        b->site.protocol = cases[i].site;
        assert_int_equal(choose(b, cases[i].type, manner, &s), REASON_NONE);
        assert_int_equal(s.kind, cases[i].kind);
        assert_null(s.tls.client);
        assert_int_equal(s.identity, 0);
    }
}

static void
test_ports_of_http2(void **state)
{
    struct bench *b = *state;
    struct speak s;

    b->site.protocol = SITE_SPEAKS_H1;
    b->site.h2_port[0] = 50051;
    b->site.h2_port[1] = 3000;
    b->site.h2_ports = 1;
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &s), REASON_NONE);
    assert_int_equal(s.kind, BACK_H1);
    b->site.h2_ports = 2;
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &s), REASON_NONE);
    assert_int_equal(s.kind, BACK_H2);
    assert_int_equal(choose(b, NULL, (struct record_manner){.speaks = SPEAKS_H1}, &s),
                     REASON_NONE);
    assert_int_equal(s.kind, BACK_H1);
}

static void
test_tls(void **state)
{
    struct bench *b = *state;
    struct speak one, two;

    b->site.tls = true;
    b->site.tls_verify = false;
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &one), REASON_NONE);
    assert_int_equal(one.kind, BACK_ALPN);
    assert_non_null(one.tls.client);
    assert_true(slice_eq(one.tls.server_name, SLICE("3000-abc.example.com")));
    assert_true(one.identity != 0);
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &two), REASON_NONE);
    assert_int_equal(two.identity, one.identity);
    slice_copy(SLICE("inside"), b->site.tls_name, sizeof(b->site.tls_name));
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &two), REASON_NONE);
    assert_ptr_equal(two.tls.client, one.tls.client);
    assert_true(slice_eq(two.tls.server_name, SLICE("inside")));
    assert_true(two.identity != one.identity);
    b->site.tls_verify = true; /* whom it trusts is not the same */
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &one), REASON_NONE);
    assert_ptr_not_equal(two.tls.client, one.tls.client);
    assert_true(two.identity != one.identity);
    speakers_fini(&b->speakers); /* as a reload does */
    slice_copy(SLICE("/nowhere/ca.pem"), b->site.tls_ca, sizeof(b->site.tls_ca));
    assert_int_equal(choose(b, NULL, (struct record_manner){0}, &one),
                     REASON_UPSTREAM_UNTRUSTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ports_of_http2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
    };

    return cmocka_run_group_tests_name("speak", tests, NULL, NULL);
}
