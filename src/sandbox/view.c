/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.c: one worker's knowledge. Two maps: sandboxes by control's number (version, open requests,
 * activity) and routes by (key, port). A route is believed only while its version is the newest
 * that was heard of for its sandbox; whatever comes with a newer one drops them all.
 *
 * It must not know control, sockets or clocks. Owner: one worker's thread. Bounded: at the limit
 * the sandbox that was used longest ago and has nothing open is forgotten (the next request asks).
 */
#include "config.h"

#include "sandbox/view.h"

#include "base/heap.h"
#include "base/list.h"

#include <stdlib.h>
#include <string.h>

#define VIEW_ROUTES_MAX 32 /* of one sandbox; then the oldest goes */
#define ACTIVITY_EVERY USEC_SEC
#define KEY_BYTES (4 + SANDBOX_ID_MAX)

struct view_sandbox {
    struct map_node node;
    uint64_t number, version, incarnation;
    struct list lru; /* oldest first; not in it while open > 0 */
    struct list routes;
    unsigned routes_n;
    uint32_t open, streams; /* streams: of the open ones */
    uint64_t bytes;
    usec_t reported;
    struct heap_node due; /* in the heap: an ACTIVITY is due then */
};

struct route {
    struct map_node node;
    struct list link; /* of its sandbox, oldest first */
    struct view_sandbox *sandbox;
    struct endpoint to;
    struct record_manner manner;
    uint8_t tokens_n;
    uint8_t tokens[RECORD_TOKENS][TOKEN_DIGEST];
    uint64_t version;
    char key[]; /* platform, port, id */
};

struct view {
    struct map sandboxes, routes;
    size_t max; /* sandboxes; more only while all of them have something open */
    struct list lru;
    struct heap due;
};

struct view *
view_new(size_t max_sandboxes, uint64_t seed0, uint64_t seed1)
{
    struct view *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    v->max = max_sandboxes;
    map_init(&v->sandboxes, SIZE_MAX, seed0, seed1);
    map_init(&v->routes, max_sandboxes * 2 + VIEW_ROUTES_MAX, seed0 ^ 1, seed1);
    list_init(&v->lru);
    heap_init(&v->due);
    return v;
}

static void
route_free(struct view *v, struct route *r)
{
    map_remove(&v->routes, &r->node);
    list_unlink(&r->link);
    r->sandbox->routes_n--;
    free(r);
}

static void
drop_routes(struct view *v, struct view_sandbox *s)
{
    list_each_safe(n, tmp, &s->routes)
        route_free(v, container_of(n, struct route, link));
}

static void
sandbox_free(struct view *v, struct view_sandbox *s)
{
    drop_routes(v, s);
    map_remove(&v->sandboxes, &s->node);
    heap_remove(&v->due, &s->due);
    list_unlink(&s->lru);
    free(s);
}

void
view_free(struct view *v)
{
    struct map_node *n = NULL;
    size_t cursor = 0;

    if (!v)
        return;
    while ((n = map_next(&v->sandboxes, &cursor, n)))
        sandbox_free(v, container_of(n, struct view_sandbox, node));
    map_fini(&v->routes);
    map_fini(&v->sandboxes);
    heap_fini(&v->due);
    free(v);
}

static struct slice
number_key(const uint64_t *number)
{
    return (struct slice){(const char *)number, sizeof(*number)};
}

static struct view_sandbox *
find(const struct view *v, uint64_t number)
{
    struct map_node *n = map_find(&v->sandboxes, number_key(&number));

    return n ? container_of(n, struct view_sandbox, node) : NULL;
}

static void
touch(struct view *v, struct view_sandbox *s)
{
    if (s->open > 0)
        return;
    list_unlink(&s->lru);
    list_push_back(&v->lru, &s->lru);
}

static struct view_sandbox *
find_or_add(struct view *v, uint64_t number)
{
    struct view_sandbox *s = find(v, number);

    if (s)
        return s;
    while (v->sandboxes.count >= v->max && !list_empty(&v->lru))
        sandbox_free(v, container_of(list_first(&v->lru), struct view_sandbox, lru));
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->number = number;
    s->reported = -ACTIVITY_EVERY;
    list_init(&s->lru);
    list_init(&s->routes);
    if (map_insert(&v->sandboxes, &s->node, number_key(&s->number)) < 0) {
        free(s);
        return NULL;
    }
    touch(v, s);
    return s;
}

