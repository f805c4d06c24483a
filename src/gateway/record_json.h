/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_json.h: the one schema of a sandbox (CONTRACT section 6) between JSON, the plugins' struct
 * rouse_sandbox and the domain's struct record. Pure.
 */
#ifndef ROUSE_GATEWAY_RECORD_JSON_H
#define ROUSE_GATEWAY_RECORD_JSON_H

#include "base/jsonw.h"
#include "rouse/plugin.h"
#include "sandbox/record.h"

struct json_t;

/*
 * An inspect body, strictly: wrong types, unknown states' names (-> unknown), bad ports are told in
 * why with the member's name. Texts point into root, which the caller keeps. *rules takes the array
 * of wake_rules or NULL. 0, -1.
 */
int record_json_read(struct json_t *root, struct rouse_sandbox *out, char *why, size_t why_n)
    must_check;
/*
 * All but the addresses, which must be resolved first: state, names, tokens; from s->rest the
 * rules, protocol and tls. -1: out of memory, or why.
 */
int record_json_fill(struct record *r, const struct rouse_sandbox *s, struct buf *why) must_check;
/* Writes a record as an object; secrets (digests) are left out. */
void record_json_write(struct jsonw *j, const struct record *r);

#endif
