/* SPDX-License-Identifier: BSD-2-Clause */
/* Child processes: output, input nobody reads, limits, process groups, and no zombie ever. */
#include "config.h"

#include "net/child.h"

#include "net/spawn.h"
#include "net_rig.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

struct rig {
    struct loop loop;
    unsigned fds;
    struct child *child, *cancel_too;
    bool done;
    unsigned calls;
    struct child_result result;
    char output[65536], errors[2048];
};

static void
on_done(void *ctx, const struct child_result *res)
{
    struct rig *r = ctx;

    r->result = *res;
    assert_true(res->output.n < sizeof(r->output) && res->errors.n <= 1024);
    slice_copy(res->output, r->output, sizeof(r->output));
    slice_copy(res->errors, r->errors, sizeof(r->errors));
    r->calls++;
    r->done = true;
    if (r->cancel_too)
        child_cancel(r->cancel_too);
}

static int
set_up(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    r->fds = rig_open_fds();
    rig_loop(&r->loop);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *r = *state;

    loop_fini(&r->loop);
    assert_int_equal(rig_open_fds(), r->fds);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody left, dead or alive */
    assert_int_equal(errno, ECHILD);
    free(r);
    return 0;
}

static void
start_with(struct rig *r, const char *script, struct child_options o)
{
    char *argv[] = {(char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c", NULL, NULL};

    argv[2] = (char *)(uintptr_t)script;
    o.argv = argv;
    if (o.output_max == 0)
        o.output_max = 4096;
    if (o.timeout == 0)
        o.timeout = RIG_PATIENCE;
    r->done = false;
    r->child = child_start(&r->loop, &o, on_done, r);
    assert_non_null(r->child);
    assert_false(r->done);
}

static void
run(struct rig *r, const char *script, struct child_options o)
{
    start_with(r, script, o);
    rig_until(&r->loop, &r->done);
}

static void
test_output_errors_and_status(void **state)
{
    struct rig *r = *state;

    run(r, "echo out; echo err >&2; exit 75", (struct child_options){0});
    assert_string_equal(r->output, "out\n");
    assert_string_equal(r->errors, "err\n");
    assert_true(WIFEXITED(r->result.status));
    assert_int_equal(WEXITSTATUS(r->result.status), 75);
    assert_int_equal(r->result.error, 0);
    assert_false(r->result.timed_out || r->result.too_long);
    rig_settle(&r->loop);
    assert_int_equal(r->calls, 1);
}

static void
test_input_is_read(void **state)
{
    struct rig *r = *state;
    static char text[50000];

    memset(text, 'i', sizeof(text));
    run(r, "cat", (struct child_options){.input = {text, sizeof(text)}, .output_max = 60000});
    assert_int_equal(r->result.output.n, sizeof(text));
    assert_memory_equal(r->output, text, sizeof(text));
    run(r, "cat", (struct child_options){0});
    assert_int_equal(r->result.output.n, 0);
}

static void
test_input_may_be_refused(void **state)
{
    struct rig *r = *state;
    static char text[500000];

    run(r, "exec <&-; echo fine", (struct child_options){.input = {text, sizeof(text)}});
    assert_string_equal(r->output, "fine\n");
}

static void
test_a_program_that_is_not_there(void **state)
{
    struct rig *r = *state;
    char *argv[] = {(char *)(uintptr_t)"/nowhere/at all", NULL};
    struct child_options o = {.argv = argv, .output_max = 10, .timeout = USEC_SEC};
    unsigned before = rig_open_fds();

    r->child = child_start(&r->loop, &o, on_done, r);
    assert_non_null(r->child);
    assert_false(r->done);
    /* No pipe is watched any more: it may be told, and freed, before the next look at events. */
    assert_int_equal(rig_open_fds(), before);
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->result.status, -1);
    assert_int_equal(r->result.error, ENOENT);
    argv[0] = (char *)(uintptr_t)"/etc/passwd";
    r->done = false;
    r->child = child_start(&r->loop, &o, on_done, r);
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->result.error, EACCES);
    r->child = child_start(&r->loop, &o, on_done, r);
    child_cancel(r->child); /* before it was told */
    rig_settle(&r->loop);
    assert_int_equal(r->calls, 2);
}

static void
test_too_much_output_ends_it(void **state)
{
    struct rig *r = *state;

    run(r, "yes", (struct child_options){.output_max = 1000});
    assert_true(r->result.too_long);
    assert_int_equal(r->result.output.n, 1000);
    assert_true(WIFSIGNALED(r->result.status));
    run(r, "printf 1234567890", (struct child_options){.output_max = 10});
    assert_false(r->result.too_long);
    run(r, "printf 12345678901", (struct child_options){.output_max = 10});
    assert_true(r->result.too_long);
    run(r, "yes e | head -c 100000 >&2; echo k", (struct child_options){0});
    assert_int_equal(r->result.errors.n, 1024);
    assert_false(r->result.too_long);
    assert_string_equal(r->output, "k\n");
}

