/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages there and back; records: endpoints, tokens, wake rules; names. */
#include "config.h"

#include "sandbox/driver.h"
#include "sandbox/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_ask(void **state)
{
    char bytes[MAIL_PACKED_MAX], path[2000];
    struct mail m = {.kind = MAIL_ASK, .ticket = 77}, back;
    struct mail_ask *a = &m.u.ask;
    size_t n;

    (void)state;
    memset(path, 'p', sizeof(path));
    a->why = ASK_SILENT;
    a->port = 3000;
    a->arrived = 12345;
    a->has_token = true;
    a->token[31] = 9;
    a->key.platform = 4;
    a->key.n = 5;
    memcpy(a->key.id, "hello", 6);
    a->client = SLICE("127.0.0.1");
    a->method = SLICE("GET");
    a->host = SLICE("3000-hello.localhost");
    a->path = (struct slice){path, sizeof(path)};
    n = mail_pack(&m, bytes);
    assert_true(n <= sizeof(bytes));
    memset(&back, 0xee, sizeof(back));
    mail_unpack(bytes, n, &back);
    assert_int_equal(back.kind, MAIL_ASK);
    assert_int_equal(back.ticket, 77);
    assert_int_equal(back.u.ask.port, 3000);
    assert_int_equal(back.u.ask.token[31], 9);
    assert_int_equal(back.u.ask.key.platform, 4);
    assert_string_equal(back.u.ask.key.id, "hello");
    assert_true(slice_eq(back.u.ask.host, a->host));
    assert_int_equal(back.u.ask.path.n, MAIL_PATH_MAX);
    memset(a->key.id, 'x', SANDBOX_ID_MAX);
    a->key.n = SANDBOX_ID_MAX;
    a->host = a->client = a->method = a->path;
    assert_true(mail_pack(&m, bytes) <= sizeof(bytes));
}

static void
test_others(void **state)
{
    char bytes[MAIL_PACKED_MAX];

    (void)state;
    for (unsigned kind = 0; kind < MAIL_KINDS; kind++) {
        struct mail m, back;
        size_t n;

        memset(&m, 0, sizeof(m));
        m.kind = (enum mail_kind)kind;
        m.sandbox = 3;
        m.version = 9;
        n = mail_pack(&m, bytes);
        if (kind == MAIL_VERDICT)
            assert_true(n <= MAIL_VERDICT_ROOM);
        mail_unpack(bytes, n, &back);
        assert_int_equal(back.kind, kind);
        assert_int_equal(back.version, 9);
        assert_true(strlen(mail_kind_name(back.kind)) > 2);
    }
    assert_string_equal(traffic_class_name(CLASS_HOUSEKEEPING), "housekeeping");
    assert_string_equal(driver_op_name(DRIVER_PAUSE), "pause");
    assert_string_equal(driver_outcome_name(OUTCOME_UNKNOWN), "unknown");
}

static void
test_endpoint(void **state)
{
    struct record r;
    struct endpoint e;

    (void)state;
    record_init(&r);
    assert_false(record_endpoint(&r, 80, &e));
    r.address = (struct endpoint){.family = 4, .ip = {10, 0, 0, 1}};
    assert_true(record_endpoint(&r, 80, &e));
    assert_int_equal(e.port, 80);
    r.address.port = 9000;
    assert_true(record_endpoint(&r, 80, &e));
    assert_int_equal(e.port, 9000);
    r.ports_n = 1;
    r.ports[0].port = 80;
    r.ports[0].at = (struct endpoint){.family = 4, .port = 31000, .ip = {10, 0, 0, 2}};
    assert_true(record_endpoint(&r, 80, &e));
    assert_int_equal(e.port, 31000);
}

static void
test_rules(void **state)
{
    struct record r, copy;
    uint8_t good[TOKEN_DIGEST] = {1}, bad[TOKEN_DIGEST] = {2};

    (void)state;
    record_init(&r);
    assert_true(record_may_wake(&r, 80, SLICE("GET"), SLICE("/")));
    r.rules = calloc(2, sizeof(*r.rules));
    r.rules_n = 2;
    r.rules[0].wake = true;
    name_set(&r.rules[0].path_prefix, SLICE("/api"));
    name_set(&r.rules[0].methods, SLICE("POST,PUT"));
    r.rules[1].port = 80;
    assert_int_equal(record_copy(&copy, &r), 0);
    record_fini(&r);
    assert_true(record_may_wake(&copy, 80, SLICE("PUT"), SLICE("/api/x")));
    assert_false(record_may_wake(&copy, 80, SLICE("GET"), SLICE("/api/x")));
    assert_true(record_may_wake(&copy, 81, SLICE("GET"), SLICE("/api/x")));
    assert_true(record_admits(&copy, NULL));
    copy.tokens_n = 1;
    memcpy(copy.tokens[0], good, sizeof(good));
    assert_false(record_admits(&copy, NULL));
    assert_false(record_admits(&copy, bad));
    assert_true(record_admits(&copy, good));
    record_fini(&copy);
}

static void
test_states(void **state)
{
    enum sandbox_state s;

    (void)state;
    assert_int_equal(sandbox_state_parse(SLICE("snapshotting"), &s), 0);
    assert_int_equal(s, SANDBOX_SNAPSHOTTING);
    assert_int_equal(sandbox_state_parse(SLICE("sleeping"), &s), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask),      cmocka_unit_test(test_others),
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_rules), cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
