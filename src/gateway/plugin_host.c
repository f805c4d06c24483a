/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_host.c: see plugin_host.h. Instances, calls, their deadlines. Owner: control's thread. */
#include "config.h"

#include "base/log.h"
#include "gateway/plugin_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plugin that keeps the control thread longer is named in the log. */
#define SLOW (50 * USEC_MS)
/* The longest wait that a plugin may ask for. */
#define RETRY_AFTER_MAX (86400 * USEC_SEC)

/* ---- in and out of plugins -------------------------------------------------------- */

usec_t
plugin_enter(struct rouse_host *host)
{
    usec_t now = loop_clock();

    __atomic_store_n(&host->h->inside, host->module->name, __ATOMIC_RELAXED);
    __atomic_store_n(&host->h->entered, now, __ATOMIC_RELEASE);
    return now;
}

void
plugin_leave(struct rouse_host *host, usec_t entered, const char *doing)
{
    usec_t took = loop_clock() - entered;

    __atomic_store_n(&host->h->entered, 0, __ATOMIC_RELEASE);
    if (took <= SLOW)
        return;
    host->status.slow++;
    log_event(host->h->o.log, LOG_WARN, "plugin_slow",
              "plugin %s of platform %s kept the control thread for %lld ms in %s",
              host->module->name, host->name, (long long)(took / USEC_MS), doing);
}

usec_t
plugin_host_busy(struct plugin_host *h, usec_t now, const char **name)
{
    usec_t entered = __atomic_load_n(&h->entered, __ATOMIC_ACQUIRE);

    *name = __atomic_load_n(&h->inside, __ATOMIC_RELAXED);
    return entered ? now - entered : 0;
}

/* ---- calls ------------------------------------------------------------------------ */

/* A copy in the job; what does not fit is left out. */
static struct rouse_text
keep(struct rouse_job *job, struct slice s)
{
    char *to = job->text + job->used;

    if (s.n == 0 || s.n > sizeof(job->text) - job->used)
        return (struct rouse_text){NULL, 0};
    memcpy(to, s.p, s.n);
    job->used += s.n;
    return (struct rouse_text){to, s.n};
}

static struct rouse_text
keep_hex(struct rouse_job *job, const uint8_t *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    char text[2 * TOKEN_DIGEST];

    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digit[p[i] >> 4];
        text[2 * i + 1] = digit[p[i] & 15];
    }
    return keep(job, (struct slice){text, 2 * n});
}

/* The call's own id, and a W3C trace that it starts. */
static void
fill_trace(struct rouse_job *job, struct random *r)
{
    uint64_t id[3] = {random_u64(r), random_u64(r), random_u64(r) | 1};
    char text[64];

    job->request.request_id = keep_hex(job, (const uint8_t *)id, 16);
    snprintf(text, sizeof(text), "00-%016llx%016llx-%016llx-01", (unsigned long long)id[0] | 1,
             (unsigned long long)id[1], (unsigned long long)id[2]);
    job->request.traceparent = keep(job, slice_of(text));
}

static void
fill_request(struct rouse_job *job, const struct driver_call *c)
{
    static const enum rouse_op op[] = {ROUSE_INSPECT, ROUSE_RESUME, ROUSE_PAUSE, ROUSE_KILL};
    struct loop *l = job->host->h->o.loop;
    struct rouse_request *q = &job->request;

    *q = (struct rouse_request){
        .size = sizeof(*q),
        .op = op[c->op],
        .port = c->port,
        .epoch = c->epoch,
        .idempotency = c->attempt_of ? c->attempt_of : c->id,
        .deadline_us = usec_max(c->deadline - l->now, 0),
    };
    q->id = keep(job, (struct slice){c->key.id, c->key.n});
    q->klass = keep(job, slice_of(c->op == DRIVER_RESUME ? traffic_class_name(c->klass) : ""));
    q->generation = keep(job, name_slice(&c->generation));
    q->reason = keep(job, slice_of(c->reason ? c->reason : ""));
    if (c->has_token)
        q->token_sha256 = keep_hex(job, c->token, TOKEN_DIGEST);
    fill_trace(job, &l->random);
    q->client = keep(job, c->client);
    q->method = keep(job, c->method);
    q->host = keep(job, c->host);
    q->path = keep(job, c->path);
}

static void
on_deliver(struct task *t)
{
    struct rouse_job *job = container_of(t, struct rouse_job, deliver);

    job->h->ports.result(job->h->ports.ctx, &job->result);
    record_fini(&job->result.record);
    free(job);
}

