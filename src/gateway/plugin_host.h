/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_host.h: the platforms of a running gateway: opens one instance of its plugin for each
 * platform of the configuration, turns the domain's driver calls into jobs, and what plugins say
 * into driver results and news. Names in what a plugin says are resolved here, and every address is
 * judged by address_rules.h before the domain sees it: a record that names a refused address is
 * not believed, and the call ends as OUTCOME_FAILED.
 *
 * A call that its plugin does not finish by its deadline ends here as OUTCOME_UNKNOWN, and the
 * plugin is told to cancel it. A plugin that keeps the thread for more than 50 ms is named in the
 * log. Everything runs on the control thread, but for plugin_host_busy.
 */
#ifndef ROUSE_GATEWAY_PLUGIN_HOST_H
#define ROUSE_GATEWAY_PLUGIN_HOST_H

#include "gateway/gateway_config.h"
#include "sandbox/driver.h"

struct loop;
struct resolver;
struct fetcher;
struct plugin_host;

/* None is ever called from within plugin_host_call or plugin_host_put. */
struct plugin_host_ports {
    void *ctx;
    /* Exactly once for each plugin_host_call; r and its record are valid during the call. */
    void (*result)(void *ctx, const struct driver_result *r);
    /* A sandbox changed by itself (the plugin's news). */
    void (*news)(void *ctx, const struct sandbox_key *key, const struct record *r);
    /* Exactly once for each plugin_host_put that returned 0: the record, or NULL and why not. */
    void (*put)(void *ctx, uint64_t request, const struct sandbox_key *key,
                const struct record *r, const char *why);
};

struct plugin_host_options {
    struct loop *loop;         /* of the control thread */
    struct resolver *resolver; /* of that loop, as is fetcher; owned by the caller */
    struct fetcher *fetcher;
    struct log *log;           /* may be NULL */
};

/* NULL: out of memory. */
struct plugin_host *plugin_host_new(const struct plugin_host_options *o,
                                    const struct plugin_host_ports *p);
/* Closes all instances; open calls are not answered any more. */
void plugin_host_free(struct plugin_host *h);

/*
 * Makes the instances those of c, of which it keeps references: a platform whose plugin and options
 * are as before keeps its instance, others are closed and opened anew, those that c no longer has
 * are closed (their open calls end UNKNOWN). 0; or -1 and *why names the platform that could not be
 * opened: the others are in service all the same.
 */
int plugin_host_configure(struct plugin_host *h, struct gateway_config *c,
                          struct buf *why) must_check;
/* Where this gateway itself listens, really: no sandbox may be there. Copied; n <= 32. */
void plugin_host_set_own(struct plugin_host *h, const struct endpoint *own, size_t n);

/* Starts a call. Texts of c are copied. Its result comes through ports.result, always. */
void plugin_host_call(struct plugin_host *h, const struct driver_call *c);
/*
 * News from outside (PUT /sandboxes/{id}): an inspect body, whose names are resolved and whose
 * addresses are judged as a plugin's. -1: not a sandbox, *why says what and where.
 */
int plugin_host_put(struct plugin_host *h, const struct sandbox_key *key, struct slice json,
                    uint64_t request, struct buf *why) must_check;

/* One line of GET /status and of `rouse status`. */
struct plugin_status {
    const char *name, *plugin, *version;
    uint32_t open;                       /* calls */
    uint64_t calls, failed, late, slow;  /* since the instance was opened */
    const char *last_failure;            /* "" when none */
};
/* Of platform n; -1: there is none with that number. */
int plugin_host_status(const struct plugin_host *h, uint16_t n,
                       struct plugin_status *out) must_check;
/*
 * Any thread: when the control thread is inside a plugin at this moment, the time since it entered
 * and *name (static for the process); otherwise 0.
 */
usec_t plugin_host_busy(struct plugin_host *h, usec_t now, const char **name);

#endif
