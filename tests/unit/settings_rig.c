/* SPDX-License-Identifier: BSD-2-Clause */
/* settings_rig.c: see settings_rig.h. */
#include "config.h"

#include "settings_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
rig_setup(void)
{
    const char *top = getenv("TOP_BUILDDIR");
    char dir[4096];

    snprintf(dir, sizeof dir, "%s/plugins", top ? top : ".");
    setenv("ROUSE_PLUGIN_DIR", dir, 1);
}

void
rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    buf_init(&r->text, 8u << 20);
    mistakes_init(&r->m);
}

void
rig_fini(struct rig *r)
{
    buf_fini(&r->text);
    mistakes_fini(&r->m);
    gateway_config_unref(r->config);
    r->config = NULL;
}

void
rig_add(struct rig *r, const char *fmt, ...)
{
    va_list ap;
    size_t from = r->text.n;

    va_start(ap, fmt);
    ensure(buf_vprintf(&r->text, fmt, ap) == 0);
    va_end(ap);
    for (size_t i = from; i < r->text.n; i++)
        r->line += r->text.p[i] == '\n';
}

const char *
rig_key(const struct setting *s)
{
    const char *dot = strrchr(s->path, '.');

    return dot ? dot + 1 : s->path;
}

/* The row's line, inside its group if it has one, at so many blanks. */
static void
add_row(struct rig *r, const struct setting *s, const char *key, const char *value, int times,
        int blanks)
{
    const char *dot = strrchr(s->path, '.');
    int inside = blanks;

    if (dot) {
        rig_add(r, "%*s%.*s:\n", blanks, "", (int)(dot - s->path), s->path);
        inside += 2;
    }
    for (int i = 0; i < times; i++)
        rig_add(r, "%*s%s: %s\n", inside, "", key, value);
}

/* One scope: its required rows but `without`, then `with`. */
static void
add_scope(struct rig *r, enum setting_scope scope, const struct setting *without,
          const struct setting *with, const char *key, const char *value, int times, int *line)
{
    int blanks = scope == SCOPE_GATEWAY ? 0 : 4;
    unsigned n;
    const struct setting *t = setting_table(&n);

    for (unsigned i = 0; i < n; i++)
        if (t[i].scope == scope && (t[i].flags & SETTING_REQUIRED) && &t[i] != without &&
            &t[i] != with)
            rig_add(r, "%*s%s: %s\n", blanks, "", t[i].path, t[i].example);
    if (with && with->scope == scope) {
        add_row(r, with, key, value, times, blanks);
        *line = r->line;
    }
}

void
rig_write(struct rig *r, const struct setting *without, const struct setting *with,
          const char *key, const char *value, int times)
{
    int line = 0;

    rig_fini(r);
    rig_init(r);
    rig_add(r, "# a configuration\nlisten:\n  -\n");
    add_scope(r, SCOPE_LISTENER, without, with, key, value, times, &line);
    add_scope(r, SCOPE_GATEWAY, without, with, key, value, times, &line);
    rig_add(r, "platforms:\n  own:\n");
    add_scope(r, SCOPE_PLATFORM, without, with, key, value, times, &line);
    rig_add(r, "    inspect: http://127.0.0.1:1/{id}\nsites:\n  -\n");
    add_scope(r, SCOPE_SITE, without, with, key, value, times, &line);
    r->line = line;
}

void
rig_read(struct rig *r)
{
    r->config = settings_parse("rig.yaml", buf_slice(&r->text), NULL, &r->m);
}

const struct mistake *
rig_find(const struct rig *r, const char *s)
{
    for (unsigned i = 0; i < r->m.n; i++)
        if (strstr(r->m.list[i].what, s) || strstr(r->m.list[i].hint, s))
            return &r->m.list[i];
    return NULL;
}