static void
deliver(struct rouse_job *job, enum driver_outcome o)
{
    job->result.outcome = o;
    loop_queue_run(job->h->o.loop, &job->deliver);
}

/* The job is over for the plugin: no deadline, not in the list. */
static void
close_job(struct rouse_job *job)
{
    list_unlink(&job->link);
    loop_timer_cancel(job->host->h->o.loop, &job->deadline);
    job->host->status.open--;
}

static void
failure(struct rouse_host *host, struct slice what)
{
    host->status.failed++;
    slice_copy(what, host->last_failure, sizeof(host->last_failure));
}

static void
on_deadline(struct wheel_timer *t)
{
    struct rouse_job *job = container_of(t, struct rouse_job, deadline);
    struct rouse_host *host = job->host;
    usec_t entered;

    close_job(job);
    host->status.late++;
    failure(host, SLICE("no answer in time"));
    log_event(host->h->o.log, LOG_WARN, "platform_late", "%s: %s of %s got no answer in time",
              host->name, driver_op_name(job->op), job->key.id);
    entered = plugin_enter(host);
    host->module->cancel(host->self, job);
    plugin_leave(host, entered, "cancel");
    deliver(job, OUTCOME_UNKNOWN);
}

static void
on_pay(struct task *t)
{
    struct plugin_host *h = container_of(t, struct plugin_host, pay);

    while (h->owed_n > 0) {
        struct driver_result r = {.id = h->owed[--h->owed_n], .outcome = OUTCOME_UNREACHABLE};

        record_init(&r.record);
        h->ports.result(h->ports.ctx, &r);
    }
}

/* Without memory for a call: nothing was executed. Whoever does not hear of it waits in vain until
 * the call's deadline. */
static void
owe(struct plugin_host *h, uint64_t id)
{
    log_event(h->o.log, LOG_ERROR, "platform_call", "out of memory");
    if (h->owed_n == PLUGIN_OWED_MAX)
        return;
    h->owed[h->owed_n++] = id;
    loop_queue_run(h->o.loop, &h->pay);
}

void
plugin_host_call(struct plugin_host *h, const struct driver_call *c)
{
    struct rouse_job *job = calloc(1, sizeof(*job));
    struct rouse_host *host =
        c->key.platform < CONFIG_PLATFORMS ? h->instance[c->key.platform] : NULL;
    usec_t entered;

    if (!job) {
        owe(h, c->id);
        return;
    }
    *job = (struct rouse_job){.h = h, .host = host, .key = c->key, .op = c->op};
    job->result.id = c->id;
    record_init(&job->result.record);
    list_init(&job->link);
    task_init(&job->deliver, on_deliver);
    wheel_timer_init(&job->deadline, on_deadline);
    if (!host) {
        deliver(job, OUTCOME_FAILED);
        return;
    }
    host->status.calls++;
    host->status.open++;
    list_push_back(&host->jobs, &job->link);
    fill_request(job, c);
    loop_timer_set(h->o.loop, &job->deadline, c->deadline);
    entered = plugin_enter(host);
    host->module->start(host->self, job, &job->request);
    plugin_leave(host, entered, driver_op_name(c->op));
}

/* ---- what plugins say ------------------------------------------------------------- */

_Static_assert((int)ROUSE_RUNNING == (int)OUTCOME_RUNNING &&
                   (int)ROUSE_UNKNOWN == (int)OUTCOME_UNKNOWN,
               "outcomes differ");

static void
on_job_record(void *ctx, const struct sandbox_key *key, const struct record *r, const char *why)
{
    struct rouse_job *job = ctx;

    if (r && record_copy(&job->result.record, r) == 0) {
        job->result.has_record = true;
        deliver(job, job->result.outcome);
        return;
    }
    log_event(job->h->o.log, LOG_ERROR, "address_refused", "%s: %s", key->id,
              r ? "out of memory" : why);
    deliver(job, OUTCOME_FAILED);
}

