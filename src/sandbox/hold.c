/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold.c: accounts, caps and who loses. It must not know states, wakes or ports. Owner: the keeper.
 */
#include "config.h"

#include "sandbox/hold.h"

#include <stdlib.h>
#include <string.h>

#define SOURCES_MAX 100000
#define ACCOUNTS_MAX 100000

void
hold_init(struct hold *h, uint64_t seed0, uint64_t seed1)
{
    map_init(&h->accounts, ACCOUNTS_MAX, seed0, seed1);
    map_init(&h->sources, SOURCES_MAX, seed1, seed0);
    heap_init(&h->weights);
    list_init(&h->spare);
    h->n = 0;
    h->bytes = 0;
}

void
hold_fini(struct hold *h)
{
    struct map_node *n = NULL;
    size_t cursor = 0;

    ensure(h->n == 0 && h->bytes == 0 && h->accounts.count == 0);
    while ((n = map_next(&h->sources, &cursor, n))) {
        map_remove(&h->sources, n);
        free(container_of(n, struct source, node));
    }
    map_fini(&h->sources);
    map_fini(&h->accounts);
    heap_fini(&h->weights);
}

static void
drop_spare_sources(struct hold *h, usec_t now)
{
    for (int i = 0; i < 2; i++) {
        struct list *l = list_first(&h->spare);
        struct source *s = l ? container_of(l, struct source, spare) : NULL;

        if (!s)
            return;
        list_unlink(l);
        if (bucket_idle(&s->wakes, now)) {
            map_remove(&h->sources, &s->node);
            free(s);
        } else {
            list_push_back(&h->spare, &s->spare);
        }
    }
}

struct source *
hold_source(struct hold *h, const uint8_t *ip, usec_t now)
{
    struct slice key = {(const char *)ip, 16};
    struct map_node *n = map_find(&h->sources, key);
    struct source *s;

    if (n)
        return container_of(n, struct source, node);
    drop_spare_sources(h, now);
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    memcpy(s->ip, ip, sizeof(s->ip));
    bucket_init(&s->wakes);
    list_init(&s->spare);
    key.p = (const char *)s->ip;
    if (map_insert(&h->sources, &s->node, key) < 0) {
        free(s);
        return NULL;
    }
    list_push_back(&h->spare, &s->spare);
    return s;
}

/* The account's name: "t" and the tenant, or "s" and the site. */
static void
account_name(struct name *out, const struct name *tenant, uint16_t site)
{
    if (tenant->n > 0) {
        out->text[0] = 't';
        out->n = (uint8_t)(1 + (tenant->n < SANDBOX_NAME_MAX ? tenant->n : SANDBOX_NAME_MAX - 1));
        memcpy(out->text + 1, tenant->text, (size_t)out->n - 1);
    } else {
        out->text[0] = 's';
        memcpy(out->text + 1, &site, sizeof(site));
        out->n = 1 + sizeof(site);
    }
}

static struct account *
account_find(const struct hold *h, const struct name *name)
{
    struct map_node *n = map_find(&h->accounts, name_slice(name));

    return n ? container_of(n, struct account, node) : NULL;
}

static void
account_free(struct hold *h, struct account *a)
{
    map_remove(&h->accounts, &a->node);
    heap_remove(&h->weights, &a->weight);
    free(a);
}

static struct account *
account_take(struct hold *h, const struct name *name, bool tenant)
{
    struct account *a = account_find(h, name);

    if (a)
        return a;
    a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->name = *name;
    a->tenant = tenant;
    list_init(&a->waiters);
    if (heap_set(&h->weights, &a->weight, 0) < 0) {
        free(a);
        return NULL;
    }
    if (map_insert(&h->accounts, &a->node, name_slice(&a->name)) < 0) {
        heap_remove(&h->weights, &a->weight);
        free(a);
        return NULL;
    }
    return a;
}

static void
reweigh(struct hold *h, struct account *a)
{
    /* It is in the heap already: cannot fail. */
    int ok = heap_set(&h->weights, &a->weight, -(usec_t)a->n);

    ensure(ok == 0);
}

static void
account_add(struct hold *h, struct account *a, struct waiter *w)
{
    w->account = a;
    a->n++;
    list_push_back(&a->waiters, &w->peers);
    reweigh(h, a);
}

static void
account_drop(struct hold *h, struct waiter *w)
{
    struct account *a = w->account;

    w->account = NULL;
    list_unlink(&w->peers);
    ensure(a->n > 0);
    if (--a->n == 0)
        account_free(h, a);
    else
        reweigh(h, a);
}

