/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_config.c: walks the settings table over a snapshot. One walker, two pens: YAML and JSON.
 * Values of secrets, of header maps, and of scalars that came from variables are masked.
 */
#include "config.h"

#include "app/show_config.h"

#include "app/setting.h"
#include "base/jsonw.h"

#include <string.h>

struct pen {
    struct buf *out;
    struct jsonw j;
    bool json;
    unsigned depth; /* YAML: levels of two blanks */
    bool item;      /* YAML: the next line begins an entry of a list */
};

static void
indent(struct pen *p)
{
    for (unsigned i = 0; i + p->item < p->depth; i++)
        buf_add_str(p->out, "  ");
    if (p->item)
        buf_add_str(p->out, "- ");
    p->item = false;
}

static void
open_map(struct pen *p, struct slice key)
{
    char text[128];

    slice_copy(key, text, sizeof text);
    if (p->json) {
        jsonw_key(&p->j, text);
        jsonw_object(&p->j);
        return;
    }
    indent(p);
    setting_add_scalar(p->out, key);
    buf_add_str(p->out, ":\n");
    p->depth++;
}

static void
close_map(struct pen *p)
{
    if (p->json)
        jsonw_object_end(&p->j);
    else
        p->depth--;
}

static void
open_list(struct pen *p, const char *key)
{
    if (p->json) {
        jsonw_key(&p->j, key);
        jsonw_array(&p->j);
        return;
    }
    indent(p);
    buf_printf(p->out, "%s:\n", key);
    p->depth += 2;
}

static void
close_list(struct pen *p)
{
    if (p->json)
        jsonw_array_end(&p->j);
    else
        p->depth -= 2;
}

static void
open_item(struct pen *p)
{
    if (p->json)
        jsonw_object(&p->j);
    else
        p->item = true;
}

static void
close_item(struct pen *p)
{
    if (p->json)
        jsonw_object_end(&p->j);
}

/* value: as YAML has it. */
static void
put(struct pen *p, struct slice key, struct slice value)
{
    char text[128];

    slice_copy(key, text, sizeof text);
    if (p->json) {
        if (value.n >= 2 && value.p[0] == '"')
            value = slice_sub(value, 1, value.n - 1);
        jsonw_kv_slice(&p->j, text, value);
        return;
    }
    indent(p);
    setting_add_scalar(p->out, key);
    buf_printf(p->out, ": %.*s\n", SLICE_ARG(value));
}

static void
put_setting(struct pen *p, const struct setting *s, struct slice key, const void *scope,
            const struct gateway_config *c)
{
    struct buf b;

    buf_init(&b, 1u << 20);
    if (s->type == SETTING_PLATFORM)
        setting_add_scalar(&b, slice_of(c->platform[((const struct site *)scope)->platform].name));
    else if (s->type == SETTING_PLUGIN)
        setting_add_scalar(&b, slice_of(((const struct platform_config *)scope)->plugin));
    else
        setting_add_value(&b, s, scope);
    put(p, key, buf_slice(&b));
    buf_fini(&b);
}

static void
put_scope(struct pen *p, enum setting_scope scope, const void *target, const char *under,
          const struct gateway_config *c)
{
    struct slice group = SLICE_NONE;
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    for (unsigned i = 0; i < rows; i++) {
        struct slice path = slice_of(t[i].path);
        ptrdiff_t dot = slice_index(path, '.');
        struct slice name = dot < 0 ? SLICE_NONE : slice_sub(path, 0, (size_t)dot);
        if (t[i].scope != scope || t[i].type == SETTING_LATER ||
            (under[0] && !slice_eq(name, slice_of(under))))
            continue;
        if (!slice_eq(name, group)) {
            if (group.n > 0)
                close_map(p);
            if (name.n > 0)
                open_map(p, name);
            group = name;
        }
        put_setting(p, &t[i], dot < 0 ? path : slice_sub(path, (size_t)dot + 1, path.n), target,
                    c);
    }
    if (group.n > 0)
        close_map(p);
}

/* A plugin's own tree in flow style; depth is bounded by the reader. */
static void
add_tree(struct buf *out, const struct rouse_node *n)
{
    const struct config_node *c = config_node_of(n);

    if (n->kind == ROUSE_SCALAR) {
        if (c->secret)
            buf_add_str(out, "\"***\"");
        else
            setting_add_scalar(out, config_node_text(c));
        return;
    }
    buf_add_str(out, n->kind == ROUSE_MAP ? "{ " : "[");
    for (const struct rouse_node *k = n->child; k; k = k->next) {
        if (n->kind == ROUSE_MAP) {
            setting_add_scalar(out, (struct slice){k->key.p, k->key.n});
            buf_add_str(out, ": ");
        }
        add_tree(out, k);
        if (k->next)
            buf_add_str(out, ", ");
    }
    buf_add_str(out, n->kind == ROUSE_MAP ? " }" : "]");
}

static void
put_option(struct pen *p, const struct rouse_option *o, const struct rouse_value *v)
{
    struct buf b;

    if (!v->text.p && !v->node)
        return;
    buf_init(&b, 8u << 20);
    if (o->type == ROUSE_SECRET)
        buf_add_str(&b, "\"***\"");
    else if (v->node)
        add_tree(&b, v->node);
    else
        setting_add_scalar(&b, (struct slice){v->text.p, v->text.n});
    put(p, slice_of(o->name), buf_slice(&b));
    buf_fini(&b);
}

static void
put_platforms(struct pen *p, const struct gateway_config *c)
{
    open_map(p, SLICE("platforms"));
    for (unsigned i = 0; i < c->platforms; i++) {
        const struct platform_config *x = &c->platform[i];
        if (!x->used)
            continue;
        open_map(p, slice_of(x->name));
        put_scope(p, SCOPE_PLATFORM, x, "", c);
        for (unsigned k = 0; x->module->options && x->module->options[k].name; k++)
            put_option(p, &x->module->options[k], &x->values[k]);
        close_map(p);
    }
    close_map(p);
}

static void
put_all(struct pen *p, const struct gateway_config *c, const char *under)
{
    if (under[0]) {
        put_scope(p, SCOPE_GATEWAY, c, under, c);
        return;
    }
    open_list(p, "listen");
    for (unsigned i = 0; i < c->listeners; i++) {
        open_item(p);
        put_scope(p, SCOPE_LISTENER, &c->listener[i], "", c);
        close_item(p);
    }
    close_list(p);
    put_scope(p, SCOPE_GATEWAY, c, "", c);
    put_platforms(p, c);
    open_list(p, "sites");
    for (unsigned i = 0; i < c->sites; i++) {
        if (!c->site[i].used)
            continue;
        open_item(p);
        put_scope(p, SCOPE_SITE, &c->site[i], "", c);
        close_item(p);
    }
    close_list(p);
}

void
show_config_yaml(struct buf *out, const struct gateway_config *c, const char *under)
{
    struct pen p = {.out = out};

    put_all(&p, c, under);
}

void
show_config_json(struct buf *out, const struct gateway_config *c, const char *under)
{
    struct pen p = {.out = out, .json = true};

    jsonw_init(&p.j, out);
    jsonw_object(&p.j);
    put_all(&p, c, under);
    jsonw_object_end(&p.j);
    buf_add_char(out, '\n');
}
