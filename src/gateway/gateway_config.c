/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_config.c: the defaults of everything that can be configured: the only place that has
 * them, but for those of the options of http/. The sample configuration, the schema and
 * `rouse show config` print what stands here.
 */
#include "config.h"

#include "gateway/gateway_config.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

const char *
dialect_name(enum dialect d)
{
    static const char *const names[] = {"native", "e2b", "openkruise", "sandbox0", "opensandbox"};

    ensure((unsigned)d < DIALECTS);
    return names[d];
}

struct gateway_config *
gateway_config_ref(struct gateway_config *c)
{
    ensure(__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED) > 0);
    return c;
}

void
gateway_config_unref(struct gateway_config *c)
{
    if (!c)
        return;
    int before = __atomic_fetch_sub(&c->refs, 1, __ATOMIC_ACQ_REL);
    ensure(before > 0);
    if (before > 1)
        return;
    /* The snapshot itself may live in what it owns. */
    if (c->free_owned)
        c->free_owned(c->owned);
}

uint32_t
gateway_config_conn_max(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r))
        return 64;
    if (r.rlim_max == RLIM_INFINITY || r.rlim_max > 3 * 20000 + 512)
        return 20000;
    return r.rlim_max < 512 + 3 * 64 ? 64 : (uint32_t)((r.rlim_max - 512) / 3);
}

static unsigned
processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : (unsigned)n;
}

void
gateway_config_init(struct gateway_config *c)
{
    memset(c, 0, sizeof *c);
    c->refs = 1;
    slice_copy(SLICE("defaults"), c->source, sizeof c->source);
    slice_copy(SLICE("/run/rouse/admin.sock"), c->admin_socket, sizeof c->admin_socket);
    c->workers = processors();
    c->log_format = CONFIG_LOG_AUTO;
    c->log_level = LOG_INFO;
    c->log_access = true;
    c->conn_max = gateway_config_conn_max();
    c->ticket_rotation = 12 * 3600 * USEC_SEC;
    c->handshakes = 1000;
    c->handshake_time = 10 * USEC_SEC;
    c->conn_per_source = 200;
    c->conn_rate = (struct rate){200, 4 * USEC_SEC}; /* 50/s, bursts of 200 */
    h1_server_options_init(&c->front);
    h2_options_server(&c->front_h2);
    back_pool_options_init(&c->back);
    c->sandbox_conns = 1024;
    c->hold_total = 20000;
    c->hold_bytes = UINT64_C(256) << 20;
    c->wakes_in_flight = 200;
    c->wakes_global = (struct rate){100, USEC_SEC};
    c->max_sandboxes = 100000;
    c->fresh = 2 * USEC_SEC;
    c->drain = 30 * USEC_SEC;
    c->drain_tunnels = 600 * USEC_SEC;
}

void
gateway_config_settle(struct gateway_config *c)
{
    const struct h1_server_options *from = &c->front;
    struct h2_options *to = &c->front_h2;

    to->line = (uint32_t)from->limits.line;
    to->field = (uint32_t)from->limits.field;
    to->fields = (uint32_t)from->limits.fields;
    to->head_time = from->head_time;
    to->grace = from->grace;
    to->min_rate = from->min_rate;
    to->stall = from->stall;
    to->max_body = from->max_body;
}

void
listener_config_init(struct listener_config *l)
{
    *l = (struct listener_config){.http2 = true};
}

static void
allow_init(struct site *s)
{
    static const char *const blocks[] = {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12",
                                         "192.168.0.0/16", "fc00::/7"};

    s->allow_n = 0;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        ensure(cidr_parse(slice_of(blocks[i]), &s->allow[s->allow_n++]) == 0);
}

void
site_init(struct site *s)
{
    static const struct attempt_limits connect = ATTEMPT_LIMITS_DEFAULT;

    memset(s, 0, sizeof *s);
    s->keep = (struct keeper_site){
        .hold_timeout = 50 * USEC_SEC,
        .hold_pausing = 120 * USEC_SEC,
        .hold_per_sandbox = 2500,
        .hold_per_tenant = 5000,
        .hold_per_source = 50,
        .wake_per_sandbox = {12, 600 * USEC_SEC},
        .wake_per_client = {60, 60 * USEC_SEC},
        .lease = 15 * USEC_SEC,
        .wake_grace = 10 * USEC_SEC,
        .refused_for = USEC_SEC,
        .pause_after = USEC_OFF,
        .resume_timeout = 20 * USEC_SEC,
        .inspect_timeout = 5 * USEC_SEC,
    };
    s->connect = connect;
    s->tls_verify = true;
    s->page_after = 1500 * USEC_MS;
    for (int k = 0; k < CLASS_COUNT; k++) {
#define X(sym, name, wakes) [CLASS_##sym] = wakes,
        static const bool wakes_by_default[] = {TRAFFIC_CLASSES(X)};
#undef X
        if (!wakes_by_default[k])
            s->wake_ignore |= UINT32_C(1) << k;
    }
    allow_init(s);
    static const char *const agents[] = {"kube-probe/", "ELB-HealthChecker/", "GoogleHC/"};
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++)
        slice_copy(slice_of(agents[i]), s->probe_agent[s->probe_agents++], 64);
    s->hold_total = 20000;
    s->hold_ssh = 120 * USEC_SEC;
    s->idle_tunnel = s->idle_stream = USEC_OFF;
}

bool
listener_trusts(const struct listener_config *l, const struct endpoint *peer)
{
    for (unsigned i = 0; i < l->trusted_n; i++)
        if (cidr_has(&l->trusted[i], peer))
            return true;
    return false;
}
