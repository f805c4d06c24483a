/* SPDX-License-Identifier: BSD-2-Clause */
/* admin_show.c: what the admin side shows. Owner: the control thread. Reads, changes nothing. */
#include "config.h"

#include "base/jsonw.h"
#include "gateway/admin_priv.h"
#include "gateway/gateway.h"
#include "gateway/record_json.h"

#include <string.h>

/* A list stops here, so that its end still fits. */
#define LIST_ROOM (ADMIN_BODY_MAX - 4096)

struct listing {
    struct jsonw j;
    struct admin *admin;
    unsigned n;
    bool cut;
};

static const char *
platform_name(const struct admin *a, uint16_t n)
{
    const struct gateway_config *c = a->control->config;

    return n < c->platforms ? c->platform[n].name : "?";
}

static void
sandbox_fields(struct jsonw *j, const struct admin *a, const struct keeper_sandbox *s)
{
    jsonw_kv_slice(j, "id", (struct slice){s->key.id, s->key.n});
    jsonw_kv_str(j, "platform", platform_name(a, s->key.platform));
    jsonw_kv_str(j, "state", sandbox_state_name(s->state));
    jsonw_kv_u64(j, "waiters", s->waiters);
    jsonw_kv_u64(j, "open", s->open);
    jsonw_key(j, "idle_ms");
    jsonw_milli(j, s->idle_for);
    jsonw_kv_bool(j, "waking", s->waking);
    jsonw_kv_u64(j, "wakes", s->wakes);
    jsonw_kv_u64(j, "pauses", s->pauses);
    jsonw_kv_u64(j, "epoch", s->epoch);
    jsonw_kv_u64(j, "version", s->version);
    if (s->awake_because)
        jsonw_kv_str(j, "awake_because", s->awake_because);
}

static bool
on_sandbox(void *ctx, const struct keeper_sandbox *s)
{
    struct listing *l = ctx;

    if (l->j.out->n > LIST_ROOM) {
        l->cut = true;
        return false;
    }
    jsonw_object(&l->j);
    sandbox_fields(&l->j, l->admin, s);
    jsonw_object_end(&l->j);
    l->n++;
    return true;
}

void
admin_show_sandboxes(struct admin *a, struct buf *out)
{
    struct listing l = {.admin = a};

    jsonw_init(&l.j, out);
    jsonw_object(&l.j);
    jsonw_key(&l.j, "sandboxes");
    jsonw_array(&l.j);
    keeper_each(a->control->keeper, NULL, a->control->loop.now, on_sandbox, &l);
    jsonw_array_end(&l.j);
    jsonw_kv_bool(&l.j, "truncated", l.cut);
    jsonw_object_end(&l.j);
}

static bool
on_one(void *ctx, const struct keeper_sandbox *s)
{
    struct listing *l = ctx;

    jsonw_object(&l->j);
    sandbox_fields(&l->j, l->admin, s);
    if (s->record) {
        jsonw_key(&l->j, "record");
        record_json_write(&l->j, s->record);
    }
    jsonw_object_end(&l->j);
    l->n++;
    return false;
}

bool
admin_show_sandbox(struct admin *a, const struct sandbox_key *key, struct buf *out)
{
    struct listing l = {.admin = a};

    jsonw_init(&l.j, out);
    keeper_each(a->control->keeper, key, a->control->loop.now, on_one, &l);
    return l.n > 0;
}

static bool
on_waiter(void *ctx, const struct keeper_waiter *w)
{
    struct listing *l = ctx;

    if (l->j.out->n > LIST_ROOM) {
        l->cut = true;
        return false;
    }
    jsonw_object(&l->j);
    jsonw_kv_slice(&l->j, "id", (struct slice){w->key.id, w->key.n});
    jsonw_kv_str(&l->j, "platform", platform_name(l->admin, w->key.platform));
    jsonw_kv_u64(&l->j, "port", w->port);
    jsonw_kv_str(&l->j, "class", traffic_class_name(w->klass));
    jsonw_kv_str(&l->j, "phase", w->phase);
    jsonw_key(&l->j, "age_ms");
    jsonw_milli(&l->j, w->age);
    jsonw_key(&l->j, "left_ms");
    jsonw_milli(&l->j, w->left);
    jsonw_object_end(&l->j);
    return true;
}

void
admin_show_holds(struct admin *a, struct buf *out)
{
    struct listing l = {.admin = a};

    jsonw_init(&l.j, out);
    jsonw_object(&l.j);
    jsonw_key(&l.j, "holds");
    jsonw_array(&l.j);
    keeper_each_waiter(a->control->keeper, a->control->loop.now, on_waiter, &l);
    jsonw_array_end(&l.j);
    jsonw_kv_bool(&l.j, "truncated", l.cut);
    jsonw_object_end(&l.j);
}

