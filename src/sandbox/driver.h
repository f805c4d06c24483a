/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.h: the port through which the domain talks to a platform. Calls go out by id and come back
 * by id, at any time, late, or (transport) never: the domain keeps its own deadlines. plugin_host
 * adapts loaded plugins to it; the simulator has its own.
 */
#ifndef ROUSE_SANDBOX_DRIVER_H
#define ROUSE_SANDBOX_DRIVER_H

#include "sandbox/mail.h"
#include "sandbox/record.h"

enum driver_op { DRIVER_INSPECT, DRIVER_RESUME, DRIVER_PAUSE, DRIVER_KILL, DRIVER_OPS };
const char *driver_op_name(enum driver_op op);

struct driver_call {
    uint64_t id; /* of the call; never reused */
    enum driver_op op;
    struct sandbox_key key;
    uint64_t epoch;      /* fencing; 0 for inspect */
    uint64_t attempt_of; /* the first call of the same intent: makes the idempotency key */
    usec_t deadline;     /* an answer after it is not waited for */
    uint16_t port;
    enum traffic_class klass;
    struct name generation; /* pause */
    const char *reason;     /* pause, kill: static text */
    bool has_token;
    uint8_t token[TOKEN_DIGEST];
    struct slice client, method, host, path; /* resume's caller; valid during the call */
};

/* DESIGN section 6. DRIVER_OUTCOME(symbol, name). */
#define DRIVER_OUTCOMES(X)                                                                         \
    X(RUNNING, "running")                                                                          \
    X(PENDING, "pending")                                                                          \
    X(CONFLICT, "conflict")                                                                        \
    X(DISABLED, "disabled")                                                                        \
    X(DENIED, "denied")                                                                            \
    X(NOT_FOUND, "not_found")                                                                      \
    X(GONE, "gone")                                                                                \
    X(CAPACITY, "capacity")                                                                        \
    X(STALE_EPOCH, "stale_epoch")                                                                  \
    X(FAILED, "failed")                                                                            \
    X(UNREACHABLE, "unreachable")                                                                  \
    X(UNKNOWN, "unknown")

enum driver_outcome {
#define X(sym, name) OUTCOME_##sym,
    DRIVER_OUTCOMES(X)
#undef X
    OUTCOMES
};
/*
 * RUNNING   it runs; `record` says where. For inspect: the record is the truth, whatever its state.
 *           For pause: it is asleep (or on its way: record.state says).
 * PENDING   accepted, under way: inspect again after retry_after.
 * CONFLICT  another transition is under way: inspect until it is over, then call again.
 * DISABLED  must be resumed by hand.       DENIED  this caller may not.
 * NOT_FOUND never existed.                 GONE    killed, final.
 * CAPACITY  no room now: retry_after.      STALE_EPOCH  somebody newer has taken over: inspect.
 * FAILED    final no.
 * UNREACHABLE  nothing was executed (refused, breaker open).
 * UNKNOWN   it may have been executed (timeout, 5xx, broken answer): keep the lease, inspect, do
 *           not call again blindly.
 */
const char *driver_outcome_name(enum driver_outcome o);

struct driver_result {
    uint64_t id;
    enum driver_outcome outcome;
    usec_t retry_after; /* 0: not given */
    bool has_record;
    struct record record; /* the receiver copies what it keeps */
};

#endif
