/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_version.c: rouse version. */
#include "config.h"

#include "app/command.h"
#include "base/jsonw.h"
#include "base/version.h"

#include <stdio.h>

static int
run_version(const struct command *c, const struct command_args *a)
{
    char text[512];
    struct buf b;
    struct jsonw j;

    (void)c;
    if (!a->json) {
        printf("rouse %s (%s)\n", version_string(), version_build());
        return EXIT_FINE;
    }
    buf_init_fixed(&b, text, sizeof text);
    jsonw_init(&j, &b);
    jsonw_object(&j);
    jsonw_kv_str(&j, "version", version_string());
    jsonw_kv_str(&j, "build", version_build());
    jsonw_object_end(&j);
    puts(buf_cstr(&b));
    return EXIT_FINE;
}

const struct command cmd_version = {
    .name = "version", .args = "", .summary = "which release this is, and how it was built",
    .takes = TAKES_OUTPUT, .run = run_version,
};
