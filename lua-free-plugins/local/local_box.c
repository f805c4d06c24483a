/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_box.c: see local_box.h. Nothing here waits: the warden does what takes time and its words
 * are read when they come.
 */
#include "config.h"

#include "local/local_box.h"
#include "local/local_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000
/* A command that ended within a second of its start is started again after 100 ms, 200, 400, 800:
 * an earlier run may be leaving its port. After the fifth time it is left alone for a while. */
#define QUICK_TIME (1 * SECOND)
#define QUICK_PAUSE (SECOND / 10)
#define QUICK_ENDS 5
#define QUICK_REST (5 * SECOND)

static struct rouse_text
text_of(const char *s)
{
    return (struct rouse_text){s, strlen(s)};
}

static __attribute__((format(printf, 3, 4))) void
say(struct box *b, enum rouse_level level, const char *format, ...)
{
    char line[400], text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(line, sizeof(line), "%.*s: %s", (int)b->spec->id.n, b->spec->id.p, text);
    b->owner->s->log(b->owner->host, level, text_of(line));
}

/* ---- what Rouse is told ---------------------------------------------------------------------- */

struct told {
    struct rouse_sandbox sandbox;
    char generation[24];
};

static const struct rouse_sandbox *
tell(const struct box *b, struct told *t)
{
    struct rouse_sandbox *s = &t->sandbox;

    memset(t, 0, sizeof(*t));
    s->size = sizeof(*s);
    s->state = b->killed ? ROUSE_STATE_KILLED :
        b->up && !b->asleep ? ROUSE_STATE_RUNNING : ROUSE_STATE_PAUSED;
    snprintf(t->generation, sizeof(t->generation), "%llu", (unsigned long long)b->generation);
    s->generation = text_of(t->generation);
    s->instance = text_of(b->spec->instance);
    s->auto_resume = 1;
    s->idle_us = b->spec->idle_us;
    s->ports_n = b->spec->ports_n;
    for (unsigned i = 0; i < s->ports_n; i++) {
        s->ports[i].port = b->spec->ports[i].port;
        s->ports[i].address = b->spec->ports[i].address;
    }
    return s;
}

static void
news(struct box *b)
{
    struct told t;

    b->owner->s->news(b->owner->host, b->spec->id, tell(b, &t));
}

static void
finish(struct box *b, struct rouse_job *job, enum rouse_outcome outcome, const char *detail)
{
    struct told t;
    struct rouse_result r = {.size = sizeof(r), .outcome = outcome, .detail = text_of(detail)};

    if (outcome == ROUSE_RUNNING)
        r.sandbox = tell(b, &t);
    if (outcome == ROUSE_CONFLICT)
        r.retry_after_us = SECOND / 10;
    b->owner->s->finish(b->owner->host, job, &r);
}

/* ---- jobs that wait -------------------------------------------------------------------------- */

static struct box_job *
add_job(struct box *b, struct rouse_job *job, enum rouse_op op)
{
    struct box_job *j = calloc(1, sizeof(*j));

    if (!j) {
        finish(b, job, ROUSE_UNREACHABLE, "out of memory");
        return NULL;
    }
    *j = (struct box_job){.next = b->jobs, .box = b, .job = job, .op = op};
    b->jobs = j;
    return j;
}

/* Unlinks and frees; the job is the caller's to finish. */
static struct rouse_job *
take_job(struct box_job *j)
{
    struct box_job **at = &j->box->jobs;
    struct rouse_job *job = j->job;

    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
    if (j->delay)
        j->box->owner->s->timer_stop(j->box->owner->host, j->delay);
    free(j);
    return job;
}

/* A job that an earlier run was asked and that nobody answers any more. */
static struct box_job *
orphan(struct box *b)
{
    struct box_job *j = b->jobs;

    while (j && (j->seq == 0 || j->generation == b->generation))
        j = j->next;
    return j;
}

/* Each finish may bring new jobs, for a new run. */
static void
end_jobs(struct box *b)
{
    enum rouse_outcome resumed =
        b->killed ? ROUSE_GONE : b->error ? ROUSE_FAILED : ROUSE_CONFLICT;
    struct box_job *j;
    char detail[200];

    memcpy(detail, b->detail, sizeof(detail));
    while ((j = orphan(b))) {
        enum rouse_outcome outcome = j->op == ROUSE_RESUME ? resumed : ROUSE_RUNNING;

        finish(b, take_job(j), outcome, detail);
    }
}

/* ---- words of the warden --------------------------------------------------------------------- */

static void
on_first_word(struct box *b, const struct warden_word *word)
{
    if (word->error) {
        b->error = word->error;
        snprintf(b->detail, sizeof(b->detail), "cannot run %.120s: %s", word->text,
                 strerror(word->error));
        return;
    }
    snprintf(b->cgroup, sizeof(b->cgroup), "%s", word->text);
    say(b, ROUSE_INFO, "started, process %d, %s%s", (int)word->leader,
        b->cgroup[0] ? "cgroup " : "paused by SIGSTOP", b->cgroup);
}

