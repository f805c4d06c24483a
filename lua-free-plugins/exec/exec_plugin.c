/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_plugin.c: the platform is a program of yours: inspect, resume, pause and kill are runs of
 * argument lists, without a shell. The call is JSON on stdin, the answer an exit code, and the
 * sandbox as JSON on stdout (CONTRACT section 6; README.md here says it for who writes it).
 */
#include "config.h"

#include "exec/exec_options.h"
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE INT64_C(60000000)
#define ID_MAX 256
#define INPUT_MAX 16384
#define DETAIL 256

struct exec_platform {
    const struct rouse_services *s;
    struct rouse_host *host;
    struct exec_options options;
    struct exec_job *first; /* open ones */
    int64_t broken_said_at; /* when a program that cannot be run was last said */
    bool broken_said;
};

struct exec_job {
    struct exec_platform *of;
    struct exec_job *next, **link; /* *link is this one */
    struct rouse_job *job;
    struct rouse_run *run;
    enum rouse_op op;
    uint64_t epoch;
    size_t id_n;
    char id[ID_MAX];
};

static void
finish(struct exec_platform *p, struct rouse_job *job, enum rouse_outcome outcome,
       const char *detail)
{
    struct rouse_result r = {.size = sizeof r, .outcome = outcome, .detail = kit_text(detail)};

    p->s->finish(p->host, job, &r);
}

static void
forget(struct exec_job *j)
{
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    free(j);
}

/* ---- the end of a run ------------------------------------------------------------------------ */

/* sysexits.h has the names: EX_TEMPFAIL, EX_NOPERM, EX_UNAVAILABLE, EX_NOINPUT, EX_SOFTWARE,
 * EX_CONFIG. */
static enum rouse_outcome
outcome_of(enum rouse_op op, int exit_code)
{
    switch (exit_code) {
    case 0:
        return op == ROUSE_KILL ? ROUSE_GONE : ROUSE_RUNNING;
    case 75:
        return op == ROUSE_PAUSE || op == ROUSE_KILL ? ROUSE_CONFLICT : ROUSE_PENDING;
    case 77:
        return ROUSE_DENIED;
    case 69:
        return ROUSE_GONE;
    case 66:
        return op == ROUSE_KILL ? ROUSE_GONE : ROUSE_NOT_FOUND;
    case 70:
        return ROUSE_CAPACITY;
    case 78:
        return ROUSE_DISABLED;
    default:
        return ROUSE_FAILED;
    }
}

static enum rouse_outcome
judge_output(const struct exec_job *j, enum rouse_outcome good, enum kit_said said)
{
    switch (said) {
    case KIT_SANDBOX:
        return good;
    case KIT_NOTHING:
        return j->op == ROUSE_INSPECT ? ROUSE_UNKNOWN : good;
    case KIT_OTHER:
        return ROUSE_FAILED;
    case KIT_NONSENSE:
    case KIT_OLD:
        break;
    }
    return ROUSE_UNKNOWN;
}

static struct rouse_text
first_line(struct rouse_text t)
{
    const char *end;

    t = kit_trim(t);
    end = t.n > 0 ? memchr(t.p, '\n', t.n) : NULL;
    return end ? kit_trim((struct rouse_text){t.p, (size_t)(end - t.p)}) : t;
}

static void
say_broken(struct exec_platform *p, enum rouse_op op, const struct kit_line *detail)
{
    int64_t now = p->s->now_us(p->host);
    char text[2 * DETAIL];
    struct kit_line l;

    if (p->broken_said && now - p->broken_said_at < MINUTE)
        return;
    p->broken_said = true;
    p->broken_said_at = now;
    kit_line_init(&l, text, sizeof text);
    kit_line_printf(&l, "cannot run %s: ", p->options.argv[op][0]);
    kit_line_add(&l, kit_line_text(detail));
    p->s->log(p->host, ROUSE_ERROR, kit_line_text(&l));
}

/* It did not exit by itself: not started, killed, too slow, too talkative. */
static enum rouse_outcome
ended_badly(struct exec_platform *p, enum rouse_op op, const struct rouse_run_result *r,
            struct kit_line *detail)
{
    if (r->detail)
        kit_line_printf(detail, ": %s", r->detail);
    if (r->signal != 0) {
        if (!r->detail)
            kit_line_printf(detail, ": ended by signal %d", r->signal);
        return ROUSE_UNKNOWN;
    }
    say_broken(p, op, detail);
    return ROUSE_UNREACHABLE;
}

