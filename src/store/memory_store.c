/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_store.c: a map of entries in order of use, and a queue of calls. Leases run out by being
 * looked at too late: there are no timers. One counter gives the epochs of all sandboxes, so that
 * an entry may be forgotten and its sandbox's epochs still rise; a publication under an epoch whose
 * entry is gone is refused.
 */
#include "config.h"

#include "store/memory_store.h"

#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* Entries looked at for one that may go. */
#define EVICT_LOOKS 64
/* Calls that found no memory or room and are still told so. */
#define DOWN_MAX 64

struct entry {
    struct map_node node;
    struct list used; /* in memory_store.entries, the longest unused first */
    struct sandbox_key key;
    uint64_t epoch;     /* the highest given; 0: none */
    usec_t lease_until; /* of that epoch; 0: none */
    bool has_record;
    struct record record;
};

struct pending {
    struct list link;
    usec_t now; /* the turn's time of the call: leases are judged by it */
    struct store_call call;
    struct record record;
};

struct memory_store {
    struct loop *loop;
    void (*on_result)(void *ctx, const struct store_result *r);
    void *ctx;
    struct task task;
    struct map map;
    struct list entries;
    struct list queue;
    uint64_t last_epoch;
    uint64_t down[DOWN_MAX]; /* ids to answer with STORE_DOWN */
    size_t down_n;
    struct memory_store_counts counts;
};

/* The key's own bytes: it has no padding before the end of the id. */
static struct slice
key_slice(const struct sandbox_key *k)
{
    return (struct slice){(const char *)k, offsetof(struct sandbox_key, id) + k->n};
}

static struct entry *
find(struct memory_store *m, const struct sandbox_key *key)
{
    struct map_node *n = map_find(&m->map, key_slice(key));

    return n ? container_of(n, struct entry, node) : NULL;
}

static usec_t
lease_left(const struct entry *e, usec_t now)
{
    return e->lease_until > now ? e->lease_until - now : 0;
}

static void
drop(struct memory_store *m, struct entry *e)
{
    map_remove(&m->map, &e->node);
    list_unlink(&e->used);
    if (e->has_record)
        record_fini(&e->record);
    free(e);
    m->counts.sandboxes--;
}

static void
make_room(struct memory_store *m, usec_t now)
{
    unsigned looks = 0;

    if (m->counts.sandboxes < m->map.max)
        return;
    list_each(at, &m->entries) {
        struct entry *e = container_of(at, struct entry, used);
        if (lease_left(e, now) == 0) {
            drop(m, e);
            m->counts.evicted++;
            return;
        }
        if (++looks == EVICT_LOOKS)
            return;
    }
}

static struct entry *
find_or_add(struct memory_store *m, const struct sandbox_key *key, usec_t now)
{
    struct entry *e = find(m, key);

    if (e) {
        list_unlink(&e->used);
        list_push_back(&m->entries, &e->used);
        return e;
    }
    make_room(m, now);
    e = malloc(sizeof *e);
    if (!e)
        return NULL;
    *e = (struct entry){.key = *key};
    if (map_insert(&m->map, &e->node, key_slice(&e->key))) {
        free(e);
        return NULL;
    }
    list_push_back(&m->entries, &e->used);
    m->counts.sandboxes++;
    return e;
}

static void
do_get(struct memory_store *m, const struct store_call *c, usec_t now,
       struct store_result *r)
{
    struct entry *e = find(m, &c->key);

    r->status = STORE_NONE;
    if (!e)
        return;
    list_unlink(&e->used);
    list_push_back(&m->entries, &e->used);
    r->epoch = e->epoch;
    r->lease_for = lease_left(e, now);
    if (e->has_record) {
        r->status = STORE_OK;
        r->has_record = true;
        r->record = e->record;
    }
}

static void
do_lease(struct memory_store *m, const struct store_call *c, usec_t now,
         struct store_result *r)
{
    struct entry *e = find_or_add(m, &c->key, now);

    r->status = STORE_DOWN;
    if (!e)
        return;
    r->lease_for = lease_left(e, now);
    if (r->lease_for > 0) {
        r->status = STORE_HELD;
        return;
    }
    e->epoch = ++m->last_epoch;
    e->lease_until = usec_add(now, c->ttl);
    r->status = STORE_OK;
    r->epoch = e->epoch;
    r->lease_for = c->ttl;
}

/* Renews or gives up the lease of the call's epoch, if that one is still live. */
static void
do_own_lease(struct memory_store *m, const struct store_call *c, usec_t now,
             struct store_result *r)
{
    struct entry *e = find(m, &c->key);

    r->status = STORE_LOST;
    if (!e || c->epoch == 0 || e->epoch != c->epoch || lease_left(e, now) == 0)
        return;
    e->lease_until = c->op == STORE_RENEW ? usec_add(now, c->ttl) : 0;
    r->status = STORE_OK;
    r->epoch = e->epoch;
    r->lease_for = lease_left(e, now);
}