/* Nobody asked. */
static void
on_change(struct box *b, bool asleep)
{
    if (b->asleep == asleep)
        return;
    b->asleep = asleep;
    say(b, ROUSE_INFO, asleep ? "stopped by somebody else" : "continued by somebody else");
    news(b);
}

static void
on_answer(struct box *b, const struct warden_word *word)
{
    struct box_job *j = b->jobs;
    enum rouse_outcome failed;

    b->asleep = word->state == WARDEN_PAUSED;
    while (j && (j->seq != word->seq || j->generation != b->generation))
        j = j->next;
    if (!j)
        return;
    failed = j->op == ROUSE_INSPECT ? ROUSE_UNKNOWN : ROUSE_FAILED;
    if (word->error) {
        snprintf(b->detail, sizeof(b->detail), "cannot %.16s: %s", word->text,
                 strerror(word->error));
        say(b, ROUSE_WARN, "%s", b->detail);
        finish(b, take_job(j), failed, b->detail);
        return;
    }
    if (j->op == ROUSE_PAUSE)
        say(b, ROUSE_DEBUG, "%u processes stand still after %u us", word->processes, word->took_us);
    finish(b, take_job(j), ROUSE_RUNNING, "");
}

static void
on_word(struct box *b, const struct warden_word *word)
{
    if (word->state == WARDEN_ENDED) {
        b->status = word->status;
        b->ended = true;
    } else if (b->started_at == 0) {
        b->started_at = b->owner->s->now_us(b->owner->host);
        on_first_word(b, word);
    } else if (word->seq == 0) {
        on_change(b, word->state == WARDEN_PAUSED);
    } else {
        on_answer(b, word);
    }
}

/* Reads what there is. */
static void
hear(struct box *b)
{
    struct warden_word word;

    while (b->sock != -1 && recv(b->sock, &word, sizeof(word), MSG_DONTWAIT) == sizeof(word)) {
        word.text[sizeof(word.text) - 1] = '\0';
        on_word(b, &word);
    }
}

static void
stop_listening(struct box *b)
{
    if (b->on_sock)
        b->owner->s->watch_stop(b->owner->host, b->on_sock);
    if (b->sock != -1)
        close(b->sock);
    b->on_sock = NULL;
    b->sock = -1;
}

static void
stop_watching(struct box *b)
{
    stop_listening(b);
    if (b->on_end)
        b->owner->s->watch_stop(b->owner->host, b->on_end);
    if (b->pidfd != -1)
        close(b->pidfd);
    b->on_end = NULL;
    b->pidfd = -1;
}

