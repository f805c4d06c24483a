/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_plugin.c: the platform is somebody's web service: inspect, resume, pause and kill are HTTP
 * calls with JSON (CONTRACT section 6; README.md here says it for who writes the service). One
 * attempt for each job: retries and back-off are Rouse's. A breaker for each URL.
 */
#include "config.h"

#include "http/http_breaker.h"
#include "http/http_call.h"
#include "http/http_options.h"
#include "http/http_verdict.h"
#include "kit/kit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MINUTE INT64_C(60000000)
#define ID_MAX 256
#define DETAIL 256

struct http_platform {
    const struct rouse_services *s;
    struct rouse_host *host;
    struct http_options options;
    struct http_breaker breaker[HTTP_OPS];
    struct http_job *first; /* open ones */
    uint64_t key_base, inspects;
    int64_t refused_said_at; /* when 401 was last said */
    bool refused_said;
};

struct http_job {
    struct http_platform *of;
    struct http_job *next, **link; /* *link is this one */
    struct rouse_job *job;
    struct rouse_fetch *fetch;
    enum rouse_op op;
    uint64_t epoch;
    int64_t began;
    int64_t due; /* when the host stops waiting; INT64_MAX: never */
    size_t id_n;
    char id[ID_MAX];
};

static const char *
op_name(enum rouse_op op)
{
    return http_option_table[op].name;
}

/* Ends a job that has no http_job (any more). */
static void
finish(struct http_platform *p, struct rouse_job *job, enum rouse_outcome outcome,
       const char *detail)
{
    struct rouse_result r = {.size = sizeof r, .outcome = outcome, .detail = kit_text(detail)};

    p->s->finish(p->host, job, &r);
}

static void
forget(struct http_job *j)
{
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    free(j);
}

/* ---- what is worth a line in the log --------------------------------------------------------- */

static void
say(struct http_platform *p, enum rouse_level level, const struct kit_line *l)
{
    p->s->log(p->host, level, kit_line_text(l));
}

static void
breaker_ended(const struct http_job *j, bool answered, const char *why)
{
    struct http_platform *p = j->of;
    enum rouse_op op = j->op;
    struct http_breaker *b = &p->breaker[op];
    struct rouse_text url = p->options.url[op];
    char text[DETAIL];
    struct kit_line l;

    if (!http_breaker_ended(b, answered, j->began, p->s->now_us(p->host)))
        return;
    kit_line_init(&l, text, sizeof text);
    if (b->open)
        kit_line_printf(&l, "hook %s unreachable, asked once a second from now on (%s): ",
                        op_name(op), why ? why : "no answer");
    else
        kit_line_printf(&l, "hook %s answers again: ", op_name(op));
    kit_line_quote(&l, url, 120);
    say(p, b->open ? ROUSE_WARN : ROUSE_INFO, &l);
}

