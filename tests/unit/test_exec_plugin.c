/* SPDX-License-Identifier: BSD-2-Clause */
/* The exec plugin against a fake host: CONTRACT section 6, exit code by exit code. */
#include "config.h"

#include "failalloc.h"
#include "plugin_rig.h"

extern const struct rouse_plugin rouse_plugin;

#define SECOND 1000000

static const char *const inspect_argv[] = {"/bin/state", "{id}", NULL};
static const char *const resume_argv[] = {"wake", "--sandbox={id}", "x{id}y{id}", "", NULL};
static const char *const pause_argv[] = {"/bin/pause", NULL};
static const char *const kill_argv[] = {"/bin/end", NULL};
static const char *const variables[] = {"TOKEN", "s3cret\n", "HOME", "/srv", NULL};

struct trees {
    struct rouse_node *inspect, *resume, *pause, *kill, *environment;
};

static void
open_all(struct rig *r, struct trees *t)
{
    t->inspect = rig_list(inspect_argv);
    t->resume = rig_list(resume_argv);
    t->pause = rig_list(pause_argv);
    t->kill = rig_list(kill_argv);
    t->environment = rig_map(variables);
    const struct rig_option o[] = {
        {"inspect", NULL, t->inspect}, {"resume", NULL, t->resume}, {"pause", NULL, t->pause},
        {"kill", NULL, t->kill}, {"environment", NULL, t->environment}, {NULL, NULL, NULL},
    };
    rig_open(r, &rouse_plugin, o);
    assert_non_null(r->self);
}

static void
close_all(struct rig *r, struct trees *t)
{
    rig_close(r);
    rig_free_node(t->inspect);
    rig_free_node(t->resume);
    rig_free_node(t->pause);
    rig_free_node(t->kill);
    rig_free_node(t->environment);
}

static struct rouse_text
text(const char *s)
{
    return (struct rouse_text){s, strlen(s)};
}

static void
test_the_call(void **state)
{
    struct rouse_request q = {.epoch = 9, .idempotency = 3, .port = 3000};
    struct rouse_run *x;
    struct trees t;
    struct rig r;

    (void)state;
    q.klass = text("sdk");
    q.request_id = text("0193");
    open_all(&r, &t);
    rig_start(&r, ROUSE_RESUME, &q);
    x = rig_run(&r);
    assert_string_equal(x->argv, "wake\n--sandbox=blog\nxblogyblog\n\n");
    assert_string_equal(x->input, "{\"op\":1,\"id\":\"blog\"}");
    assert_int_equal(x->timeout_us, 10 * SECOND); /* the deadline is nearer than 20 s */
    assert_int_equal(x->output_max, 65536);
    assert_non_null(strstr(x->envp, "PATH="));
    assert_non_null(strstr(x->envp, "LANG="));
    assert_non_null(strstr(x->envp, "HOME=/srv\n"));
    assert_non_null(strstr(x->envp, "TOKEN=s3cret\n"));
    assert_non_null(strstr(x->envp, "\nROUSE_OP=resume\nROUSE_ID=blog\nROUSE_PORT=3000\n"
                                    "ROUSE_EPOCH=9\nROUSE_IDEMPOTENCY_KEY="));
    assert_non_null(strstr(x->envp, "-3\nROUSE_DEADLINE_MS=10000\nROUSE_CLASS=sdk\n"
                                    "ROUSE_GENERATION=g3\nROUSE_REQUEST_ID=0193\n"));
    assert_null(strstr(strstr(x->envp, "HOME=") + 1, "\nHOME="));
    close_all(&r, &t);
}