static bool
is_alive(pid_t pid)
{
    char path[64], line[256] = "";
    FILE *f;
    const char *p;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (!f)
        return false;
    p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return p && p[2] != 'Z' && p[2] != 'X';
}

static pid_t
pid_in(const char *text)
{
    return (pid_t)strtol(text, NULL, 10);
}

static void
wait_dead(pid_t pid)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    while (is_alive(pid))
        assert_true(loop_clock() < end);
}

static void
test_timeout_kills_the_group(void **state)
{
    struct rig *r = *state;

    run(r, "sleep 1000 & echo $!; wait", (struct child_options){.timeout = 100 * USEC_MS});
    assert_true(r->result.timed_out);
    assert_true(WIFSIGNALED(r->result.status));
    assert_int_equal(WTERMSIG(r->result.status), SIGKILL);
    assert_true(pid_in(r->output) > 1);
    wait_dead(pid_in(r->output));
}

static void
test_a_helper_in_the_background_does_not_hold_it_up(void **state)
{
    struct rig *r = *state;
    usec_t before = loop_clock();

    run(r, "sleep 1000 & echo $!; exit 3", (struct child_options){0});
    assert_true(loop_clock() - before < RIG_PATIENCE / 2);
    assert_int_equal(WEXITSTATUS(r->result.status), 3);
    assert_true(is_alive(pid_in(r->output)));
    kill(pid_in(r->output), SIGKILL);
}

static void
test_cancelled_ones_are_reaped_silently(void **state)
{
    struct rig *r = *state;

    start_with(r, "sleep 1000", (struct child_options){0});
    child_cancel(r->child);
    while (!list_empty(&r->loop.children))
        loop_turn(&r->loop, USEC_SEC);
    assert_int_equal(r->calls, 0);
    start_with(r, "sleep 1000", (struct child_options){0});
    r->cancel_too = r->child;
    run(r, "true", (struct child_options){0}); /* its callback cancels the other */
    r->cancel_too = NULL;
    assert_int_equal(r->calls, 1);
    child_cancel(NULL);
}

static void
test_the_end_of_the_loop_ends_them(void **state)
{
    struct rig *r = *state;

    start_with(r, "sleep 1000", (struct child_options){0});
    start_with(r, "trap '' TERM INT; sleep 1000", (struct child_options){0});
    child_cancel(r->child);
    start_with(r, "true", (struct child_options){0});
}

/* 32 and 33 are the C library's own: nobody may set them, and some supervisors leave them ignored.
 * */
#define LIBC_SIGNALS 0x180000000ull

static void
test_it_sees_three_descriptors_and_no_mask(void **state)
{
    struct rig *r = *state;
    int leak = open("/dev/null", O_RDONLY); /* without close-on-exec, as a plugin may */
    unsigned long long blocked, ignored;

    signal(SIGPIPE, SIG_IGN);
    run(r, "ls /proc/self/fd | wc -l; yes | head -1; grep -E 'Sig(Blk|Ign)' /proc/self/status",
        (struct child_options){0});
    signal(SIGPIPE, SIG_DFL);
    close(leak);
    assert_int_equal(sscanf(r->output, "4 y SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & ~LIBC_SIGNALS, 0);
    assert_int_equal(r->result.errors.n, 0); /* yes was ended by SIGPIPE, it did not complain */
}

static void
test_the_environment(void **state)
{
    struct rig *r = *state;
    char *env[] = {(char *)(uintptr_t)"A=b", NULL};

    setenv("LISTEN_FDS", "3", 1);
    setenv("NOTIFY_SOCKET", "/x", 1);
    setenv("hook_secret", "hush", 1);
    setenv("API_KEY", "hush", 1);
    setenv("ROUSE_TEST_SEEN", "yes", 1);
    run(r, "echo $LISTEN_FDS$NOTIFY_SOCKET$hook_secret$API_KEY$ROUSE_TEST_SEEN; test -n \"$PATH\"",
        (struct child_options){0});
    assert_string_equal(r->output, "yes\n");
    assert_int_equal(r->result.status, 0);
    run(r, "echo $A$ROUSE_TEST_SEEN", (struct child_options){.envp = env});
    assert_string_equal(r->output, "b\n");
}

static void
test_many_at_once(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < 50; i++)
        start_with(r, "echo x", (struct child_options){0});
    while (r->calls < 50)
        loop_turn(&r->loop, USEC_SEC);
    assert_true(list_empty(&r->loop.children));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_output_errors_and_status),
        TEST(test_input_is_read),
        TEST(test_input_may_be_refused),
        TEST(test_a_program_that_is_not_there),
        TEST(test_too_much_output_ends_it),
        TEST(test_timeout_kills_the_group),
        TEST(test_a_helper_in_the_background_does_not_hold_it_up),
        TEST(test_cancelled_ones_are_reaped_silently),
        TEST(test_the_end_of_the_loop_ends_them),
        TEST(test_it_sees_three_descriptors_and_no_mask),
        TEST(test_the_environment),
        TEST(test_many_at_once),
    };
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
