/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings_platform.c: the map `platforms:`: each names its plugin, whose own table of options
 * (rouse/plugin.h) extends the settings there.
 */
#include "config.h"

#include "app/config_expand.h"
#include "app/settings_priv.h"
#include "app/suggest.h"

#include <string.h>

struct options {
    const struct rouse_plugin *plugin;
    struct rouse_value *value;
    unsigned n;
    const char *platform;
};

static unsigned
count_options(const struct rouse_plugin *p)
{
    unsigned n = 0;

    while (p->options && p->options[n].name)
        n++;
    return n;
}

static void
wrong(struct settings_reader *r, const struct config_node *n, const char *platform,
      const struct rouse_option *o, const char *expects, const char *hint)
{
    if (n->unset)
        return;
    if (n->pub.kind == ROUSE_SCALAR && !config_node_is_null(n) && o->type != ROUSE_SECRET)
        mistakes_add(r->m, n->pub.line, n->pub.column,
                     "platforms.%.40s.%.40s: \"%.60s\" is not %s", platform, o->name,
                     n->secret ? "(not shown)" : n->pub.value.p, expects);
    else
        mistakes_add(r->m, n->pub.line, n->pub.column,
                     "platforms.%.40s.%.40s must be %s, not %s", platform, o->name, expects,
                     config_node_kind(n));
    if (hint)
        mistakes_hint(r->m, "%s", hint);
}

/* NULL, or the hint, for a text that is not the option's type. */
static const char *
number_slip(const struct rouse_option *o, struct slice text, struct rouse_value *v)
{
    const char *hint = NULL;
    uint64_t u = 0;
    usec_t d;
    bool b;

    if (o->type == ROUSE_DURATION) {
        if (units_duration(text, &d, &hint))
            return hint;
        v->number = d;
    } else if (o->type == ROUSE_BOOL) {
        if (setting_read_bool(text, &b))
            return "write true or false";
        v->number = b;
        return NULL;
    } else if (o->type == ROUSE_SIZE) {
        if (units_size(text, &u, &hint))
            return hint;
        v->number = u > INT64_MAX ? INT64_MAX : (int64_t)u;
    } else {
        if (slice_u64(text, INT64_MAX, &u))
            return "write it in plain digits";
        v->number = (int64_t)u;
    }
    if ((o->min != 0 || o->max != 0) && (v->number < o->min || v->number > o->max))
        return v->number < o->min ? "that is too little" : "that is too much";
    return NULL;
}

static const char *
url_slip(struct slice s)
{
    bool secure = slice_starts(s, SLICE("https://"));
    struct slice rest = slice_sub(s, secure ? 8 : 7, s.n);

    if ((!secure && !slice_starts(s, SLICE("http://"))) || rest.n == 0 || rest.p[0] == '/')
        return "write http://host[:port]/path, or https://...";
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > '~')
            return "a URL has no blanks and no letters beyond ASCII: write them as %20";
    return slice_index(s, '#') >= 0 ? "a fragment (#...) is not sent" : NULL;
}

static const char *
option_expects(enum rouse_option_type t)
{
    static const char *const names[] = {
        [ROUSE_STRING] = "a text",     [ROUSE_SECRET] = "a text or {file: PATH}",
        [ROUSE_URL] = "a URL",         [ROUSE_DURATION] = "a duration",
        [ROUSE_SIZE] = "a size",       [ROUSE_INTEGER] = "a number",
        [ROUSE_BOOL] = "true or false", [ROUSE_HEADERS] = "a map of names to texts",
        [ROUSE_NODE] = "a value",
    };

    return names[t];
}

