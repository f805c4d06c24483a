/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_options.h: the options of one `exec` platform, and the argument vector and environment of
 * one call made from them.
 */
#ifndef ROUSE_EXEC_OPTIONS_H
#define ROUSE_EXEC_OPTIONS_H

#include <stdbool.h>

#include "rouse/plugin.h"

#define EXEC_OPS (ROUSE_KILL + 1)
#define EXEC_ARGS 64
#define EXEC_VARIABLES 64 /* of the configuration */

extern const struct rouse_option exec_option_table[];

struct exec_options {
    char **argv[EXEC_OPS]; /* NULL-terminated, {id} as written; NULL: not given */
    char **envp;           /* NAME=VALUE, NULL-terminated: PATH, HOME, LANG, `environment` */
    uint64_t key_base;
    int64_t timeout_us;
    size_t output_max;
};

/* values: as the table. 0, or -1 and *m; to be ended by exec_options_fini in both cases. */
int exec_options_read(struct exec_options *o, const struct rouse_value *values,
                      struct rouse_mistake *m);
void exec_options_fini(struct exec_options *o);

/* Would the id be taken for an option of the program? */
bool exec_options_unsafe(const struct exec_options *o, enum rouse_op op, struct rouse_text id);
/* {id} replaced; for exec_vector_free. NULL: out of memory. */
char **exec_options_argv(const struct exec_options *o, enum rouse_op op, struct rouse_text id);
/* The environment of the configuration, and ROUSE_* for the call; likewise. */
char **exec_options_envp(const struct exec_options *o, const struct rouse_request *q);
void exec_vector_free(char **v);

#endif