/* platform, port, id as map bytes; returns their number. */
static struct slice
route_key(const struct sandbox_key *key, uint16_t port, char *out)
{
    memcpy(out, &key->platform, 2);
    memcpy(out + 2, &port, 2);
    memcpy(out + 4, key->id, key->n);
    return (struct slice){out, 4 + (size_t)key->n};
}

static struct route *
find_route(const struct view *v, const struct sandbox_key *key, uint16_t port)
{
    char bytes[KEY_BYTES];
    struct map_node *n = map_find(&v->routes, route_key(key, port, bytes));

    return n ? container_of(n, struct route, node) : NULL;
}

static bool
route_admits(const struct route *r, const uint8_t *token)
{
    unsigned fits = 0;

    for (unsigned i = 0; i < r->tokens_n; i++) {
        struct slice a = {(const char *)r->tokens[i], TOKEN_DIGEST};

        fits |= (unsigned)slice_eq_secret(a, (struct slice){(const char *)token, TOKEN_DIGEST});
    }
    return fits != 0;
}

enum view_says
view_route(struct view *v, const struct sandbox_key *key, uint16_t port, const uint8_t *token,
           struct view_route *route)
{
    struct route *r = find_route(v, key, port);

    if (!r || r->version != r->sandbox->version)
        return VIEW_ASK;
    if (r->tokens_n > 0 && !token)
        return VIEW_NEEDS_TOKEN;
    if (r->tokens_n > 0 && !route_admits(r, token))
        return VIEW_BAD_TOKEN;
    route->to = r->to;
    route->manner = r->manner;
    route->incarnation = r->sandbox->incarnation;
    route->version = r->version;
    route->sandbox = r->sandbox->number;
    return VIEW_GO;
}

bool
view_current(const struct view *v, uint64_t sandbox, uint64_t version)
{
    const struct view_sandbox *s = find(v, sandbox);

    return s && s->version == version;
}

/* Something changed that control has to hear of, at most once in ACTIVITY_EVERY. */
static void
make_due(struct view *v, struct view_sandbox *s, usec_t now)
{
    if (s->due.pos != 0)
        return;
    /* Out of memory: the report is late until the next change. */
    if (heap_set(&v->due, &s->due, usec_max(now, s->reported + ACTIVITY_EVERY)) < 0)
        return;
}

struct view_sandbox *
view_begin(struct view *v, uint64_t sandbox, usec_t now)
{
    struct view_sandbox *s = find_or_add(v, sandbox);

    if (!s)
        return NULL;
    list_unlink(&s->lru);
    s->open++;
    make_due(v, s, now);
    return s;
}

void
view_end(struct view *v, struct view_sandbox *s, uint64_t bytes, usec_t now)
{
    ensure(s->open > 0);
    s->open--;
    s->bytes += bytes;
    touch(v, s);
    make_due(v, s, now);
}

void
view_stream(struct view_sandbox *s, int change)
{
    s->streams += (uint32_t)change;
    ensure(s->streams <= s->open);
}

uint32_t
view_open(const struct view_sandbox *s)
{
    return s->open;
}

uint32_t
view_open_at(const struct view *v, uint64_t sandbox)
{
    const struct view_sandbox *s = find(v, sandbox);

    return s ? s->open : 0;
}

bool
view_activity(struct view *v, usec_t now, struct mail *out, usec_t *next)
{
    struct heap_node *n = heap_top(&v->due);
    struct view_sandbox *s;

    if (!n || n->at > now) {
        *next = n ? n->at : USEC_NEVER;
        return false;
    }
    s = container_of(n, struct view_sandbox, due);
    heap_remove(&v->due, n);
    s->reported = now;
    *out = (struct mail){.kind = MAIL_ACTIVITY, .sandbox = s->number, .version = s->version};
    out->u.activity.open = s->open;
    out->u.activity.bytes = s->bytes;
    s->bytes = 0;
    return true;
}

