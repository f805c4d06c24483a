/* SPDX-License-Identifier: BSD-2-Clause */
/* The http plugin against a fake host: CONTRACT section 6, row by row. */
#include "config.h"

#include "failalloc.h"
#include "plugin_rig.h"

#include "http/http_call.h"

extern const struct rouse_plugin rouse_plugin;

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define BASE "http://127.0.0.1:9000/sandboxes/{id}"
#define SECOND 1000000

static const struct rig_option plain[] = {
    {"inspect", BASE, NULL},          {"resume", BASE "/resume", NULL},
    {"pause", BASE "/pause", NULL},   {"kill", BASE "/kill", NULL},
    {NULL, NULL, NULL},
};
static const struct rig_option hushed[] = {
    {"inspect", "http://h/state", NULL},
    {"resume", "http://h/resume", NULL},
    {"secret", " " SECRET "\n", NULL},
    {NULL, NULL, NULL},
};

static struct rouse_text
text(const char *s)
{
    return (struct rouse_text){s, strlen(s)};
}

/* ---- what goes out --------------------------------------------------------------------------- */

static void
test_inspect_is_a_get(void **state)
{
    struct rouse_request q = {.epoch = 0};
    struct rig r;
    struct rouse_fetch *f;

    (void)state;
    q.id = text("a b/%");
    q.request_id = text("0193a7");
    q.traceparent = text("00-x-y-01");
    rig_open(&r, &rouse_plugin, plain);
    rig_start(&r, ROUSE_INSPECT, &q);
    f = rig_fetch(&r);
    assert_string_equal(f->method, "GET");
    assert_string_equal(f->url, "http://127.0.0.1:9000/sandboxes/a%20b%2F%25");
    assert_string_equal(f->body, "");
    assert_string_equal(rig_header(f, "Accept"), "application/json");
    assert_string_equal(rig_header(f, "X-Request-Id"), "0193a7");
    assert_string_equal(rig_header(f, "traceparent"), "00-x-y-01");
    assert_string_equal(rig_header(f, "Rouse-Epoch"), "0");
    assert_non_null(rig_header(f, "Idempotency-Key"));
    assert_null(rig_header(f, "Content-Type"));
    assert_null(rig_header(f, "webhook-signature"));
    assert_int_equal(f->connect_timeout_us, SECOND);
    assert_int_equal(f->timeout_us, 10 * SECOND);
    assert_int_equal(f->answer_max, 65536);
    rig_close(&r);
}

static void
test_resume_is_a_post(void **state)
{
    struct rouse_request q = {.epoch = 42, .idempotency = 7, .deadline_us = 90 * SECOND};
    struct rig r;
    struct rouse_fetch *f, *again, *other;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    rig_start(&r, ROUSE_RESUME, &q);
    f = rig_fetch(&r);
    assert_string_equal(f->method, "POST");
    assert_string_equal(f->url, "http://127.0.0.1:9000/sandboxes/blog/resume");
    assert_string_equal(f->body, "{\"op\":1,\"id\":\"blog\"}");
    assert_string_equal(rig_header(f, "Content-Type"), "application/json");
    assert_string_equal(rig_header(f, "Rouse-Epoch"), "42");
    assert_int_equal(f->timeout_us, 20 * SECOND);
    /* The same intent under a new epoch: the same key.  Another intent: another. */
    q.epoch = 43;
    rig_start(&r, ROUSE_RESUME, &q);
    again = rig_fetch(&r);
    assert_string_equal(rig_header(again, "Rouse-Epoch"), "43");
    assert_string_equal(rig_header(again, "Idempotency-Key"), rig_header(f, "Idempotency-Key"));
    q.idempotency = 8;
    rig_start(&r, ROUSE_RESUME, &q);
    other = rig_fetch(&r);
    assert_string_not_equal(rig_header(other, "Idempotency-Key"),
                            rig_header(f, "Idempotency-Key"));
    rig_close(&r);
}

