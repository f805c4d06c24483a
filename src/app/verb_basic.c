/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that need no configuration: version and help.  Must not know the gateway. */
#include "config.h"

#include "app/verb_basic.h"

#include "base/version.h"

#include <stdio.h>

int
verb_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("rouse %s (%s)\n", version_string(), version_build());
    return 0;
}

int
verb_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("usage: rouse VERB [OPTIONS]\n"
         "\n"
         "  version      which release this is\n"
         "  help         this list");
    return 0;
}
