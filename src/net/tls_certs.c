/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_certs.c: see tls_certs.h. Two bounded tables: what a name has led to, for a second; and the
 * pairs, by stem ("a.example", "*.example", "default/tls"), each with the stamp of the files that
 * it was read from.
 *
 *     slot: (stamp seen) --complete, matches--> loaded --files change--> loaded again, or kept
 *                        --otherwise--> refused, tried again       --files gone a minute--> dropped
 *
 * Time is the wall clock's second: files are looked at once in each. A clock that is set back may
 * cost a look more, nothing else. Owner: one loop's thread.
 */
#include "config.h"

#include "net/tls_certs.h"

#include "base/map.h"
#include "base/random.h"
#include "net/tls_certs_priv.h"
#include "net/tls_priv.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS 1024
#define MAX_NAMES 8192
/* In seconds. What was refused is read again after so long, even with the same stamp: its mode may
 * have changed. */
#define READ_AGAIN 10
#define GONE_FOR_GOOD 60
#define NEVER INT64_MIN

struct slot {
    struct map_node node;
    struct list used;
    unsigned refs; /* names that lead here, and one while it is in the table */
    bool dropped;
    struct tls_pair *pair;                /* NULL: never good so far */
    struct tls_pair_stamp stamp, refused; /* of pair; of what was logged as bad */
    bool is_refused;
    int64_t looked, tried, gone; /* seconds, or NEVER; gone: since when the files are not there */
    int64_t alarmed;             /* the day of the last alarm */
    char stem[];
};

struct name {
    struct map_node node;
    struct list used;
    struct slot *slot; /* NULL: there is none */
    int64_t looked;
    char text[];
};

struct tls_certs {
    struct tls_library *lib;
    unsigned refs;
    char *directory;
    struct log *log;
    struct map slots, names;
    struct list slots_used, names_used; /* least recently used first */
};

/* Has so much time passed? Also true when the clock was set back. */
static bool
passed(int64_t since, int64_t now, int64_t seconds)
{
    return since == NEVER || now < since || now - since >= seconds;
}

/* --- slots ---------------------------------------------------------------------------------- */

static void
slot_unref(struct slot *s)
{
    if (!s || --s->refs > 0)
        return;
    tls_pair_free(s->pair);
    free(s);
}

static void
slot_drop(struct tls_certs *c, struct slot *s)
{
    map_remove(&c->slots, &s->node);
    list_unlink(&s->used);
    s->dropped = true;
    tls_pair_free(s->pair);
    s->pair = NULL;
    slot_unref(s);
}

static struct slot *
slot_find(const struct tls_certs *c, struct slice stem)
{
    struct map_node *n = map_find(&c->slots, stem);

    return n ? container_of(n, struct slot, node) : NULL;
}

static struct slot *
slot_new(struct tls_certs *c, struct slice stem)
{
    struct slot *s = calloc(1, sizeof(*s) + stem.n + 1);

    if (!s)
        return NULL;
    memcpy(s->stem, stem.p, stem.n);
    s->refs = 1;
    s->looked = s->tried = s->gone = s->alarmed = NEVER;
    if (c->slots.count >= c->slots.max)
        slot_drop(c, container_of(list_first(&c->slots_used), struct slot, used));
    if (map_insert(&c->slots, &s->node, (struct slice){s->stem, stem.n}) != 0) {
        free(s);
        return NULL;
    }
    list_push_back(&c->slots_used, &s->used);
    return s;
}

/* Said once for each version of the files. */
static void
refuse(struct tls_certs *c, struct slot *s, const struct tls_pair_stamp *stamp, const char *why)
{
    if (s->is_refused && memcmp(&s->refused, stamp, sizeof(*stamp)) == 0)
        return;
    s->is_refused = true;
    s->refused = *stamp;
    log_event(c->log, LOG_WARN, "certificate_refused", "%s (%s)", why,
              s->pair ? "the one before serves on" : "not used");
}