static void
on_readable(void *arg)
{
    struct box *b = arg;
    char byte;

    hear(b);
    /* The warden is ending, or was killed: on_warden_ended says the rest. */
    if (b->sock != -1 && recv(b->sock, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0) {
        b->owner->s->watch_stop(b->owner->host, b->on_sock);
        b->on_sock = NULL;
    }
}

/* ---- a run ends ------------------------------------------------------------------------------ */

static void
judge_end(struct box *b)
{
    int64_t now = b->owner->s->now_us(b->owner->host);
    double after = (double)(now - b->started_at) / SECOND;

    b->quick = b->started_at && now - b->started_at < QUICK_TIME ? b->quick + 1 : 0;
    b->ended_at = now;
    if (b->killed)
        snprintf(b->detail, sizeof(b->detail), "killed");
    else if (!b->ended)
        snprintf(b->detail, sizeof(b->detail), "its warden was killed");
    else if (!b->error && WIFSIGNALED(b->status))
        snprintf(b->detail, sizeof(b->detail), "ended by signal %d after %.1f s",
                 WTERMSIG(b->status), after);
    else if (!b->error)
        snprintf(b->detail, sizeof(b->detail), "exited with status %d after %.1f s",
                 WEXITSTATUS(b->status), after);
    say(b, b->killed ? ROUSE_INFO : ROUSE_WARN, "%s", b->detail);
}

static void
on_warden_ended(void *arg)
{
    struct box *b = arg;

    hear(b);
    stop_watching(b);
    while (waitpid(b->warden, NULL, 0) == -1 && errno == EINTR)
        continue;
    if (!b->ended)
        local_spawn_clean(b->cgroup);
    judge_end(b);
    b->up = b->asleep = false;
    b->generation++;
    end_jobs(b);
    if (!b->up)
        news(b);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool
begin_run(struct box *b, char *why, size_t why_n)
{
    b->started_at = 0;
    b->error = b->status = 0;
    b->ended = b->asleep = false;
    b->cgroup[0] = b->detail[0] = '\0';
    b->warden = local_spawn(b->owner->warden, b->spec, &b->sock);
    if (b->warden == -1) {
        snprintf(why, why_n, "cannot start %s: %s", b->owner->warden, strerror(errno));
        return false;
    }
    b->up = true;
    b->pidfd = pidfd_open(b->warden, 0);
    if (b->pidfd != -1)
        b->on_sock = b->owner->s->watch(b->owner->host, b->sock, on_readable, b);
    if (b->on_sock)
        b->on_end = b->owner->s->watch(b->owner->host, b->pidfd, on_warden_ended, b);
    if (b->on_end)
        return true;
    snprintf(why, why_n, "cannot watch the warden");
    stop_watching(b);
    local_spawn_reap(&b->warden, 1);
    b->up = false;
    return false;
}

static void
call(struct box *b, struct box_job *j, enum warden_op op)
{
    struct warden_call c = {.seq = ++b->seq ? b->seq : ++b->seq, .op = op};

    j->seq = c.seq;
    j->generation = b->generation;
    if (send(b->sock, &c, sizeof(c), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(c))
        return;
    /* A warden that is ending is heard of by on_warden_ended, and this job with it. */
    if (errno == EAGAIN)
        finish(b, take_job(j), ROUSE_UNREACHABLE, "the warden does not listen");
}

static void
resume(struct box_job *j)
{
    struct box *b = j->box;
    char why[200];

    if (!b->up && !begin_run(b, why, sizeof(why))) {
        say(b, ROUSE_ERROR, "%s", why);
        finish(b, take_job(j), ROUSE_FAILED, why);
        return;
    }
    call(b, j, WARDEN_RESUME);
}

static void
on_delay_over(void *arg)
{
    struct box_job *j = arg;

    j->delay = NULL;
    if (j->box->killed)
        finish(j->box, take_job(j), ROUSE_GONE, "killed");
    else
        resume(j);
}

/* How long a start has to wait for those before it that ended at once. */
static int64_t
quick_pause(const struct box *b)
{
    int64_t since = b->owner->s->now_us(b->owner->host) - b->ended_at;

    return b->up || b->quick == 0 ? 0 : (QUICK_PAUSE << (b->quick - 1)) - since;
}

static void
start_resume(struct box *b, struct rouse_job *job)
{
    int64_t delay = !b->up || b->asleep ? b->spec->wake_delay_us : 0;
    struct box_job *j;

    if (!b->up && b->quick >= QUICK_ENDS) {
        if (b->owner->s->now_us(b->owner->host) - b->ended_at < QUICK_REST) {
            finish(b, job, ROUSE_FAILED, b->detail);
            return;
        }
        b->quick = 0;
    }
    if (quick_pause(b) > delay)
        delay = quick_pause(b);
    j = add_job(b, job, ROUSE_RESUME);
    if (j && delay > 0)
        j->delay = b->owner->s->timer(b->owner->host, delay, on_delay_over, j);
    if (j && !j->delay)
        resume(j);
}

static void
start_kill(struct box *b, struct rouse_job *job)
{
    struct box_job *j;

    b->killed = true;
    if (!b->up) {
        finish(b, job, ROUSE_RUNNING, "");
        return;
    }
    j = add_job(b, job, ROUSE_KILL);
    if (j)
        call(b, j, WARDEN_KILL);
}

static bool
is_current(const struct box *b, struct rouse_text generation)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)b->generation);

    return generation.n == 0 ||
        (generation.n == (size_t)n && memcmp(generation.p, text, generation.n) == 0);
}

void
box_start(struct box *b, struct rouse_job *job, const struct rouse_request *q)
{
    struct box_job *j;

    if (q->op != ROUSE_INSPECT && q->epoch < b->epoch) {
        finish(b, job, ROUSE_STALE_EPOCH, "");
        return;
    }
    if (q->op != ROUSE_INSPECT)
        b->epoch = q->epoch;
    if (q->op == ROUSE_KILL) {
        start_kill(b, job);
        return;
    }
    if (b->killed && q->op != ROUSE_INSPECT) {
        finish(b, job, ROUSE_GONE, "killed");
        return;
    }
    if (q->op == ROUSE_RESUME) {
        start_resume(b, job);
        return;
    }
    if (q->op == ROUSE_PAUSE && !is_current(b, q->generation)) {
        finish(b, job, ROUSE_CONFLICT, "that run is over");
        return;
    }
    if (!b->up) {
        finish(b, job, ROUSE_RUNNING, "");
        return;
    }
    j = add_job(b, job, q->op);
    if (j)
        call(b, j, q->op == ROUSE_PAUSE ? WARDEN_PAUSE : WARDEN_LOOK);
}

bool
box_cancel(struct box *b, struct rouse_job *job)
{
    for (struct box_job *j = b->jobs; j; j = j->next)
        if (j->job == job) {
            take_job(j);
            return true;
        }
    return false;
}

void
box_init(struct box *b, struct local *owner, const struct local_spec *spec)
{
    *b = (struct box){.owner = owner, .spec = spec, .sock = -1, .pidfd = -1};
    /* Names of earlier lives of this gateway are not used again. */
    b->generation = (uint64_t)owner->s->wall_clock_s(owner->host) * 1000;
}

pid_t
box_close(struct box *b)
{
    struct warden_call stop = {.seq = ~0u, .op = WARDEN_STOP};

    while (b->jobs)
        take_job(b->jobs);
    if (!b->up)
        return 0;
    /* Not heard: then the end of the socket is, and means the same without the grace. */
    if (send(b->sock, &stop, sizeof(stop), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
        say(b, ROUSE_DEBUG, "the warden does not listen");
    stop_watching(b);
    b->up = false;
    return b->warden;
}