/* Two runs of Rouse count their calls from one; their keys differ all the same. */
static void
test_keys_of_two_runs_differ(void **state)
{
    struct rouse_request q = {.idempotency = 1};
    struct rig a, b;

    (void)state;
    rig_open(&a, &rouse_plugin, plain);
    rig_open(&b, &rouse_plugin, plain);
    rig_start(&a, ROUSE_RESUME, &q);
    rig_start(&b, ROUSE_RESUME, &q);
    assert_string_not_equal(rig_header(rig_fetch(&a), "Idempotency-Key"),
                            rig_header(rig_fetch(&b), "Idempotency-Key"));
    rig_close(&a);
    rig_close(&b);
}

static void
test_headers_of_the_configuration(void **state)
{
    static const char *const pairs[] = {"Authorization", "Bearer s3cret\n", "X-Team", "a", NULL};
    struct rouse_node *map = rig_map(pairs);
    const struct rig_option o[] = {
        {"inspect", BASE, NULL}, {"headers", NULL, map}, {NULL, NULL, NULL}};
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, o);
    rig_start(&r, ROUSE_INSPECT, NULL);
    assert_string_equal(rig_header(rig_fetch(&r), "authorization"), "Bearer s3cret");
    assert_string_equal(rig_header(rig_fetch(&r), "x-team"), "a");
    rig_close(&r);
    rig_free_node(map);
}

/* The key of SECRET, read as the plugin reads it. */
static struct rouse_text
key_of(struct http_options *o, const struct rig *r)
{
    struct rouse_value v[16] = {{0}};
    struct rouse_mistake m;

    v[0].text = text("http://h/{id}");
    v[4].given = 1;
    v[4].text = text(SECRET);
    assert_int_equal(http_options_read(o, r->services, v, &m), 0);
    assert_int_equal(o->key_n, 24);
    return (struct rouse_text){(const char *)o->key, o->key_n};
}

static void
test_signature(void **state)
{
    char space[300], expected[64];
    struct http_options o;
    struct rouse_text key;
    struct rouse_fetch *f;
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, hushed);
    key = key_of(&o, &r);
    /* A secret, id, time and body that Standard Webhooks libraries check themselves by. */
    assert_int_equal(http_call_sign(r.services, key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                                    text("{\"test\": 2432232314}"), space, sizeof space, expected),
                     0);
    assert_string_equal(expected, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    rig_start(&r, ROUSE_INSPECT, NULL);
    f = rig_fetch(&r);
    assert_string_equal(f->method, "POST");
    assert_string_equal(f->url, "http://h/state");
    assert_string_equal(f->body, "{\"op\":0,\"id\":\"blog\"}");
    assert_string_equal(rig_header(f, "webhook-timestamp"), "1614265330");
    assert_string_equal(rig_header(f, "webhook-id"), rig_header(f, "Idempotency-Key"));
    assert_int_equal(http_call_sign(r.services, key, rig_header(f, "webhook-id"), "1614265330",
                                    text(f->body), space, sizeof space, expected), 0);
    assert_string_equal(rig_header(f, "webhook-signature"), expected);
    assert_int_equal(http_call_sign(r.services, key, "id", "1614265330", text(f->body), space, 30,
                                    expected), -1);
    rig_close(&r);
}

/* ---- what comes back ------------------------------------------------------------------------- */

#define RUNS "{\"state\":\"running\",\"address\":\"10.1.4.7\"}"

struct row {
    int status;
    const char *body, *retry_after;
    enum rouse_outcome outcome;
    int64_t retry_after_us;
    bool sandbox;
};

static void
judge(enum rouse_op op, const struct row *row, size_t n)
{
    struct rig r;

    rig_open(&r, &rouse_plugin, plain);
    for (size_t i = 0; i < n; i++, row++) {
        const char *const headers[] = {"Server", "x", "retry-after", row->retry_after, NULL};
        struct rouse_request q = {.epoch = 5};
        struct rouse_job *j = rig_start(&r, op, &q);

        rig_answer(rig_fetch(&r), row->status, row->body, row->retry_after ? headers : NULL);
        assert_true(j->finished);
        if (j->result.outcome != row->outcome)
            fail_msg("%d %s: outcome %d, expected %d: %s", row->status, row->body,
                     (int)j->result.outcome, (int)row->outcome, j->detail);
        assert_int_equal(j->result.status, row->status);
        assert_int_equal(j->result.retry_after_us, row->retry_after_us);
        assert_int_equal(j->result.sandbox != NULL, row->sandbox);
        assert_true(j->detail[0] != 0);
    }
    rig_close(&r);
}

