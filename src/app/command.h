/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h: what a sub-command is, and the options that all share. One const struct and one file
 * cmd_NAME.c each; command_table.c lists them. Exit statuses: CONTRACT section 1.
 */
#ifndef ROUSE_APP_COMMAND_H
#define ROUSE_APP_COMMAND_H

#include <stdbool.h>

enum command_exit {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_RETRY = 75,
    EXIT_CONFIG = 78,
};

/* Which options a command takes. */
enum command_takes {
    TAKES_CONFIG = 1 << 0, /* -c FILE, --plugin-dir DIR */
    TAKES_OUTPUT = 1 << 1, /* -o table|json */
    TAKES_SOCKET = 1 << 2, /* -s SOCKET, and -c FILE to find it */
    TAKES_HEADER = 1 << 3, /* -H "name: value" */
    TAKES_OWN = 1 << 4,    /* options of its own: all words are left to it, -h too */
};

#define COMMAND_HEADERS 32

struct command_args {
    const char *config;  /* -c, or NULL */
    const char *socket;  /* -s, or NULL */
    bool json;           /* -o json */
    const char *header[COMMAND_HEADERS];
    unsigned headers;
    char **word;         /* what is left */
    int words;
};

struct command {
    const char *name;
    const char *args;    /* "ID [PORT]", for the usage line */
    const char *summary; /* one line */
    const char *help;    /* more, or NULL */
    unsigned takes;
    int min_words, max_words;
    bool hidden;
    int (*run)(const struct command *c, const struct command_args *a);
};

extern const struct command cmd_check, cmd_config, cmd_demo, cmd_demo_app, cmd_drain,
    cmd_explain, cmd_forget, cmd_get, cmd_help, cmd_pause, cmd_reload, cmd_serve, cmd_show,
    cmd_status, cmd_version, cmd_wake;

/* All commands; NULL ends the list. */
const struct command *const *command_table(void);
/* The command of that name, or NULL. */
const struct command *command_find(const char *name);
/* Parses argv (argv[0]: the command's name) and runs it. The exit status. */
int command_run(const struct command *c, int argc, char **argv);
/* A usage mistake: says what and how to see the help. EXIT_USAGE. */
int command_usage(const struct command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The list of commands, or one's help, to stdout. */
void command_print_all(void);
void command_print_help(const struct command *c);
/* "did you mean" for an unknown command, on stderr. EXIT_USAGE. */
int command_unknown(const char *name);

#endif
