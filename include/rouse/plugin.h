/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rouse/plugin.h: how a platform driver plugs into Rouse. The only header a plugin includes; a
 * plugin links against nothing of Rouse: all services come through struct rouse_services
 * (rouse/services.h).
 *
 * A plugin is a shared object that defines
 *
 *     const struct rouse_plugin rouse_plugin = { ROUSE_PLUGIN_HEAD, "name", ... };
 *
 * Rouse loads it with dlopen, checks abi, and opens one instance for each platform of the
 * configuration that names it. All calls, both ways, happen on the control thread: never block
 * (Rouse names a plugin that keeps the thread for more than 50 ms); what takes time is done by
 * fetch, run, timers and watched descriptors.
 *
 * A job is one call of Rouse: inspect, resume, pause, kill. Each started job is finished exactly
 * once by host->finish, from within start or later; a cancelled one must not be finished any more.
 *
 * Compatibility: abi changes only when an existing member changes its meaning or place. Members are
 * added at the end of structures, whose `size` tells what is there.
 */
#ifndef ROUSE_PLUGIN_H
#define ROUSE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROUSE_PLUGIN_ABI 1

struct rouse_host;
struct rouse_job;

/* Bytes with a length; not NUL-terminated. */
struct rouse_text {
    const char *p;
    size_t n;
};

/* ---- configuration ----------------------------------------------------------------------- */

enum rouse_option_type {
    ROUSE_STRING,
    ROUSE_SECRET,   /* a string, or {file: PATH}: given as the text; never shown */
    ROUSE_URL,      /* http:// or https://; may hold {id} */
    ROUSE_DURATION, /* given as microseconds */
    ROUSE_SIZE,
    ROUSE_INTEGER,
    ROUSE_BOOL,
    ROUSE_HEADERS,  /* a map of field name to string or {file: PATH} */
    ROUSE_NODE,     /* anything: the plugin reads the tree itself */
};

struct rouse_option {
    const char *name; /* NULL ends the table */
    enum rouse_option_type type;
    int required;
    const char *fallback; /* the default as it would be written, or NULL */
    const char *help;     /* one line */
    int64_t min, max;     /* of numbers and durations; both 0: any */
};

/*
 * A value of the configuration with its place, as the file has it (variables and files expanded).
 */
struct rouse_node {
    enum { ROUSE_SCALAR, ROUSE_LIST, ROUSE_MAP } kind;
    int line, column;
    struct rouse_text key;   /* in a map */
    struct rouse_text value; /* of a scalar */
    const struct rouse_node *child, *next;
};

/* One option's value, in the order of the plugin's table. */
struct rouse_value {
    int given;                     /* 0: the fallback, or nothing */
    /* STRING, SECRET, URL; .p NULL when neither given nor a fallback */
    struct rouse_text text;
    int64_t number;                /* DURATION (us), SIZE, INTEGER, BOOL */
    const struct rouse_node *node; /* HEADERS, NODE; NULL when not given */
};

/* Where a mistake is and what it is; hint may be empty. */
struct rouse_mistake {
    int line, column; /* of the node; 0: of the platform */
    char text[200];
    char hint[120];
};

/* ---- sandboxes and jobs ------------------------------------------------------------------- */

enum rouse_state {
    ROUSE_STATE_UNKNOWN, ROUSE_STATE_STARTING, ROUSE_STATE_RUNNING,
    ROUSE_STATE_PAUSING, ROUSE_STATE_SNAPSHOTTING, ROUSE_STATE_PAUSED,
    ROUSE_STATE_RESUMING, ROUSE_STATE_FAILED, ROUSE_STATE_KILLED,
};

#define ROUSE_PORTS 16
#define ROUSE_TOKENS 4

