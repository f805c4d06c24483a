/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver.c: see resolver.h. Names that were asked for are kept in a bounded map, the least
 * recently used one goes first; those who ask for a name that is being looked up wait together
 * for the one answer.
 *
 *     name:   new --dns_ask--> asking --answer--> known until it expires --asked for--> asking
 *     query:  waiting --answer, timeout--> ended --run list--> told, reaped
 */
#include "config.h"

#include "net/resolver.h"

#include "base/map.h"
#include "net/dns.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 1024
#define MAX_NAME 254
#define TTL_LEAST USEC_SEC
#define TTL_MOST (60 * USEC_SEC)
#define TTL_FAILURE USEC_SEC

_Static_assert(RESOLVER_MAX_ADDRESSES == DNS_MAX_ADDRESSES, "one buffer for both");

struct name {
    struct map_node node;
    struct list recent; /* of resolver.names */
    struct list waiting;
    struct resolver *resolver;
    struct dns_answer answer;
    usec_t expires;
    bool asking;
    char text[MAX_NAME + 1];
};

struct resolver {
    struct loop *loop;
    struct dns *dns;
    struct map map;
    struct list names;   /* least recently used first */
    struct list queries; /* not yet told */
};

struct resolver_query {
    struct list all;     /* of resolver.queries */
    struct list waiting; /* of name.waiting */
    struct loop *loop;
    void (*on_done)(void *ctx, const struct endpoint *e, size_t n, const char *why);
    void *ctx;
    struct wheel_timer timeout;
    struct task tell, reap;
    uint16_t port;
    struct dns_answer answer;
};

struct resolver *
resolver_new(struct loop *l)
{
    struct resolver *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->loop = l;
    list_init(&r->names);
    list_init(&r->queries);
    map_init(&r->map, MAX_NAMES, random_u64(&l->random), random_u64(&l->random));
    r->dns = dns_new(l);
    if (!r->dns) {
        resolver_free(r);
        return NULL;
    }
    return r;
}

int
resolver_set_servers(struct resolver *r, const char *servers)
{
    return dns_set_servers(r->dns, servers);
}

static void
free_name(struct name *n)
{
    map_remove(&n->resolver->map, &n->node);
    list_unlink(&n->recent);
    free(n);
}

void
resolver_free(struct resolver *r)
{
    if (!r)
        return;
    while (!list_empty(&r->queries))
        resolver_cancel(container_of(list_first(&r->queries), struct resolver_query, all));
    dns_free(r->dns);
    while (!list_empty(&r->names))
        free_name(container_of(list_first(&r->names), struct name, recent));
    map_fini(&r->map);
    free(r);
}

static void
reap_query(struct task *t)
{
    free(container_of(t, struct resolver_query, reap));
}

static void
let_go(struct resolver_query *q)
{
    list_unlink(&q->all);
    list_unlink(&q->waiting);
    task_cancel(&q->tell);
    loop_timer_cancel(q->loop, &q->timeout);
    loop_queue_reap(q->loop, &q->reap);
}

static void
tell(struct task *t)
{
    struct resolver_query *q = container_of(t, struct resolver_query, tell);
    struct dns_answer *a = &q->answer;

    let_go(q);
    for (size_t i = 0; i < a->n; i++)
        a->address[i].port = q->port;
    q->on_done(q->ctx, a->address, a->n, a->why);
}

/* What it waited for has come. */
static void
end(struct resolver_query *q, const struct dns_answer *a)
{
    q->answer = *a;
    list_unlink(&q->waiting);
    loop_timer_cancel(q->loop, &q->timeout);
    loop_queue_run(q->loop, &q->tell);
}

static void
on_timeout(struct wheel_timer *t)
{
    end(container_of(t, struct resolver_query, timeout), &(struct dns_answer){.why = "timed out"});
}

void
resolver_cancel(struct resolver_query *q)
{
    if (q)
        let_go(q);
}