static void
say_refused(struct http_platform *p, enum rouse_op op)
{
    int64_t now = p->s->now_us(p->host);
    char text[DETAIL];
    struct kit_line l;

    if (p->refused_said && now - p->refused_said_at < MINUTE)
        return;
    p->refused_said = true;
    p->refused_said_at = now;
    kit_line_init(&l, text, sizeof text);
    kit_line_printf(&l, "hook %s answers 401: %s: ", op_name(op), http_verdict_detail(401));
    kit_line_quote(&l, p->options.url[op], 120);
    say(p, ROUSE_ERROR, &l);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static struct rouse_text
header_of(const struct rouse_fetch_result *f, const char *name)
{
    for (unsigned i = 0; i < f->headers; i++)
        if (kit_is_nocase(f->header[i].name, name))
            return kit_trim(f->header[i].value);
    return (struct rouse_text){NULL, 0};
}

/* The body's `error`, for the log and for no_capacity. */
static bool
read_error(struct http_platform *p, const struct rouse_fetch_result *f, struct kit_line *detail)
{
    struct rouse_text body = kit_trim(f->body), error;
    struct rouse_json *json;
    char why[KIT_WHY];
    bool no_capacity;

    if (body.n == 0 || body.p[0] != '{')
        return false;
    json = p->s->json_parse(p->host, body, why, sizeof why);
    if (!json)
        return false;
    error = p->s->json_text(json, "error");
    no_capacity = kit_is(error, "no_capacity");
    if (error.n > 0) {
        kit_line_printf(detail, ": ");
        kit_line_quote(detail, error, 60);
    }
    p->s->json_free(json);
    return no_capacity;
}

/* A 2xx but 202: what its body makes of it. */
static enum rouse_outcome
judge_body(const struct http_job *j, enum rouse_outcome good, enum kit_said said)
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

static void
finish_answered(struct http_job *j, const struct rouse_fetch_result *f)
{
    struct http_platform *p = j->of;
    struct rouse_result r = {.size = sizeof r, .status = f->status};
    struct kit_reply reply = {.json = NULL};
    const char *known = http_verdict_detail(f->status);
    bool good = f->status >= 200 && f->status <= 299 && f->status != 202;
    struct kit_line detail;
    char text[DETAIL];

    kit_line_init(&detail, text, sizeof text);
    kit_line_printf(&detail, "%s: HTTP %d", op_name(j->op), f->status);
    if (good) {
        struct rouse_text id = {j->id, j->id_n};
        enum kit_said said = kit_reply_read(&reply, p->s, p->host, id, j->epoch, f->body);
        r.outcome = judge_body(j, http_verdict(j->op, f->status, false), said);
        if (said == KIT_SANDBOX)
            r.sandbox = &reply.sandbox;
        else if (said == KIT_NOTHING)
            kit_line_printf(&detail, " without a sandbox in it");
        else
            kit_line_printf(&detail, ": %s", reply.why);
    } else {
        bool no_capacity = read_error(p, f, &detail);
        r.outcome = http_verdict(j->op, f->status, no_capacity);
        r.retry_after_us =
            http_retry_after(header_of(f, "retry-after"), p->s->wall_clock_s(p->host));
        if (known)
            kit_line_printf(&detail, ": %s", known);
    }
    if (f->status == 401)
        say_refused(p, j->op);
    r.detail = kit_line_text(&detail);
    struct rouse_job *job = j->job;
    forget(j);
    p->s->finish(p->host, job, &r);
    kit_reply_fini(&reply, p->s);
}

static void
finish_unanswered(struct http_job *j, const struct rouse_fetch_result *f)
{
    struct http_platform *p = j->of;
    struct rouse_job *job = j->job;
    char text[DETAIL];
    struct kit_line detail;

    kit_line_init(&detail, text, sizeof text);
    kit_line_printf(&detail, "%s: %s", op_name(j->op), f->detail ? f->detail : "no answer");
    forget(j);
    finish(p, job, f->sent == ROUSE_NOT_SENT ? ROUSE_UNREACHABLE : ROUSE_UNKNOWN, text);
}

static void
on_fetched(void *arg, const struct rouse_fetch_result *f)
{
    struct http_job *j = arg;

    j->fetch = NULL;
    breaker_ended(j, f->sent == ROUSE_ANSWERED, f->detail);
    if (f->sent == ROUSE_ANSWERED && f->status > 0)
        finish_answered(j, f);
    else
        finish_unanswered(j, f);
}

/* ---- the plugin ------------------------------------------------------------------------------ */

static void *
http_open(const struct rouse_services *s, struct rouse_host *host, struct rouse_text name,
          const struct rouse_value *values, int check_only, struct rouse_mistake *mistake)
{
    struct http_platform *p = calloc(1, sizeof *p);

    (void)name;
    (void)check_only;
    if (!p) {
        kit_wrong(mistake, NULL, "", "out of memory");
        return NULL;
    }
    p->s = s;
    p->host = host;
    if (http_options_read(&p->options, s, values, mistake) != 0) {
        free(p);
        return NULL;
    }
    /* Tells one run's keys from another's; nothing secret. */
    if (getrandom(&p->key_base, sizeof p->key_base, GRND_NONBLOCK) < 0)
        p->key_base = (uint64_t)(uintptr_t)p;
    return p;
}

static void
http_close(void *self)
{
    struct http_platform *p = self;

    while (p->first) {
        p->s->fetch_stop(p->host, p->first->fetch);
        forget(p->first);
    }
    explicit_bzero(p->options.key, sizeof p->options.key);
    free(p);
}

static struct http_job *
new_job(struct http_platform *p, struct rouse_job *job, const struct rouse_request *q)
{
    struct http_job *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->of = p;
    j->job = job;
    j->op = q->op;
    j->epoch = q->epoch;
    j->began = p->s->now_us(p->host);
    j->due = q->deadline_us > 0 ? j->began + q->deadline_us : INT64_MAX;
    j->id_n = q->id.n;
    memcpy(j->id, q->id.p, q->id.n);
    j->next = p->first;
    j->link = &p->first;
    if (j->next)
        j->next->link = &j->next;
    p->first = j;
    return j;
}

static uint64_t
number_of(struct http_platform *p, const struct rouse_request *q)
{
    /* An inspect has no intent to repeat; its numbers are far from those of the others. */
    return q->idempotency != 0 ? q->idempotency : (UINT64_C(1) << 63) + ++p->inspects;
}

static void
http_start(void *self, struct rouse_job *job, const struct rouse_request *q)
{
    struct http_platform *p = self;
    struct http_call *call;
    struct http_job *j;
    const char *why;

    if (!p->options.url[q->op].p) {
        finish(p, job, q->op == ROUSE_RESUME ? ROUSE_DISABLED : ROUSE_FAILED,
               "no such hook is configured");
        return;
    }
    if (q->id.n == 0 || q->id.n > ID_MAX) {
        finish(p, job, ROUSE_NOT_FOUND, "not an id");
        return;
    }
    if (!http_breaker_allows(&p->breaker[q->op], p->s->now_us(p->host))) {
        finish(p, job, ROUSE_UNREACHABLE, "the hook was unreachable a moment ago");
        return;
    }
    call = malloc(sizeof *call);
    j = call ? new_job(p, job, q) : NULL;
    if (!j) {
        free(call);
        finish(p, job, ROUSE_UNREACHABLE, "out of memory");
        return;
    }
    if (http_call_make(call, &p->options, p->s, p->host, q, p->key_base, number_of(p, q),
                       &why) != 0) {
        forget(j);
        finish(p, job, ROUSE_FAILED, why);
    } else if ((j->fetch = p->s->fetch(p->host, &call->request, on_fetched, j)) == NULL) {
        forget(j);
        finish(p, job, ROUSE_UNREACHABLE, "the call could not be started");
    }
    free(call);
}

static void
http_cancel(void *self, struct rouse_job *job)
{
    struct http_platform *p = self;

    for (struct http_job *j = p->first; j; j = j->next) {
        if (j->job != job)
            continue;
        p->s->fetch_stop(p->host, j->fetch);
        /* Given up because no answer came in time: as good as a timeout of our own. */
        if (p->s->now_us(p->host) >= j->due)
            breaker_ended(j, false, "no answer in time");
        forget(j);
        return;
    }
}

__attribute__((visibility("default"))) const struct rouse_plugin rouse_plugin = {
    ROUSE_PLUGIN_HEAD,
    "http",
    "1",
    "the platform is a web service of yours: inspect, resume, pause and kill are HTTP calls",
    http_option_table,
    0,
    http_open,
    http_close,
    http_start,
    http_cancel,
};