/* A map of names to texts or {file:}: given to the plugin with the files read. */
static const struct rouse_node *
read_headers(struct settings_reader *r, const struct config_node *n, struct options *x,
             const struct rouse_option *o)
{
    struct config_node *map = arena_alloc(r->arena, sizeof *map);
    const struct rouse_node **tail;

    if (n->pub.kind != ROUSE_MAP) {
        wrong(r, n, x->platform, o, option_expects(o->type), NULL);
        return NULL;
    }
    if (!map) {
        mistakes_add(r->m, 0, 0, "out of memory");
        return NULL;
    }
    *map = *n;
    map->pub.child = NULL;
    tail = &map->pub.child;
    for (const struct config_node *c = config_node_child(n); c; c = config_node_next(c)) {
        struct config_node *copy = arena_alloc(r->arena, sizeof *copy);
        struct slice text = setting_read_secret(c, c->pub.key.p, r->arena, r->m);
        if (!copy)
            mistakes_add(r->m, 0, 0, "out of memory");
        if (!copy || !text.p)
            continue;
        *copy = *c;
        copy->pub.kind = ROUSE_SCALAR;
        copy->pub.value = (struct rouse_text){text.p, text.n};
        copy->pub.child = copy->pub.next = NULL;
        copy->secret = true;
        *tail = &copy->pub;
        tail = &copy->pub.next;
    }
    return &map->pub;
}

/* The tree alone: what stands behind it in the platform is not the plugin's to see. */
static const struct rouse_node *
read_tree(struct settings_reader *r, const struct config_node *n)
{
    struct config_node *alone = arena_alloc(r->arena, sizeof *alone);

    if (!alone) {
        mistakes_add(r->m, 0, 0, "out of memory");
        return NULL;
    }
    *alone = *n;
    alone->pub.next = NULL;
    return &alone->pub;
}

static void
read_option(struct settings_reader *r, const struct config_node *n, struct options *x, unsigned i)
{
    const struct rouse_option *o = &x->plugin->options[i];
    struct rouse_value *v = &x->value[i];
    struct slice text = SLICE_NONE;
    const char *slip = NULL;

    v->given = 1;
    if (o->type == ROUSE_NODE) {
        v->node = read_tree(r, n);
        return;
    }
    if (o->type == ROUSE_HEADERS) {
        v->node = read_headers(r, n, x, o);
        return;
    }
    if (o->type == ROUSE_SECRET) {
        text = setting_read_secret(n, o->name, r->arena, r->m);
        v->text = (struct rouse_text){text.p, text.n};
        return;
    }
    if (n->pub.kind != ROUSE_SCALAR || config_node_is_null(n)) {
        wrong(r, n, x->platform, o, option_expects(o->type), NULL);
        return;
    }
    text = config_node_text(n);
    v->text = (struct rouse_text){text.p, text.n};
    if (o->type == ROUSE_URL)
        slip = url_slip(text);
    else if (o->type != ROUSE_STRING)
        slip = number_slip(o, text, v);
    if (slip)
        wrong(r, n, x->platform, o, option_expects(o->type), slip);
}

/* A key of the platform that is no setting: one of its plugin's options? */
static bool
on_option(struct settings_reader *r, const struct config_node *n, void *arg)
{
    struct options *x = arg;
    struct slice key = config_node_key(n), best;
    struct suggest g;

    suggest_init(&g, key);
    if (!x->plugin) {
        /* Which are known cannot be told: the missing plugin is the mistake, or this is it. */
        suggest_offer(&g, SLICE("plugin"));
        return !suggest_best(&g).p;
    }
    if (n->doubled)
        return true;
    for (unsigned i = 0; i < x->n; i++) {
        struct slice name = slice_of(x->plugin->options[i].name);
        if (slice_eq(key, name)) {
            read_option(r, n, x, i);
            return true;
        }
        suggest_offer(&g, name);
    }
    suggest_offer(&g, SLICE("plugin"));
    best = suggest_best(&g);
    mistakes_add(r->m, n->key_line, n->key_column,
                 "unknown key \"%.60s\": not an option of plugin %s", key.p, x->plugin->name);
    if (best.p)
        mistakes_hint(r->m, "did you mean \"%.*s\"?", SLICE_ARG(best));
    else
        mistakes_hint(r->m, "`rouse help %s` lists its options", x->plugin->name);
    return true;
}

