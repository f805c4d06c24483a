/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jsonw.h: writes JSON (RFC 8259) into a buf. Commas and nesting are kept by the writer; strings
 * are escaped, bytes that are not UTF-8 become U+FFFD, controls and DEL become \uXXXX: a line of
 * output is always one line and always parses.
 */
#ifndef ROUSE_BASE_JSONW_H
#define ROUSE_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define JSONW_DEPTH 16

struct jsonw {
    struct buf *out;
    unsigned depth;
    bool more[JSONW_DEPTH]; /* a value stands before: a comma is due */
    bool keyed;            /* a key was just written */
};

void jsonw_init(struct jsonw *j, struct buf *out);
void jsonw_object(struct jsonw *j);
void jsonw_object_end(struct jsonw *j);
void jsonw_array(struct jsonw *j);
void jsonw_array_end(struct jsonw *j);
void jsonw_key(struct jsonw *j, const char *key);
void jsonw_slice(struct jsonw *j, struct slice s);
void jsonw_str(struct jsonw *j, const char *cstr); /* NULL writes null */
void jsonw_i64(struct jsonw *j, int64_t v);
void jsonw_u64(struct jsonw *j, uint64_t v);
/* A number with three decimals from thousandths: milliseconds from microseconds. */
void jsonw_milli(struct jsonw *j, int64_t thousandths);
void jsonw_bool(struct jsonw *j, bool v);
void jsonw_null(struct jsonw *j);
/* key and value at once. */
void jsonw_kv_str(struct jsonw *j, const char *key, const char *v);
void jsonw_kv_slice(struct jsonw *j, const char *key, struct slice v);
void jsonw_kv_i64(struct jsonw *j, const char *key, int64_t v);
void jsonw_kv_u64(struct jsonw *j, const char *key, uint64_t v);
void jsonw_kv_bool(struct jsonw *j, const char *key, bool v);
/* Appends s escaped, without quotes. */
void jsonw_escape(struct buf *out, struct slice s);

#endif
