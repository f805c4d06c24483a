/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * back_pool.c: a map of sandboxes, each with a short list of groups (one for each key), each with
 * its idle HTTP/1 sessions, the latest first, and its HTTP/2 sessions, used in the order in which
 * they came. A group stands as long as a session of it does, so
 * that taking and parking allocate nothing. One timer closes what has been idle for too long. It
 * must not know what a sandbox is. Owner: a worker, or a fetcher; one loop.
 */
#include "config.h"

#include "http/back_pool.h"

#include "base/map.h"
#include "base/metric.h"
#include "http/h2_client.h"
#include "net/tls_info.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SANDBOXES_MAX (1u << 20)
/* How a sandbox that vanished is found out. Longer than a request is held: one that froze may be
 * woken meanwhile, and then its connection lives (DESIGN section 5). The user timeout stands over
 * the number of probes. */
#define KEEP_IDLE 15
#define KEEP_INTERVAL 5
#define KEEP_PROBES 3
#define USER_TIMEOUT (60 * USEC_SEC)

struct back_sandbox {
    struct map_node node;
    uint64_t sandbox; /* the map's key */
    struct list groups;
};

struct back_group {
    struct list link; /* of its sandbox */
    struct back_sandbox *of;
    struct back_key key;
    struct list idle;   /* HTTP/1 entries, the latest first */
    struct list shared; /* HTTP/2 entries that may serve more */
    uint32_t idles, sessions;
    bool dropped; /* what comes back is closed */
};

/* One session; the ctx of its callbacks. */
struct back_entry {
    struct list link; /* of its group's idle or shared ones */
    struct list age;  /* of the pool's idle ones */
    struct back_pool *pool;
    struct back_group *group;
    struct back *back;
    bool many;    /* HTTP/2 */
    bool idle;
    bool retired; /* a fresher one took its place */
};

struct back_pool {
    struct loop *loop;
    struct back_pool_options o;
    struct map sandboxes;
    struct pool entries;
    struct list ages; /* idle entries, the longest idle first */
    struct wheel_timer timer;
    uint32_t idle, sessions;
    bool closing; /* freed when the last session is gone */
    struct task reap;
};

void
back_pool_options_init(struct back_pool_options *o)
{
    *o = (struct back_pool_options){
        .per_key = 16,
        .total = 4096,
        .idle = 30 * USEC_SEC,
        .fresh = 2 * USEC_SEC,
    };
    h1_client_options_init(&o->client);
    h2_options_client(&o->h2);
}

/* --- sandboxes and groups ------------------------------------------------------------------- */

static struct slice
key_of(const uint64_t *sandbox)
{
    return (struct slice){(const char *)sandbox, sizeof(*sandbox)};
}

static struct back_sandbox *
find_sandbox(const struct back_pool *p, uint64_t sandbox)
{
    struct map_node *n = map_find(&p->sandboxes, key_of(&sandbox));

    return n ? container_of(n, struct back_sandbox, node) : NULL;
}

static bool
key_eq(const struct back_key *a, const struct back_key *b)
{
    return a->incarnation == b->incarnation && a->kind == b->kind && a->tls == b->tls &&
           endpoint_eq(&a->to, &b->to);
}

static struct back_group *
find_group(const struct back_pool *p, const struct back_key *key)
{
    struct back_sandbox *s = find_sandbox(p, key->sandbox);

    if (!s)
        return NULL;
    list_each(n, &s->groups) {
        struct back_group *g = container_of(n, struct back_group, link);

        if (!g->dropped && key_eq(&g->key, key))
            return g;
    }
    return NULL;
}

static struct back_sandbox *
make_sandbox(struct back_pool *p, uint64_t sandbox)
{
    struct back_sandbox *s = find_sandbox(p, sandbox);

    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->sandbox = sandbox;
    list_init(&s->groups);
    if (map_insert(&p->sandboxes, &s->node, key_of(&s->sandbox)) < 0) {
        free(s);
        return NULL;
    }
    return s;
}

static void
free_sandbox_if_empty(struct back_pool *p, struct back_sandbox *s)
{
    if (!list_empty(&s->groups))
        return;
    map_remove(&p->sandboxes, &s->node);
    free(s);
}

