/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mistake.h: what is wrong with a configuration, each with its place, and how it is shown:
 *
 *     rouse.yaml:3:5: error: unknown key "lisen"
 *         lisen:
 *         ^
 *     hint: did you mean "listen"?
 *
 * At most MISTAKES_MAX are kept, in the order of their places; the rest is counted.
 */
#ifndef ROUSE_APP_MISTAKE_H
#define ROUSE_APP_MISTAKE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"

#define MISTAKES_MAX 20

struct mistake {
    int line, column; /* from 1; line 0: of the file as a whole */
    char what[240];
    char hint[200];
};

struct mistakes {
    char file[512];
    struct buf source;    /* the text, for the lines shown */
    struct mistake list[MISTAKES_MAX];
    struct mistake *latest; /* gets the hint; NULL when it was not kept */
    unsigned n;           /* kept */
    unsigned more;        /* beyond MISTAKES_MAX */
};

void mistakes_init(struct mistakes *m);
void mistakes_fini(struct mistakes *m);
/* Notes one; the same text at the same place only once. The hint may follow with
 * mistakes_hint, which belongs to the latest. */
void mistakes_add(struct mistakes *m, int line, int column, const char *fmt, ...)
    printf_like(4, 5);
void mistakes_hint(struct mistakes *m, const char *fmt, ...) printf_like(2, 3);
/* As above, for people. */
void mistakes_print(const struct mistakes *m, FILE *out);
/* A JSON array of {file, line, column, error, hint}. */
void mistakes_json(const struct mistakes *m, struct buf *out);
/* An event config_invalid for each: for a reload. */
void mistakes_log(const struct mistakes *m, struct log *log);

#endif