/* A newer version: nothing that was known before holds. */
static void
renew(struct view *v, struct view_sandbox *s, uint64_t version)
{
    if (version <= s->version)
        return;
    s->version = version;
    drop_routes(v, s);
}

static unsigned
learn_incarnation(struct view_sandbox *s, uint64_t incarnation)
{
    if (s->incarnation == incarnation)
        return VIEW_NOTHING;
    s->incarnation = incarnation;
    return VIEW_DROP_IDLE;
}

static void
set_route(struct view *v, struct view_sandbox *s, const struct mail_state *m)
{
    struct route *r = find_route(v, &m->key, m->port);
    struct slice key;

    if (r)
        route_free(v, r);
    if (!m->open)
        return;
    if (s->routes_n >= VIEW_ROUTES_MAX)
        route_free(v, container_of(list_first(&s->routes), struct route, link));
    r = malloc(sizeof(*r) + 4 + m->key.n);
    if (!r)
        return;
    r->sandbox = s;
    r->to = m->to;
    r->manner = m->manner;
    r->version = s->version;
    r->tokens_n = m->tokens_n;
    memcpy(r->tokens, m->tokens, sizeof(r->tokens));
    key = route_key(&m->key, m->port, r->key);
    if (map_insert(&v->routes, &r->node, key) < 0) {
        free(r);
        return;
    }
    list_push_back(&s->routes, &r->link);
    s->routes_n++;
}

static unsigned
on_state(struct view *v, const struct mail *m)
{
    struct view_sandbox *s = m->u.state.open ? find_or_add(v, m->sandbox) : find(v, m->sandbox);
    unsigned todo = VIEW_NOTHING;

    if (!s || m->version < s->version)
        return VIEW_NOTHING;
    renew(v, s, m->version);
    todo |= learn_incarnation(s, m->u.state.incarnation);
    set_route(v, s, &m->u.state);
    touch(v, s);
    return todo;
}

static unsigned
on_verdict(struct view *v, const struct mail *m)
{
    enum verdict what = m->u.verdict.verdict;
    struct view_sandbox *s;

    if (what == VERDICT_NO || what == VERDICT_STAY)
        return VIEW_NOTHING;
    s = find_or_add(v, m->sandbox);
    if (!s || m->version < s->version)
        return VIEW_NOTHING;
    renew(v, s, m->version);
    touch(v, s);
    return learn_incarnation(s, m->u.verdict.incarnation);
}

static unsigned
on_quiesce(struct view *v, const struct mail *m, struct mail *reply)
{
    struct view_sandbox *s = find(v, m->sandbox);

    *reply = (struct mail){.kind = MAIL_QUIESCED, .sandbox = m->sandbox, .version = m->version};
    if (!s)
        return VIEW_REPLY;
    renew(v, s, m->version);
    s->incarnation = 0;
    reply->u.quiesced.in_flight = s->open - s->streams;
    reply->u.quiesced.streams = s->streams;
    return VIEW_REPLY | VIEW_DROP_IDLE;
}

static unsigned
on_close_streams(const struct view *v, const struct mail *m)
{
    const struct view_sandbox *s = find(v, m->sandbox);

    return s && m->version >= s->version ? VIEW_CLOSE_STREAMS : VIEW_NOTHING;
}

unsigned
view_on_mail(struct view *v, const struct mail *m, usec_t now, struct mail *reply)
{
    (void)now;
    switch (m->kind) {
    case MAIL_STATE:
        return on_state(v, m);
    case MAIL_VERDICT:
        return on_verdict(v, m);
    case MAIL_QUIESCE:
        return on_quiesce(v, m, reply);
    case MAIL_CLOSE_STREAMS:
        return on_close_streams(v, m);
    case MAIL_ASK:
    case MAIL_LEAVE:
    case MAIL_CONNECTED:
    case MAIL_CONNECT_FAILED:
    case MAIL_ANSWERED:
    case MAIL_ACTIVITY:
    case MAIL_QUIESCED:
    case MAIL_KINDS:
        break;
    }
    return VIEW_NOTHING;
}