/* Reads the pair; a second time when the files changed meanwhile. */
static struct tls_pair *
read_pair(struct tls_certs *c, const struct tls_pair_path *path, struct tls_pair_stamp *stamp,
          char *why, size_t room)
{
    struct tls_pair *pair = tls_pair_load(c->lib, path, why, room);
    struct tls_pair_stamp again;

    if (!pair && tls_pair_look(path, &again) == TLS_PAIR_THERE &&
        memcmp(&again, stamp, sizeof(again)) != 0) {
        *stamp = again;
        pair = tls_pair_load(c->lib, path, why, room);
    }
    return pair;
}

static void
take(struct tls_certs *c, struct slot *s, const struct tls_pair_path *path,
     struct tls_pair_stamp *stamp)
{
    char why[TLS_PATH_MAX + 128];
    struct tls_pair *pair;
    int64_t now = tls_library_wall(c->lib);

    if (s->pair && memcmp(&s->stamp, stamp, sizeof(*stamp)) == 0) {
        s->is_refused = false;
        return;
    }
    if (s->is_refused && memcmp(&s->refused, stamp, sizeof(*stamp)) == 0 &&
        !passed(s->tried, now, READ_AGAIN))
        return;
    s->tried = now;
    pair = read_pair(c, path, stamp, why, sizeof(why));
    if (!pair) {
        refuse(c, s, stamp, why);
        return;
    }
    if (s->pair)
        log_event(c->log, LOG_INFO, "certificate_changed", "%s", path->cert);
    tls_pair_free(s->pair);
    s->pair = pair;
    s->stamp = *stamp;
    s->is_refused = false;
    s->alarmed = NEVER;
}

static void
alarm_before_end(struct tls_certs *c, struct slot *s)
{
    int64_t wall = tls_library_wall(c->lib), day = wall / 86400;

    if (s->pair->ends - wall >= TLS_CERTS_ALARM || s->alarmed == day)
        return;
    s->alarmed = day;
    if (s->pair->ends <= wall)
        log_event(c->log, LOG_WARN, "certificate_expired", "%s/%s.crt", c->directory, s->stem);
    else
        log_event(c->log, LOG_WARN, "certificate_expires", "%s/%s.crt ends in %d days",
                  c->directory, s->stem, (int)((s->pair->ends - wall) / 86400));
}

/* After a look at the files. False: the slot is gone. */
static bool
slot_keep(struct tls_certs *c, struct slot *s, enum tls_pair_found found, int64_t now)
{
    if (found != TLS_PAIR_ABSENT) {
        s->gone = NEVER;
        return true;
    }
    if (s->gone == NEVER || now < s->gone)
        s->gone = now;
    if (s->pair && now - s->gone < GONE_FOR_GOOD)
        return true;
    slot_drop(c, s);
    return false;
}

/* The slot of a stem with a good pair, or NULL. Looks at the files, at most once a second. */
static struct slot *
slot_look(struct tls_certs *c, struct slice stem)
{
    struct slot *s = slot_find(c, stem);
    struct tls_pair_path path;
    struct tls_pair_stamp stamp;
    enum tls_pair_found found;
    int64_t now = tls_library_wall(c->lib);

    if (s && !passed(s->looked, now, 1))
        return s->pair ? s : NULL;
    if (tls_pair_path(&path, c->directory, stem) != 0)
        return NULL;
    found = tls_pair_look(&path, &stamp);
    if (!s && found != TLS_PAIR_ABSENT)
        s = slot_new(c, stem);
    if (!s)
        return NULL;
    s->looked = now;
    if (found == TLS_PAIR_THERE)
        take(c, s, &path, &stamp);
    else if (found == TLS_PAIR_INCOMPLETE)
        refuse(c, s, &stamp, path.key);
    if (!slot_keep(c, s, found, now) || !s->pair)
        return NULL;
    alarm_before_end(c, s);
    return s;
}

/* --- names ---------------------------------------------------------------------------------- */