static void
test_exit_codes(void **state)
{
    static const struct {
        enum rouse_op op;
        int code;
        const char *output;
        enum rouse_outcome outcome;
        bool sandbox;
    } rows[] = {
        {ROUSE_RESUME, 0, "{\"state\":\"running\",\"address\":\"a\"}\n", ROUSE_RUNNING, true},
        {ROUSE_RESUME, 0, "", ROUSE_RUNNING, false},
        {ROUSE_RESUME, 0, "done\n", ROUSE_UNKNOWN, false},
        {ROUSE_RESUME, 0, "{\"id\":\"shop\",\"state\":\"running\"}", ROUSE_FAILED, false},
        {ROUSE_RESUME, 75, "{\"state\":\"running\"}", ROUSE_PENDING, false},
        {ROUSE_RESUME, 77, "", ROUSE_DENIED, false},
        {ROUSE_RESUME, 69, "", ROUSE_GONE, false},
        {ROUSE_RESUME, 66, "", ROUSE_NOT_FOUND, false},
        {ROUSE_RESUME, 70, "", ROUSE_CAPACITY, false},
        {ROUSE_RESUME, 78, "", ROUSE_DISABLED, false},
        {ROUSE_RESUME, 1, "", ROUSE_FAILED, false},
        {ROUSE_RESUME, 127, "", ROUSE_FAILED, false},
        {ROUSE_INSPECT, 0, "{\"state\":\"paused\"}", ROUSE_RUNNING, true},
        {ROUSE_INSPECT, 0, "", ROUSE_UNKNOWN, false},
        {ROUSE_INSPECT, 66, "", ROUSE_NOT_FOUND, false},
        {ROUSE_INSPECT, 69, "", ROUSE_GONE, false},
        {ROUSE_INSPECT, 2, "", ROUSE_FAILED, false},
        {ROUSE_PAUSE, 0, "", ROUSE_RUNNING, false},
        {ROUSE_PAUSE, 0, "{\"state\":\"pausing\"}", ROUSE_RUNNING, true},
        {ROUSE_PAUSE, 75, "", ROUSE_CONFLICT, false},
        {ROUSE_KILL, 0, "", ROUSE_GONE, false},
        {ROUSE_KILL, 66, "", ROUSE_GONE, false},
    };
    struct trees t;
    struct rig r;

    (void)state;
    open_all(&r, &t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rouse_job *j = rig_start(&r, rows[i].op, NULL);

        rig_exit(rig_run(&r), rows[i].code, rows[i].output, "");
        assert_true(j->finished);
        if (j->result.outcome != rows[i].outcome)
            fail_msg("row %zu: outcome %d, expected %d: %s", i, (int)j->result.outcome,
                     (int)rows[i].outcome, j->detail);
        assert_int_equal(j->result.sandbox != NULL, rows[i].sandbox);
        assert_int_equal(j->result.status, rows[i].code);
    }
    close_all(&r, &t);
}

static void
test_details(void **state)
{
    struct rouse_job *j;
    struct trees t;
    struct rig r;

    (void)state;
    open_all(&r, &t);
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_exit(rig_run(&r), 1, "", "\nkubectl: not\x1b[1m found\nsecond line\n");
    assert_string_equal(j->detail, "resume: exit code 1: kubectl: not?[1m found");
    assert_int_equal(r.logs, 0);
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_ended(rig_run(&r), 9, "timed out");
    assert_string_equal(j->detail, "resume: timed out");
    assert_int_equal(j->result.outcome, ROUSE_UNKNOWN);
    j = rig_start(&r, ROUSE_RESUME, NULL);
    rig_ended(rig_run(&r), 11, NULL);
    assert_string_equal(j->detail, "resume: ended by signal 11");
    assert_int_equal(j->result.outcome, ROUSE_UNKNOWN);
    /* A program that cannot be run is said loudly, once a minute. */
    for (int i = 0; i < 3; i++) {
        j = rig_start(&r, ROUSE_RESUME, NULL);
        rig_ended(rig_run(&r), 0, "No such file or directory");
        assert_int_equal(j->result.outcome, ROUSE_UNREACHABLE);
    }
    assert_int_equal(r.logs, 1);
    assert_int_equal(r.level, ROUSE_ERROR);
    assert_non_null(strstr(r.log, "cannot run wake: "));
    r.now += 60 * SECOND;
    rig_start(&r, ROUSE_RESUME, NULL);
    rig_ended(rig_run(&r), 0, "No such file or directory");
    assert_int_equal(r.logs, 2);
    r.refuse = true;
    assert_int_equal(rig_start(&r, ROUSE_RESUME, NULL)->result.outcome, ROUSE_UNREACHABLE);
    close_all(&r, &t);
}

/* An id can come from a host name: it must never be an option of the program. */
static void
test_ids_that_look_like_options(void **state)
{
    struct rouse_request q = {.epoch = 0};
    struct trees t;
    struct rig r;

    (void)state;
    open_all(&r, &t);
    q.id = text("--help");
    assert_int_equal(rig_start(&r, ROUSE_INSPECT, &q)->result.outcome, ROUSE_NOT_FOUND);
    assert_int_equal(r.runs, 0);
    rig_start(&r, ROUSE_RESUME, &q); /* there it is part of an argument */
    assert_string_equal(rig_run(&r)->argv, "wake\n--sandbox=--help\nx--helpy--help\n\n");
    q.id = text("$(reboot);'");
    rig_start(&r, ROUSE_INSPECT, &q);
    assert_string_equal(rig_run(&r)->argv, "/bin/state\n$(reboot);'\n");
    close_all(&r, &t);
}

