/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.c: the control side's centre: every event comes in here, and every call goes out from
 * here. The decisions are in keeper_*.c. Owner: the control thread; no locks, no clock, no I/O.
 */
#include "config.h"

#include "sandbox/keeper.h"

#include "sandbox/keeper_priv.h"

#include <stdlib.h>
#include <string.h>

#define SITES_MAX 4096
#define SETTLE_ROUNDS 32
#define EVICT_LOOK_AT 16

struct keeper *
keeper_new(const struct keeper_options *o, const struct keeper_ports *p, usec_t now)
{
    struct keeper *k = calloc(1, sizeof(*k));
    uint64_t s0, s1;

    if (!k)
        return NULL;
    ensure(o->workers > 0 && o->workers <= WORKERS_MAX);
    k->o = *o;
    k->ports = *p;
    k->now = now;
    random_seed(&k->random, o->seed);
    s0 = random_u64(&k->random);
    s1 = random_u64(&k->random);
    registry_init(&k->registry, o->max_sandboxes, s0, s1);
    hold_init(&k->hold, s0 ^ 1, s1);
    map_init(&k->tickets, SIZE_MAX, s0 ^ 2, s1);
    map_init(&k->calls, SIZE_MAX, s0 ^ 3, s1);
    heap_init(&k->due_waiters);
    heap_init(&k->due_sandboxes);
    heap_init(&k->due_errands);
    bucket_init(&k->wakes);
    return k;
}

void
keeper_set_limits(struct keeper *k, const struct keeper_options *o)
{
    k->o.hold_total = o->hold_total;
    k->o.hold_bytes = o->hold_bytes;
    k->o.fresh = o->fresh;
    k->o.wakes_in_flight = o->wakes_in_flight;
    k->o.wakes_global = o->wakes_global;
}

static void
sandbox_drop(struct keeper *k, struct sandbox *s)
{
    keeper_free_pairs(s);
    heap_remove(&k->due_sandboxes, &s->due);
    metric_add(k->o.metrics, METRIC_SANDBOXES, -1);
    registry_remove(&k->registry, s);
}

/* Nothing is told to anybody: workers and platforms are gone or going. */
static void
sandbox_wipe(struct keeper *k, struct sandbox *s)
{
    list_each_safe(n, tmp, &s->errands)
        keeper_errand_free(k, container_of(n, struct errand, link));
    keeper_call_forget(k, &s->look.call);
    keeper_call_forget(k, &s->flight.call);
    keeper_call_forget(k, &s->flight.renew);
    keeper_call_forget(k, &s->flight.late);
    s->flight.state = FLIGHT_NONE;
    s->idle.open = 0;
    quiesce_end(&s->quiesce);
    sandbox_drop(k, s);
}

void
keeper_free(struct keeper *k)
{
    struct map_node *n = NULL;
    size_t cursor = 0;

    if (!k)
        return;
    while ((n = map_next(&k->tickets, &cursor, n))) {
        struct waiter *w = container_of(n, struct waiter, node);

        if (w->phase >= WAITER_RELEASED && !w->slow)
            pair_on_left(w->pair);
        keeper_waiter_free(k, w);
    }
    while (!list_empty(&k->registry.lru))
        sandbox_wipe(k, container_of(list_first(&k->registry.lru), struct sandbox, lru));
    registry_fini(&k->registry);
    hold_fini(&k->hold);
    map_fini(&k->tickets);
    map_fini(&k->calls);
    heap_fini(&k->due_waiters);
    heap_fini(&k->due_sandboxes);
    heap_fini(&k->due_errands);
    free(k->site);
    free(k);
}

int
keeper_set_site(struct keeper *k, uint16_t n, const struct keeper_site *s)
{
    if (n >= SITES_MAX)
        return -1;
    if (n >= k->sites) {
        struct keeper_site *site = realloc(k->site, (n + 1u) * sizeof(*site));

        if (!site)
            return -1;
        for (unsigned i = k->sites; i <= n; i++)
            site[i] = *s;
        k->site = site;
        k->sites = n + 1u;
    }
    k->site[n] = *s;
    return 0;
}

const struct keeper_site *
keeper_site(const struct keeper *k, uint16_t n)
{
    ensure(k->sites > 0);
    return &k->site[n < k->sites ? n : 0];
}

usec_t
keeper_jitter(struct keeper *k, usec_t span)
{
    return (usec_t)random_below(&k->random, (uint64_t)span + 1);
}

void
keeper_story(struct keeper *k, const struct sandbox *s, enum keeper_story what, uint16_t port,
             usec_t took, uint32_t count, enum reason r)
{
    struct keeper_tale t = {.what = what, .key = &s->key, .port = port, .took = took};

    t.epoch = s->epoch;
    t.count = count;
    t.reason = r;
    if (k->ports.story)
        k->ports.story(k->ports.ctx, &t);
}

