/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_version.c: rouse version. */
#include "config.h"

#include "app/command.h"
#include "base/json.h"
#include "base/version.h"

#include <stdio.h>

static int
run_version(const struct command *c, const struct command_args *a)
{
    char text[512];
    struct buf b;
    struct json j;

    (void)c;
    if (!a->json) {
        printf("rouse %s (%s)\n", version_string(), version_build());
        return EXIT_FINE;
    }
    buf_init_fixed(&b, text, sizeof text);
    json_init(&j, &b);
    json_object(&j);
    json_kv_str(&j, "version", version_string());
    json_kv_str(&j, "build", version_build());
    json_object_end(&j);
    puts(buf_cstr(&b));
    return EXIT_FINE;
}

const struct command cmd_version = {
    .name = "version", .args = "", .summary = "which release this is, and how it was built",
    .takes = TAKES_OUTPUT, .run = run_version,
};