static void
test_programs_that_are_not_configured(void **state)
{
    struct rouse_node *inspect = rig_list(inspect_argv);
    const struct rig_option o[] = {{"inspect", NULL, inspect}, {NULL, NULL, NULL}};
    struct rig r;

    (void)state;
    rig_open(&r, &rouse_plugin, o);
    assert_int_equal(rig_start(&r, ROUSE_RESUME, NULL)->result.outcome, ROUSE_DISABLED);
    assert_int_equal(rig_start(&r, ROUSE_PAUSE, NULL)->result.outcome, ROUSE_FAILED);
    assert_int_equal(rig_start(&r, ROUSE_KILL, NULL)->result.outcome, ROUSE_FAILED);
    rig_close(&r);
    rig_free_node(inspect);
}

static void
test_cancel_and_close(void **state)
{
    struct rouse_job *a, *b;
    struct trees t;
    struct rig r;

    (void)state;
    open_all(&r, &t);
    a = rig_start(&r, ROUSE_RESUME, NULL);
    b = rig_start(&r, ROUSE_INSPECT, NULL);
    r.plugin->cancel(r.self, a);
    assert_true(r.run[0]->stopped && r.run[1]->open);
    r.plugin->cancel(r.self, a);
    rig_start(&r, ROUSE_PAUSE, NULL);
    assert_false(a->finished || b->finished);
    close_all(&r, &t);
}

/* Whichever allocation fails: a mistake when opening, UNREACHABLE when called. */
static void
test_out_of_memory(void **state)
{
    struct rouse_node *inspect = rig_list(inspect_argv), *environment = rig_map(variables);
    const struct rig_option o[] = {
        {"inspect", NULL, inspect}, {"environment", NULL, environment}, {NULL, NULL, NULL}};
    struct rouse_job *j;
    struct rig r;
    unsigned n = 0;

    (void)state;
    do {
        n++;
        failalloc_from(n);
        rig_open(&r, &rouse_plugin, o);
        failalloc_from(0);
        assert_true(r.self || strcmp(r.mistake.text, "out of memory") == 0);
    } while (!r.self);
    assert_in_range(n, 9, 12);
    n = 0;
    do {
        n++;
        failalloc_from(n);
        j = rig_start(&r, ROUSE_INSPECT, NULL);
        failalloc_from(0);
        assert_true(!j->finished || j->result.outcome == ROUSE_UNREACHABLE);
    } while (j->finished);
    assert_in_range(n, 16, 24);
    rig_close(&r);
    rig_free_node(inspect);
    rig_free_node(environment);
}

static void
refuses(const char *name, struct rouse_node *node, const char *why)
{
    struct rouse_node *inspect = rig_list(inspect_argv);
    const struct rig_option o[] = {
        {"inspect", NULL, inspect}, {name, NULL, node}, {NULL, NULL, NULL}};
    struct rig r;

    rig_open(&r, &rouse_plugin, o);
    assert_null(r.self);
    if (!strstr(r.mistake.text, why))
        fail_msg("\"%s\" does not hold \"%s\"", r.mistake.text, why);
    assert_int_equal(r.mistake.line, 7);
    rig_free_node(node);
    rig_free_node(inspect);
}

static void
test_mistakes(void **state)
{
    static const char *const none[] = {NULL}, *const empty[] = {"", NULL},
                      *const place[] = {"/bin/{id}", NULL}, *const pair[] = {"a", "b", NULL};
    static const char *const bad_names[][3] = {
        {"ROUSE_ID", "x", NULL}, {"A=B", "x", NULL}, {"1A", "x", NULL}, {"", "x", NULL}};
    const char *many[70];

    (void)state;
    refuses("resume", rig_list(none), "must be a list");
    refuses("resume", rig_map(pair), "must be a list");
    refuses("resume", rig_list(empty), "the first is the program");
    refuses("resume", rig_list(place), "the first is the program");
    for (int i = 0; i < 69; i++)
        many[i] = "x";
    many[69] = NULL;
    refuses("kill", rig_list(many), "more than 64 arguments");
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++)
        refuses("environment", rig_map(bad_names[i]), "cannot be set");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_call),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_ids_that_look_like_options),
        cmocka_unit_test(test_programs_that_are_not_configured),
        cmocka_unit_test(test_cancel_and_close),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