/* What went wrong is a warning; another answer than the wanted one is for who looks closer. */
static void
log_unwanted(struct rouse_host *host, const struct rouse_job *job, const struct rouse_result *r)
{
    bool failed = r->outcome >= ROUSE_FAILED || r->outcome == ROUSE_DENIED;
    struct log_line l;

    if (r->outcome == ROUSE_RUNNING)
        return;
    if (failed)
        failure(host, r->detail.n ? plugin_slice(r->detail)
                                  : slice_of(driver_outcome_name((enum driver_outcome)r->outcome)));
    log_open(&l, host->h->o.log, failed ? LOG_WARN : LOG_DEBUG, LOG_EVENT, "platform_call");
    log_str(&l, LF_PLATFORM, host->name);
    log_slice(&l, LF_SANDBOX, (struct slice){job->key.id, job->key.n});
    log_str(&l, LF_KIND, driver_op_name(job->op));
    log_str(&l, LF_OUTCOME, driver_outcome_name((enum driver_outcome)r->outcome));
    if (r->status)
        log_i64(&l, LF_HOOK_STATUS, r->status);
    log_slice(&l, LF_DETAIL, plugin_slice(r->detail));
    log_close(&l);
}

void
plugin_finish(struct rouse_host *host, struct rouse_job *job, const struct rouse_result *r)
{
    ensure(list_linked(&job->link)); /* finished once, and not after cancel */
    close_job(job);
    log_unwanted(host, job, r);
    job->result.retry_after = usec_min(usec_max(0, r->retry_after_us), RETRY_AFTER_MAX);
    job->result.outcome =
        r->outcome <= ROUSE_UNKNOWN ? (enum driver_outcome)r->outcome : OUTCOME_FAILED;
    if (!r->sandbox) {
        deliver(job, job->result.outcome);
        return;
    }
    if (intake_start(host->h, &job->key, r->sandbox, on_job_record, job) < 0)
        deliver(job, OUTCOME_FAILED);
}

static void
on_news_record(void *ctx, const struct sandbox_key *key, const struct record *r, const char *why)
{
    struct plugin_host *h = ctx;

    if (r)
        h->ports.news(h->ports.ctx, key, r);
    else
        log_event(h->o.log, LOG_ERROR, "address_refused", "%s: %s", key->id, why);
}

void
plugin_news(struct rouse_host *host, struct rouse_text id, const struct rouse_sandbox *s)
{
    struct sandbox_key key = {.platform = host->number};

    key.n = (uint16_t)slice_copy(plugin_slice(id), key.id, sizeof(key.id));
    if (intake_start(host->h, &key, s, on_news_record, host->h) < 0)
        log_event(host->h->o.log, LOG_ERROR, "news_ignored", "%s: out of memory", key.id);
}

struct put {
    struct plugin_host *h;
    uint64_t request;
};

static void
on_put_record(void *ctx, const struct sandbox_key *key, const struct record *r, const char *why)
{
    struct put *put = ctx;

    put->h->ports.put(put->h->ports.ctx, put->request, key, r, why);
    free(put);
}

int
plugin_host_put(struct plugin_host *h, const struct sandbox_key *key, struct slice text,
                uint64_t request, struct buf *why)
{
    struct put *put = malloc(sizeof(*put));
    struct rouse_json *json = NULL;
    struct rouse_sandbox s;
    char room[200] = "out of memory";
    int rc = -1;

    if (put) {
        *put = (struct put){h, request};
        rc = plugin_sandbox_from_json(NULL, plugin_text(text), &s, &json, room, sizeof(room));
        if (rc == 0)
            rc = intake_start(h, key, &s, on_put_record, put);
    }
    if (rc < 0) {
        buf_add_str(why, room);
        free(put);
    }
    plugin_json_free(json);
    return rc;
}

/* ---- instances -------------------------------------------------------------------- */

static void
on_reap_instance(struct task *t)
{
    free(container_of(t, struct rouse_host, reap));
}

static void
close_instance(struct plugin_host *h, unsigned n)
{
    struct rouse_host *host = h->instance[n];

    if (!host)
        return;
    h->instance[n] = NULL;
    list_each_safe(l, next, &host->jobs)
    {
        struct rouse_job *job = container_of(l, struct rouse_job, link);

        close_job(job);
        deliver(job, OUTCOME_UNKNOWN);
    }
    if (host->self)
        host->module->close(host->self);
    plugin_services_stop(host);
    gateway_config_unref(host->config);
    task_init(&host->reap, on_reap_instance);
    loop_queue_reap(h->o.loop, &host->reap);
}

