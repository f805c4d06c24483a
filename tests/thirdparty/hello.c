/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello.c: the smallest useful plugin, written as a stranger would: outside the tree, against the
 * installed header alone. Every sandbox of its platform runs at one address. Copy it to begin.
 */
#include <rouse/plugin.h>

#include <stdio.h>
#include <stdlib.h>

struct hello {
    const struct rouse_services *services;
    struct rouse_host *host;
    struct rouse_text address;
};

static const struct rouse_option options[] = {
    {"address", ROUSE_STRING, 1, NULL, "where all sandboxes are, such as 10.0.0.1:3000", 0, 0},
    {"greeting", ROUSE_STRING, 0, "hello", "a word for the log", 0, 0},
    {NULL, ROUSE_STRING, 0, NULL, NULL, 0, 0},
};

static void *
hello_open(const struct rouse_services *s, struct rouse_host *host, struct rouse_text name,
           const struct rouse_value *values, int check_only, struct rouse_mistake *mistake)
{
    struct hello *h;

    (void)name;
    if (!values[0].text.n || values[0].text.p[0] == ':') {
        snprintf(mistake->text, sizeof mistake->text, "address: it has no host");
        return NULL;
    }
    h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->services = s;
    h->host = host;
    h->address = values[0].text;
    if (!check_only)
        s->log(host, ROUSE_INFO, values[1].text);
    return h;
}

static void
hello_close(void *self)
{
    free(self);
}

static void
hello_start(void *self, struct rouse_job *job, const struct rouse_request *q)
{
    struct hello *h = self;
    struct rouse_sandbox sandbox = {
        .size = sizeof sandbox,
        .state = ROUSE_STATE_RUNNING,
        .generation = {"1", 1},
        .address = h->address,
        .auto_resume = 1,
    };
    struct rouse_result result = {.size = sizeof result, .outcome = ROUSE_RUNNING};

    if (q->op == ROUSE_INSPECT || q->op == ROUSE_RESUME)
        result.sandbox = &sandbox;
    else
        result.outcome = ROUSE_FAILED; /* it can neither be paused nor killed */
    h->services->finish(h->host, job, &result);
}

/* Every job is over when hello_start returns. */
static void
hello_cancel(void *self, struct rouse_job *job)
{
    (void)self;
    (void)job;
}

const struct rouse_plugin rouse_plugin = {
    ROUSE_PLUGIN_HEAD, "hello", "1.0", "all sandboxes run at one address", options,
    0, hello_open, hello_close, hello_start, hello_cancel,
};