static struct back_group *
make_group(struct back_pool *p, const struct back_key *key)
{
    struct back_group *g = find_group(p, key);
    struct back_sandbox *s;

    if (g)
        return g;
    s = make_sandbox(p, key->sandbox);
    if (!s)
        return NULL;
    g = calloc(1, sizeof(*g));
    if (!g) {
        free_sandbox_if_empty(p, s);
        return NULL;
    }
    g->of = s;
    g->key = *key;
    list_init(&g->idle);
    list_init(&g->shared);
    list_push_back(&s->groups, &g->link);
    return g;
}

static void
free_group_if_empty(struct back_pool *p, struct back_group *g)
{
    if (g->sessions > 0)
        return;
    list_unlink(&g->link);
    free_sandbox_if_empty(p, g->of);
    free(g);
}

/* --- sessions ------------------------------------------------------------------------------- */

static void
leave_idle(struct back_entry *e)
{
    if (!e->idle)
        return;
    e->idle = false;
    if (!e->many)
        list_unlink(&e->link);
    list_unlink(&e->age);
    e->group->idles--;
    e->pool->idle--;
}

static void
arm(struct back_pool *p)
{
    struct list *oldest = list_first(&p->ages);
    usec_t due;

    if (!oldest)
        return;
    due = usec_add(container_of(oldest, struct back_entry, age)->back->idle_since, p->o.idle);
    if (due < p->timer.deadline)
        loop_timer_set(p->loop, &p->timer, due);
}

/* It spoke, or hung up, before it was asked: no edge will tell again. */
static bool
has_spoken(const struct back_entry *e)
{
    const struct conn *conn = &e->back->conn;

    return !e->many && (conn->readable || conn->hup || conn->error != 0);
}

/* Why an idle one is not kept; REASON_NONE: it is. */
static enum reason
unwanted(const struct back_entry *e)
{
    const struct back_pool *p = e->pool;

    if (p->closing)
        return REASON_SHUTDOWN;
    if (e->group->dropped)
        return REASON_GENERATION_OVER;
    if (e->retired || has_spoken(e))
        return REASON_POOL_STALE;
    if (e->group->idles >= p->o.per_key || p->o.total == 0)
        return REASON_POOL_FULL;
    return REASON_NONE;
}

static void
on_room(void *ctx, struct back *b)
{
    struct back_entry *e = ctx, *oldest;
    struct back_pool *p = e->pool;
    enum reason why;

    if (b->open > 0 || e->idle)
        return;
    why = unwanted(e);
    if (why != REASON_NONE) {
        back_close(b, why);
        return;
    }
    if (p->idle >= p->o.total) {
        oldest = container_of(list_first(&p->ages), struct back_entry, age);
        back_close(oldest->back, REASON_POOL_FULL);
    }
    e->idle = true;
    if (!e->many)
        list_push_front(&e->group->idle, &e->link);
    list_push_back(&p->ages, &e->age);
    e->group->idles++;
    p->idle++;
    arm(p);
}

static void
free_pool(struct task *t)
{
    struct back_pool *p = container_of(t, struct back_pool, reap);

    loop_timer_cancel(p->loop, &p->timer);
    map_fini(&p->sandboxes);
    pool_fini(&p->entries);
    free(p);
}

static void
free_entry(struct back_entry *e)
{
    struct back_pool *p = e->pool;
    struct back_group *g = e->group;

    pool_give(&p->entries, e);
    g->sessions--;
    free_group_if_empty(p, g);
    p->sessions--;
    if (p->closing && p->sessions == 0)
        loop_queue_reap(p->loop, &p->reap);
}

static void
on_closed(void *ctx, struct back *b, enum reason why)
{
    struct back_entry *e = ctx;

    (void)b;
    metric_add(e->pool->o.metrics, METRIC_BACK_OPEN, -1);
    if (why == REASON_UPSTREAM_EXTRA)
        metric_add(e->pool->o.metrics, METRIC_BACK_EXTRA, 1);
    leave_idle(e);
    list_unlink(&e->link);
    free_entry(e);
}

