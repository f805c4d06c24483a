/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_help.c: rouse help [COMMAND | SLUG | PLUGIN]. */
#include "config.h"

#include "app/command.h"
#include "app/reason_help.h"
#include "app/suggest.h"
#include "gateway/plugin_load.h"

#include <stdio.h>

static void
print_reason(enum reason r)
{
    const struct reason_row *row = reason_row(r);
    struct reason_help h = reason_help(r);

    printf("%s", row->slug);
    if (row->status > 0)
        printf("  (HTTP %d", row->status);
    if (row->status > 0 && row->e2b_status != row->status)
        printf(", E2B dialect %d", row->e2b_status);
    puts(row->status > 0 ? ")" : "  (in the log and the counters only)");
    printf("\n%s\n\n%s\n", h.meaning, h.remedy);
    if (row->retry_after != RA_NONE)
        puts("\nThe answer has Retry-After: trying again can help.");
}

static void
print_plugin(const struct rouse_plugin *p)
{
    static const char *const types[] = {
        [ROUSE_STRING] = "text",     [ROUSE_SECRET] = "secret",   [ROUSE_URL] = "URL",
        [ROUSE_DURATION] = "duration", [ROUSE_SIZE] = "size",     [ROUSE_INTEGER] = "number",
        [ROUSE_BOOL] = "true|false", [ROUSE_HEADERS] = "headers", [ROUSE_NODE] = "tree",
    };

    printf("plugin %s %s: %s\n\noptions of a platform with it:\n", p->name,
           p->version ? p->version : "", p->help ? p->help : "");
    for (const struct rouse_option *o = p->options; o && o->name; o++)
        printf("  %-16s %-10s %s%s%s%s\n", o->name, types[o->type], o->help ? o->help : "",
               o->required ? " (required)" : "", o->fallback ? "; default " : "",
               o->fallback ? o->fallback : "");
}

static int
unknown(const struct command *c, const char *word)
{
    struct suggest g;

    suggest_init(&g, slice_of(word));
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++)
        suggest_offer(&g, slice_of(reason_slug((enum reason)r)));
    for (const struct command *const *t = command_table(); *t; t++)
        suggest_offer(&g, slice_of((*t)->name));
    struct slice best = suggest_best(&g);
    if (!best.p)
        return command_usage(c, "no command, error or plugin \"%.60s\"", word);
    fprintf(stderr, "rouse: no command, error or plugin \"%.60s\"\nhint: did you mean \"%.*s\"?\n",
            word, SLICE_ARG(best));
    return EXIT_USAGE;
}

static int
run_help(const struct command *c, const struct command_args *a)
{
    const struct command *other;
    const struct rouse_plugin *plugin;
    char text[512];
    struct buf why;
    enum reason r;

    if (a->words == 0) {
        command_print_all();
        return EXIT_FINE;
    }
    if ((other = command_find(a->word[0])) != NULL) {
        command_print_help(other);
        return EXIT_FINE;
    }
    if ((r = reason_of_slug(slice_of(a->word[0]))) != REASON_NONE) {
        print_reason(r);
        return EXIT_FINE;
    }
    buf_init_fixed(&why, text, sizeof text);
    if ((plugin = plugin_load(a->word[0], &why)) != NULL) {
        print_plugin(plugin);
        return EXIT_FINE;
    }
    return unknown(c, a->word[0]);
}

const struct command cmd_help = {
    .name = "help", .args = "[SLUG]",
    .summary = "what an error means, a command does, or a plugin's options are",
    .help = "SLUG is the error of an answer or a log line (port_closed); also the name of a\n"
            "command or of a plugin.",
    .max_words = 1, .run = run_help,
};
