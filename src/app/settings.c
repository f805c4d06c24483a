/* SPDX-License-Identifier: BSD-2-Clause */
/* settings.c: file -> text -> tree -> snapshot. Scopes are read alike; their own rules stand in
 * settings_site.c and settings_platform.c. */
#include "config.h"

#include "app/settings.h"

#include "app/settings_priv.h"
#include "app/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNED_BLOCK 16384u
#define OWNED_MAX ((size_t)256 << 20)

static const char *const sections[] = {"listen", "platforms", "sites", NULL};

static void
free_owned(void *p)
{
    struct settings_owned *o = p;

    arena_reset(&o->arena);
    pool_fini(&o->pool);
    explicit_bzero(&o->config, sizeof o->config);
    free(o);
}

/* ---- scopes -------------------------------------------------------------------------------- */

bool
settings_seen(const bool *seen, enum setting_scope scope, const char *path)
{
    unsigned n;

    return seen[setting_find(scope, slice_of(path)) - setting_table(&n)];
}

/* The component of path that follows prefix ("hold." and "hold.timeout": "timeout"). */
static struct slice
component(struct slice path, struct slice prefix)
{
    struct slice rest;

    if (!slice_starts(path, prefix))
        return SLICE_NONE;
    rest = slice_sub(path, prefix.n, path.n);
    ptrdiff_t dot = slice_index(rest, '.');
    return dot < 0 ? rest : slice_sub(rest, 0, (size_t)dot);
}

/* A setting of this name that lies elsewhere in the scope, or NULL. */
static const struct setting *
misplaced(enum setting_scope scope, struct slice key)
{
    unsigned n;
    const struct setting *t = setting_table(&n);

    for (unsigned i = 0; i < n; i++) {
        struct slice path = slice_of(t[i].path);
        ptrdiff_t dot = slice_rindex(path, '.');
        if (t[i].scope == scope && slice_eq(key, slice_sub(path, (size_t)(dot + 1), path.n)))
            return &t[i];
    }
    return NULL;
}

void
settings_unknown_key(struct settings_reader *r, enum setting_scope scope, struct slice prefix,
                     const struct config_node *n)
{
    struct slice key = config_node_key(n), best;
    struct suggest g;
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    mistakes_add(r->m, n->key_line, n->key_column, "unknown key \"%.*s\"",
                 key.n > 60 ? 60 : SLICE_ARG(key));
    suggest_init(&g, key);
    for (unsigned i = 0; i < rows; i++) {
        struct slice word = component(slice_of(t[i].path), prefix);
        if (t[i].scope == scope && word.p)
            suggest_offer(&g, word);
    }
    if (scope == SCOPE_GATEWAY && prefix.n == 0)
        for (size_t i = 0; sections[i]; i++)
            suggest_offer(&g, slice_of(sections[i]));
    best = suggest_best(&g);
    const struct setting *else_where = misplaced(scope, key);
    if (best.p)
        mistakes_hint(r->m, "did you mean \"%.*s\"?", SLICE_ARG(best));
    else if (else_where)
        mistakes_hint(r->m, "it belongs here: %s", else_where->path);
    else
        mistakes_hint(r->m, "`rouse config sample` shows all keys");
}

struct scope {
    struct settings_reader *r;
    enum setting_scope scope;
    void *target;
    bool *seen;
    bool (*other)(struct settings_reader *r, const struct config_node *n, void *arg);
    void *arg;
};

/* Depth is bounded by the table: "a.b" is the deepest path. */
static void
read_keys(const struct scope *x, const struct config_node *map, struct slice prefix)
{
    char path[128];
    struct buf b;
    unsigned rows;
    const struct setting *table = setting_table(&rows), *s;

    for (const struct config_node *n = config_node_child(map); n; n = config_node_next(n)) {
        buf_init_fixed(&b, path, sizeof path);
        buf_add_slice(&b, prefix);
        buf_add_slice(&b, config_node_key(n));
        if (b.full) {
            settings_unknown_key(x->r, x->scope, prefix, n);
            continue;
        }
        if ((s = setting_find(x->scope, buf_slice(&b))) != NULL) {
            x->seen[s - table] = true;
            if (s->type != SETTING_PLATFORM && s->type != SETTING_PLUGIN && !n->doubled)
                (void)setting_read(s, n, x->target, x->r->arena, x->r->m);
        } else if (!setting_is_group(x->scope, buf_slice(&b))) {
            if (!x->other || !x->other(x->r, n, x->arg))
                settings_unknown_key(x->r, x->scope, prefix, n);
        } else if (n->pub.kind != ROUSE_MAP) {
            mistakes_add(x->r->m, n->pub.line, n->pub.column,
                         "%s must be a map of settings, not %s", buf_cstr(&b),
                         config_node_kind(n));
        } else {
            char deeper[sizeof path + 1];
            struct buf d;
            buf_init_fixed(&d, deeper, sizeof deeper);
            buf_printf(&d, "%s.", buf_cstr(&b));
            read_keys(x, n, buf_slice(&d));
        }
    }
}

