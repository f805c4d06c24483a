/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_expand.h: what a scalar of the configuration may hold beyond its text: variables of the
 * environment, and secrets kept in files.
 */
#ifndef ROUSE_APP_CONFIG_EXPAND_H
#define ROUSE_APP_CONFIG_EXPAND_H

#include "app/mistake.h"
#include "base/arena.h"

#define CONFIG_SECRET_MAX 4096

/* A NUL-terminated copy; .p NULL: out of memory. */
struct slice config_copy(struct arena *a, struct slice s);
/* s with its variables replaced, NUL-terminated in the arena; *expanded: there were some. A
 * variable that is not set is a mistake, and empty. .p NULL: out of memory. */
struct slice config_expand(struct slice s, int line, int column, struct arena *a,
                           struct mistakes *m, bool *expanded);
/* What {file: path} stands for: the file's text without newlines at its end. .p NULL: a mistake
 * was noted: missing, unreadable, open to everybody, empty, too long. */
struct slice config_secret_file(const char *path, int line, int column, struct arena *a,
                                struct mistakes *m);

#endif
