/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_serve.c: rouse serve: the gateway, in the foreground. */
#include "config.h"

#include "app/command.h"
#include "app/serve.h"
#include "app/settings.h"

#include <stdio.h>

static struct gateway_config *
load(const char *path)
{
    struct mistakes m;

    mistakes_init(&m);
    struct gateway_config *c = settings_load(path, NULL, &m);
    if (!c)
        mistakes_print(&m, stderr);
    mistakes_fini(&m);
    return c;
}

static int
run_serve(const struct command *c, const struct command_args *a)
{
    struct gateway_config *config = load(a->config);

    (void)c;
    if (!config)
        return EXIT_CONFIG;
    struct serve s = {.path = config->source};
    int status = serve_run(&s, config);
    gateway_config_unref(config);
    return status;
}

const struct command cmd_serve = {
    .name = "serve", .args = "", .summary = "run the gateway, in the foreground; logs to stderr",
    .help = "TERM or INT drains: a second one cuts short. HUP reads the configuration anew; if it\n"
            "has mistakes, the gateway keeps the old one. Exits 78 for a mistake in the\n"
            "configuration, 1 when it cannot listen.",
    .takes = TAKES_CONFIG, .run = run_serve,
};
