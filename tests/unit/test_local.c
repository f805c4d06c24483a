/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `local` plugin with real processes: the whole tree sleeps, wakes with its memory, dies. Each
 * case runs with cgroups, where this machine allows them, and with signals.
 */
#include "config.h"

#include "local_rig.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL "plain", "setsid", "daemon", "stubborn", "threads", "deep", "plain"

static const char *const words_all[] = {ALL, NULL};
static const char *const words_bomb[] = {"bomb", "setsid", NULL};
static const char *const words_few[] = {"setsid", "daemon", NULL};

static const char signals[] = "freezer: signals";

/* ---- asleep and awake ------------------------------------------------------------------------ */

static void
sleep_and_wake(const char *extra, const char *const *words, int rounds)
{
    struct rouse_host *h = rig_new();
    struct rouse_job *j;
    unsigned long before, after;
    char generation[32];

    rig_open(h, extra, words);
    j = rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING);
    assert_int_equal(j->state, ROUSE_STATE_PAUSED);
    assert_int_equal(atomic_load(&h->grove->slots), 0);
    snprintf(generation, sizeof(generation), "%s", j->generation);
    j = rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    assert_int_equal(j->state, ROUSE_STATE_RUNNING);
    assert_string_equal(j->generation, generation);
    assert_string_equal(j->address, "127.0.0.1:3999");
    rig_until_ready(h);
    for (int i = 0; i < rounds; i++) {
        assert_true(rig_grows(h));
        j = rig_do(h, ROUSE_PAUSE, ROUSE_RUNNING);
        assert_int_equal(j->state, ROUSE_STATE_PAUSED);
        before = atomic_load(&h->grove->slot[0].count);
        assert_false(rig_grows(h));
        assert_int_equal(rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->state, ROUSE_STATE_PAUSED);
        j = rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
        assert_int_equal(j->state, ROUSE_STATE_RUNNING);
        assert_string_equal(j->generation, generation);
        rig_until_all_grow(h);
        after = atomic_load(&h->grove->slot[0].count);
        assert_true(after > before);
    }
    assert_int_equal(h->news, 0);
    /* Not one wait for a process among them; the machine may be busy. */
    assert_true(h->longest_us < 250000);
    h->plugin->close(h->instance);
    h->instance = NULL;
    rig_until_gone(h);
    rig_free(h);
}

static void
tree_sleeps_and_wakes(void **state)
{
    (void)state;
    sleep_and_wake(NULL, words_all, 5);
}

static void
tree_sleeps_and_wakes_by_signals(void **state)
{
    (void)state;
    sleep_and_wake(signals, words_all, 5);
}

static void
bomb_sleeps_and_wakes(void **state)
{
    (void)state;
    sleep_and_wake(NULL, words_bomb, 3);
}

static void
bomb_sleeps_and_wakes_by_signals(void **state)
{
    (void)state;
    sleep_and_wake(signals, words_bomb, 3);
}

/* Calls that cross: each is answered, the last one counts. */
static void
calls_may_cross(void **state)
{
    struct rouse_host *h = rig_new();
    struct rouse_job *j[9];

    (void)state;
    rig_open(h, NULL, words_few);
    j[0] = rig_start(h, ROUSE_RESUME);
    for (int i = 1; i < 9; i++)
        j[i] = rig_start(h, i % 3 == 1 ? ROUSE_PAUSE : i % 3 == 2 ? ROUSE_INSPECT : ROUSE_RESUME);
    h->plugin->cancel(h->instance, j[4]);
    for (int i = 0; i < 9; i++)
        if (i != 4)
            rig_until_done(h, j[i]);
    assert_false(j[4]->done);
    assert_int_equal(j[0]->state, ROUSE_STATE_RUNNING);
    assert_int_equal(j[8]->state, ROUSE_STATE_PAUSED);
    assert_int_equal(rig_do(h, ROUSE_RESUME, ROUSE_RUNNING)->state, ROUSE_STATE_RUNNING);
    rig_until_ready(h);
    rig_free(h);
}

/* ---- behind our back ------------------------------------------------------------------------- */