static const struct back_owner owner = {.on_room = on_room, .on_closed = on_closed};

static void
on_timer(struct wheel_timer *t)
{
    struct back_pool *p = container_of(t, struct back_pool, timer);

    for (;;) {
        struct list *n = list_first(&p->ages);
        struct back *b;

        if (!n)
            break;
        b = container_of(n, struct back_entry, age)->back;
        if (usec_add(b->idle_since, p->o.idle) > p->loop->now)
            break;
        back_close(b, REASON_IDLE);
    }
    arm(p);
}

/* What is said of answers counts for both. */
static void
take_options(struct back_pool *p, const struct back_pool_options *o)
{
    p->o = *o;
    p->o.h2.list_bytes = o->client.limits.block;
    p->o.h2.fields = o->client.limits.fields;
    p->o.h2.first_byte = o->client.first_byte;
    p->o.h2.silence = o->client.silence;
    p->o.h2.stall = o->client.stall;
    p->o.h2.head_time = o->client.head_time;
}

/* --- the pool ------------------------------------------------------------------------------- */

struct back_pool *
back_pool_new(struct loop *l, const struct back_pool_options *o)
{
    struct back_pool *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->loop = l;
    take_options(p, o);
    map_init(&p->sandboxes, SANDBOXES_MAX, random_u64(&l->random), random_u64(&l->random));
    pool_init(&p->entries, sizeof(struct back_entry), o->total, 0);
    list_init(&p->ages);
    wheel_timer_init(&p->timer, on_timer);
    task_init(&p->reap, free_pool);
    return p;
}

void
back_pool_configure(struct back_pool *p, const struct back_pool_options *o)
{
    take_options(p, o);
    arm(p);
}

void
back_pool_free(struct back_pool *p)
{
    struct list *n;

    if (!p)
        return;
    p->closing = true;
    while ((n = list_first(&p->ages)) != NULL)
        back_close(container_of(n, struct back_entry, age)->back, REASON_SHUTDOWN);
    if (p->sessions == 0)
        loop_queue_reap(p->loop, &p->reap);
}

/* What the connection speaks, now that it stands. */
static bool
speaks_h2(const struct back_key *key, const struct conn *c)
{
    const struct tls_info *tls = key->kind == BACK_ALPN ? conn_tls(c) : NULL;

    return key->kind == BACK_H2 || (tls && tls->h2);
}

/* One that was quiet for long: is it still good? What HTTP/2 peers say unasked is read at once. */
static bool
is_stale(const struct back_entry *e)
{
    struct conn *conn = &e->back->conn;

    if (!e->many && conn_is_dirty(conn))
        return true;
    return conn->hup || conn->error != 0 || conn_unacked(conn) > 0;
}

/* Was it quiet for so long that its peer may be about to hang up? Nobody does who has requests to
 * answer (HTTP/2), and who does so all the same says which of them it will not. */
static bool
is_risky(const struct back_entry *e)
{
    const struct back *b = e->back;

    return e->pool->loop->now - b->heard > e->pool->o.fresh && b->open == 0;
}

/*
 * The first of a list that may serve a request. A risky one is only for who can send again; all
 * that were quiet for long are looked at first.
 */
static struct back_entry *
find_fit(struct back_pool *p, struct list *entries, bool idempotent)
{
    list_each_safe(n, tmp, entries) {
        struct back_entry *e = container_of(n, struct back_entry, link);

        if (back_room(e->back) == 0 || (is_risky(e) && !idempotent))
            continue;
        if (p->loop->now - e->back->heard <= p->o.fresh || !is_stale(e))
            return e;
        if (e->back->open == 0)
            back_close(e->back, REASON_POOL_STALE);
    }
    return NULL;
}

struct back *
back_pool_take(struct back_pool *p, const struct back_key *key, bool idempotent)
{
    struct back_group *g = find_group(p, key);
    struct back_entry *e;

    if (!g)
        return NULL;
    g->sessions++; /* not freed under our hands */
    e = find_fit(p, &g->shared, idempotent);
    if (!e)
        e = find_fit(p, &g->idle, idempotent);
    g->sessions--;
    if (e)
        leave_idle(e);
    else
        free_group_if_empty(p, g);
    return e ? e->back : NULL;
}

