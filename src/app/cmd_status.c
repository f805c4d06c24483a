/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_status.c: rouse status: a running gateway on one screen. */
#include "config.h"

#include "app/admin_client.h"
#include "app/table.h"

#include <stdio.h>

static const struct {
    const char *title, *key;
    enum table_kind kind;
} lines[] = {
    {"version", "version", TABLE_TEXT},
    {"up", "uptime_ms", TABLE_MS},
    {"configuration", "config", TABLE_TEXT},
    {"config hash", "config_hash", TABLE_TEXT},
    {"store", "store", TABLE_TEXT},
    {"draining", "draining", TABLE_TEXT},
    {"workers", "workers", TABLE_NUMBER},
    {"connections", "connections", TABLE_NUMBER},
    {"sandboxes", "sandboxes", TABLE_NUMBER},
    {"held now", "holds", TABLE_NUMBER},
    {"waking now", "wakes_in_flight", TABLE_NUMBER},
    {"requests", "requests", TABLE_NUMBER},
    {"answered", "answered", TABLE_NUMBER},
    {"cut off", "aborted", TABLE_NUMBER},
    {"client left", "client_left", TABLE_NUMBER},
    {"wakes", "wakes", TABLE_NUMBER},
    {"pauses", "pauses", TABLE_NUMBER},
};

static const struct table_column platform_columns[] = {
    {"PLATFORM", "name", TABLE_TEXT},   {"PLUGIN", "plugin", TABLE_TEXT},
    {"OPEN", "open", TABLE_NUMBER},     {"CALLS", "calls", TABLE_NUMBER},
    {"FAILED", "failed", TABLE_NUMBER}, {"LATE", "late", TABLE_NUMBER},
    {"LAST FAILURE", "last_failure", TABLE_TEXT}, {NULL, NULL, TABLE_TEXT},
};

static void
print_errors(const json_t *errors)
{
    void *at = json_object_iter((json_t *)errors);

    if (!at) {
        puts("\nno answer was made up so far");
        return;
    }
    puts("\nanswers made up, and other ends:");
    for (; at; at = json_object_iter_next((json_t *)errors, at)) {
        char text[64];
        printf("  %-24s %s\n", json_object_iter_key(at),
               table_value(json_object_iter_value(at), TABLE_NUMBER, text, sizeof text));
    }
}

static int
run_status(const struct command *c, const struct command_args *a)
{
    struct admin_answer x;
    char text[600];

    (void)c;
    if (a->json)
        return admin_print(a, "GET", "/status");
    int status = admin_call(a, "GET", "/status", &x);
    if (status == EXIT_FINE) {
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
            printf("%-14s %s\n", lines[i].title,
                   table_value(json_object_get(x.json, lines[i].key), lines[i].kind, text,
                               sizeof text));
        puts("");
        table_print(stdout, json_object_get(x.json, "platforms"), platform_columns,
                    "no platforms");
        print_errors(json_object_get(x.json, "errors"));
    }
    admin_answer_fini(&x);
    return status;
}

const struct command cmd_status = {
    .name = "status", .args = "", .summary = "a running gateway on one screen",
    .takes = TAKES_SOCKET | TAKES_OUTPUT, .run = run_status,
};