/* Makes room by forgetting one that was not used for long, or by starting to. */
static void
make_room(struct keeper *k)
{
    struct list *l = list_first(&k->registry.lru);

    for (int i = 0; l && i < EVICT_LOOK_AT; i++) {
        struct sandbox *s = container_of(l, struct sandbox, lru);
        struct list *next = l->next == &k->registry.lru ? NULL : l->next;

        if (!registry_pinned(s) && workers_none(&s->know)) {
            sandbox_drop(k, s);
            metric_add(k->o.metrics, METRIC_EVICTED, 1);
            return;
        }
        if (!registry_pinned(s) && !s->withdrawing) {
            s->withdrawing = true;
            keeper_new_version(k, s, true);
        }
        l = next;
    }
}

struct sandbox *
keeper_sandbox_of(struct keeper *k, const struct sandbox_key *key, uint16_t site)
{
    struct sandbox *s = registry_find(&k->registry, key);

    if (!s) {
        if (registry_full(&k->registry))
            make_room(k);
        s = registry_add(&k->registry, key, k->o.workers);
        if (!s)
            return NULL;
        if (heap_set(&k->due_sandboxes, &s->due, USEC_NEVER) < 0) {
            registry_remove(&k->registry, s);
            return NULL;
        }
        s->version = ++k->versions;
        metric_add(k->o.metrics, METRIC_SANDBOXES, 1);
    }
    s->site = site;
    registry_touch(&k->registry, s);
    return s;
}

/* --- calls ------------------------------------------------------------------------------------ */

static void
call_open(struct keeper *k, struct sandbox *s, struct call *c, enum call_use use, usec_t deadline)
{
    int ok;

    keeper_call_forget(k, c);
    c->id = ++k->call_ids;
    c->sandbox = s;
    c->use = use;
    c->sent = k->now;
    c->deadline = deadline;
    /* Out of memory: the answer finds nobody and the deadline does its work. */
    ok = map_insert(&k->calls, &c->node, (struct slice){(const char *)&c->id, sizeof(c->id)});
    if (ok < 0)
        c->node.key = SLICE_NONE;
}

void
keeper_call_forget(struct keeper *k, struct call *c)
{
    if (c->id == 0)
        return;
    if (c->node.key.p)
        map_remove(&k->calls, &c->node);
    c->id = 0;
}

bool
keeper_call_overdue(const struct keeper *k, const struct call *c)
{
    return c->id != 0 && k->now >= c->deadline;
}

void
keeper_call_store(struct keeper *k, struct sandbox *s, struct call *c, enum call_use use,
                  const struct store_call *sc)
{
    struct store_call out = *sc;

    call_open(k, s, c, use, usec_add(k->now, STORE_TIMEOUT));
    out.id = c->id;
    out.key = s->key;
    k->ports.store(k->ports.ctx, &out);
}

void
keeper_call_driver(struct keeper *k, struct sandbox *s, struct call *c, enum call_use use,
                   struct driver_call *dc)
{
    call_open(k, s, c, use, dc->deadline);
    dc->id = c->id;
    dc->key = s->key;
    if (dc->op == DRIVER_INSPECT)
        metric_add(k->o.metrics, METRIC_INSPECTS, 1);
    k->ports.driver(k->ports.ctx, dc);
}

void
keeper_store_send(struct keeper *k, struct sandbox *s, enum store_op op, uint64_t epoch,
                  const struct record *r)
{
    struct store_call c = {.id = ++k->call_ids, .op = op, .key = s->key, .epoch = epoch};

    c.record = r;
    k->ports.store(k->ports.ctx, &c);
}

static struct call *
call_take(struct keeper *k, uint64_t id)
{
    struct map_node *n =
        map_find(&k->calls, (struct slice){(const char *)&id, sizeof(id)});
    struct call *c = n ? container_of(n, struct call, node) : NULL;

    if (c)
        keeper_call_forget(k, c);
    return c;
}

void
keeper_on_driver(struct keeper *k, const struct driver_result *r, usec_t now)
{
    struct call *c = call_take(k, r->id);

    k->now = now;
    if (!c)
        return;
    if (c->use == CALL_LOOK)
        keeper_look_on_driver(k, c->sandbox, r);
    else if (c->use == CALL_FLIGHT)
        keeper_flight_on_driver(k, c->sandbox, r);
    keeper_settle(k, c->sandbox);
}

void
keeper_on_store(struct keeper *k, const struct store_result *r, usec_t now)
{
    struct call *c = call_take(k, r->id);

    k->now = now;
    if (!c)
        return;
    switch (c->use) {
    case CALL_LOOK:
        keeper_look_on_store(k, c->sandbox, r);
        break;
    case CALL_FLIGHT:
        keeper_flight_on_store(k, c->sandbox, r);
        break;
    case CALL_RENEW:
        keeper_renew_on_store(k, c->sandbox, r);
        break;
    case CALL_LATE:
        if (r->status == STORE_OK)
            keeper_store_send(k, c->sandbox, STORE_RELEASE, r->epoch, NULL);
        break;
    }
    keeper_settle(k, c->sandbox);
}

/* --- mail ------------------------------------------------------------------------------------- */

