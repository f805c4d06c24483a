/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker knows: routes, versions, tokens, activity, the answer to QUIESCE. */
#include "config.h"

#include "sandbox/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sandbox_key
key_of(const char *id)
{
    struct sandbox_key k = {.platform = 1};

    k.n = (uint16_t)slice_copy(slice_of(id), k.id, sizeof(k.id));
    return k;
}

static struct mail
state_of(const char *id, uint64_t number, uint64_t version, uint16_t port, bool open)
{
    struct mail m = {.kind = MAIL_STATE, .sandbox = number, .version = version};

    m.u.state.key = key_of(id);
    m.u.state.port = port;
    m.u.state.open = open;
    m.u.state.incarnation = open ? 5 : 0;
    m.u.state.to = (struct endpoint){.family = 4, .port = port, .ip = {10, 0, 0, 1}};
    return m;
}

static void
test_routes(void **state)
{
    struct view *v = view_new(100, 1, 2);
    struct sandbox_key a = key_of("a");
    struct view_route route;
    struct mail m, reply;

    (void)state;
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_ASK);
    m = state_of("a", 7, 3, 80, true);
    m.u.state.manner = (struct record_manner){SPEAKS_H2, true};
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_DROP_IDLE);
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_GO);
    assert_int_equal(route.manner.speaks, SPEAKS_H2);
    assert_true(route.manner.tls);
    assert_int_equal(route.sandbox, 7);
    assert_int_equal(route.version, 3);
    assert_int_equal(route.incarnation, 5);
    assert_true(view_current(v, 7, 3));
    /* A second port of the same version leaves the first. */
    m = state_of("a", 7, 3, 81, true);
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_NOTHING);
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_GO);
    assert_int_equal(view_route(v, &a, 81, NULL, &route), VIEW_GO);
    /* Older news is ignored, newer drops both. */
    m = state_of("a", 7, 2, 80, false);
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_NOTHING);
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_GO);
    m = state_of("a", 7, 4, 0, false);
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_DROP_IDLE);
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_ASK);
    assert_int_equal(view_route(v, &a, 81, NULL, &route), VIEW_ASK);
    assert_false(view_current(v, 7, 3));
    view_free(v);
}

static void
test_verdict_is_news(void **state)
{
    struct view *v = view_new(100, 1, 2);
    struct sandbox_key a = key_of("a");
    struct view_route route;
    struct mail reply, m = state_of("a", 7, 3, 80, true);

    (void)state;
    view_on_mail(v, &m, 0, &reply);
    m = (struct mail){.kind = MAIL_VERDICT, .sandbox = 7, .version = 9};
    m.u.verdict.verdict = VERDICT_GO_PROBE;
    m.u.verdict.incarnation = 6;
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_DROP_IDLE);
    assert_true(view_current(v, 7, 9));
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_ASK);
    view_free(v);
}

static void
test_tokens(void **state)
{
    struct view *v = view_new(100, 1, 2);
    struct sandbox_key a = key_of("a");
    struct view_route route;
    struct mail reply, m = state_of("a", 7, 3, 80, true);
    uint8_t good[TOKEN_DIGEST] = {1, 2, 3}, bad[TOKEN_DIGEST] = {1, 2, 4};

    (void)state;
    m.u.state.tokens_n = 2;
    memcpy(m.u.state.tokens[1], good, sizeof(good));
    memset(m.u.state.tokens[0], 9, TOKEN_DIGEST);
    view_on_mail(v, &m, 0, &reply);
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_NEEDS_TOKEN);
    assert_int_equal(view_route(v, &a, 80, bad, &route), VIEW_BAD_TOKEN);
    assert_int_equal(view_route(v, &a, 80, good, &route), VIEW_GO);
    view_free(v);
}

