/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: an array of JSON objects as a table for people. */
#ifndef ROUSE_APP_TABLE_H
#define ROUSE_APP_TABLE_H

#include <jansson.h>
#include <stdio.h>

enum table_kind {
    TABLE_TEXT,
    TABLE_NUMBER,
    TABLE_MS,   /* a duration in milliseconds */
    TABLE_FLAG, /* yes, or nothing */
};

/* How JSON is printed: durations without the noise of binary fractions. */
#define TABLE_JSON (JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12))

struct table_column {
    const char *title, *key;
    enum table_kind kind;
};

/* columns ends with a NULL title. An array without entries prints `none`. */
void table_print(FILE *out, const json_t *rows, const struct table_column *columns,
                 const char *none);
/* One value as it stands in a table, into text; returns text. */
const char *table_value(const json_t *v, enum table_kind k, char *text, size_t n);

#endif
