/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.h: the port to the state that gateways share: records, leases with a fencing epoch, and
 * news. Calls and answers by id, at any time, or never. The memory store answers at once (from the
 * run list), Redis later; the simulator's loses, delays and doubles.
 */
#ifndef ROUSE_SANDBOX_STORE_H
#define ROUSE_SANDBOX_STORE_H

#include "sandbox/record.h"

enum store_op {
    STORE_GET,     /* the record, if there is one; also subscribes to news of it */
    /* take the wake lease for ttl: OK with a fresh, higher epoch; or HELD and for how long */
    STORE_LEASE,
    STORE_RENEW,   /* epoch's lease for another ttl: OK or LOST */
    STORE_RELEASE, /* give epoch's lease up; a lease of another epoch is not touched */
    /* record, if epoch is the highest ever given for it (0: an observation, kept only when no
     * lease is live): OK or STALE */
    STORE_PUBLISH,
    STORE_FORGET,  /* drop the record, keep the epoch */
    STORE_OPS
};

struct store_call {
    uint64_t id;
    enum store_op op;
    struct sandbox_key key;
    uint64_t epoch;
    usec_t ttl;
    const struct record *record; /* PUBLISH; valid during the call */
};

enum store_status { STORE_OK, STORE_NONE, STORE_HELD, STORE_LOST, STORE_STALE, STORE_DOWN };

struct store_result {
    uint64_t id;
    enum store_status status;
    uint64_t epoch;  /* LEASE: ours; GET: the highest given */
    usec_t lease_for; /* GET, HELD: what is left of a live lease; 0: none */
    bool has_record;
    struct record record; /* the receiver copies what it keeps */
};

struct store_ops {
    const char *name;
    void (*call)(void *store, const struct store_call *c);
};

#endif
