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
    return speak_choose(&b->speakers, b->lib, &b->site, manner, &req, &b->arena, out, &detail);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
    };

    return cmocka_run_group_tests_name("speak", tests, NULL, NULL);
}
