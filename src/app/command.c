/* SPDX-License-Identifier: BSD-2-Clause */
/* command.c: options and help of all commands alike. */
#include "config.h"

#include "app/command.h"

#include "app/suggest.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_HELP = 256, OPTION_PLUGIN_DIR };

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"config", required_argument, NULL, 'c'},
    {"output", required_argument, NULL, 'o'},
    {"socket", required_argument, NULL, 's'},
    {"header", required_argument, NULL, 'H'},
    {"plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR},
    {NULL, 0, NULL, 0},
};

/* What each option needs a command to take, and what it says of itself. */
static const struct {
    int option;
    unsigned takes;
    const char *help;
} option_help[] = {
    {'c', TAKES_CONFIG | TAKES_SOCKET,
     "  -c, --config FILE      configuration; ./rouse.yaml, then /etc/rouse/rouse.yaml"},
    {OPTION_PLUGIN_DIR, TAKES_CONFIG, "  --plugin-dir DIR       look for plugins there first"},
    {'s', TAKES_SOCKET, "  -s, --socket PATH      the gateway's admin socket; default from -c"},
    {'o', TAKES_OUTPUT, "  -o, --output FORMAT    table or json"},
    {'H', TAKES_HEADER, "  -H, --header FIELD     a request header, \"name: value\"; may repeat"},
};

#define OPTIONS (sizeof option_help / sizeof option_help[0])

int
command_usage(const struct command *c, const char *fmt, ...)
{
    va_list ap;

    fputs("rouse: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nhint: `rouse %s --help` says how\n", c->name);
    return EXIT_USAGE;
}

void
command_print_help(const struct command *c)
{
    printf("usage: rouse %s%s%s%s\n\n%s\n", c->name, c->takes ? " [options]" : "",
           c->args[0] ? " " : "", c->args, c->summary);
    if (c->help)
        printf("\n%s\n", c->help);
    puts("");
    for (size_t i = 0; i < OPTIONS; i++)
        if (c->takes & option_help[i].takes)
            puts(option_help[i].help);
    puts("  -h, --help             this text");
}

void
command_print_all(void)
{
    puts("usage: rouse COMMAND [options]\n");
    for (const struct command *const *c = command_table(); *c; c++)
        if (!(*c)->hidden)
            printf("  %-9s %-12s %s\n", (*c)->name, (*c)->args, (*c)->summary);
    puts("\n`rouse COMMAND --help` says more; `rouse help SLUG` explains an error.");
}

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = command_table(); *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

int
command_unknown(const char *name)
{
    struct suggest g;

    suggest_init(&g, slice_of(name));
    for (const struct command *const *c = command_table(); *c; c++)
        if (!(*c)->hidden)
            suggest_offer(&g, slice_of((*c)->name));
    fprintf(stderr, "rouse: no command \"%.60s\"\n", name);
    struct slice best = suggest_best(&g);
    if (best.p)
        fprintf(stderr, "hint: did you mean \"%.*s\"?\n", SLICE_ARG(best));
    else
        fputs("hint: `rouse help` lists them\n", stderr);
    return EXIT_USAGE;
}

static bool
is_taken(const struct command *c, int option)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (option_help[i].option == option)
            return (c->takes & option_help[i].takes) != 0;
    return false;
}

/* 0, or the exit status plus one. */
static int
take_option(const struct command *c, struct command_args *a, int option)
{
    if (!is_taken(c, option))
        return 1 + command_usage(c, "`rouse %s` has no such option", c->name);
    if (option == 'c')
        a->config = optarg;
    else if (option == 's')
        a->socket = optarg;
    else if (option == OPTION_PLUGIN_DIR)
        setenv("ROUSE_PLUGIN_DIR", optarg, 1);
    else if (option == 'o' && strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
        return 1 + command_usage(c, "-o %.40s: write table or json", optarg);
    else if (option == 'o')
        a->json = strcmp(optarg, "json") == 0;
    else if (a->headers == COMMAND_HEADERS)
        return 1 + command_usage(c, "more than %d headers", COMMAND_HEADERS);
    else
        a->header[a->headers++] = optarg;
    return 0;
}

int
command_run(const struct command *c, int argc, char **argv)
{
    struct command_args a = {0};
    int option, status;

    opterr = 0;
    if (c->takes & TAKES_OWN) {
        a.word = argv;
        a.words = argc;
        return c->run(c, &a);
    }
    while ((option = getopt_long(argc, argv, ":hc:o:s:H:", long_options, NULL)) != -1) {
        if (option == 'h') {
            command_print_help(c);
            return EXIT_FINE;
        }
        if (option == '?' || option == ':')
            return command_usage(c, option == ':' ? "%s needs a value" : "no option %s",
                                 argv[optind - 1]);
        if ((status = take_option(c, &a, option)) != 0)
            return status - 1;
    }
    a.word = argv + optind;
    a.words = argc - optind;
    if (a.words < c->min_words)
        return command_usage(c, "something is missing: rouse %s %s", c->name, c->args);
    if (a.words > c->max_words)
        return command_usage(c, "too much: \"%.60s\"", a.word[c->max_words]);
    return c->run(c, &a);
}
