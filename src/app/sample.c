/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.c: the annotated configuration, made from the settings table. */
#include "config.h"

#include "app/sample.h"

#include "app/setting.h"

#define COMMENT_COLUMN 42

static const char intro[] =
    "# rouse.yaml: every setting, with its default. Made by `rouse config sample`.\n"
    "#\n"
    "# Durations: 250ms 45s 10m 1h.  Sizes: 64k 1m.  Rates: 10/s 12/10min.  0 means none, off\n"
    "# means unlimited. ${VAR} and ${VAR:-default} are variables of the environment; where a\n"
    "# secret is expected, { file: PATH } reads it from a file. `rouse check` finds every\n"
    "# mistake.\n";

/* One line: indent, "key: value", and the help from COMMENT_COLUMN on. */
static void
add_line(struct buf *out, const char *indent, struct slice key, struct slice value,
         const char *help)
{
    size_t start = out->n;

    buf_printf(out, "%s%.*s:", indent, SLICE_ARG(key));
    if (value.n > 0)
        buf_printf(out, " %.*s", SLICE_ARG(value));
    if (help) {
        do
            buf_add_char(out, ' ');
        while (out->n - start < COMMENT_COLUMN && !out->full);
        buf_printf(out, "# %s", help);
    }
    buf_add_char(out, '\n');
}

static bool
is_empty(const struct setting *s, const void *scope)
{
    bool text = s->type == SETTING_TEXT || s->type == SETTING_SECRET ||
                s->type == SETTING_ADDRESS || s->type == SETTING_HOST;

    if (s->type == SETTING_PLATFORM || s->type == SETTING_PLUGIN)
        return true;
    return text && !*((const char *)scope + s->offset);
}

static void
add_setting(struct buf *out, const struct setting *s, const void *scope, struct slice key,
            unsigned depth, bool first)
{
    char indent[32], text[512];
    struct buf value, lead;
    bool empty = is_empty(s, scope);

    buf_init_fixed(&lead, indent, sizeof indent);
    for (unsigned i = 0; i + (first && depth > 0) < depth; i++)
        buf_add_str(&lead, "  ");
    if (first && depth > 0)
        buf_add_str(&lead, "- ");
    if (empty && !(s->flags & SETTING_REQUIRED))
        buf_add_str(&lead, "# ");
    buf_init_fixed(&value, text, sizeof text);
    if (s->fallback || empty)
        buf_add_str(&value, s->fallback ? s->fallback : s->example);
    else
        setting_add_value(&value, s, scope);
    add_line(out, buf_cstr(&lead), key, buf_slice(&value), s->help);
}

/* Nothing in this group has a value that could be shown. */
static bool
is_empty_group(enum setting_scope scope, const void *target, struct slice name)
{
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    for (unsigned i = 0; i < rows; i++) {
        struct slice path = slice_of(t[i].path);

        if (t[i].scope == scope && t[i].type != SETTING_LATER && slice_starts(path, name) &&
            path.p[name.n] == '.' && !is_empty(&t[i], target))
            return false;
    }
    return true;
}

/* The rows of a scope; list: the first one begins an entry of a list. */
static void
add_scope(struct buf *out, enum setting_scope scope, const void *target, unsigned depth, bool list)
{
    struct slice group = SLICE_NONE;
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    for (unsigned i = 0; i < rows; i++) {
        struct slice path = slice_of(t[i].path);
        ptrdiff_t dot = slice_index(path, '.');
        unsigned deeper = depth;
        if (t[i].scope != scope || t[i].type == SETTING_LATER)
            continue;
        if (dot >= 0) {
            struct slice name = slice_sub(path, 0, (size_t)dot);
            if (!slice_eq(name, group)) {
                buf_printf(out, "%*s%s%.*s:\n", (int)depth * 2, "",
                           is_empty_group(scope, target, name) ? "# " : "", SLICE_ARG(name));
                group = name;
            }
            path = slice_sub(path, (size_t)dot + 1, path.n);
            deeper++;
        }
        add_setting(out, &t[i], target, path, deeper, list);
        list = false;
    }
}

void
sample_yaml(struct buf *out)
{
    struct listener_config listener;
    static const struct platform_config platform;
    struct gateway_config c;
    struct site site;

    gateway_config_init(&c);
    site_init(&site);
    listener_config_init(&listener);
    buf_add_str(out, intro);
    buf_add_str(out, "\nlisten:\n");
    add_scope(out, SCOPE_LISTENER, &listener, 2, true);
    buf_add_str(out, "\n");
    add_scope(out, SCOPE_GATEWAY, &c, 0, false);
    buf_add_str(out, "\nplatforms:\n  own:\n");
    add_scope(out, SCOPE_PLATFORM, &platform, 2, false);
    buf_add_str(out, "    inspect: \"http://127.0.0.1:9000/sandboxes/{id}\"\n"
                     "    resume: \"http://127.0.0.1:9000/sandboxes/{id}/resume\"\n"
                     "    pause: \"http://127.0.0.1:9000/sandboxes/{id}/pause\"\n");
    buf_add_str(out, "\nsites:\n");
    add_scope(out, SCOPE_SITE, &site, 2, true);
}
