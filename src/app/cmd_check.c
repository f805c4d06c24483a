/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_check.c: rouse check: every mistake of a configuration. */
#include "config.h"

#include "app/command.h"
#include "app/settings.h"

#include <stdio.h>

static void
print_json(const struct mistakes *m)
{
    struct buf b;

    buf_init(&b, 1u << 20);
    mistakes_json(m, &b);
    puts(buf_cstr(&b));
    buf_fini(&b);
}

static int
run_check(const struct command *c, const struct command_args *a)
{
    struct mistakes m;
    struct gateway_config *config;
    int status;

    (void)c;
    mistakes_init(&m);
    config = settings_load(a->config, NULL, &m);
    if (config)
        settings_check_certificates(config, &m);
    if (a->json)
        print_json(&m);
    else if (m.n > 0)
        mistakes_print(&m, stderr);
    else
        printf("%s: fine\n", config->source);
    status = m.n > 0 ? EXIT_CONFIG : EXIT_FINE;
    gateway_config_unref(config);
    mistakes_fini(&m);
    return status;
}

const struct command cmd_check = {
    .name = "check", .args = "", .summary = "look for mistakes in a configuration",
    .help = "Prints every mistake, at most 20, each with its line and a hint. Exits 78 if there\n"
            "is one. Plugins are loaded and try their options, all certificates are read;\n"
            "nothing is started.",
    .takes = TAKES_CONFIG | TAKES_OUTPUT, .run = run_check,
};
