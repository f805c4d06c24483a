/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_rig.h: a keeper between the hands of a unit test: what it sends is recorded, what it asks
 * is answered by the test, or by the rig's own memory store.
 */
#ifndef ROUSE_TESTS_KEEPER_RIG_H
#define ROUSE_TESTS_KEEPER_RIG_H

#include "sandbox/keeper.h"

#define RIG_MAX 512

struct rig {
    struct keeper *k;
    struct metrics metrics;
    usec_t now;
    struct keeper_site site;
    struct mail mail[RIG_MAX]; /* not looked at yet */
    unsigned mail_worker[RIG_MAX];
    unsigned mails;
    struct driver_call driver[RIG_MAX];
    unsigned drivers;
    struct store_call store[RIG_MAX];
    unsigned stores;
    struct { uint64_t request; enum reason reason; } done[RIG_MAX];
    unsigned dones;
    unsigned story[32];
    /* the rig's store: one sandbox */
    bool auto_store, has_record;
    struct record record;
    uint64_t epoch;
    usec_t lease_until;
    uint64_t tickets;
};

void rig_init(struct rig *r, unsigned workers);
void rig_fini(struct rig *r);
struct sandbox_key rig_key(const char *id);
struct record rig_record(enum sandbox_state state, const char *generation);
/* Asks for sandbox "a", port 80, from worker 0 unless *shape says otherwise (NULL: all default). */
uint64_t rig_ask(struct rig *r, const struct mail *shape);
void rig_send(struct rig *r, unsigned worker, struct mail m);
/* Lets time pass, timers included. */
void rig_advance(struct rig *r, usec_t by);
/* Takes the next mail of a kind: true and *m; skips others. */
bool rig_take(struct rig *r, enum mail_kind kind, struct mail *m);
/* The verdict of a ticket must be there: returns it and takes it. */
struct mail_verdict rig_verdict(struct rig *r, uint64_t ticket);
bool rig_has_verdict(const struct rig *r, uint64_t ticket);
/* Answers the oldest driver call, which must be of that kind. */
void rig_answer(struct rig *r, enum driver_op op, enum driver_outcome o, const struct record *rec,
                usec_t retry_after);
/* Answers what the store was asked, until it is asked no more. */
void rig_store(struct rig *r);

#endif
