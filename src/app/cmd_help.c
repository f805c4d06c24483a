/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_help.c: rouse help [COMMAND | SLUG]. */
#include "config.h"

#include "app/command.h"

#include <stdio.h>

static int
run_help(const struct command *c, const struct command_args *a)
{
    const struct command *other;

    (void)c;
    if (a->words == 0) {
        command_print_all();
        return EXIT_FINE;
    }
    if ((other = command_find(a->word[0])) != NULL) {
        command_print_help(other);
        return EXIT_FINE;
    }
    return command_usage(c, "no command and no error \"%.60s\"", a->word[0]);
}

const struct command cmd_help = {
    .name = "help", .args = "[SLUG]", .summary = "this list, or what an error means",
    .max_words = 1, .run = run_help,
};