static void
test_answers_to_resume(void **state)
{
    static const struct row rows[] = {
        {200, RUNS, NULL, ROUSE_RUNNING, 0, true},
        {201, RUNS, NULL, ROUSE_RUNNING, 0, true},
        {200, "{\"id\":\"blog\",\"epoch\":5,\"state\":\"running\"}", NULL, ROUSE_RUNNING, 0, true},
        /* Nothing about the sandbox: Rouse looks. */
        {200, "", NULL, ROUSE_RUNNING, 0, false},
        {204, "", NULL, ROUSE_RUNNING, 0, false},
        {200, " \r\n", NULL, ROUSE_RUNNING, 0, false},
        {200, "{\"ok\":true}", NULL, ROUSE_RUNNING, 0, false},
        /* Not to be believed. */
        {200, "{\"id\":\"shop\",\"state\":\"running\"}", NULL, ROUSE_FAILED, 0, false},
        {200, "{\"sandboxId\":\"shop\",\"state\":\"running\"}", NULL, ROUSE_FAILED, 0, false},
        {200, "{\"epoch\":4,\"state\":\"running\"}", NULL, ROUSE_UNKNOWN, 0, false},
        {200, "OK", NULL, ROUSE_UNKNOWN, 0, false},
        {200, "{\"state\":\"running\"", NULL, ROUSE_UNKNOWN, 0, false},
        {200, "{\"state\":\"nonsense\"}", NULL, ROUSE_UNKNOWN, 0, false},
        {202, "", NULL, ROUSE_PENDING, 0, false},
        {202, RUNS, "2", ROUSE_PENDING, 2 * SECOND, false},
        {408, "", NULL, ROUSE_PENDING, 0, false},
        {409, "", "1", ROUSE_CONFLICT, SECOND, false},
        {423, "", NULL, ROUSE_CONFLICT, 0, false},
        {425, "", NULL, ROUSE_CONFLICT, 0, false},
        {403, "{\"error\":\"not yours\"}", NULL, ROUSE_DENIED, 0, false},
        {404, "", NULL, ROUSE_NOT_FOUND, 0, false},
        {410, "", NULL, ROUSE_GONE, 0, false},
        {412, "", NULL, ROUSE_STALE_EPOCH, 0, false},
        {428, "", NULL, ROUSE_DISABLED, 0, false},
        {429, "", "30", ROUSE_CAPACITY, 30 * SECOND, false},
        {429, "{\"error\":\"no_capacity\"}", NULL, ROUSE_CAPACITY, 0, false},
        {503, "{\"error\":\"no_capacity\"}", "7", ROUSE_CAPACITY, 7 * SECOND, false},
        {503, "{\"error\":\"no_capacity\"}", "Thu, 25 Feb 2021 15:02:20 GMT", ROUSE_CAPACITY,
         10 * SECOND, false},
        {503, "", "9", ROUSE_UNKNOWN, 9 * SECOND, false},
        {500, "{\"error\":\"no_capacity\"}", NULL, ROUSE_UNKNOWN, 0, false},
        {500, "<html>", NULL, ROUSE_UNKNOWN, 0, false},
        {502, "{\"error\":\"bad\\nluck\"}", NULL, ROUSE_UNKNOWN, 0, false},
        {301, "", NULL, ROUSE_FAILED, 0, false},
        {307, "", NULL, ROUSE_FAILED, 0, false},
        {400, "", NULL, ROUSE_FAILED, 0, false},
        {401, "", NULL, ROUSE_FAILED, 0, false},
        {422, "", NULL, ROUSE_FAILED, 0, false},
    };

    (void)state;
    judge(ROUSE_RESUME, rows, sizeof rows / sizeof rows[0]);
}

