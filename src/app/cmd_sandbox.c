/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_sandbox.c: rouse get, wake, pause, forget: one sandbox of a running gateway. */
#include "config.h"

#include "app/admin_client.h"
#include "app/table.h"
#include "gateway/route.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_SANDBOX 400

static const struct {
    const char *title, *key;
    enum table_kind kind;
} lines[] = {
    {"sandbox", "id", TABLE_TEXT},           {"platform", "platform", TABLE_TEXT},
    {"state", "state", TABLE_TEXT},          {"waking", "waking", TABLE_TEXT},
    {"waiting", "waiters", TABLE_NUMBER},    {"open requests", "open", TABLE_NUMBER},
    {"idle for", "idle_ms", TABLE_MS},       {"wakes", "wakes", TABLE_NUMBER},
    {"pauses", "pauses", TABLE_NUMBER},      {"epoch", "epoch", TABLE_NUMBER},
    {"awake because", "awake_because", TABLE_TEXT},
};

/* [PLATFORM/]ID to a path of the admin side. -1: not an id. */
static int
sandbox_path(const char *word, const char *verb, char *path, size_t n)
{
    struct slice id = slice_of(word), platform = SLICE_NONE;
    ptrdiff_t slash = slice_index(id, '/');

    if (slash >= 0) {
        platform = slice_sub(id, 0, (size_t)slash);
        id = slice_sub(id, (size_t)slash + 1, id.n);
    }
    if (!route_id_valid(id, SANDBOX_ID_MAX) || platform.n > 63)
        return -1;
    for (size_t i = 0; i < platform.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
                    platform.p[i]))
            return -1;
    snprintf(path, n, "/sandboxes/%.*s%s%s%.*s", SLICE_ARG(id), verb,
             platform.n > 0 ? "?platform=" : "", (int)platform.n, platform.n ? platform.p : "");
    return 0;
}

static void
print_record(const json_t *record)
{
    char *text = json_dumps(record, TABLE_JSON);

    if (text)
        printf("\nwhat is known of it:\n%s\n", text);
    free(text);
}

static void
print_sandbox(const json_t *s)
{
    char text[600];

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const json_t *v = json_object_get(s, lines[i].key);
        if (v)
            printf("%-14s %s\n", lines[i].title,
                   table_value(v, lines[i].kind, text, sizeof text));
    }
    if (json_object_get(s, "record"))
        print_record(json_object_get(s, "record"));
}

static int
run(const struct command *c, const struct command_args *a, const char *method, const char *verb,
    const char *done)
{
    struct admin_answer x;
    char path[PATH_MAX_SANDBOX], state[64];

    if (sandbox_path(a->word[0], verb, path, sizeof path))
        return command_usage(c, "\"%.80s\" is no sandbox: write ID or PLATFORM/ID", a->word[0]);
    if (a->json)
        return admin_print(a, method, path);
    int status = admin_call(a, method, path, &x);
    if (status == EXIT_FINE && !done)
        print_sandbox(x.json);
    else if (status == EXIT_FINE)
        printf("%s: %s%s\n", a->word[0], done,
               json_object_get(x.json, "state")
                   ? table_value(json_object_get(x.json, "state"), TABLE_TEXT, state, sizeof state)
                   : "");
    admin_answer_fini(&x);
    return status;
}

static int
run_get(const struct command *c, const struct command_args *a)
{
    return run(c, a, "GET", "", NULL);
}

static int
run_wake(const struct command *c, const struct command_args *a)
{
    return run(c, a, "POST", "/wake", "");
}

static int
run_pause(const struct command *c, const struct command_args *a)
{
    return run(c, a, "POST", "/pause", "");
}

static int
run_forget(const struct command *c, const struct command_args *a)
{
    return run(c, a, "POST", "/forget", "forgotten");
}

#define ONE_SANDBOX .args = "ID", .takes = TAKES_SOCKET | TAKES_OUTPUT, .min_words = 1, \
    .max_words = 1
static const char which[] = "ID may be PLATFORM/ID where several platforms know the same one.";

const struct command cmd_get = {
    .name = "get", ONE_SANDBOX, .summary = "what is known of a sandbox", .help = which,
    .run = run_get,
};

const struct command cmd_wake = {
    .name = "wake", ONE_SANDBOX, .summary = "wake a sandbox and wait until it runs",
    .help = which, .run = run_wake,
};

const struct command cmd_pause = {
    .name = "pause", ONE_SANDBOX, .summary = "pause a sandbox once nothing uses it",
    .help = "Waits a while for requests in flight; never pauses a sandbox under one: then exits\n"
            "75. ID may be PLATFORM/ID where several platforms know the same one.",
    .run = run_pause,
};

const struct command cmd_forget = {
    .name = "forget", ONE_SANDBOX, .summary = "drop what is known: the next request asks anew",
    .help = which, .run = run_forget,
};
