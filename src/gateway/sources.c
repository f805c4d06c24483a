/* SPDX-License-Identifier: BSD-2-Clause */
/* sources.c: see sources.h. Owner: one worker. */
#include "config.h"

#include "gateway/sources.h"
#include "base/list.h"
#include "base/map.h"
#include "gateway/forward.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LEN 16

struct source {
    struct map_node node;
    struct list idle; /* in sources.idle while nothing is open; oldest first */
    struct bucket bucket;
    uint32_t open;
    uint8_t key[KEY_LEN];
};

struct sources {
    struct map map;
    struct list idle;
};

struct sources *
sources_new(size_t max, uint64_t seed0, uint64_t seed1)
{
    struct sources *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    map_init(&s->map, max, seed0, seed1);
    list_init(&s->idle);
    return s;
}

static void
forget(struct sources *s, struct source *src)
{
    list_unlink(&src->idle);
    map_remove(&s->map, &src->node);
    free(src);
}

void
sources_free(struct sources *s)
{
    if (!s)
        return;
    list_each_safe(n, next, &s->idle)
        forget(s, container_of(n, struct source, idle));
    ensure(s->map.count == 0);
    map_fini(&s->map);
    free(s);
}

static struct source *
find(struct sources *s, const struct endpoint *peer, uint8_t key[KEY_LEN])
{
    struct map_node *n;

    forward_source(peer, key);
    n = map_find(&s->map, (struct slice){(const char *)key, KEY_LEN});
    return n ? container_of(n, struct source, node) : NULL;
}

static struct source *
get(struct sources *s, const struct endpoint *peer)
{
    uint8_t key[KEY_LEN];
    struct source *src = find(s, peer, key);

    if (src)
        return src;
    if (s->map.count >= s->map.max && !list_empty(&s->idle))
        forget(s, container_of(list_first(&s->idle), struct source, idle));
    src = calloc(1, sizeof(*src));
    if (!src)
        return NULL;
    memcpy(src->key, key, KEY_LEN);
    list_init(&src->idle);
    bucket_init(&src->bucket);
    if (map_insert(&s->map, &src->node, (struct slice){(const char *)src->key, KEY_LEN}) < 0) {
        free(src);
        return NULL;
    }
    list_push_back(&s->idle, &src->idle);
    return src;
}

bool
sources_enter(struct sources *s, const struct endpoint *peer, uint32_t max_open, struct rate rate,
              usec_t now)
{
    struct source *src = get(s, peer);
    usec_t wait;

    if (!src)
        return true;
    if (src->open >= max_open || !bucket_take(&src->bucket, rate, now, &wait))
        return false;
    src->open++;
    list_unlink(&src->idle);
    return true;
}

void
sources_leave(struct sources *s, const struct endpoint *peer)
{
    uint8_t key[KEY_LEN];
    struct source *src = find(s, peer, key);

    if (src && src->open > 0 && --src->open == 0)
        list_push_back(&s->idle, &src->idle);
}