static int
open_instance(struct plugin_host *h, struct gateway_config *c, unsigned n, struct buf *why)
{
    const struct platform_config *p = &c->platform[n];
    struct rouse_host *host = calloc(1, sizeof(*host));
    struct rouse_mistake m = {0};

    if (!host) {
        buf_add_str(why, "out of memory");
        return -1;
    }
    host->h = h;
    host->module = p->module;
    host->config = gateway_config_ref(c);
    host->number = (uint16_t)n;
    slice_copy(slice_of(p->name), host->name, sizeof(host->name));
    list_init(&host->jobs);
    list_init(&host->handles);
    host->status = (struct plugin_status){.name = host->name,
                                          .plugin = p->module->name,
                                          .version = p->module->version,
                                          .last_failure = host->last_failure};
    h->instance[n] = host;
    host->self = p->module->open(&plugin_services, host, plugin_text(slice_of(p->name)), p->values,
                                 0, &m);
    if (host->self)
        return 0;
    m.text[sizeof(m.text) - 1] = '\0';
    buf_printf(why, "platform %s: %s", p->name, m.text);
    close_instance(h, n);
    return -1;
}

static bool
nodes_equal(const struct rouse_node *a, const struct rouse_node *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (a->kind != b->kind || !slice_eq(plugin_slice(a->key), plugin_slice(b->key)) ||
            !slice_eq(plugin_slice(a->value), plugin_slice(b->value)) ||
            !nodes_equal(a->child, b->child))
            return false;
    return !a && !b;
}

static bool
same(const struct rouse_host *host, const struct platform_config *p)
{
    const struct rouse_value *old = host->config->platform[host->number].values;

    if (host->module != p->module || strcmp(host->name, p->name) != 0)
        return false;
    for (unsigned i = 0; p->module->options && p->module->options[i].name; i++)
        if (old[i].given != p->values[i].given || old[i].number != p->values[i].number ||
            !slice_eq(plugin_slice(old[i].text), plugin_slice(p->values[i].text)) ||
            !nodes_equal(old[i].node, p->values[i].node))
            return false;
    return true;
}

int
plugin_host_configure(struct plugin_host *h, struct gateway_config *c, struct buf *why)
{
    struct gateway_config *before = h->config;
    int rc = 0;

    h->config = gateway_config_ref(c);
    gateway_config_unref(before);
    for (unsigned i = 0; i < CONFIG_PLATFORMS; i++) {
        bool wanted = i < c->platforms && c->platform[i].used;

        if (h->instance[i] && (!wanted || !same(h->instance[i], &c->platform[i])))
            close_instance(h, i);
        if (wanted && !h->instance[i] && open_instance(h, c, i, why) < 0)
            rc = -1;
    }
    return rc;
}

void
plugin_host_set_own(struct plugin_host *h, const struct endpoint *own, size_t n)
{
    const size_t max = sizeof(h->own.own) / sizeof(h->own.own[0]);

    h->own.own_n = (uint8_t)(n > max ? max : n);
    memcpy(h->own.own, own, h->own.own_n * sizeof(*own));
    address_own_local(&h->own);
}

struct plugin_host *
plugin_host_new(const struct plugin_host_options *o, const struct plugin_host_ports *p)
{
    struct plugin_host *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->o = *o;
    h->ports = *p;
    list_init(&h->intakes);
    task_init(&h->pay, on_pay);
    address_own_local(&h->own);
    return h;
}

static void
no_result(void *ctx, const struct driver_result *r)
{
    (void)ctx;
    (void)r;
}

static void
no_news(void *ctx, const struct sandbox_key *key, const struct record *r)
{
    (void)ctx;
    (void)key;
    (void)r;
}

static void
no_put(void *ctx, uint64_t request, const struct sandbox_key *key, const struct record *r,
       const char *why)
{
    (void)ctx;
    (void)request;
    (void)key;
    (void)r;
    (void)why;
}

void
plugin_host_free(struct plugin_host *h)
{
    if (!h)
        return;
    h->ports = (struct plugin_host_ports){NULL, no_result, no_news, no_put};
    intake_end_all(h);
    for (unsigned i = 0; i < CONFIG_PLATFORMS; i++)
        close_instance(h, i);
    loop_turn(h->o.loop, 0); /* what is queued frees itself */
    gateway_config_unref(h->config);
    free(h);
}

int
plugin_host_status(const struct plugin_host *h, uint16_t n, struct plugin_status *out)
{
    if (n >= CONFIG_PLATFORMS || !h->instance[n])
        return -1;
    *out = h->instance[n]->status;
    return 0;
}