static void
test_answers_to_inspect(void **state)
{
    static const struct row rows[] = {
        {200, "{\"state\":\"paused\"}", NULL, ROUSE_RUNNING, 0, true},
        {200, "{\"state\":\"dozing\"}", NULL, ROUSE_RUNNING, 0, true},
        {200, "", NULL, ROUSE_UNKNOWN, 0, false},
        {200, "{}", NULL, ROUSE_UNKNOWN, 0, false},
        {200, "[1", NULL, ROUSE_UNKNOWN, 0, false},
        {200, "{\"id\":\"shop\",\"state\":\"paused\"}", NULL, ROUSE_FAILED, 0, false},
        {404, "", NULL, ROUSE_NOT_FOUND, 0, false},
        {410, "", NULL, ROUSE_GONE, 0, false},
        {401, "", NULL, ROUSE_FAILED, 0, false},
        {302, "", NULL, ROUSE_FAILED, 0, false},
        {405, "", NULL, ROUSE_FAILED, 0, false},
        {429, "", "3", ROUSE_PENDING, 3 * SECOND, false},
        {500, "", NULL, ROUSE_UNKNOWN, 0, false},
    };

    (void)state;
    judge(ROUSE_INSPECT, rows, sizeof rows / sizeof rows[0]);
}

static void
test_answers_to_pause_and_kill(void **state)
{
    static const struct row pause[] = {
        {200, "", NULL, ROUSE_RUNNING, 0, false},
        {204, "", NULL, ROUSE_RUNNING, 0, false},
        {200, "{\"state\":\"pausing\"}", NULL, ROUSE_RUNNING, 0, true},
        {202, "", NULL, ROUSE_PENDING, 0, false},
        {409, "", NULL, ROUSE_CONFLICT, 0, false},
        {425, "", NULL, ROUSE_CONFLICT, 0, false},
        {404, "", NULL, ROUSE_NOT_FOUND, 0, false},
        {410, "", NULL, ROUSE_GONE, 0, false},
        {400, "", NULL, ROUSE_FAILED, 0, false},
        {500, "", NULL, ROUSE_UNKNOWN, 0, false},
    };
    static const struct row kill[] = {
        {200, "", NULL, ROUSE_GONE, 0, false},
        {202, "", NULL, ROUSE_PENDING, 0, false},
        {404, "", NULL, ROUSE_GONE, 0, false},
        {410, "", NULL, ROUSE_GONE, 0, false},
        {425, "", NULL, ROUSE_CONFLICT, 0, false},
    };

    (void)state;
    judge(ROUSE_PAUSE, pause, sizeof pause / sizeof pause[0]);
    judge(ROUSE_KILL, kill, sizeof kill / sizeof kill[0]);
}

static void
test_what_the_sandbox_says_arrives(void **state)
{
    struct rouse_job *j;
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_answer(rig_fetch(&r), 200, RUNS, NULL);
    assert_int_equal(j->state, ROUSE_STATE_RUNNING);
    assert_string_equal(j->address, "10.1.4.7");
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_answer(rig_fetch(&r), 502, "{\"error\":\"bad\\nluck\"}", NULL);
    assert_string_equal(j->detail, "resume: HTTP 502: bad?luck");
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_answer(rig_fetch(&r), 307, "", NULL);
    assert_non_null(strstr(j->detail, "redirects, which is not followed"));
    rig_close(&r);
}

static void
test_no_answer(void **state)
{
    struct rouse_job *j;
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_no_answer(rig_fetch(&r), false, "connection refused");
    assert_int_equal(j->result.outcome, ROUSE_UNREACHABLE);
    assert_string_equal(j->detail, "resume: connection refused");
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_no_answer(rig_fetch(&r), true, "not answered within 20000 ms");
    assert_int_equal(j->result.outcome, ROUSE_UNKNOWN);
    r.refuse = true;
    j = rig_start(&r, ROUSE_RESUME, NULL);
    assert_int_equal(j->result.outcome, ROUSE_UNREACHABLE);
    rig_close(&r);
}