static void
test_activity(void **state)
{
    struct view *v = view_new(100, 1, 2);
    struct view_sandbox *s = view_begin(v, 7, 10);
    struct mail m;
    usec_t next;

    (void)state;
    assert_int_equal(view_open(s), 1);
    assert_true(view_activity(v, 10, &m, &next));
    assert_int_equal(m.u.activity.open, 1);
    assert_false(view_activity(v, 10, &m, &next));
    assert_true(next == USEC_NEVER);
    view_end(v, s, 100, 20);
    for (usec_t t = 20; t < 500000; t += 1000) {
        assert_ptr_equal(view_begin(v, 7, t), s);
        view_end(v, s, 1, t);
        assert_false(view_activity(v, t, &m, &next));
        assert_int_equal(next, 10 + USEC_SEC);
    }
    assert_true(view_activity(v, next, &m, &next));
    assert_int_equal(m.u.activity.open, 0);
    assert_int_equal(m.u.activity.bytes, 600);
    view_free(v);
}

static void
test_quiesce(void **state)
{
    struct view *v = view_new(100, 1, 2);
    struct sandbox_key a = key_of("a");
    struct view_route route;
    struct mail reply, m = state_of("a", 7, 3, 80, true);
    struct view_sandbox *s;

    (void)state;
    view_on_mail(v, &m, 0, &reply);
    s = view_begin(v, 7, 0);
    m = (struct mail){.kind = MAIL_QUIESCE, .sandbox = 7, .version = 4};
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_REPLY | VIEW_DROP_IDLE);
    assert_int_equal(reply.kind, MAIL_QUIESCED);
    assert_int_equal(reply.version, 4);
    assert_int_equal(reply.u.quiesced.in_flight, 1);
    assert_int_equal(view_route(v, &a, 80, NULL, &route), VIEW_ASK);
    assert_false(view_current(v, 7, 3));
    view_stream(s, 1); /* counted apart */
    view_begin(v, 7, 0);
    m.version = 5;
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_REPLY | VIEW_DROP_IDLE);
    assert_int_equal(reply.u.quiesced.in_flight, 1);
    assert_int_equal(reply.u.quiesced.streams, 1);
    view_stream(s, -1);
    view_end(v, s, 0, 1);
    view_end(v, s, 0, 1);
    m = (struct mail){.kind = MAIL_CLOSE_STREAMS, .sandbox = 7, .version = 5};
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_CLOSE_STREAMS);
    m.version = 4; /* old news */
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_NOTHING);
    m = (struct mail){.kind = MAIL_QUIESCE, .version = 6};
    m.sandbox = 8; /* never heard of */
    assert_int_equal(view_on_mail(v, &m, 0, &reply), VIEW_REPLY);
    assert_int_equal(reply.u.quiesced.in_flight, 0);
    view_free(v);
}

static void
test_bound(void **state)
{
    struct view *v = view_new(4, 1, 2);
    struct view_sandbox *s = view_begin(v, 1, 0);
    struct mail reply, m;

    (void)state;
    for (uint64_t i = 2; i < 50; i++) {
        m = state_of("x", i, i, (uint16_t)i, true);
        view_on_mail(v, &m, 0, &reply);
    }
    assert_true(view_current(v, 49, 49));
    assert_false(view_current(v, 40, 40));
    assert_int_equal(view_open(s), 1); /* never forgotten while open */
    view_end(v, s, 0, 1);
    view_free(v);
}

/* What has something open is never refused: it is bounded by its connections. */
static void
test_all_in_use(void **state)
{
    struct view *v = view_new(4, 1, 2);
    struct view_sandbox *s[20];
    struct mail reply, m = {.kind = MAIL_VERDICT};

    (void)state;
    m.u.verdict.verdict = VERDICT_GO_DIRECT;
    for (uint64_t i = 0; i < 20; i++) {
        m.sandbox = i + 1;
        m.version = i + 1;
        view_on_mail(v, &m, 0, &reply);
        assert_true(view_current(v, i + 1, i + 1));
        s[i] = view_begin(v, i + 1, 0);
        assert_non_null(s[i]);
    }
    for (uint64_t i = 0; i < 20; i++)
        view_end(v, s[i], 0, 1);
    m.sandbox = m.version = 99;
    view_on_mail(v, &m, 0, &reply);
    assert_false(view_current(v, 1, 1));
    view_free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),   cmocka_unit_test(test_verdict_is_news),
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_activity),
        cmocka_unit_test(test_quiesce),  cmocka_unit_test(test_bound),
        cmocka_unit_test(test_all_in_use),
    };

    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
