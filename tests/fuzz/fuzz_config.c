/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_config.c: a configuration. It gives a snapshot, which can be shown, or at least one mistake
 * whose place lies in the text, and that can be printed.
 */
#include "config.h"

#include "app/settings.h"
#include "app/show_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ensure_places(const struct mistakes *m, struct slice text)
{
    int lines = 1;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n' || text.p[i] == '\r';
    ensure(m->n > 0);
    for (unsigned i = 0; i < m->n; i++) {
        const struct mistake *x = &m->list[i];
        ensure(x->line >= 0 && x->column >= 0 && x->what[0]);
        ensure((size_t)x->line <= (size_t)lines + text.n && (size_t)x->column <= text.n + 2);
    }
}

static struct gateway_config *
parse(struct slice text, struct mistakes *m)
{
    mistakes_init(m);
    return settings_parse("fuzz", text, NULL, m);
}

static void
ensure_shown(const struct gateway_config *c)
{
    struct buf yaml, json;

    buf_init(&yaml, 64u << 20);
    buf_init(&json, 64u << 20);
    show_config_yaml(&yaml, c, "");
    show_config_json(&json, c, "");
    ensure(!yaml.full && !json.full && yaml.n > 0 && json.n > 0);
    buf_fini(&yaml);
    buf_fini(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct mistakes m;
    struct gateway_config *c = parse(text, &m);
    FILE *null;

    if (c) {
        ensure(m.n == 0);
        ensure_shown(c);
    } else {
        ensure_places(&m, text);
        if ((null = fopen("/dev/null", "w")) != NULL) {
            mistakes_print(&m, null);
            fclose(null);
        }
    }
    gateway_config_unref(c);
    mistakes_fini(&m);
    return 0;
}