static const struct rouse_plugin *
find_plugin(struct settings_reader *r, const struct config_node *n)
{
    const struct config_node *p = config_node_get(n, "plugin");
    char text[512], names[256];
    struct buf why, list;
    const struct rouse_plugin *plugin;

    if (!p)
        return NULL;
    if (p->pub.kind != ROUSE_SCALAR || config_node_is_null(p)) {
        mistakes_add(r->m, p->pub.line, p->pub.column, "plugin must be a name, not %s",
                     config_node_kind(p));
        return NULL;
    }
    buf_init_fixed(&why, text, sizeof text);
    plugin = plugin_load(p->pub.value.p, &why);
    if (plugin)
        return plugin;
    mistakes_add(r->m, p->pub.line, p->pub.column, "plugin \"%.60s\": %s", p->pub.value.p,
                 buf_cstr(&why));
    buf_init_fixed(&list, names, sizeof names);
    plugin_list(&list);
    struct slice rest = buf_slice(&list), one, best;
    struct suggest g;
    suggest_init(&g, config_node_text(p));
    while (rest.n > 0 && slice_next(&rest, ',', &one))
        suggest_offer(&g, one);
    best = suggest_best(&g);
    if (best.p && g.distance > 0)
        mistakes_hint(r->m, "did you mean \"%.*s\"?", SLICE_ARG(best));
    else if (!best.p)
        mistakes_hint(r->m, "there are: %s", buf_cstr(&list));
    return NULL;
}

static void
fill_missing(struct settings_reader *r, const struct config_node *n, struct options *x)
{
    for (unsigned i = 0; i < x->n; i++) {
        const struct rouse_option *o = &x->plugin->options[i];
        struct rouse_value *v = &x->value[i];
        if (v->given)
            continue;
        if (o->required) {
            mistakes_add(r->m, n->pub.line, n->pub.column, "%s is missing here: plugin %s needs it",
                         o->name, x->plugin->name);
            mistakes_hint(r->m, "%s: %s", o->name, o->help);
        } else if (o->fallback) {
            struct slice text = slice_of(o->fallback);
            v->text = (struct rouse_text){text.p, text.n};
            if (o->type >= ROUSE_DURATION && o->type <= ROUSE_BOOL)
                (void)number_slip(o, text, v);
        }
    }
}

static uint64_t
hash_node(const struct rouse_node *n, uint64_t seed)
{
    for (; n; n = n->next) {
        seed = map_hash((struct slice){n->key.p, n->key.n}, seed, (uint64_t)n->kind);
        seed = map_hash((struct slice){n->value.p, n->value.n}, seed, 1);
        if (n->kind != ROUSE_SCALAR)
            seed = hash_node(n->child, seed + 1);
    }
    return seed;
}

/* Over the values as the plugin sees them: a changed file or variable counts. */
static uint64_t
hash_options(const struct options *x)
{
    uint64_t h = map_hash(slice_of(x->plugin->name), 0, 0);

    for (unsigned i = 0; i < x->n; i++) {
        const struct rouse_value *v = &x->value[i];
        h = map_hash((struct slice){v->text.p, v->text.n}, h, i);
        h = hash_node(v->node, h);
    }
    return h;
}

