/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: picks the verb.  Must not know what a verb does. */
#include "config.h"

#include "app/verb_basic.h"

#include <stdio.h>
#include <string.h>

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
    {"version", verb_version},
    {"help", verb_help},
};

int
main(int argc, char **argv)
{
    if (argc < 2)
        return verb_help(0, NULL);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "rouse: no verb \"%s\"; `rouse help` lists them\n", argv[1]);
    return 2;
}