/* NAME.crt, then NAME/tls.crt. */
static struct slot *
look_both(struct tls_certs *c, const char *first, struct slice rest)
{
    char stem[TLS_NAME_MAX + 8];
    size_t n = slice_copy(slice_of(first), stem, sizeof(stem));
    struct slot *s;

    n += slice_copy(rest, stem + n, sizeof(stem) - n);
    s = slot_look(c, (struct slice){stem, n});
    if (s)
        return s;
    n += slice_copy(SLICE("/tls"), stem + n, sizeof(stem) - n);
    return slot_look(c, (struct slice){stem, n});
}

static struct slot *
resolve(struct tls_certs *c, struct slice name)
{
    ptrdiff_t dot = slice_index(name, '.');
    struct slot *s = name.n > 0 ? look_both(c, "", name) : NULL;

    if (!s && dot >= 0)
        s = look_both(c, "*", slice_sub(name, (size_t)dot, name.n));
    if (!s && dot >= 0)
        s = look_both(c, "_", slice_sub(name, (size_t)dot, name.n));
    if (!s)
        s = look_both(c, "default", SLICE_NONE);
    return s ? s : slot_look(c, SLICE("tls"));
}

static void
name_drop(struct tls_certs *c, struct name *n)
{
    map_remove(&c->names, &n->node);
    list_unlink(&n->used);
    slot_unref(n->slot);
    free(n);
}

static struct name *
name_find(struct tls_certs *c, struct slice text)
{
    struct map_node *found = map_find(&c->names, text);
    struct name *n;

    if (found) {
        n = container_of(found, struct name, node);
        list_unlink(&n->used);
        list_push_back(&c->names_used, &n->used);
        return n;
    }
    n = calloc(1, sizeof(*n) + text.n + 1);
    if (!n)
        return NULL;
    if (text.n > 0)
        memcpy(n->text, text.p, text.n);
    n->looked = NEVER;
    if (c->names.count >= c->names.max)
        name_drop(c, container_of(list_first(&c->names_used), struct name, used));
    if (map_insert(&c->names, &n->node, (struct slice){n->text, text.n}) != 0) {
        free(n);
        return NULL;
    }
    list_push_back(&c->names_used, &n->used);
    return n;
}

const struct tls_pair *
tls_certs_find(struct tls_certs *c, struct slice text)
{
    struct name *n = name_find(c, text);
    int64_t now = tls_library_wall(c->lib);

    if (!n)
        return NULL;
    if (passed(n->looked, now, 1) || (n->slot && n->slot->dropped)) {
        struct slot *s = resolve(c, text);

        if (s)
            s->refs++;
        slot_unref(n->slot);
        n->slot = s;
        n->looked = now;
    }
    if (!n->slot)
        return NULL;
    list_unlink(&n->slot->used);
    list_push_back(&c->slots_used, &n->slot->used);
    return n->slot->pair;
}

/* --- life ----------------------------------------------------------------------------------- */

struct tls_certs *
tls_certs_new(struct tls_library *lib, const struct tls_certs_options *o)
{
    struct tls_certs *c = calloc(1, sizeof(*c));
    uint64_t seed[4];

    if (!c)
        return NULL;
    c->directory = strdup(o->directory);
    if (!c->directory) {
        free(c);
        return NULL;
    }
    c->lib = lib;
    c->refs = 1;
    c->log = o->log;
    lib->users++;
    random_bytes(seed, sizeof(seed));
    map_init(&c->slots, o->max_pairs > 0 ? o->max_pairs : MAX_PAIRS, seed[0], seed[1]);
    map_init(&c->names, o->max_names > 0 ? o->max_names : MAX_NAMES, seed[2], seed[3]);
    list_init(&c->slots_used);
    list_init(&c->names_used);
    return c;
}

void
tls_certs_ref(struct tls_certs *c)
{
    c->refs++;
}

void
tls_certs_free(struct tls_certs *c)
{
    struct list *n;

    if (!c || --c->refs > 0)
        return;
    while ((n = list_first(&c->names_used)) != NULL)
        name_drop(c, container_of(n, struct name, used));
    while ((n = list_first(&c->slots_used)) != NULL)
        slot_drop(c, container_of(n, struct slot, used));
    map_fini(&c->slots);
    map_fini(&c->names);
    c->lib->users--;
    free(c->directory);
    free(c);
}