static void
test_hooks_that_are_not_configured(void **state)
{
    static const struct rig_option o[] = {{"inspect", BASE, NULL}, {NULL, NULL, NULL}};
    struct rouse_request q = {.epoch = 0};
    char id[300];
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, o);
    assert_int_equal(rig_start(&r, ROUSE_RESUME, NULL)->result.outcome, ROUSE_DISABLED);
    assert_int_equal(rig_start(&r, ROUSE_PAUSE, NULL)->result.outcome, ROUSE_FAILED);
    assert_int_equal(rig_start(&r, ROUSE_KILL, NULL)->result.outcome, ROUSE_FAILED);
    memset(id, 'a', sizeof id);
    q.id = (struct rouse_text){id, sizeof id};
    assert_int_equal(rig_start(&r, ROUSE_INSPECT, &q)->result.outcome, ROUSE_NOT_FOUND);
    assert_int_equal(r.fetches, 0);
    rig_close(&r);
}

static void
test_401_is_said_once_a_minute(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    for (int i = 0; i < 10; i++) {
        rig_start(&r, ROUSE_INSPECT, NULL);
        rig_answer(rig_fetch(&r), 401, "", NULL);
        r.now += 5 * SECOND;
    }
    assert_int_equal(r.logs, 1);
    assert_int_equal(r.level, ROUSE_ERROR);
    assert_non_null(strstr(r.log, "401"));
    r.now += 10 * SECOND;
    rig_start(&r, ROUSE_RESUME, NULL);
    rig_answer(rig_fetch(&r), 401, "", NULL);
    assert_int_equal(r.logs, 2);
    rig_close(&r);
}

/* ---- the breaker ----------------------------------------------------------------------------- */

static void
fail_times(struct rig *r, enum rouse_op op, int n)
{
    for (int i = 0; i < n; i++) {
        rig_start(r, op, NULL);
        rig_no_answer(rig_fetch(r), i % 2, "connection refused");
    }
}

static void
test_breaker(void **state)
{
    struct rouse_job *j;
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    fail_times(&r, ROUSE_RESUME, 4);
    rig_start(&r, ROUSE_RESUME, NULL);
    rig_answer(rig_fetch(&r), 500, "", NULL); /* an answer is an answer */
    fail_times(&r, ROUSE_RESUME, 4);
    assert_int_equal(r.logs, 0);
    fail_times(&r, ROUSE_RESUME, 1);
    assert_int_equal(r.logs, 1);
    assert_int_equal(r.level, ROUSE_WARN);
    assert_int_equal(r.fetches, 10);

    j = rig_start(&r, ROUSE_RESUME, NULL);
    assert_int_equal(j->result.outcome, ROUSE_UNREACHABLE);
    r.now += SECOND - 1;
    rig_start(&r, ROUSE_RESUME, NULL);
    assert_int_equal(r.fetches, 10);
    /* Other hooks of the platform are called. */
    j = rig_start(&r, ROUSE_INSPECT, NULL);
    assert_false(j->finished);
    rig_answer(rig_fetch(&r), 200, RUNS, NULL);

    r.now += 1; /* the probe; no second one beside it */
    j = rig_start(&r, ROUSE_RESUME, NULL);
    assert_int_equal(r.fetches, 12);
    assert_int_equal(rig_start(&r, ROUSE_RESUME, NULL)->result.outcome, ROUSE_UNREACHABLE);
    rig_no_answer(rig_fetch(&r), true, "no answer");
    assert_int_equal(j->result.outcome, ROUSE_UNKNOWN);
    assert_int_equal(r.logs, 1);
    r.now += SECOND;
    j = rig_start(&r, ROUSE_RESUME, NULL);
    assert_int_equal(r.fetches, 13);
    rig_answer(rig_fetch(&r), 503, "", NULL);
    assert_int_equal(r.logs, 2);
    assert_int_equal(r.level, ROUSE_INFO);
    rig_start(&r, ROUSE_RESUME, NULL);
    rig_start(&r, ROUSE_RESUME, NULL);
    assert_int_equal(r.fetches, 15);
    rig_close(&r);
}

