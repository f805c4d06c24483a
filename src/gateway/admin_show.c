/* SPDX-License-Identifier: BSD-2-Clause */
/* admin_show.c: what the admin side shows. Owner: the control thread. Reads, changes nothing. */
#include "config.h"

#include "base/json.h"
#include "gateway/admin_priv.h"
#include "gateway/gateway.h"
#include "gateway/record_json.h"

#include <string.h>

/* A list stops here, so that its end still fits. */
#define LIST_ROOM (ADMIN_BODY_MAX - 4096)

struct listing {
    struct json j;
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
sandbox_fields(struct json *j, const struct admin *a, const struct keeper_sandbox *s)
{
    json_kv_slice(j, "id", (struct slice){s->key.id, s->key.n});
    json_kv_str(j, "platform", platform_name(a, s->key.platform));
    json_kv_str(j, "state", sandbox_state_name(s->state));
    json_kv_u64(j, "waiters", s->waiters);
    json_kv_u64(j, "open", s->open);
    json_key(j, "idle_ms");
    json_milli(j, s->idle_for);
    json_kv_bool(j, "waking", s->waking);
    json_kv_u64(j, "wakes", s->wakes);
    json_kv_u64(j, "pauses", s->pauses);
    json_kv_u64(j, "epoch", s->epoch);
    json_kv_u64(j, "version", s->version);
    if (s->awake_because)
        json_kv_str(j, "awake_because", s->awake_because);
}

static bool
on_sandbox(void *ctx, const struct keeper_sandbox *s)
{
    struct listing *l = ctx;

    if (l->j.out->n > LIST_ROOM) {
        l->cut = true;
        return false;
    }
    json_object(&l->j);
    sandbox_fields(&l->j, l->admin, s);
    json_object_end(&l->j);
    l->n++;
    return true;
}

void
admin_show_sandboxes(struct admin *a, struct buf *out)
{
    struct listing l = {.admin = a};

    json_init(&l.j, out);
    json_object(&l.j);
    json_key(&l.j, "sandboxes");
    json_array(&l.j);
    keeper_each(a->control->keeper, NULL, a->control->loop.now, on_sandbox, &l);
    json_array_end(&l.j);
    json_kv_bool(&l.j, "truncated", l.cut);
    json_object_end(&l.j);
}

static bool
on_one(void *ctx, const struct keeper_sandbox *s)
{
    struct listing *l = ctx;

    json_object(&l->j);
    sandbox_fields(&l->j, l->admin, s);
    if (s->record) {
        json_key(&l->j, "record");
        record_json_write(&l->j, s->record);
    }
    json_object_end(&l->j);
    l->n++;
    return false;
}

bool
admin_show_sandbox(struct admin *a, const struct sandbox_key *key, struct buf *out)
{
    struct listing l = {.admin = a};

    json_init(&l.j, out);
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
    json_object(&l->j);
    json_kv_slice(&l->j, "id", (struct slice){w->key.id, w->key.n});
    json_kv_str(&l->j, "platform", platform_name(l->admin, w->key.platform));
    json_kv_u64(&l->j, "port", w->port);
    json_kv_str(&l->j, "class", traffic_class_name(w->klass));
    json_kv_str(&l->j, "phase", w->phase);
    json_key(&l->j, "age_ms");
    json_milli(&l->j, w->age);
    json_key(&l->j, "left_ms");
    json_milli(&l->j, w->left);
    json_object_end(&l->j);
    return true;
}

void
admin_show_holds(struct admin *a, struct buf *out)
{
    struct listing l = {.admin = a};

    json_init(&l.j, out);
    json_object(&l.j);
    json_key(&l.j, "holds");
    json_array(&l.j);
    keeper_each_waiter(a->control->keeper, a->control->loop.now, on_waiter, &l);
    json_array_end(&l.j);
    json_kv_bool(&l.j, "truncated", l.cut);
    json_object_end(&l.j);
}

static void
reasons(struct json *j, const struct metrics *m)
{
    json_object(j);
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++)
        if (m->reason[r] > 0)
            json_kv_i64(j, reason_slug((enum reason)r), m->reason[r]);
    json_object_end(j);
}