/* The sandbox as CONTRACT section 6 has it. Texts are borrowed during the call. */
struct rouse_sandbox {
    size_t size; /* sizeof(struct rouse_sandbox) */
    enum rouse_state state;
    struct rouse_text generation, instance, tenant;
    struct rouse_text address; /* "10.1.4.7", "10.1.4.7:5000", or a name: Rouse resolves it */
    struct {
        uint16_t port;
        struct rouse_text address;
    } ports[ROUSE_PORTS];
    unsigned ports_n, tokens_n;
    int auto_resume; /* 1: a request may wake it */
    uint8_t tokens[ROUSE_TOKENS][32];
    struct rouse_text rest; /* the JSON it came from, for what has no member here; or empty */
    /* Rouse pauses it after so long without traffic: 0: as its site says; -1: never. */
    int64_t idle_us;
};

enum rouse_op { ROUSE_INSPECT, ROUSE_RESUME, ROUSE_PAUSE, ROUSE_KILL };

struct rouse_request {
    size_t size;
    enum rouse_op op;
    struct rouse_text id;
    uint16_t port;           /* resume: which port is asked for */
    uint64_t epoch;          /* fencing number; pass it on */
    uint64_t idempotency;    /* the same over retries of one intent */
    int64_t deadline_us;     /* from now; an answer after it is not waited for */
    struct rouse_text klass; /* "navigation", "sdk", ... */
    struct rouse_text generation, reason;                /* pause, kill */
    struct rouse_text client, method, host, path;        /* resume: who asked */
    struct rouse_text token_sha256;                      /* 64 hex digits or empty */
    struct rouse_text request_id, traceparent;           /* of the call */
};

/* What became of a job; DESIGN section 6 says what Rouse makes of each. */
enum rouse_outcome {
    /* resume, inspect: `sandbox` is the truth; pause: it is asleep or on its way */
    ROUSE_RUNNING,
    ROUSE_PENDING,     /* under way: inspect again after retry_after_us */
    /* another transition is under way: Rouse looks until it is over and calls again */
    ROUSE_CONFLICT,
    ROUSE_DISABLED,    /* must be resumed by hand */
    ROUSE_DENIED,      /* this caller may not wake it */
    ROUSE_NOT_FOUND,
    ROUSE_GONE,
    ROUSE_CAPACITY,    /* no room now */
    ROUSE_STALE_EPOCH, /* somebody newer has taken over */
    ROUSE_FAILED,      /* final no */
    ROUSE_UNREACHABLE, /* nothing was executed */
    ROUSE_UNKNOWN,     /* it may have been executed: Rouse inspects before it calls again */
};

struct rouse_result {
    size_t size;
    enum rouse_outcome outcome;
    int64_t retry_after_us;              /* 0: not given */
    const struct rouse_sandbox *sandbox; /* or NULL */
    struct rouse_text detail;            /* for the log: one line, no secrets */
    /* the platform's own number (HTTP status, exit code), for the log */
    int status;
};

#include "rouse/services.h"

/* ---- the plugin --------------------------------------------------------------------------- */

struct rouse_plugin {
    uint32_t abi;
    size_t size;
    const char *name, *version, *help;
    const struct rouse_option *options;
    /*
     * Addresses the plugin may name beyond connect.allow's default: 1: loopback too (local
     * sandboxes).
     */
    int loopback;
    /* One instance for platform `name`. values: one for each option, in order; all valid until
     * close. NULL: *mistake says what is wrong. host is kept by the instance for its calls.
     * check_only: nothing may be started. */
    void *(*open)(const struct rouse_services *s, struct rouse_host *host, struct rouse_text name,
                  const struct rouse_value *values, int check_only, struct rouse_mistake *mistake);
    /* Everything it started ends; open jobs must not be finished any more. */
    void (*close)(void *self);
    void (*start)(void *self, struct rouse_job *job, const struct rouse_request *q);
    void (*cancel)(void *self, struct rouse_job *job);
};

#define ROUSE_PLUGIN_HEAD ROUSE_PLUGIN_ABI, sizeof(struct rouse_plugin)
#define ROUSE_PLUGIN_SYMBOL "rouse_plugin"

#ifdef __cplusplus
}
#endif

#endif
