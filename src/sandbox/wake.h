/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wake.h: the flight of a sandbox: what is under way with its platform, a wake or a pause, at most
 * one at a time, fenced by a lease. The steps:
 *
 *     none --> lease rest                      rest: no room for another wake now
 *     lease --> none held reread call rest     ours: read again what others may have done
 *     held --> none lease                      another's: watch it, take over when it is over
 *     reread --> none lease call
 *     call --> none held settle rest publish   the platform is called; from here on detached
 *     settle --> none lease rest publish       under way, or nobody knows: inspect
 *     rest --> none lease call                 not now: again, with back-off
 *     publish --> none held                    the outcome, if our epoch is still the highest
 *
 * Pure bookkeeping and the table; keeper_wake.c walks it.
 */
#ifndef ROUSE_SANDBOX_WAKE_H
#define ROUSE_SANDBOX_WAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/reason.h"
#include "base/usec.h"
#include "sandbox/record.h"

/* FLIGHT_STATE(symbol, name). */
#define FLIGHT_STATES(X)                                                                           \
    X(NONE, "none")                                                                                \
    X(LEASE, "lease")                                                                              \
    X(HELD, "held")                                                                                \
    X(REREAD, "reread")                                                                            \
    X(CALL, "call")                                                                                \
    X(SETTLE, "settle")                                                                            \
    X(REST, "rest")                                                                                \
    X(PUBLISH, "publish")

enum flight_state {
#define X(sym, name) FLIGHT_##sym,
    FLIGHT_STATES(X)
#undef X
    FLIGHT_STATE_COUNT
};

/* What a call that is out is for; its answer finds it by id. */
enum call_use { CALL_LOOK, CALL_FLIGHT, CALL_RENEW, CALL_LATE };

struct call {
    struct map_node node;
    uint64_t id; /* 0: none is out */
    struct sandbox *sandbox;
    enum call_use use;
    usec_t sent, deadline;
};

enum intent { INTENT_WAKE, INTENT_PAUSE };

struct flight {
    enum flight_state state;
    enum intent intent;
    bool cancelled; /* no longer wanted; only the answer about its lease is awaited */
    bool called;    /* the platform was called: it goes on without its callers */
    bool charged;   /* to the rate limits */
    bool unknown;   /* what the call came to is not known: the lease runs out by itself */
    uint64_t epoch; /* 0: we hold no lease */
    usec_t lease_until, renew_at;
    usec_t started, called_at;
    usec_t next; /* HELD, SETTLE, REST: the next step */
    usec_t backoff;
    enum flight_state after_rest; /* LEASE or CALL */
    unsigned tries;               /* calls that came to nothing in a row */
    unsigned store_tries;
    bool conflict;    /* SETTLE: another transition stood in the way of the call */
    unsigned conflicts;
    usec_t again_at;  /* with conflict: asleep by then, it is called again */
    uint64_t attempt_of;
    enum reason why; /* what a waiter is told whose time is up now */
    usec_t retry_at; /* with CAPACITY_EXHAUSTED */
    bool has_token;  /* the leader's */
    uint8_t token[TOKEN_DIGEST];
    struct record outcome; /* PUBLISH: what is published */
    bool has_outcome;
    struct call call, renew;
    struct call late; /* a lease that may come after we gave up asking */
};

const char *flight_state_name(enum flight_state s);
bool flight_may_move(enum flight_state from, enum flight_state to);
/* The legal moves as text, one line a state. */
void flight_moves_text(struct buf *out);
/* Doubles the pause between tries from first to most; returns it with up to a quarter of jitter. */
usec_t flight_backoff(struct flight *f, usec_t first, usec_t most, uint64_t random);
/* Do we hold a lease that is good for at least a moment more? */
bool flight_leased(const struct flight *f, usec_t now);

#endif
