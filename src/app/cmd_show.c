/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_show.c: rouse show: lists of a running gateway, and the configuration in force. */
#include "config.h"

#include "app/admin_client.h"
#include "app/settings.h"
#include "app/show_config.h"
#include "app/table.h"

#include <stdio.h>
#include <string.h>

static const struct table_column sandboxes[] = {
    {"SANDBOX", "id", TABLE_TEXT},        {"PLATFORM", "platform", TABLE_TEXT},
    {"STATE", "state", TABLE_TEXT},       {"WAITING", "waiters", TABLE_NUMBER},
    {"OPEN", "open", TABLE_NUMBER},       {"IDLE", "idle_ms", TABLE_MS},
    {"WAKES", "wakes", TABLE_NUMBER},     {"PAUSES", "pauses", TABLE_NUMBER},
    {"AWAKE BECAUSE", "awake_because", TABLE_TEXT}, {NULL, NULL, TABLE_TEXT},
};
static const struct table_column wakes[] = {
    {"SANDBOX", "id", TABLE_TEXT},      {"PLATFORM", "platform", TABLE_TEXT},
    {"STATE", "state", TABLE_TEXT},     {"WAITING", "waiters", TABLE_NUMBER},
    {"EPOCH", "epoch", TABLE_NUMBER},   {NULL, NULL, TABLE_TEXT},
};
static const struct table_column holds[] = {
    {"SANDBOX", "id", TABLE_TEXT},      {"PLATFORM", "platform", TABLE_TEXT},
    {"PORT", "port", TABLE_NUMBER},     {"CLASS", "class", TABLE_TEXT},
    {"PHASE", "phase", TABLE_TEXT},     {"HELD", "age_ms", TABLE_MS},
    {"LEFT", "left_ms", TABLE_MS},      {NULL, NULL, TABLE_TEXT},
};

static int
show_config(const struct command_args *a, const char *under)
{
    struct mistakes m;
    struct buf out;

    mistakes_init(&m);
    struct gateway_config *c = settings_load(a->config, NULL, &m);
    if (!c) {
        mistakes_print(&m, stderr);
        mistakes_fini(&m);
        return EXIT_CONFIG;
    }
    buf_init(&out, 64u << 20);
    if (a->json)
        show_config_json(&out, c, under);
    else
        show_config_yaml(&out, c, under);
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
    gateway_config_unref(c);
    mistakes_fini(&m);
    return EXIT_FINE;
}

/* Those that are being woken, of all sandboxes. */
static void
keep_waking(json_t *list)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (!json_is_true(json_object_get(json_array_get(list, i), "waking")))
            json_array_remove(list, i);
}

static int
show_list(const struct command_args *a, const char *path, const char *key,
          const struct table_column *columns, const char *none)
{
    struct admin_answer x;
    int status = admin_call(a, "GET", path, &x);

    if (status == EXIT_FINE) {
        json_t *list = json_object_get(x.json, key);
        if (columns == wakes)
            keep_waking(list);
        if (a->json) {
            json_dumpf(list, stdout, TABLE_JSON);
            putchar('\n');
        } else {
            table_print(stdout, list, columns, none);
            if (json_is_true(json_object_get(x.json, "truncated")))
                puts("(there are more)");
        }
    }
    admin_answer_fini(&x);
    return status;
}

static int
show_errors(const struct command_args *a)
{
    struct admin_answer x;
    int status = admin_call(a, "GET", "/errors", &x);
    json_t *errors = json_object_get(x.json, "errors");

    if (status == EXIT_FINE && a->json) {
        json_dumpf(errors, stdout, TABLE_JSON);
        putchar('\n');
    } else if (status == EXIT_FINE) {
        void *at = json_object_iter(errors);
        if (!at)
            puts("no errors");
        for (; at; at = json_object_iter_next(errors, at))
            printf("%-24s %lld\n", json_object_iter_key(at),
                   (long long)json_integer_value(json_object_iter_value(at)));
    }
    admin_answer_fini(&x);
    return status;
}

static int
run_show(const struct command *c, const struct command_args *a)
{
    const char *what = a->word[0];

    if (strcmp(what, "sandboxes") == 0)
        return show_list(a, "/sandboxes", "sandboxes", sandboxes, "no sandboxes known");
    if (strcmp(what, "holds") == 0)
        return show_list(a, "/holds", "holds", holds, "nothing is held");
    if (strcmp(what, "wakes") == 0)
        return show_list(a, "/sandboxes", "sandboxes", wakes, "nothing is being woken");
    if (strcmp(what, "errors") == 0)
        return show_errors(a);
    if (strcmp(what, "config") == 0)
        return show_config(a, "");
    if (strcmp(what, "limits") == 0)
        return show_config(a, "limits");
    if (strcmp(what, "streams") == 0 || strcmp(what, "connections") == 0)
        return command_usage(c, "show %s is not available in this version", what);
    return command_usage(c, "nothing to show by the name \"%.40s\"", what);
}

const struct command cmd_show = {
    .name = "show", .args = "WHAT", .summary = "sandboxes, holds, wakes, errors, config or limits",
    .help = "config and limits show what is in force, read from the configuration, with secrets\n"
            "masked; the others ask the running gateway.",
    .takes = TAKES_SOCKET | TAKES_OUTPUT | TAKES_CONFIG,
    .min_words = 1, .max_words = 1, .run = run_show,
};
