/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_priv.h: what the files of the plugin host share: plugin_host.c (instances and calls),
 * plugin_services.c (what plugins may ask for), plugin_intake.c (what they say of sandboxes).
 */
#ifndef ROUSE_GATEWAY_PLUGIN_PRIV_H
#define ROUSE_GATEWAY_PLUGIN_PRIV_H

#include "base/list.h"
#include "gateway/address_rules.h"
#include "gateway/plugin_host.h"
#include "net/loop.h"
#include "rouse/plugin.h"

#define PLUGIN_OWED_MAX 64

struct plugin_host {
    struct plugin_host_options o;
    struct plugin_host_ports ports;
    struct gateway_config *config;
    struct rouse_host *instance[CONFIG_PLATFORMS];
    struct address_own own;
    struct list intakes;
    /* Calls that found no memory: said so from the run list. */
    uint64_t owed[PLUGIN_OWED_MAX];
    unsigned owed_n;
    struct task pay;
    /* For the watchdog; atomic. */
    usec_t entered;
    const char *inside;
};

/* One platform's instance: what a plugin knows as its host. */
struct rouse_host {
    struct plugin_host *h;
    const struct rouse_plugin *module;
    void *self;
    struct gateway_config *config; /* whose values it was opened with */
    uint16_t number;
    char name[64];
    struct list jobs;      /* struct rouse_job */
    struct list handles;   /* timers, fetches, runs, watches: plugin_services.c */
    struct plugin_status status;
    char last_failure[160];
    struct task reap;
};

/* One call. Open until finished or late; then its intake, then its result. */
struct rouse_job {
    struct list link; /* of the instance, while open */
    struct plugin_host *h;
    struct rouse_host *host; /* NULL: the platform has no instance; while open only */
    struct sandbox_key key;
    enum driver_op op;
    struct driver_result result;
    struct wheel_timer deadline;
    struct task deliver;
    struct rouse_request request;
    char text[2048]; /* what request points at */
    size_t used;
};

/* ---- plugin_host.c ---------------------------------------------------------------- */
/* Around every call into a plugin: the watchdog's view, and who is slow is named. */
usec_t plugin_enter(struct rouse_host *host);
void plugin_leave(struct rouse_host *host, usec_t entered, const char *doing);
/* services.finish and services.news. */
void plugin_finish(struct rouse_host *host, struct rouse_job *job, const struct rouse_result *r);
void plugin_news(struct rouse_host *host, struct rouse_text id, const struct rouse_sandbox *s);

/* ---- plugin_services.c ------------------------------------------------------------ */
extern const struct rouse_services plugin_services;
/* Stops all timers, fetches, runs and watches of an instance that closes. */
void plugin_services_stop(struct rouse_host *host);

/* ---- plugin_intake.c -------------------------------------------------------------- */
/*
 * Makes a record of what was said of a sandbox: names are resolved, addresses judged. done is
 * called once, never from within this call, with the record (valid during the call) or NULL and
 * why.
 */
struct intake;
int intake_start(struct plugin_host *h, const struct sandbox_key *key,
                 const struct rouse_sandbox *s,
                 void (*done)(void *ctx, const struct sandbox_key *key, const struct record *r,
                              const char *why),
                 void *ctx) must_check;
/* Those that are open end without a record, now. */
void intake_end_all(struct plugin_host *h);

/* ---- plugin_json.c ---------------------------------------------------------------- */
int plugin_sandbox_from_json(struct rouse_host *host, struct rouse_text text,
                             struct rouse_sandbox *out, struct rouse_json **json, char *why,
                             size_t why_n);
struct rouse_json *plugin_json_parse(struct rouse_host *host, struct rouse_text text, char *why,
                                     size_t why_n);
struct rouse_text plugin_json_text(struct rouse_json *json, const char *path);
void plugin_json_free(struct rouse_json *json);
int plugin_request_to_json(struct rouse_host *host, const struct rouse_request *q, char *out,
                           size_t n);

static inline struct slice
plugin_slice(struct rouse_text t)
{
    return (struct slice){t.p, t.n};
}

static inline struct rouse_text
plugin_text(struct slice s)
{
    return (struct rouse_text){s.p, s.n};
}

#endif
