/* SPDX-License-Identifier: BSD-2-Clause */
/* A failed ensure says where, and the process ends by SIGABRT. */
#include "config.h"

#include "base/ensure.h"

#include "unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_says_where_and_aborts(void **state)
{
    char said[256] = "";
    size_t n = 0;
    ssize_t got;
    int fds[2], status;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        ensure_failed("some/file.c", 1207, "some_function", "1 + 1 == 3");
    }
    close(fds[1]);
    while ((got = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(said, "some/file.c:1207: some_function: ensure failed: 1 + 1 == 3\n");
}

static void
test_true_costs_nothing(void **state)
{
    int evaluated = 0;

    (void)state;
    ensure(++evaluated);
    assert_int_equal(evaluated, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_where_and_aborts),
        cmocka_unit_test(test_true_costs_nothing),
    };
    return cmocka_run_group_tests_name("ensure", tests, NULL, NULL);
}