static void
on_run(void *arg, const struct rouse_run_result *run)
{
    struct exec_job *j = arg;
    struct exec_platform *p = j->of;
    struct rouse_result r = {.size = sizeof r, .status = run->exit_code};
    struct rouse_text said_on_stderr = first_line(run->errors);
    struct kit_reply reply = {.json = NULL};
    struct rouse_job *job = j->job;
    struct kit_line detail;
    char text[DETAIL];

    kit_line_init(&detail, text, sizeof text);
    kit_line_printf(&detail, "%s", exec_option_table[j->op].name);
    if (run->exit_code < 0) {
        r.outcome = ended_badly(p, j->op, run, &detail);
    } else {
        kit_line_printf(&detail, ": exit code %d", run->exit_code);
        r.outcome = outcome_of(j->op, run->exit_code);
    }
    if (said_on_stderr.n > 0) {
        kit_line_printf(&detail, ": ");
        kit_line_quote(&detail, said_on_stderr, 120);
    }
    if (run->exit_code == 0) {
        enum kit_said said = kit_reply_read(&reply, p->s, p->host,
                                            (struct rouse_text){j->id, j->id_n}, j->epoch,
                                            run->output);
        r.outcome = judge_output(j, r.outcome, said);
        if (said == KIT_SANDBOX)
            r.sandbox = &reply.sandbox;
        else if (said != KIT_NOTHING)
            kit_line_printf(&detail, ": %s", reply.why);
        else if (j->op == ROUSE_INSPECT)
            kit_line_printf(&detail, ": no sandbox on stdout");
    }
    r.detail = kit_line_text(&detail);
    forget(j);
    p->s->finish(p->host, job, &r);
    kit_reply_fini(&reply, p->s);
}

/* ---- the plugin ------------------------------------------------------------------------------ */

static void *
exec_open(const struct rouse_services *s, struct rouse_host *host, struct rouse_text name,
          const struct rouse_value *values, int check_only, struct rouse_mistake *mistake)
{
    struct exec_platform *p = calloc(1, sizeof *p);

    (void)name;
    (void)check_only;
    if (!p) {
        kit_wrong(mistake, NULL, "", "out of memory");
        return NULL;
    }
    p->s = s;
    p->host = host;
    if (exec_options_read(&p->options, values, mistake) != 0) {
        exec_options_fini(&p->options);
        free(p);
        return NULL;
    }
    return p;
}

static void
exec_close(void *self)
{
    struct exec_platform *p = self;

    while (p->first) {
        p->s->run_stop(p->host, p->first->run);
        forget(p->first);
    }
    exec_options_fini(&p->options);
    free(p);
}

static struct exec_job *
new_job(struct exec_platform *p, struct rouse_job *job, const struct rouse_request *q)
{
    struct exec_job *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->of = p;
    j->job = job;
    j->op = q->op;
    j->epoch = q->epoch;
    j->id_n = q->id.n;
    memcpy(j->id, q->id.p, q->id.n);
    j->next = p->first;
    j->link = &p->first;
    if (j->next)
        j->next->link = &j->next;
    p->first = j;
    return j;
}

/* NULL: out of memory, or the call does not fit. */
static struct rouse_run *
run(struct exec_job *j, const struct rouse_request *q)
{
    struct exec_platform *p = j->of;
    const struct exec_options *o = &p->options;
    struct rouse_run_request r = {.size = sizeof r, .output_max = o->output_max};
    char **argv = exec_options_argv(o, q->op, q->id), **envp = exec_options_envp(o, q);
    char *input = malloc(INPUT_MAX);
    int n = input ? p->s->request_to_json(p->host, q, input, INPUT_MAX) : -1;
    struct rouse_run *started = NULL;

    if (argv && envp && n >= 0) {
        r.argv = argv;
        r.envp = envp;
        r.input = (struct rouse_text){input, (size_t)n};
        r.timeout_us = o->timeout_us;
        if (q->deadline_us > 0 && q->deadline_us < r.timeout_us)
            r.timeout_us = q->deadline_us;
        started = p->s->run(p->host, &r, on_run, j);
    }
    free(input);
    exec_vector_free(argv);
    exec_vector_free(envp);
    return started;
}

static void
exec_start(void *self, struct rouse_job *job, const struct rouse_request *q)
{
    struct exec_platform *p = self;
    struct exec_job *j;

    if (!p->options.argv[q->op]) {
        finish(p, job, q->op == ROUSE_RESUME ? ROUSE_DISABLED : ROUSE_FAILED,
               "no such program is configured");
        return;
    }
    if (q->id.n > ID_MAX || exec_options_unsafe(&p->options, q->op, q->id)) {
        finish(p, job, ROUSE_NOT_FOUND, "the id cannot be an argument");
        return;
    }
    j = new_job(p, job, q);
    if (!j) {
        finish(p, job, ROUSE_UNREACHABLE, "out of memory");
        return;
    }
    j->run = run(j, q);
    if (!j->run) {
        forget(j);
        finish(p, job, ROUSE_UNREACHABLE, "the program could not be started");
    }
}

static void
exec_cancel(void *self, struct rouse_job *job)
{
    struct exec_platform *p = self;

    for (struct exec_job *j = p->first; j; j = j->next) {
        if (j->job != job)
            continue;
        p->s->run_stop(p->host, j->run);
        forget(j);
        return;
    }
}

__attribute__((visibility("default"))) const struct rouse_plugin rouse_plugin = {
    ROUSE_PLUGIN_HEAD,
    "exec",
    "1",
    "the platform is a program of yours: inspect, resume, pause and kill are runs of it",
    exec_option_table,
    0,
    exec_open,
    exec_close,
    exec_start,
    exec_cancel,
};
