/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_gateway.c: rouse drain, rouse reload: a running gateway as a whole. */
#include "config.h"

#include "app/admin_client.h"
#include "app/settings.h"

#include <stdio.h>

static int
post(const struct command_args *a, const char *path, const char *done)
{
    struct admin_answer x;

    if (a->json)
        return admin_print(a, "POST", path);
    int status = admin_call(a, "POST", path, &x);
    if (status == EXIT_FINE)
        puts(done);
    admin_answer_fini(&x);
    return status;
}

static int
run_drain(const struct command *c, const struct command_args *a)
{
    (void)c;
    return post(a, "/drain", "draining: it ends when the last request is answered");
}

/* Looks for mistakes first: they are shown here, and not only in the gateway's log. */
static int
run_reload(const struct command *c, const struct command_args *a)
{
    struct admin_answer x;
    struct mistakes m;
    const char *file = NULL;
    int status;

    (void)c;
    if ((status = admin_call(a, "GET", "/status", &x)) == EXIT_FINE) {
        mistakes_init(&m);
        if (json_unpack(x.json, "{s:s}", "config", &file) == 0 && file[0] == '/') {
            struct gateway_config *config = settings_load(file, NULL, &m);
            if (!config) {
                mistakes_print(&m, stderr);
                status = EXIT_CONFIG;
            }
            gateway_config_unref(config);
        }
        mistakes_fini(&m);
    }
    admin_answer_fini(&x);
    return status == EXIT_FINE ? post(a, "/reload", "asked to reload; the log tells how it went")
                               : status;
}

const struct command cmd_drain = {
    .name = "drain", .args = "", .summary = "let a running gateway finish and end",
    .help = "The same as the signal TERM.",
    .takes = TAKES_SOCKET | TAKES_OUTPUT, .run = run_drain,
};

const struct command cmd_reload = {
    .name = "reload", .args = "", .summary = "have a running gateway read its configuration anew",
    .help = "The same as the signal HUP. With a mistake in it, the gateway keeps the old one.",
    .takes = TAKES_SOCKET | TAKES_OUTPUT, .run = run_reload,
};
