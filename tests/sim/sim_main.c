/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_main.c: runs seeds, in two processes, and says which rule was broken by which one, with its
 * history.
 *
 *     sim --seeds 1..10000            TAP, as a test does it
 *     sim --seed 4711 --verbose       one run and everything that happens in it
 *     sim --expect RULE --seeds ...   succeeds when some seed breaks that rule (its number); for
 *     the mutants sim --events N                  up to N requests a run (default 60)
 */
#include "config.h"

#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 2

struct options {
    uint64_t from, to;
    unsigned requests;
    int expect;
    bool verbose;
};

static int
parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.from = 1, .to = 100, .requests = 60};
    for (int i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : "";
        char *rest = NULL;

        if (strcmp(argv[i], "--verbose") == 0) {
            o->verbose = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--seed") == 0) {
            o->from = o->to = strtoull(v, NULL, 10);
        } else if (strcmp(argv[i - 1], "--seeds") == 0) {
            o->from = strtoull(v, &rest, 10);
            o->to = strncmp(rest, "..", 2) == 0 ? strtoull(rest + 2, NULL, 10) : o->from;
        } else if (strcmp(argv[i - 1], "--events") == 0) {
            o->requests = (unsigned)strtoul(v, NULL, 10);
        } else if (strcmp(argv[i - 1], "--expect") == 0) {
            o->expect = (int)strtol(v, NULL, 10);
        } else {
            fprintf(stderr, "usage: sim [--seed N | --seeds FROM..TO] [--events N] [--verbose]"
                            " [--expect RULE]\n");
            return -1;
        }
    }
    return o->requests > 0 ? 0 : -1;
}

/* What one process tells its parent. */
struct report {
    uint64_t runs, events, seed;
    struct verdict_of_run verdict;
};

/* In the child. What it has done so far stands where the parent sees it, in case it dies. */
static void
run_share(const struct options *o, uint64_t first, struct report *r)
{
    for (uint64_t seed = first; seed <= o->to; seed += PROCESSES) {
        r->seed = seed;
        r->events += sim_run(seed, o->requests, false, &r->verdict);
        r->runs++;
        if (r->verdict.rule != RULE_NONE)
            _exit(1);
    }
    _exit(0);
}

static void
explain(const struct options *o, uint64_t seed, const struct verdict_of_run *v, int status)
{
    struct verdict_of_run again;

    if (WIFSIGNALED(status))
        printf("# seed %llu: died of signal %d\n", (unsigned long long)seed, WTERMSIG(status));
    else
        printf("# seed %llu breaks rule %d, %s: %s\n", (unsigned long long)seed,
               rule_number(v->rule), rule_text(v->rule), v->text);
    fflush(stdout);
    if (o->expect)
        return;
    printf("# its history (sim --seed %llu --events %u --verbose):\n", (unsigned long long)seed,
           o->requests);
    fflush(stdout);
    sim_run(seed, o->requests, true, &again);
}

static bool
is_expected(const struct options *o, const struct verdict_of_run *v, int status)
{
    return WIFSIGNALED(status) || rule_number(v->rule) == o->expect;
}

static int
run_all(const struct options *o)
{
    struct report *r = mmap(NULL, PROCESSES * sizeof(*r), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status[PROCESSES], bad = -1, found = 0;
    uint64_t runs = 0, events = 0;
    pid_t pid[PROCESSES];

    if (r == MAP_FAILED)
        return 2;
    for (unsigned i = 0; i < PROCESSES; i++) {
        fflush(stdout);
        if ((pid[i] = fork()) < 0)
            return 2;
        if (pid[i] == 0)
            run_share(o, o->from + i, &r[i]);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        waitpid(pid[i], &status[i], 0);
        runs += r[i].runs;
        events += r[i].events;
        if (status[i] != 0 && (bad < 0 || r[i].seed < r[bad].seed))
            bad = (int)i;
        if (status[i] != 0 && o->expect && is_expected(o, &r[i].verdict, status[i]))
            found = 1;
    }
    printf("# %llu runs, %llu events\n", (unsigned long long)runs, (unsigned long long)events);
    if (bad >= 0)
        explain(o, r[bad].seed, &r[bad].verdict, status[bad]);
    return o->expect ? !found : bad >= 0;
}

int
main(int argc, char **argv)
{
    struct verdict_of_run v;
    struct options o;
    int failed;

    if (parse(&o, argc, argv) < 0)
        return 2;
    if (o.from == o.to) {
        sim_run(o.from, o.requests, o.verbose, &v);
        printf("# seed %llu: %d %s %s\n", (unsigned long long)o.from, rule_number(v.rule),
               rule_text(v.rule), v.text);
        return v.rule != RULE_NONE;
    }
    printf("1..1\n");
    failed = run_all(&o);
    printf("%sok 1 - seeds %llu to %llu%s\n", failed ? "not " : "", (unsigned long long)o.from,
           (unsigned long long)o.to, o.expect ? " break the rule that is expected" : "");
    return failed;
}
