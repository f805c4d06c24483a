/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h: writes JSON (RFC 8259) into a buf. Commas and nesting are kept by the writer; strings are
 * escaped, bytes that are not UTF-8 become U+FFFD, controls and DEL become \uXXXX: a line of output
 * is always one line and always parses.
 */
#ifndef ROUSE_BASE_JSON_H
#define ROUSE_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define JSON_DEPTH 16

struct json {
    struct buf *out;
    unsigned depth;
    bool more[JSON_DEPTH]; /* a value stands before: a comma is due */
    bool keyed;            /* a key was just written */
};

void json_init(struct json *j, struct buf *out);
void json_object(struct json *j);
void json_object_end(struct json *j);
void json_array(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_slice(struct json *j, struct slice s);
void json_str(struct json *j, const char *cstr); /* NULL writes null */
void json_i64(struct json *j, int64_t v);
void json_u64(struct json *j, uint64_t v);
/* A number with three decimals from thousandths: milliseconds from microseconds. */
void json_milli(struct json *j, int64_t thousandths);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
/* key and value at once. */
void json_kv_str(struct json *j, const char *key, const char *v);
void json_kv_slice(struct json *j, const char *key, struct slice v);
void json_kv_i64(struct json *j, const char *key, int64_t v);
void json_kv_u64(struct json *j, const char *key, uint64_t v);
void json_kv_bool(struct json *j, const char *key, bool v);
/* Appends s escaped, without quotes. */
void json_escape(struct buf *out, struct slice s);

#endif