static void
do_publish(struct memory_store *m, const struct store_call *c, usec_t now,
           struct store_result *r)
{
    struct entry *e = c->epoch == 0 ? find_or_add(m, &c->key, now) : find(m, &c->key);
    struct record copy;

    if (c->epoch == 0 && !e) {
        r->status = STORE_DOWN;
        return;
    }
    r->status = STORE_STALE;
    if (!e)
        return;
    r->epoch = e->epoch;
    r->lease_for = lease_left(e, now);
    if (c->epoch == 0 ? r->lease_for > 0 : c->epoch != e->epoch)
        return;
    if (record_copy(&copy, c->record)) {
        r->status = STORE_DOWN;
        return;
    }
    if (e->has_record)
        record_fini(&e->record);
    e->record = copy;
    e->has_record = true;
    r->status = STORE_OK;
}

static void
do_forget(struct memory_store *m, const struct store_call *c, struct store_result *r)
{
    struct entry *e = find(m, &c->key);

    r->status = STORE_OK;
    if (!e)
        return;
    r->epoch = e->epoch;
    if (e->has_record)
        record_fini(&e->record);
    e->has_record = false;
    /* The next to go, when there is no room. */
    list_unlink(&e->used);
    list_push_front(&m->entries, &e->used);
}

static void
carry_out(struct memory_store *m, const struct store_call *c, usec_t now)
{
    struct store_result r = {.id = c->id};

    switch (c->op) {
    case STORE_GET:
        do_get(m, c, now, &r);
        break;
    case STORE_LEASE:
        do_lease(m, c, now, &r);
        break;
    case STORE_RENEW:
    case STORE_RELEASE:
        do_own_lease(m, c, now, &r);
        break;
    case STORE_PUBLISH:
        do_publish(m, c, now, &r);
        break;
    case STORE_FORGET:
        do_forget(m, c, &r);
        break;
    case STORE_OPS:
        ensure(c->op < STORE_OPS);
    }
    m->counts.refused += r.status == STORE_DOWN;
    m->on_result(m->ctx, &r);
}

static void
pending_free(struct memory_store *m, struct pending *p)
{
    record_fini(&p->record);
    free(p);
    m->counts.pending--;
}

/* Answers what is queued now; what the answers' receivers call comes after, in the same turn. */
static void
on_run(struct task *t)
{
    struct memory_store *m = container_of(t, struct memory_store, task);
    struct list now;
    struct list *link;
    size_t downs = m->down_n;

    for (size_t i = 0; i < downs; i++) {
        struct store_result r = {.id = m->down[i], .status = STORE_DOWN};
        m->counts.refused++;
        m->on_result(m->ctx, &r);
    }
    m->down_n -= downs;
    memmove(m->down, m->down + downs, m->down_n * sizeof m->down[0]);
    list_init(&now);
    list_splice_back(&now, &m->queue);
    while ((link = list_pop_front(&now)) != NULL) {
        struct pending *p = container_of(link, struct pending, link);
        carry_out(m, &p->call, p->now);
        pending_free(m, p);
    }
    if (m->down_n > 0 || !list_empty(&m->queue))
        loop_queue_run(m->loop, &m->task);
}

static void
memory_store_call(void *store, const struct store_call *c)
{
    struct memory_store *m = store;
    struct pending *p = NULL;

    if (m->counts.pending < MEMORY_STORE_PENDING)
        p = malloc(sizeof *p);
    if (p) {
        p->call = *c;
        p->now = m->loop->now;
        record_init(&p->record);
        if (c->record && record_copy(&p->record, c->record)) {
            free(p);
            p = NULL;
        }
    }
    if (p) {
        p->call.record = &p->record;
        list_push_back(&m->queue, &p->link);
        m->counts.pending++;
    } else if (m->down_n < DOWN_MAX) {
        m->down[m->down_n++] = c->id;
    } else {
        m->counts.dropped++;
        return;
    }
    loop_queue_run(m->loop, &m->task);
}

const struct store_ops memory_store_ops = {"memory", memory_store_call};

struct memory_store *
memory_store_new(struct loop *l, size_t max, uint64_t epoch,
                 void (*on_result)(void *ctx, const struct store_result *r), void *ctx)
{
    struct memory_store *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->loop = l;
    m->on_result = on_result;
    m->ctx = ctx;
    m->last_epoch = epoch;
    task_init(&m->task, on_run);
    map_init(&m->map, max, random_u64(&l->random), random_u64(&l->random));
    list_init(&m->entries);
    list_init(&m->queue);
    return m;
}

void
memory_store_free(struct memory_store *m)
{
    if (!m)
        return;
    task_cancel(&m->task);
    list_each_safe(at, tmp, &m->queue)
        pending_free(m, container_of(at, struct pending, link));
    list_each_safe(at, tmp, &m->entries)
        drop(m, container_of(at, struct entry, used));
    map_fini(&m->map);
    free(m);
}

struct memory_store_counts
memory_store_counts(const struct memory_store *m)
{
    return m->counts;
}