static void
stop_behind_our_back(const char *extra)
{
    struct rouse_host *h = rig_new();
    int64_t end = rig_now() + RIG_PATIENCE_US;
    pid_t leader;

    rig_open(h, extra, words_few);
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_ready(h);
    leader = atomic_load(&h->grove->slot[0].pid);
    kill(leader, SIGSTOP);
    while (h->news == 0) {
        rig_turn(h, 50);
        assert_true(rig_now() < end);
    }
    assert_int_equal(h->last_news.state, ROUSE_STATE_PAUSED);
    assert_int_equal(rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->state, ROUSE_STATE_PAUSED);
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_all_grow(h);
    assert_int_equal(rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->state, ROUSE_STATE_RUNNING);
    rig_free(h);
}

static void
a_stop_behind_our_back_is_noticed(void **state)
{
    (void)state;
    stop_behind_our_back(NULL);
    stop_behind_our_back(signals);
}

/* A member of the leader's group, not the leader: nobody tells, but a look does. */
static void
a_stopped_member_is_seen(void **state)
{
    static const char *const words[] = {"plain", NULL};
    struct rouse_host *h = rig_new();

    (void)state;
    rig_open(h, NULL, words);
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_ready(h);
    kill(atomic_load(&h->grove->slot[1].pid), SIGSTOP);
    while (rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->state != ROUSE_STATE_PAUSED)
        continue;
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_all_grow(h);
    rig_free(h);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void
dies_and_starts_anew(const char *extra, bool asleep)
{
    struct rouse_host *h = rig_new();
    int64_t end = rig_now() + RIG_PATIENCE_US;
    struct rouse_job *j;
    char generation[32], instance[32];

    rig_open(h, extra, words_all);
    j = rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    snprintf(generation, sizeof(generation), "%s", j->generation);
    snprintf(instance, sizeof(instance), "%s", j->instance);
    rig_until_ready(h);
    if (asleep)
        rig_do(h, ROUSE_PAUSE, ROUSE_RUNNING);
    kill(atomic_load(&h->grove->slot[0].pid), SIGKILL);
    while (h->news == 0) {
        rig_turn(h, 50);
        assert_true(rig_now() < end);
    }
    /* Told, so everything is over, not just the leader. */
    for (unsigned i = 0; i < atomic_load(&h->grove->slots); i++)
        assert_int_equal(kill(atomic_load(&h->grove->slot[i].pid), 0), -1);
    assert_int_equal(h->last_news.state, ROUSE_STATE_PAUSED);
    assert_string_not_equal(h->last_news.generation, generation);
    assert_string_equal(h->last_news.instance, instance);
    assert_non_null(strstr(h->log, "blog: ended by signal 9"));
    memset(h->grove, 0, sizeof(*h->grove));
    j = rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    assert_string_equal(j->generation, h->last_news.generation);
    rig_until_ready(h);
    assert_true(atomic_load(&h->grove->slot[0].count) < 1000);
    rig_free(h);
}

static void
a_dead_sandbox_starts_anew(void **state)
{
    (void)state;
    dies_and_starts_anew(NULL, false);
    dies_and_starts_anew(signals, false);
}

static void
a_sandbox_dies_in_its_sleep(void **state)
{
    (void)state;
    dies_and_starts_anew(NULL, true);
    dies_and_starts_anew(signals, true);
}

/* The host is killed as kill -9 does it: nothing of the tree survives. */
static void
host_is_killed(const char *extra, bool asleep)
{
    struct rouse_host *h = rig_new();
    int told[2];
    pid_t host;
    char byte;

    assert_int_equal(pipe(told), 0);
    host = fork();
    if (host == 0) {
        rig_open(h, extra, words_all);
        rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
        rig_until_ready(h);
        if (asleep)
            rig_do(h, ROUSE_PAUSE, ROUSE_RUNNING);
        if (write(told[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            rig_turn(h, 1000);
    }
    close(told[1]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    close(told[0]);
    for (unsigned i = 0; i < atomic_load(&h->grove->slots); i++)
        assert_int_equal(kill(atomic_load(&h->grove->slot[i].pid), 0), 0);
    kill(host, SIGKILL);
    assert_int_equal(waitpid(host, NULL, 0), host);
    rig_until_gone(h);
    rig_free(h);
}

static void
everything_dies_with_its_host(void **state)
{
    (void)state;
    host_is_killed(NULL, false);
    host_is_killed(signals, false);
    host_is_killed(NULL, true);
    host_is_killed(signals, true);
}

static void
cgroup_of(const struct rouse_host *h, char *out, size_t n)
{
    const char *at = strstr(h->log, ", cgroup ");

    snprintf(out, n, "%.*s", at ? (int)strcspn(at + 9, "\n") : 0, at ? at + 9 : "");
}

/* Even when somebody kills the warden: the cgroup ends the rest, else the leader at least dies. */
static void
a_killed_warden_is_noticed(void **state)
{
    static const char *const words[] = {"plain", NULL};
    struct rouse_host *h = rig_new();
    int64_t end = rig_now() + RIG_PATIENCE_US;
    char path[64], line[256], cgroup[256];
    pid_t warden = 0;
    FILE *f;

    (void)state;
    rig_open(h, NULL, words);
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_ready(h);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)atomic_load(&h->grove->slot[0].pid));
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "PPid:", 5) == 0)
            warden = (pid_t)strtol(line + 5, NULL, 10);
    fclose(f);
    kill(warden, SIGKILL);
    while (h->news == 0) {
        rig_turn(h, 50);
        assert_true(rig_now() < end);
    }
    assert_int_equal(h->last_news.state, ROUSE_STATE_PAUSED);
    /* Without a cgroup only the leader is known: the others are the test's to end. */
    if (strstr(h->log, "SIGSTOP"))
        kill(atomic_load(&h->grove->slot[1].pid), SIGKILL);
    rig_until_gone(h);
    for (cgroup_of(h, cgroup, sizeof(cgroup)); cgroup[0] && access(cgroup, F_OK) == 0;) {
        rig_turn(h, 1);
        assert_true(rig_now() < end);
    }
    rig_free(h);
}

static unsigned
open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* Lives and naps: no descriptor, process or cgroup is left of them. */
static void
one_life(struct rouse_host *h)
{
    int64_t end = rig_now() + RIG_PATIENCE_US;
    unsigned news = h->news;
    char cgroup[256];

    memset(h->grove, 0, sizeof(*h->grove));
    h->log[0] = '\0';
    rig_open(h, NULL, words_few);
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_ready(h);
    for (int nap = 0; nap < 20; nap++) {
        rig_do(h, ROUSE_PAUSE, ROUSE_RUNNING);
        rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    }
    cgroup_of(h, cgroup, sizeof(cgroup));
    kill(atomic_load(&h->grove->slot[0].pid), SIGKILL);
    while (h->news == news) {
        rig_turn(h, 50);
        assert_true(rig_now() < end);
    }
    h->plugin->close(h->instance);
    h->instance = NULL;
    assert_true(cgroup[0] == '\0' || access(cgroup, F_OK) == -1);
}

static void
many_lives_leave_nothing(void **state)
{
    struct rouse_host *h = rig_new();
    unsigned fds;

    (void)state;
    one_life(h);
    fds = open_fds();
    for (int life = 0; life < 8; life++)
        one_life(h);
    assert_int_equal(open_fds(), fds);
    rig_free(h);
}

static void
kill_is_final(void **state)
{
    struct rouse_host *h = rig_new();
    struct rouse_job *job[2];

    (void)state;
    rig_open(h, NULL, words_all);
    rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    rig_until_ready(h);
    job[0] = rig_start(h, ROUSE_KILL);
    job[1] = rig_start(h, ROUSE_RESUME);
    rig_until_done(h, job[0]);
    assert_int_equal(job[0]->state, ROUSE_STATE_KILLED);
    assert_int_equal(job[1]->outcome, ROUSE_GONE);
    rig_until_gone(h);
    assert_int_equal(rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->state, ROUSE_STATE_KILLED);
    rig_do(h, ROUSE_RESUME, ROUSE_GONE);
    rig_free(h);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void
a_command_that_is_not_there(void **state)
{
    struct rouse_host *h = rig_new();
    struct rouse_job *j;

    (void)state;
    rig_open(h, "directory: /nonexistent", words_few);
    j = rig_do(h, ROUSE_RESUME, ROUSE_FAILED);
    assert_string_equal(j->detail, "cannot run directory /nonexistent: No such file or directory");
    assert_int_equal(rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->state, ROUSE_STATE_PAUSED);
    rig_free(h);
}

static void
a_command_that_ends_at_once_is_given_a_rest(void **state)
{
    static const char *const words[] = {"vanish", NULL};
    struct rouse_host *h = rig_new();
    int64_t end = rig_now() + RIG_PATIENCE_US;
    struct rouse_job *j;

    (void)state;
    rig_open(h, NULL, words);
    for (unsigned i = 1; i <= 5; i++) {
        j = rig_start(h, ROUSE_RESUME);
        while (h->news < i) {
            rig_turn(h, 50);
            assert_true(rig_now() < end);
        }
        assert_true(j->done && (j->outcome == ROUSE_RUNNING || j->outcome == ROUSE_CONFLICT));
    }
    j = rig_do(h, ROUSE_RESUME, ROUSE_FAILED);
    assert_non_null(strstr(j->detail, "exited with status 7"));
    rig_free(h);
}

static void
strangers_and_the_late_are_refused(void **state)
{
    struct rouse_host *h = rig_new();
    struct rouse_job *j;

    (void)state;
    rig_open(h, "idle: 90s", words_few);
    assert_int_equal(rig_do(h, ROUSE_INSPECT, ROUSE_RUNNING)->idle_us, 90000000);
    j = rig_start_as(h, ROUSE_INSPECT, "other", "", 0);
    assert_true(j->done && j->outcome == ROUSE_NOT_FOUND);
    rig_until_done(h, rig_start_as(h, ROUSE_RESUME, "blog", "", 7));
    j = rig_start_as(h, ROUSE_PAUSE, "blog", "", 6);
    assert_true(j->done && j->outcome == ROUSE_STALE_EPOCH);
    j = rig_start_as(h, ROUSE_PAUSE, "blog", "1", 7);
    assert_true(j->done && j->outcome == ROUSE_CONFLICT);
    rig_free(h);
}

static void
a_wake_can_be_slow(void **state)
{
    struct rouse_host *h = rig_new();
    struct rouse_job *j, *cancelled;

    (void)state;
    rig_open(h, "wake_delay: 80ms", words_few);
    cancelled = rig_start(h, ROUSE_RESUME);
    j = rig_do(h, ROUSE_RESUME, ROUSE_RUNNING);
    assert_true(j->took_us >= 80000 && cancelled->done);
    assert_true(rig_do(h, ROUSE_RESUME, ROUSE_RUNNING)->took_us < 80000);
    rig_do(h, ROUSE_PAUSE, ROUSE_RUNNING);
    cancelled = rig_start(h, ROUSE_RESUME);
    h->plugin->cancel(h->instance, cancelled);
    assert_true(rig_do(h, ROUSE_RESUME, ROUSE_RUNNING)->took_us >= 80000);
    assert_false(cancelled->done);
    rig_free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_sleeps_and_wakes),
        cmocka_unit_test(tree_sleeps_and_wakes_by_signals),
        cmocka_unit_test(bomb_sleeps_and_wakes),
        cmocka_unit_test(bomb_sleeps_and_wakes_by_signals),
        cmocka_unit_test(calls_may_cross),
        cmocka_unit_test(a_stop_behind_our_back_is_noticed),
        cmocka_unit_test(a_stopped_member_is_seen),
        cmocka_unit_test(a_dead_sandbox_starts_anew),
        cmocka_unit_test(a_sandbox_dies_in_its_sleep),
        cmocka_unit_test(everything_dies_with_its_host),
        cmocka_unit_test(a_killed_warden_is_noticed),
        cmocka_unit_test(many_lives_leave_nothing),
        cmocka_unit_test(kill_is_final),
        cmocka_unit_test(a_command_that_is_not_there),
        cmocka_unit_test(a_command_that_ends_at_once_is_given_a_rest),
        cmocka_unit_test(strangers_and_the_late_are_refused),
        cmocka_unit_test(a_wake_can_be_slow),
    };

    rig_adopt();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