/* Whom an arrival of an account with n waiters may displace. */
static struct waiter *
displaced(const struct hold *h, uint32_t n, bool is_new)
{
    struct heap_node *top = heap_top(&h->weights);
    uint64_t accounts = h->accounts.count + (is_new ? 1 : 0);
    struct account *heaviest;

    if (!top || (uint64_t)n * accounts >= h->n)
        return NULL;
    heaviest = container_of(top, struct account, weight);
    if (heaviest->n <= n + 1)
        return NULL;
    return container_of(list_last(&heaviest->waiters), struct waiter, peers);
}

static bool
over(uint32_t n, uint32_t cap)
{
    return cap != UINT32_MAX && n >= cap;
}

/* True when the total caps leave no room for w. */
static bool
crowded(const struct hold *h, const struct waiter *w, const struct hold_caps *caps)
{
    return over(h->n, caps->total) ||
           (caps->bytes != UINT64_MAX && w->bytes > 0 && h->bytes + w->bytes > caps->bytes);
}

enum reason
hold_admit(struct hold *h, struct waiter *w, const struct hold_caps *caps, uint32_t sandbox_n,
           const struct name *tenant, struct waiter **victim)
{
    struct name name;
    struct account *a;
    uint32_t n;

    *victim = NULL;
    account_name(&name, tenant, w->site);
    a = account_find(h, &name);
    n = a ? a->n : 0;
    if (over(sandbox_n, caps->per_sandbox) || (tenant->n > 0 && over(n, caps->per_tenant)) ||
        (w->source && over(w->source->n, caps->per_source)))
        return REASON_HOLD_QUEUE_FULL;
    if (crowded(h, w, caps)) {
        *victim = displaced(h, n, !a);
        if (!*victim || (w->bytes > (*victim)->bytes && !over(h->n, caps->total)))
            return REASON_HOLD_QUEUE_FULL;
    }
    a = account_take(h, &name, tenant->n > 0);
    if (!a)
        return REASON_OUT_OF_MEMORY;
    account_add(h, a, w);
    h->n++;
    h->bytes += w->bytes;
    if (w->source && w->source->n++ == 0)
        list_unlink(&w->source->spare);
    return REASON_NONE;
}

int
hold_move(struct hold *h, struct waiter *w, const struct hold_caps *caps,
          const struct name *tenant)
{
    struct name name;
    struct account *a;

    if (tenant->n == 0 || !w->account)
        return 0;
    account_name(&name, tenant, w->site);
    if (name_eq(&name, &w->account->name))
        return 0;
    a = account_find(h, &name);
    if (a && over(a->n, caps->per_tenant))
        return -1;
    a = account_take(h, &name, true);
    if (!a)
        return -1;
    account_drop(h, w);
    account_add(h, a, w);
    return 0;
}

void
hold_drop(struct hold *h, struct waiter *w)
{
    if (!w->account)
        return;
    account_drop(h, w);
    ensure(h->n > 0 && h->bytes >= w->bytes);
    h->n--;
    h->bytes -= w->bytes;
    if (w->source && --w->source->n == 0)
        list_push_back(&h->spare, &w->source->spare);
    w->source = NULL;
}

struct caller *
caller_new(const struct mail_ask *a)
{
    const struct slice part[] = {a->client, a->method, a->host, a->path,
                                 {(const char *)a->token, a->has_token ? TOKEN_DIGEST : 0}};
    size_t size = sizeof(struct caller);
    struct caller *c;
    char *p;

    for (unsigned i = 0; i < 5; i++)
        size += part[i].n;
    c = malloc(size);
    if (!c)
        return NULL;
    c->client = (uint16_t)a->client.n;
    c->method = (uint16_t)a->method.n;
    c->host = (uint16_t)a->host.n;
    c->path = (uint16_t)a->path.n;
    p = c->text;
    for (unsigned i = 0; i < 5; i++) {
        if (part[i].n > 0)
            memcpy(p, part[i].p, part[i].n);
        p += part[i].n;
    }
    return c;
}

struct slice
caller_client(const struct caller *c)
{
    return (struct slice){c->text, c->client};
}

struct slice
caller_method(const struct caller *c)
{
    return (struct slice){c->text + c->client, c->method};
}

struct slice
caller_host(const struct caller *c)
{
    return (struct slice){c->text + c->client + c->method, c->host};
}

struct slice
caller_path(const struct caller *c)
{
    return (struct slice){c->text + c->client + c->method + c->host, c->path};
}

const uint8_t *
caller_token(const struct caller *c)
{
    return (const uint8_t *)c->text + c->client + c->method + c->host + c->path;
}
