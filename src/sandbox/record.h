/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h: what is known of a sandbox, in the one schema that the platform, the store, the admin
 * side and news share (CONTRACT section 6). Plain values; numeric addresses only: names were
 * resolved and judged by connect.allow before they came here.
 */
#ifndef ROUSE_SANDBOX_RECORD_H
#define ROUSE_SANDBOX_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/slice.h"
#include "base/usec.h"

#define SANDBOX_ID_MAX 253
#define SANDBOX_NAME_MAX 128 /* generation, instance, tenant */
#define RECORD_PORTS 16
#define RECORD_TOKENS 4
#define RECORD_RULES 8
#define TOKEN_DIGEST 32 /* SHA-256 */

/* States of DESIGN section 6: SANDBOX_STATE(symbol, name). */
#define SANDBOX_STATES(X)                                                                          \
    X(UNKNOWN, "unknown")                                                                          \
    X(STARTING, "starting")                                                                        \
    X(RUNNING, "running")                                                                          \
    X(PAUSING, "pausing")                                                                          \
    X(SNAPSHOTTING, "snapshotting")                                                                \
    X(PAUSED, "paused")                                                                            \
    X(RESUMING, "resuming")                                                                        \
    X(FAILED, "failed")                                                                            \
    X(KILLED, "killed")

enum sandbox_state {
#define X(sym, name) SANDBOX_##sym,
    SANDBOX_STATES(X)
#undef X
    SANDBOX_STATE_COUNT
};

const char *sandbox_state_name(enum sandbox_state s);
/* -1: no such state. */
int sandbox_state_parse(struct slice name,
    enum sandbox_state *out) __attribute__((warn_unused_result));

/* Which sandbox: the platform's number (of the configuration) and the id. */
struct sandbox_key {
    uint16_t platform;
    uint16_t n;
    char id[SANDBOX_ID_MAX + 1];
};

/* A short text by value. */
struct name {
    uint8_t n;
    char text[SANDBOX_NAME_MAX];
};

struct slice name_slice(const struct name *n);
/* Cuts at SANDBOX_NAME_MAX. */
void name_set(struct name *n, struct slice s);
bool name_eq(const struct name *a, const struct name *b);

struct wake_rule {
    uint16_t port; /* 0: any */
    uint8_t methods_n;
    bool wake;
    struct name path_prefix, methods; /* methods: "GET,HEAD"; empty: any */
};

/* How its ports are to be spoken to, as far as the platform said it. */
enum record_speaks { SPEAKS_UNSAID, SPEAKS_H1, SPEAKS_H2 };
struct record_manner {
    uint8_t speaks; /* enum record_speaks */
    bool tls;
};

struct record {
    enum sandbox_state state;
    struct name generation, instance, tenant;
    struct endpoint address; /* family 0: none known; port 0: the asked one */
    struct {
        uint16_t port;
        struct endpoint at;
    } ports[RECORD_PORTS];
    uint8_t ports_n, tokens_n, rules_n;
    bool auto_resume;
    struct record_manner manner;
    uint8_t tokens[RECORD_TOKENS][TOKEN_DIGEST];
    struct wake_rule *rules; /* rules_n of them, or NULL; owned by the record */
    usec_t idle; /* paused by us after so long without traffic; 0: as the site says; USEC_OFF */
};

/* unknown, auto_resume, nothing else. */
void record_init(struct record *r);
/* Frees what the record owns. */
void record_fini(struct record *r);
/* Deep copy; -1: out of memory, dst is as record_init leaves it. */
int record_copy(struct record *dst, const struct record *src) __attribute__((warn_unused_result));
/* Where a port listens: the ports map first, else address with the asked port or its own fixed
 * port. False when no address is known. */
bool record_endpoint(const struct record *r, uint16_t port, struct endpoint *out);
/* True when no token is needed, or digest (may be NULL) is one of them; constant time over all. */
bool record_admits(const struct record *r, const uint8_t *digest);
/* The first rule that fits decides; true when none does. */
bool record_may_wake(const struct record *r, uint16_t port, struct slice method, struct slice path);

#endif
