/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_rig.h: a host for a plugin under test: every service is a fake that remembers what it was
 * asked; time stands until the test moves it. JSON is jansson's, HMAC is libcrypto's.
 */
#ifndef ROUSE_TESTS_PLUGIN_RIG_H
#define ROUSE_TESTS_PLUGIN_RIG_H

#include "unit.h"

#include "rouse/plugin.h"

#define RIG_CALLS 64
#define RIG_TEXT 40000

struct rig;
struct rouse_host {
    struct rig *rig;
};

struct rouse_job {
    bool open, finished;
    struct rouse_result result; /* texts point into the rest */
    char detail[300], address[64];
    enum rouse_state state; /* of the sandbox in it, when there is one */
};

struct rouse_fetch {
    bool open, stopped;
    char method[16], url[4096], body[RIG_TEXT];
    struct {
        char name[64], value[256];
    } header[40];
    unsigned headers;
    int64_t connect_timeout_us, timeout_us;
    size_t answer_max;
    void (*fn)(void *arg, const struct rouse_fetch_result *r);
    void *arg;
};

struct rouse_run {
    bool open, stopped;
    char argv[2048], envp[4096]; /* joined by line ends */
    char input[RIG_TEXT];
    int64_t timeout_us;
    size_t output_max;
    void (*fn)(void *arg, const struct rouse_run_result *r);
    void *arg;
};

struct rig {
    const struct rouse_plugin *plugin;
    const struct rouse_services *services;
    void *self;
    struct rouse_host host;
    int64_t now, wall;
    bool refuse; /* fetch and run return NULL */
    struct rouse_job job[RIG_CALLS];
    struct rouse_fetch *fetch[RIG_CALLS];
    struct rouse_run *run[RIG_CALLS];
    unsigned jobs, fetches, runs, finished, logs;
    char log[300]; /* the last line */
    enum rouse_level level;
    struct rouse_mistake mistake;
};

/* An option of the configuration; name NULL ends a list. */
struct rig_option {
    const char *name, *text;
    const struct rouse_node *node;
};

/* A map or list from pairs, NULL-terminated; freed by rig_free_node. */
struct rouse_node *rig_map(const char *const *pairs);
struct rouse_node *rig_list(const char *const *items);
void rig_free_node(struct rouse_node *n);

/* Opens an instance; r->self NULL: r->mistake says why. */
void rig_open(struct rig *r, const struct rouse_plugin *p, const struct rig_option *o);
/* Closes it; nothing may be left open. */
void rig_close(struct rig *r);
/* A call for sandbox "blog", generation g3, deadline 10 s; what is in q overrides. */
struct rouse_job *rig_start(struct rig *r, enum rouse_op op, const struct rouse_request *q);

/* The last one started. */
struct rouse_fetch *rig_fetch(struct rig *r);
struct rouse_run *rig_run(struct rig *r);
const char *rig_header(const struct rouse_fetch *f, const char *name);
/* Ends it. headers: NULL-terminated pairs, or NULL. */
void rig_answer(struct rouse_fetch *f, int status, const char *body, const char *const *headers);
void rig_no_answer(struct rouse_fetch *f, bool maybe_sent, const char *detail);
void rig_exit(struct rouse_run *x, int code, const char *output, const char *errors);
/* It did not exit by itself; signal 0: it could not be started. */
void rig_ended(struct rouse_run *x, int signal, const char *detail);

#endif