static void
read_platform(struct settings_reader *r, const struct config_node *n, struct platform_config *p)
{
    struct options x = {.platform = p->name};
    bool seen[SETTINGS_TABLE_MAX] = {false};
    struct rouse_mistake mistake = {0};
    unsigned before = r->m->n;

    p->line = n->pub.line;
    p->column = n->pub.column;
    p->module = x.plugin = find_plugin(r, n);
    if (x.plugin) {
        slice_copy(slice_of(x.plugin->name), p->plugin, sizeof p->plugin);
        p->loopback = x.plugin->loopback;
        x.n = count_options(x.plugin);
        x.value = arena_alloc(r->arena, (x.n + 1) * sizeof *x.value);
        if (!x.value) {
            mistakes_add(r->m, 0, 0, "out of memory");
            return;
        }
        memset(x.value, 0, (x.n + 1) * sizeof *x.value);
        p->values = x.value;
    }
    settings_read_scope(r, SCOPE_PLATFORM, n, p, seen, on_option, &x);
    if (!x.plugin)
        return;
    fill_missing(r, n, &x);
    p->hash = hash_options(&x);
    if (r->m->n > before || plugin_check(x.plugin, p->name, x.value, &mistake) == 0)
        return;
    mistakes_add(r->m, mistake.line > 0 ? mistake.line : p->line,
                 mistake.line > 0 ? mistake.column : p->column, "platforms.%s: %s", p->name,
                 mistake.text);
    if (mistake.hint[0])
        mistakes_hint(r->m, "%s", mistake.hint);
}

static bool
is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = slice_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return s.n > 0 && s.n < sizeof ((struct platform_config *)NULL)->name;
}

/* The slot of a platform: its old one, or the next that never was; -1: no room. */
static int
platform_slot(struct settings_reader *r, struct slice name)
{
    struct gateway_config *c = r->config;
    unsigned old = r->previous ? r->previous->platforms : 0;

    for (unsigned i = 0; i < old; i++)
        if (slice_eq(name, slice_of(r->previous->platform[i].name)))
            return (int)i;
    if (c->platforms < CONFIG_PLATFORMS)
        return (int)c->platforms++;
    for (unsigned i = 0; i < CONFIG_PLATFORMS; i++)
        if (!c->platform[i].used)
            return (int)i;
    return -1;
}

void
settings_read_platforms(struct settings_reader *r, const struct config_node *map)
{
    struct gateway_config *c = r->config;

    c->platform = arena_alloc(r->arena, CONFIG_PLATFORMS * sizeof *c->platform);
    if (map->pub.kind != ROUSE_MAP || !config_node_child(map) || !c->platform) {
        mistakes_add(r->m, map->pub.line, map->pub.column,
                     "platforms must be a map with at least one platform");
        mistakes_hint(r->m, "for example  platforms: { own: { plugin: http, inspect: URL } }");
        return;
    }
    memset(c->platform, 0, CONFIG_PLATFORMS * sizeof *c->platform);
    c->platforms = r->previous ? r->previous->platforms : 0;
    for (unsigned i = 0; i < c->platforms; i++) {
        c->platform[i].number = (uint16_t)i;
        slice_copy(slice_of(r->previous->platform[i].name), c->platform[i].name, 64);
    }
    for (const struct config_node *n = config_node_child(map); n; n = config_node_next(n)) {
        int slot = -1;
        if (!is_name(config_node_key(n))) {
            mistakes_add(r->m, n->key_line, n->key_column,
                         "\"%.60s\" is not a name for a platform", n->pub.key.p);
            mistakes_hint(r->m, "names are made of letters, digits, - and _, at most 63");
        } else if (n->pub.kind != ROUSE_MAP) {
            mistakes_add(r->m, n->pub.line, n->pub.column,
                         "platform %s must be a map of settings, not %s", n->pub.key.p,
                         config_node_kind(n));
            mistakes_hint(r->m, "under its name, further in: plugin: and its options");
        } else if (!n->doubled && (slot = platform_slot(r, config_node_key(n))) < 0) {
            mistakes_add(r->m, n->key_line, n->key_column, "more than %d platforms",
                         CONFIG_PLATFORMS);
        }
        if (slot < 0)
            continue;
        struct platform_config *p = &c->platform[slot];
        p->used = true;
        p->number = (uint16_t)slot;
        slice_copy(config_node_key(n), p->name, sizeof p->name);
        read_platform(r, n, p);
    }
}