/* No other exchange for those that stand here: a fresh one comes. */
static void
retire(struct back_group *g)
{
    list_each_safe(n, tmp, &g->shared) {
        struct back_entry *e = container_of(n, struct back_entry, link);

        if (back_room(e->back) == 0)
            continue;
        e->retired = true;
        list_unlink(&e->link);
        if (e->back->open == 0)
            back_close(e->back, REASON_POOL_STALE);
    }
}

static struct back *
open_session(struct back_pool *p, struct back_entry *e, struct conn *c)
{
    if (e->many)
        return h2_client_open(p->loop, c, &p->o.h2, &owner, e);
    return h1_client_open(p->loop, c, &p->o.client, &owner, e);
}

/* Another session of g. NULL: out of memory; c is closed. */
static struct back *
add_session(struct back_pool *p, struct back_group *g, struct conn *c, bool many)
{
    struct back_entry *e = pool_take(&p->entries);

    if (!e) {
        conn_close(c, true);
        return NULL;
    }
    *e = (struct back_entry){.pool = p, .group = g, .many = many};
    list_init(&e->link);
    list_init(&e->age);
    e->back = open_session(p, e, c);
    if (!e->back) {
        pool_give(&p->entries, e);
        return NULL;
    }
    conn_keep_alive(&e->back->conn, KEEP_IDLE, KEEP_INTERVAL, KEEP_PROBES, USER_TIMEOUT);
    if (many) {
        retire(g);
        list_push_back(&g->shared, &e->link);
    }
    g->sessions++;
    p->sessions++;
    metric_add(p->o.metrics, METRIC_BACK_OPEN, 1);
    return e->back;
}

struct back *
back_pool_adopt(struct back_pool *p, const struct back_key *key, struct conn *c)
{
    struct back_group *g = make_group(p, key);
    bool many = speaks_h2(key, c);
    struct back_entry *e;
    struct back *b;

    if (!g) {
        conn_close(c, true);
        return NULL;
    }
    g->sessions++; /* not freed under our hands */
    e = many ? find_fit(p, &g->shared, false) : NULL;
    if (e) {
        leave_idle(e);
        conn_close(c, false);
        b = e->back;
    } else {
        b = add_session(p, g, c, many);
    }
    g->sessions--;
    if (!b)
        free_group_if_empty(p, g);
    return b;
}

void
back_pool_park(struct back_pool *p, struct back *b)
{
    struct back_entry *e = b->ctx;

    ensure(e->pool == p && !e->idle);
    on_room(e, b);
}

static void
close_idle(struct back_group *g)
{
    list_each_safe(n, tmp, &g->idle)
        back_close(container_of(n, struct back_entry, link)->back, REASON_GENERATION_OVER);
    list_each_safe(n, tmp, &g->shared) {
        struct back_entry *e = container_of(n, struct back_entry, link);

        if (e->back->open == 0)
            back_close(e->back, REASON_GENERATION_OVER);
    }
}

void
back_pool_drop(struct back_pool *p, uint64_t sandbox, uint64_t keep)
{
    struct back_sandbox *s = find_sandbox(p, sandbox);

    if (!s)
        return;
    /* The last group to go would take s along: hold it. */
    struct list hold;

    list_init(&hold);
    list_push_back(&s->groups, &hold);
    list_each_safe(n, tmp, &s->groups) {
        struct back_group *g;

        if (n == &hold)
            continue;
        g = container_of(n, struct back_group, link);
        if (keep != 0 && g->key.incarnation == keep)
            continue;
        g->dropped = true;
        g->sessions++; /* not freed under our hands */
        close_idle(g);
        g->sessions--;
        free_group_if_empty(p, g);
    }
    list_unlink(&hold);
    free_sandbox_if_empty(p, s);
}

uint32_t
back_pool_idle(const struct back_pool *p)
{
    return p->idle;
}

uint32_t
back_pool_in_use(const struct back_pool *p)
{
    return p->sessions - p->idle;
}