void
settings_read_scope(struct settings_reader *r, enum setting_scope scope,
                    const struct config_node *map, void *target, bool *seen,
                    bool (*other)(struct settings_reader *r, const struct config_node *n,
                                  void *arg),
                    void *arg)
{
    struct scope x = {r, scope, target, seen, other, arg};
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    ensure(rows <= SETTINGS_TABLE_MAX);
    read_keys(&x, map, SLICE(""));
    for (unsigned i = 0; i < rows; i++) {
        if (t[i].scope != scope || !(t[i].flags & SETTING_REQUIRED) || seen[i])
            continue;
        mistakes_add(r->m, map->pub.line, map->pub.column, "%s is missing here", t[i].path);
        mistakes_hint(r->m, "for example  %s: %s  (%s)", t[i].path, t[i].example, t[i].help);
    }
}

/* ---- the top level ------------------------------------------------------------------------- */

static bool
same_listener(const struct gateway_config *c, const struct listener_config *l)
{
    for (unsigned i = 0; i < c->listeners; i++)
        if (&c->listener[i] != l && strcmp(c->listener[i].address, l->address) == 0)
            return true;
    return false;
}

/* A listener that says tls must not turn out to be plain. */
static void
need_certificates(struct settings_reader *r, const struct config_node *n, const bool *seen)
{
    const struct config_node *tls = config_node_get(n, "tls");

    if (!tls || tls->pub.kind != ROUSE_MAP ||
        settings_seen(seen, SCOPE_LISTENER, "tls.certificates"))
        return;
    mistakes_add(r->m, tls->pub.line, tls->pub.column, "tls.certificates is missing here");
    mistakes_hint(r->m, "for example  tls: { certificates: /etc/rouse/certs }");
}

static void
read_listeners(struct settings_reader *r, const struct config_node *list)
{
    struct gateway_config *c = r->config;

    if (list->pub.kind != ROUSE_LIST || !config_node_child(list)) {
        mistakes_add(r->m, list->pub.line, list->pub.column,
                     "listen must be a list with at least one entry");
        mistakes_hint(r->m, "for example  listen: [{ address: 127.0.0.1:8080 }]");
        return;
    }
    for (const struct config_node *n = config_node_child(list); n; n = config_node_next(n)) {
        bool seen[SETTINGS_TABLE_MAX] = {false};
        struct listener_config *l = &c->listener[c->listeners];
        if (c->listeners == CONFIG_LISTENERS) {
            mistakes_add(r->m, n->pub.line, n->pub.column, "more than %d listeners",
                         CONFIG_LISTENERS);
            return;
        }
        if (n->pub.kind != ROUSE_MAP) {
            mistakes_add(r->m, n->pub.line, n->pub.column,
                         "a listener must be a map of settings, not %s", config_node_kind(n));
            mistakes_hint(r->m, "for example  - address: 127.0.0.1:8080");
            continue;
        }
        listener_config_init(l);
        settings_read_scope(r, SCOPE_LISTENER, n, l, seen, NULL, NULL);
        c->listeners++;
        need_certificates(r, n, seen);
        settings_judge_certificates(r, n, l);
        if (l->address[0] && !slice_ends(slice_of(l->address), SLICE(":0")) &&
            same_listener(c, l)) {
            mistakes_add(r->m, n->pub.line, n->pub.column, "%s is listened on twice", l->address);
            mistakes_hint(r->m, "remove one of the two");
        }
    }
}

/* listen, platforms and sites are read apart: sites need the platforms. */
static bool
is_section(struct settings_reader *r, const struct config_node *n, void *arg)
{
    const struct config_node **found = arg;

    (void)r;
    for (size_t i = 0; sections[i]; i++) {
        if (slice_eq(config_node_key(n), slice_of(sections[i]))) {
            if (!n->doubled)
                found[i] = n;
            return true;
        }
    }
    return false;
}

static void
read_root(struct settings_reader *r, const struct config_node *root)
{
    const struct config_node *found[3] = {NULL};
    bool seen[SETTINGS_TABLE_MAX] = {false};

    if (root->pub.kind != ROUSE_MAP) {
        mistakes_add(r->m, root->pub.line, root->pub.column,
                     "a configuration is a map of settings, not %s", config_node_kind(root));
        mistakes_hint(r->m, "`rouse config sample` prints one");
        return;
    }
    settings_read_scope(r, SCOPE_GATEWAY, root, r->config, seen, is_section, found);
    r->config->admin_socket_given = settings_seen(seen, SCOPE_GATEWAY, "admin.socket");
    for (size_t i = 0; sections[i]; i++) {
        if (found[i])
            continue;
        mistakes_add(r->m, root->pub.line, root->pub.column, "%s is missing", sections[i]);
        mistakes_hint(r->m, "`rouse config sample` shows how it is written");
    }
    if (found[0])
        read_listeners(r, found[0]);
    if (found[1])
        settings_read_platforms(r, found[1]);
    if (found[2])
        settings_read_sites(r, found[2]);
    gateway_config_settle(r->config);
}