static void
reasons(struct jsonw *j, const struct metrics *m)
{
    jsonw_object(j);
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++)
        if (m->reason[r] > 0)
            jsonw_kv_i64(j, reason_slug((enum reason)r), m->reason[r]);
    jsonw_object_end(j);
}

void
admin_show_errors(struct admin *a, struct buf *out)
{
    struct jsonw j;
    struct metrics m;

    gateway_metrics(a->control->gateway, &m);
    jsonw_init(&j, out);
    jsonw_object(&j);
    jsonw_key(&j, "errors");
    reasons(&j, &m);
    jsonw_object_end(&j);
}

static void
platforms(struct jsonw *j, struct admin *a)
{
    const struct gateway_config *c = a->control->config;

    jsonw_array(j);
    for (unsigned i = 0; i < c->platforms; i++) {
        struct plugin_status s;

        if (!c->platform[i].used ||
            plugin_host_status(a->control->plugins, (uint16_t)i, &s) < 0)
            continue;
        jsonw_object(j);
        jsonw_kv_str(j, "name", s.name);
        jsonw_kv_str(j, "plugin", s.plugin);
        jsonw_kv_u64(j, "open", s.open);
        jsonw_kv_u64(j, "calls", s.calls);
        jsonw_kv_u64(j, "failed", s.failed);
        jsonw_kv_u64(j, "late", s.late);
        jsonw_kv_str(j, "last_failure", s.last_failure);
        jsonw_object_end(j);
    }
    jsonw_array_end(j);
}

void
admin_show_status(struct admin *a, struct buf *out)
{
    struct control *c = a->control;
    struct keeper_totals t;
    struct metrics m;
    struct jsonw j;
    char hash[24];
    struct buf h;

    keeper_totals(c->keeper, &t);
    gateway_metrics(c->gateway, &m);
    buf_init_fixed(&h, hash, sizeof(hash));
    buf_printf(&h, "%016llx", (unsigned long long)c->config->hash);
    jsonw_init(&j, out);
    jsonw_object(&j);
    jsonw_kv_str(&j, "version", PACKAGE_VERSION);
    jsonw_key(&j, "uptime_ms");
    jsonw_milli(&j, gateway_uptime(c->gateway));
    jsonw_kv_str(&j, "config", c->config->source);
    jsonw_kv_slice(&j, "config_hash", buf_slice(&h));
    jsonw_kv_u64(&j, "workers", gateway_workers(c->gateway));
    jsonw_kv_bool(&j, "draining", gateway_draining(c->gateway));
    jsonw_kv_str(&j, "store", "memory");
    jsonw_kv_u64(&j, "connections", gateway_conns(c->gateway));
    jsonw_kv_u64(&j, "sandboxes", t.sandboxes);
    jsonw_kv_u64(&j, "holds", t.waiters);
    jsonw_kv_u64(&j, "wakes_in_flight", t.wakes);
    jsonw_kv_i64(&j, "requests", m.value[METRIC_ACCEPTED]);
    jsonw_kv_i64(&j, "answered", m.value[METRIC_ANSWERED]);
    jsonw_kv_i64(&j, "aborted", m.value[METRIC_ABORTED]);
    jsonw_kv_i64(&j, "client_left", m.value[METRIC_CLIENT_LEFT]);
    jsonw_kv_i64(&j, "wakes", m.value[METRIC_WAKES]);
    jsonw_kv_i64(&j, "pauses", m.value[METRIC_PAUSES]);
    jsonw_key(&j, "platforms");
    platforms(&j, a);
    jsonw_key(&j, "errors");
    reasons(&j, &m);
    jsonw_object_end(&j);
}

/* Store and platform health are shown, not required (CONTRACT section 7). */
void
admin_show_ready(struct admin *a, struct buf *out)
{
    struct jsonw j;

    jsonw_init(&j, out);
    jsonw_object(&j);
    jsonw_kv_bool(&j, "ready", !gateway_draining(a->control->gateway));
    jsonw_kv_bool(&j, "listeners", true);
    jsonw_kv_bool(&j, "configuration", true);
    jsonw_kv_str(&j, "store", "memory");
    jsonw_key(&j, "platforms");
    platforms(&j, a);
    jsonw_object_end(&j);
}

void
admin_show_metrics(struct admin *a, struct buf *out)
{
    struct metrics m;

    gateway_metrics(a->control->gateway, &m);
    metric_text(out, &m);
}