void
admin_show_errors(struct admin *a, struct buf *out)
{
    struct json j;
    struct metrics m;

    gateway_metrics(a->control->gateway, &m);
    json_init(&j, out);
    json_object(&j);
    json_key(&j, "errors");
    reasons(&j, &m);
    json_object_end(&j);
}

static void
platforms(struct json *j, struct admin *a)
{
    const struct gateway_config *c = a->control->config;

    json_array(j);
    for (unsigned i = 0; i < c->platforms; i++) {
        struct plugin_status s;

        if (!c->platform[i].used ||
            plugin_host_status(a->control->plugins, (uint16_t)i, &s) < 0)
            continue;
        json_object(j);
        json_kv_str(j, "name", s.name);
        json_kv_str(j, "plugin", s.plugin);
        json_kv_u64(j, "open", s.open);
        json_kv_u64(j, "calls", s.calls);
        json_kv_u64(j, "failed", s.failed);
        json_kv_u64(j, "late", s.late);
        json_kv_str(j, "last_failure", s.last_failure);
        json_object_end(j);
    }
    json_array_end(j);
}

void
admin_show_status(struct admin *a, struct buf *out)
{
    struct control *c = a->control;
    struct keeper_totals t;
    struct metrics m;
    struct json j;
    char hash[24];
    struct buf h;

    keeper_totals(c->keeper, &t);
    gateway_metrics(c->gateway, &m);
    buf_init_fixed(&h, hash, sizeof(hash));
    buf_printf(&h, "%016llx", (unsigned long long)c->config->hash);
    json_init(&j, out);
    json_object(&j);
    json_kv_str(&j, "version", PACKAGE_VERSION);
    json_key(&j, "uptime_ms");
    json_milli(&j, gateway_uptime(c->gateway));
    json_kv_str(&j, "config", c->config->source);
    json_kv_slice(&j, "config_hash", buf_slice(&h));
    json_kv_u64(&j, "workers", gateway_workers(c->gateway));
    json_kv_bool(&j, "draining", gateway_draining(c->gateway));
    json_kv_str(&j, "store", "memory");
    json_kv_u64(&j, "connections", gateway_conns(c->gateway));
    json_kv_u64(&j, "sandboxes", t.sandboxes);
    json_kv_u64(&j, "holds", t.waiters);
    json_kv_u64(&j, "wakes_in_flight", t.wakes);
    json_kv_i64(&j, "requests", m.value[METRIC_ACCEPTED]);
    json_kv_i64(&j, "answered", m.value[METRIC_ANSWERED]);
    json_kv_i64(&j, "aborted", m.value[METRIC_ABORTED]);
    json_kv_i64(&j, "client_left", m.value[METRIC_CLIENT_LEFT]);
    json_kv_i64(&j, "wakes", m.value[METRIC_WAKES]);
    json_kv_i64(&j, "pauses", m.value[METRIC_PAUSES]);
    json_key(&j, "platforms");
    platforms(&j, a);
    json_key(&j, "errors");
    reasons(&j, &m);
    json_object_end(&j);
}

/* Store and platform health are shown, not required (CONTRACT section 7). */
void
admin_show_ready(struct admin *a, struct buf *out)
{
    struct json j;

    json_init(&j, out);
    json_object(&j);
    json_kv_bool(&j, "ready", !gateway_draining(a->control->gateway));
    json_kv_bool(&j, "listeners", true);
    json_kv_bool(&j, "configuration", true);
    json_kv_str(&j, "store", "memory");
    json_key(&j, "platforms");
    platforms(&j, a);
    json_object_end(&j);
}

void
admin_show_metrics(struct admin *a, struct buf *out)
{
    struct metrics m;

    gateway_metrics(a->control->gateway, &m);
    metric_text(out, &m);
}
