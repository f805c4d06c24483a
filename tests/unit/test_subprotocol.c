/* SPDX-License-Identifier: BSD-2-Clause */
/* A traffic token among the subprotocols of a WebSocket (CONTRACT section 4). */
#include "config.h"

#include "gateway/subprotocol.h"

#include "unit.h"

struct lab {
    struct pool pool;
    struct arena arena;
    struct head head;
};

static void
open_lab(struct lab *l, const char *const *line)
{
    pool_init(&l->pool, 1024, 4, 0);
    arena_init(&l->arena, &l->pool, 16384);
    head_init(&l->head);
    for (; *line; line++)
        assert_int_equal(head_add(&l->head, &l->arena, FIELD_SEC_WEBSOCKET_PROTOCOL,
                                  SLICE("Sec-WebSocket-Protocol"), slice_of(*line)), 0);
}

static void
close_lab(struct lab *l)
{
    arena_reset(&l->arena);
    pool_fini(&l->pool);
}

static const struct {
    const char *line[4];
    const char *token, *left, *only; /* left NULL: no field */
} row[] = {
    {{NULL}, "", NULL, ""},
    {{"chat"}, "", "chat", ""},
    {{"chat, news"}, "", "chat, news", ""},
    {{"rouse.token.abc"}, "abc", NULL, "rouse.token.abc"},
    {{"rouse.token.abc, "}, "abc", NULL, "rouse.token.abc"},
    {{"rouse.token.abc, rouse.token.d"}, "abc", NULL, "rouse.token.abc"},
    {{"rouse.token.abc,chat"}, "abc", "chat", ""},
    {{"chat , rouse.token.abc ,news"}, "abc", "chat, news", ""},
    {{"chat", "rouse.token.abc", "news"}, "abc", "chat, news", ""},
    {{"rouse.token."}, "", "rouse.token.", ""},      /* no token */
    {{"Rouse.Token.abc"}, "", "Rouse.Token.abc", ""}, /* subprotocols have case */
    {{"x.rouse.token.abc"}, "", "x.rouse.token.abc", ""},
};

static void
test_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct slice only;
        struct lab l;

        open_lab(&l, row[i].line);
        assert_slice(subprotocol_token(&l.head), row[i].token);
        assert_int_equal(subprotocol_strip(&l.head, &l.arena, &only), 0);
        assert_slice(only, row[i].only);
        assert_slice(subprotocol_token(&l.head), "");
        if (row[i].left)
            assert_slice(head_value(&l.head, FIELD_SEC_WEBSOCKET_PROTOCOL), row[i].left);
        else
            assert_null(head_find(&l.head, FIELD_SEC_WEBSOCKET_PROTOCOL));
        close_lab(&l);
    }
}

static void
test_answers(void **state)
{
    static const char *const none[] = {NULL}, *const chat[] = {"chat", NULL};
    struct slice only = SLICE("rouse.token.abc");
    struct lab l;

    (void)state;
    open_lab(&l, none);
    l.head.status = 101;
    assert_int_equal(subprotocol_answer(&l.head, &l.arena, SLICE_NONE), 0);
    assert_int_equal(l.head.fields, 0);
    assert_int_equal(subprotocol_answer(&l.head, &l.arena, only), 0);
    assert_slice(head_value(&l.head, FIELD_SEC_WEBSOCKET_PROTOCOL), "rouse.token.abc");
    close_lab(&l);
    open_lab(&l, chat); /* the sandbox chose */
    l.head.status = 101;
    assert_int_equal(subprotocol_answer(&l.head, &l.arena, only), 0);
    assert_slice(head_value(&l.head, FIELD_SEC_WEBSOCKET_PROTOCOL), "chat");
    close_lab(&l);
    open_lab(&l, none); /* the sandbox refused */
    l.head.status = 403;
    assert_int_equal(subprotocol_answer(&l.head, &l.arena, only), 0);
    assert_int_equal(l.head.fields, 0);
    close_lab(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests_name("subprotocol", tests, NULL, NULL);
}