/* Calls that hang while others are answered: the hook is there. */
static void
test_old_failures_say_nothing(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    for (int i = 0; i < 6; i++)
        rig_start(&r, ROUSE_RESUME, NULL);
    r.now += 1000;
    rig_start(&r, ROUSE_RESUME, NULL);
    rig_answer(rig_fetch(&r), 200, RUNS, NULL);
    r.now += SECOND;
    for (int i = 0; i < 6; i++)
        rig_no_answer(r.fetch[i], true, "not answered");
    assert_int_equal(r.logs, 0);
    assert_false(rig_start(&r, ROUSE_RESUME, NULL)->finished);
    rig_close(&r);
}

/* A hook that hangs: the host gives up at the deadline and cancels. */
static void
test_late_calls_open_the_breaker(void **state)
{
    struct rouse_request q = {.deadline_us = SECOND};
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    for (int i = 0; i < 5; i++) {
        struct rouse_job *j = rig_start(&r, ROUSE_RESUME, &q);
        assert_int_equal(rig_fetch(&r)->timeout_us, SECOND);
        r.now += SECOND;
        r.plugin->cancel(r.self, j);
        j->open = false;
        assert_true(rig_fetch(&r)->stopped);
    }
    assert_int_equal(rig_start(&r, ROUSE_RESUME, &q)->result.outcome, ROUSE_UNREACHABLE);
    rig_close(&r);
}

static void
test_cancel_and_close(void **state)
{
    struct rouse_job *a, *b, *c;
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, plain);
    for (int i = 0; i < 10; i++) { /* in time: it says nothing about the hook */
        a = rig_start(&r, ROUSE_RESUME, NULL);
        r.plugin->cancel(r.self, a);
        assert_false(a->finished);
    }
    a = rig_start(&r, ROUSE_RESUME, NULL);
    b = rig_start(&r, ROUSE_INSPECT, NULL);
    c = rig_start(&r, ROUSE_PAUSE, NULL);
    assert_int_equal(r.fetches, 13);
    r.plugin->cancel(r.self, b);
    assert_true(r.fetch[11]->stopped);
    assert_true(r.fetch[10]->open && r.fetch[12]->open);
    r.plugin->cancel(r.self, b); /* unknown by now: nothing */
    rig_close(&r);
    assert_false(a->finished || b->finished || c->finished);
}

static void
test_out_of_memory(void **state)
{
    struct rouse_job *j;
    struct rig r;

    (void)state;
    failalloc_from(1);
    rig_open(&r, &rouse_plugin, plain);
    failalloc_from(0);
    assert_null(r.self);
    assert_string_equal(r.mistake.text, "out of memory");
    rig_open(&r, &rouse_plugin, plain);
    for (unsigned n = 1; n <= 3; n++) {
        failalloc_from(n);
        j = rig_start(&r, ROUSE_RESUME, NULL);
        failalloc_from(0);
        assert_int_equal(j->finished, n < 3);
        assert_true(n == 3 || j->result.outcome == ROUSE_UNREACHABLE);
    }
    rig_close(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inspect_is_a_get),
        cmocka_unit_test(test_resume_is_a_post),
        cmocka_unit_test(test_keys_of_two_runs_differ),
        cmocka_unit_test(test_headers_of_the_configuration),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_answers_to_resume),
        cmocka_unit_test(test_answers_to_inspect),
        cmocka_unit_test(test_answers_to_pause_and_kill),
        cmocka_unit_test(test_what_the_sandbox_says_arrives),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_hooks_that_are_not_configured),
        cmocka_unit_test(test_401_is_said_once_a_minute),
        cmocka_unit_test(test_breaker),
        cmocka_unit_test(test_old_failures_say_nothing),
        cmocka_unit_test(test_late_calls_open_the_breaker),
        cmocka_unit_test(test_cancel_and_close),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
