/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_plugin.c: the `local` platform: sandboxes that are processes of this machine, configured
 * one by one. For development, demos and tests. It starts a sandbox on first use, stops and
 * continues its whole tree, and starts it anew when it has ended.
 *
 *     local_plugin   one platform: finds the box, forgets jobs, ends them all
 *     local_spec     the configuration of the boxes
 *     local_box      one sandbox: jobs in, words of its warden, news out
 *     local_spawn    starts a warden
 *     warden*        the other program: parent of one process tree
 */
#include "config.h"

#include "local/local_box.h"
#include "local/local_spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rouse_option options[] = {
    {.name = "sandboxes", .type = ROUSE_NODE, .required = 1,
     .help = "id: { command: [argv...], ports: { 3000: 127.0.0.1:3000 }, idle, directory, "
             "environment, user, output, freezer, wake_delay }"},
    {0},
};

static void
local_free(struct local *l)
{
    if (!l)
        return;
    local_specs_free(&l->specs);
    free(l->warden);
    free(l->box);
    free(l);
}

static void *
local_open(const struct rouse_services *s, struct rouse_host *host, struct rouse_text name,
           const struct rouse_value *values, int check_only, struct rouse_mistake *mistake)
{
    struct local *l = calloc(1, sizeof(*l));

    (void)name;
    (void)check_only;
    if (!l)
        goto no_memory;
    l->s = s;
    l->host = host;
    if (local_specs_read(&l->specs, values[0].node, mistake) != 0) {
        free(l);
        return NULL;
    }
    l->warden = local_spawn_program();
    l->box = calloc(l->specs.n ? l->specs.n : 1, sizeof(*l->box));
    if (!l->warden || !l->box)
        goto no_memory;
    for (unsigned i = 0; i < l->specs.n && !check_only; i++)
        box_init(&l->box[i], l, &l->specs.spec[i]);
    if (check_only)
        local_specs_free(&l->specs);
    return l;
no_memory:
    snprintf(mistake->text, sizeof(mistake->text), "out of memory");
    local_free(l);
    return NULL;
}

static void
local_close(void *self)
{
    struct local *l = self;
    pid_t *pid = calloc(l->specs.n ? l->specs.n : 1, sizeof(*pid));
    unsigned n = 0;

    for (unsigned i = 0; i < l->specs.n; i++) {
        pid_t warden = box_close(&l->box[i]);

        if (pid && warden > 0)
            pid[n++] = warden;
    }
    if (n > 0)
        local_spawn_reap(pid, n);
    free(pid);
    local_free(l);
}

static void
local_start(void *self, struct rouse_job *job, const struct rouse_request *q)
{
    struct local *l = self;
    struct rouse_result unknown = {.size = sizeof(unknown), .outcome = ROUSE_NOT_FOUND};

    for (unsigned i = 0; i < l->specs.n; i++) {
        const struct rouse_text *id = &l->specs.spec[i].id;

        if (id->n == q->id.n && memcmp(id->p, q->id.p, id->n) == 0) {
            box_start(&l->box[i], job, q);
            return;
        }
    }
    l->s->finish(l->host, job, &unknown);
}

static void
local_cancel(void *self, struct rouse_job *job)
{
    struct local *l = self;

    for (unsigned i = 0; i < l->specs.n; i++)
        if (box_cancel(&l->box[i], job))
            return;
}

extern const struct rouse_plugin rouse_plugin;

__attribute__((visibility("default"))) const struct rouse_plugin rouse_plugin = {
    ROUSE_PLUGIN_HEAD,
    .name = "local",
    .version = PACKAGE_VERSION,
    .help = "sandboxes that are processes of this machine",
    .options = options,
    .loopback = 1,
    .open = local_open,
    .close = local_close,
    .start = local_start,
    .cancel = local_cancel,
};
