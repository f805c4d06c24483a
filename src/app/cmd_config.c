/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_config.c: rouse config sample | schema: what conf/ is made of. */
#include "config.h"

#include "app/command.h"
#include "app/sample.h"

#include <stdio.h>
#include <string.h>

static int
run_config(const struct command *c, const struct command_args *a)
{
    struct buf b;

    buf_init(&b, 1u << 20);
    if (strcmp(a->word[0], "sample") == 0) {
        sample_yaml(&b);
    } else if (strcmp(a->word[0], "schema") == 0) {
        sample_schema(&b);
    } else {
        buf_fini(&b);
        return command_usage(c, "\"%.40s\": write sample or schema", a->word[0]);
    }
    fputs(buf_cstr(&b), stdout);
    buf_fini(&b);
    return EXIT_FINE;
}

const struct command cmd_config = {
    .name = "config", .args = "WHAT",
    .summary = "an annotated configuration, or its JSON Schema",
    .help = "WHAT is sample, every setting with its default, to start from; or schema, for\n"
            "editors.",
    .min_words = 1, .max_words = 1, .run = run_config,
};