static void
on_ticket(struct keeper *k, unsigned worker, const struct mail *m)
{
    struct waiter *w = keeper_waiter(k, worker, m->ticket);
    struct sandbox *s = w ? w->sandbox : NULL;

    if (!w)
        return;
    if (m->kind == MAIL_LEAVE)
        keeper_on_leave(k, w);
    else if (m->kind == MAIL_CONNECTED)
        keeper_on_connected(k, w, m);
    else if (m->kind == MAIL_CONNECT_FAILED)
        keeper_on_connect_failed(k, w, m);
    else
        keeper_on_answered(k, w, m);
    keeper_settle(k, s);
}

static void
on_activity(struct keeper *k, unsigned worker, const struct mail *m)
{
    struct sandbox *s = registry_get(&k->registry, m->sandbox);

    if (!s)
        return;
    s->used_at = k->now;
    idle_report(&s->idle, worker, m->u.activity.open, k->now);
    quiesce_on_activity(&s->quiesce, worker, m->u.activity.open);
    registry_touch(&k->registry, s);
    keeper_settle(k, s);
}

static void
on_quiesced(struct keeper *k, unsigned worker, const struct mail *m)
{
    struct sandbox *s = registry_get(&k->registry, m->sandbox);
    uint32_t open = m->u.quiesced.in_flight + m->u.quiesced.streams;

    if (!s)
        return;
    if (open > 0 || s->idle.worker[worker] > 0)
        idle_report(&s->idle, worker, open, k->now);
    /* Its routes are gone: it cannot begin anything before it is told again. */
    if (open == 0 && m->version == s->version &&
        (s->withdrawing || s->state == SANDBOX_PAUSING))
        workers_remove(&s->know, worker);
    quiesce_on_reply(&s->quiesce, worker, m->version, open);
    /* Who asks for a pause waits for answers, but streams would never end by themselves. */
    if (m->u.quiesced.streams > 0 && s->quiesce.asking && s->quiesce.patient &&
        m->version == s->version)
        keeper_close_streams(k, s, worker, REASON_SANDBOX_PAUSED);
    keeper_settle(k, s);
}

void
keeper_on_mail(struct keeper *k, unsigned worker, const struct mail *m, usec_t now)
{
    ensure(worker < k->o.workers);
    k->now = now;
    switch (m->kind) {
    case MAIL_ASK:
        keeper_on_ask(k, worker, m);
        break;
    case MAIL_LEAVE:
    case MAIL_CONNECTED:
    case MAIL_CONNECT_FAILED:
    case MAIL_ANSWERED:
        on_ticket(k, worker, m);
        break;
    case MAIL_ACTIVITY:
        on_activity(k, worker, m);
        break;
    case MAIL_QUIESCED:
        on_quiesced(k, worker, m);
        break;
    case MAIL_VERDICT:
    case MAIL_STATE:
    case MAIL_QUIESCE:
    case MAIL_CLOSE_STREAMS:
    case MAIL_KINDS:
        ensure(m->kind == MAIL_ASK);
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static void
judge_all(struct keeper *k, struct sandbox *s)
{
    list_each_safe(n, tmp, &s->held) {
        struct waiter *w = container_of(n, struct waiter, link);

        if (!w->pair)
            keeper_place(k, w);
    }
}

void
keeper_settle(struct keeper *k, struct sandbox *s)
{
    usec_t due;

    for (int i = 0; i < SETTLE_ROUNDS; i++) {
        if (s->recheck) {
            s->recheck = false;
            judge_all(k, s);
        }
        keeper_errands_step(k, s);
        keeper_look_step(k, s);
        keeper_pause_step(k, s);
        keeper_flight_step(k, s);
        keeper_pump(k, s);
        if (!s->recheck)
            break;
    }
    due = usec_min(keeper_look_due(s), keeper_flight_due(s));
    due = usec_min(due, keeper_pause_due(k, s));
    due = usec_min(due, keeper_release_due(k, s));
    if (s->recheck)
        due = k->now;
    if (s->due.at != due)
        ensure(heap_set(&k->due_sandboxes, &s->due, due) == 0);
}

void
keeper_tick(struct keeper *k, usec_t now)
{
    struct heap_node *n;

    k->now = now;
    while ((n = heap_top(&k->due_waiters)) && n->at <= now)
        keeper_on_waiter_due(k, container_of(n, struct waiter, due));
    while ((n = heap_top(&k->due_errands)) && n->at <= now)
        keeper_on_errand_due(k, container_of(n, struct errand, due));
    while ((n = heap_top(&k->due_sandboxes)) && n->at <= now) {
        struct sandbox *s = container_of(n, struct sandbox, due);

        keeper_settle(k, s);
        /* What is still due now has its turn at the next tick. */
        if (s->due.at <= now)
            ensure(heap_set(&k->due_sandboxes, &s->due, now + 1) == 0);
    }
}

usec_t
keeper_next(const struct keeper *k)
{
    const struct heap *heaps[] = {&k->due_waiters, &k->due_errands, &k->due_sandboxes};
    usec_t next = USEC_NEVER;

    for (unsigned i = 0; i < 3; i++) {
        struct heap_node *n = heap_top(heaps[i]);

        if (n)
            next = usec_min(next, n->at);
    }
    return next;
}