static struct settings_owned *
owned_new(void)
{
    struct settings_owned *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    pool_init(&o->pool, OWNED_BLOCK, 0, 0);
    arena_init(&o->arena, &o->pool, OWNED_MAX);
    gateway_config_init(&o->config);
    o->config.owned = o;
    o->config.free_owned = free_owned;
    return o;
}

struct gateway_config *
settings_parse(const char *name, struct slice text, struct gateway_config *previous,
               struct mistakes *out)
{
    struct settings_owned *o = owned_new();
    struct settings_reader r;

    slice_copy(slice_of(name), out->file, sizeof out->file);
    if (text.p != out->source.p && buf_add_slice(&out->source, text))
        buf_clear(&out->source);
    if (!o) {
        mistakes_add(out, 0, 0, "out of memory");
        return NULL;
    }
    slice_copy(slice_of(name), o->config.source, sizeof o->config.source);
    o->config.hash = map_hash(text, 0, 0);
    r = (struct settings_reader){o, &o->config, previous, &o->arena, out};
    o->root = config_tree_read(text, &o->arena, out);
    if (o->root)
        read_root(&r, o->root);
    if (out->n > 0) {
        gateway_config_unref(&o->config);
        return NULL;
    }
    return &o->config;
}

/* ---- files --------------------------------------------------------------------------------- */

static int
read_text(int fd, struct mistakes *out)
{
    struct stat st;
    char block[16384];
    ssize_t got;

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        mistakes_add(out, 0, 0, "this is a directory");
        return -1;
    }
    while ((got = read(fd, block, sizeof block)) > 0) {
        if (out->source.n + (size_t)got > CONFIG_TREE_BYTES ||
            buf_add(&out->source, block, (size_t)got)) {
            mistakes_add(out, 0, 0, "the file is larger than %u MiB", CONFIG_TREE_BYTES >> 20);
            return -1;
        }
    }
    if (got < 0) {
        mistakes_add(out, 0, 0, "cannot read: %s", strerror(errno));
        return -1;
    }
    return 0;
}

struct gateway_config *
settings_load(const char *path, struct gateway_config *previous, struct mistakes *out)
{
    static const char *const places[] = {"rouse.yaml", ROUSE_SYSCONF_DIR "/rouse.yaml",
                                         "/etc/rouse/rouse.yaml"};
    struct gateway_config *c = NULL;
    char *whole = NULL;
    size_t i = 0;

    if (!path)
        for (path = places[0]; i < 2 && access(path, F_OK); i++)
            path = places[i + 1];
    slice_copy(slice_of(i == 2 ? places[0] : path), out->file, sizeof out->file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && i == 2) {
        mistakes_add(out, 0, 0, "no configuration: neither ./rouse.yaml nor /etc/rouse/rouse.yaml");
        mistakes_hint(out, "name it with -c FILE; `rouse demo` needs none");
        return NULL;
    }
    if (fd < 0) {
        mistakes_add(out, 0, 0, "cannot read: %s", strerror(errno));
        return NULL;
    }
    slice_copy(slice_of(path), out->file, sizeof out->file);
    char name[sizeof out->file];
    slice_copy(slice_of(path), name, sizeof name);
    if (read_text(fd, out) == 0)
        c = settings_parse(name, buf_slice(&out->source), previous, out);
    close(fd);
    if (c && (whole = realpath(path, NULL)) != NULL)
        slice_copy(slice_of(whole), c->source, sizeof c->source);
    free(whole);
    return c;
}

void
settings_restart_needed(const struct gateway_config *old, const struct gateway_config *new,
                        struct buf *out)
{
    unsigned n;
    const struct setting *t = setting_table(&n);
    bool listen = old->listeners != new->listeners;

    for (unsigned i = 0; !listen && i < new->listeners; i++)
        listen = strcmp(old->listener[i].address, new->listener[i].address) != 0;
    if (listen)
        buf_add_str(out, "listen");
    for (unsigned i = 0; i < n; i++) {
        if (t[i].scope != SCOPE_GATEWAY || !(t[i].flags & SETTING_RESTART) || t[i].size == 0)
            continue;
        if (memcmp((const char *)old + t[i].offset, (const char *)new + t[i].offset,
                   t[i].size) != 0)
            buf_printf(out, "%s%s", out->n > 0 ? ", " : "", t[i].path);
    }
}