static void
on_answer(void *ctx, const struct dns_answer *a)
{
    struct name *n = ctx;
    usec_t ttl = a->n > 0 ? usec_min(usec_max(a->ttl, TTL_LEAST), TTL_MOST) : TTL_FAILURE;

    n->asking = false;
    n->answer = *a;
    n->expires = usec_add(n->resolver->loop->now, ttl);
    while (!list_empty(&n->waiting))
        end(container_of(list_first(&n->waiting), struct resolver_query, waiting), a);
}

/* Room for one more name, at the cost of the least recently used one that nobody waits for. */
static bool
make_room(struct resolver *r)
{
    if (r->map.count < MAX_NAMES)
        return true;
    list_each (link, &r->names) {
        struct name *n = container_of(link, struct name, recent);

        if (!n->asking) {
            free_name(n);
            return true;
        }
    }
    return false;
}

static struct name *
find_name(struct resolver *r, struct slice text)
{
    struct map_node *node = map_find(&r->map, text);
    struct name *n;

    if (node) {
        n = container_of(node, struct name, node);
        list_unlink(&n->recent);
        list_push_back(&r->names, &n->recent);
        return n;
    }
    if (!make_room(r) || !(n = calloc(1, sizeof(*n))))
        return NULL;
    n->resolver = r;
    list_init(&n->waiting);
    slice_copy(text, n->text, sizeof(n->text));
    if (map_insert(&r->map, &n->node, (struct slice){n->text, text.n}) != 0) {
        free(n);
        return NULL;
    }
    list_push_back(&r->names, &n->recent);
    return n;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Lower case into out[MAX_NAME + 1]: labels of 1 to 63 letters, digits, '-' and '_', maybe a last
 * dot; the last label is not a number, which would be an address in disguise. False: not a name.
 */
static bool
read_name(struct slice host, char *out)
{
    bool absolute = slice_ends(host, SLICE("."));
    size_t n = host.n - absolute, label = 0;
    bool number = true;

    if (n == 0 || n >= MAX_NAME)
        return false;
    for (size_t i = 0; i < host.n; i++)
        out[i] = slice_lower(host.p[i]);
    out[host.n] = '\0';
    for (size_t i = 0; i < n; i++) {
        char c = out[i];

        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
            number = true;
        } else {
            if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '-' && c != '_')
                return false;
            if (++label > 63)
                return false;
            number = number && is_digit(c);
        }
    }
    return label > 0 && !number;
}

static struct resolver_query *
new_query(struct resolver *r, uint16_t port,
          void (*on_done)(void *ctx, const struct endpoint *e, size_t n, const char *why),
          void *ctx)
{
    struct resolver_query *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->loop = r->loop;
    q->port = port;
    q->on_done = on_done;
    q->ctx = ctx;
    list_init(&q->waiting);
    wheel_timer_init(&q->timeout, on_timeout);
    task_init(&q->tell, tell);
    task_init(&q->reap, reap_query);
    list_push_back(&r->queries, &q->all);
    return q;
}

struct resolver_query *
resolver_ask(struct resolver *r, struct slice host, uint16_t port, usec_t timeout,
             void (*on_done)(void *ctx, const struct endpoint *e, size_t n, const char *why),
             void *ctx)
{
    struct dns_answer numeric = {.n = 1};
    struct resolver_query *q;
    struct name *n = NULL;
    char text[MAX_NAME + 1];
    bool is_numeric = endpoint_parse(host, &numeric.address[0]) == 0;

    if (is_numeric ? numeric.address[0].port != 0 : !read_name(host, text))
        return NULL;
    if (!is_numeric && !(n = find_name(r, slice_of(text))))
        return NULL;
    q = new_query(r, port, on_done, ctx);
    if (!q)
        return NULL;
    if (is_numeric) {
        end(q, &numeric);
    } else if (!n->asking && n->expires > r->loop->now) {
        end(q, &n->answer);
    } else {
        list_push_back(&n->waiting, &q->waiting);
        loop_timer_set(r->loop, &q->timeout, usec_add(r->loop->now, timeout));
        if (!n->asking) {
            n->asking = true;
            dns_ask(r->dns, n->text, on_answer, n);
        }
    }
    return q;
}
