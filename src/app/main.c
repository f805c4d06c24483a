/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the program: picks the command. Must not know what a command does. */
#include "config.h"

#include "app/command.h"

#include <stddef.h>
#include <string.h>

int
main(int argc, char **argv)
{
    const struct command *c;

    if (argc < 2) {
        command_print_all();
        return EXIT_FINE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        command_print_all();
        return EXIT_FINE;
    }
    c = command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    return c ? command_run(c, argc - 1, argv + 1) : command_unknown(argv[1]);
}
