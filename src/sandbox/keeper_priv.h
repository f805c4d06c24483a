/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper_priv.h: what the keeper's files share. One event comes in (keeper.c), changes what it
 * concerns, and keeper_settle then walks that sandbox until nothing moves any more. The functions
 * are grouped by the file that holds them.
 */
#ifndef ROUSE_SANDBOX_KEEPER_PRIV_H
#define ROUSE_SANDBOX_KEEPER_PRIV_H

#include "base/random.h"
#include "sandbox/hold.h"
#include "sandbox/keeper.h"
#include "sandbox/registry.h"
#include "sandbox/release.h"

#define STORE_TIMEOUT USEC_SEC
#define NEGATIVE (5 * USEC_SEC)     /* how long a final no is remembered */
#define NEGATIVE_SHORT USEC_SEC     /* a passing one */
#define NEGATIVE_KILLED (30 * USEC_SEC)
#define QUIESCE_TIMEOUT (5 * USEC_SEC)
#define NEVER_BEFORE (INT64_MIN / 2)

struct keeper {
    struct keeper_options o;
    struct keeper_ports ports;
    struct keeper_site *site;
    unsigned sites;
    struct registry registry;
    struct hold hold;
    struct map tickets, calls;
    struct heap due_waiters, due_sandboxes, due_errands;
    uint64_t versions, incarnations, call_ids;
    struct bucket wakes;
    uint32_t flights;
    struct random random;
    usec_t now; /* of the event being handled */
    bool draining;
};

/* Where a record came from; later ones are believed more. */
enum origin { FROM_STORE, FROM_NEWS, FROM_PLATFORM, FROM_CALL };

/* keeper.c */
const struct keeper_site *keeper_site(const struct keeper *k, uint16_t n);
/* The sandbox of that key, made if need be; NULL when there is no room. */
struct sandbox *keeper_sandbox_of(struct keeper *k, const struct sandbox_key *key, uint16_t site);
/* Walks s until nothing moves, and sets its timer. */
void keeper_settle(struct keeper *k, struct sandbox *s);
void keeper_story(struct keeper *k, const struct sandbox *s, enum keeper_story what, uint16_t port,
                  usec_t took, uint32_t count, enum reason r);
usec_t keeper_jitter(struct keeper *k, usec_t span);
/* Calls out. A call that is out already is forgotten first: its answer will not be listened to. */
void keeper_call_store(struct keeper *k, struct sandbox *s, struct call *c, enum call_use use,
                       const struct store_call *sc);
void keeper_call_driver(struct keeper *k, struct sandbox *s, struct call *c, enum call_use use,
                        struct driver_call *dc);
void keeper_call_forget(struct keeper *k, struct call *c);
bool keeper_call_overdue(const struct keeper *k, const struct call *c);
/* To the store, whatever becomes of it. */
void keeper_store_send(struct keeper *k, struct sandbox *s, enum store_op op, uint64_t epoch,
                       const struct record *r);

/* keeper_ask.c: waiters and what they are told */
void keeper_on_ask(struct keeper *k, unsigned worker, const struct mail *m);
void keeper_on_leave(struct keeper *k, struct waiter *w);
struct waiter *keeper_waiter(const struct keeper *k, unsigned worker, uint64_t ticket);
void keeper_on_waiter_due(struct keeper *k, struct waiter *w);
/* Decides about a waiter by what is known now. It may be gone afterwards. */
void keeper_place(struct keeper *k, struct waiter *w);
/* Takes a new waiter into the hold: false when it was refused and is gone. */
bool keeper_admit(struct keeper *k, struct waiter *w);
void keeper_say_no(struct keeper *k, struct waiter *w, enum reason r, usec_t retry_after);
void keeper_say_stay(struct keeper *k, struct waiter *w);
void keeper_say_go(struct keeper *k, struct waiter *w, enum verdict v, const struct endpoint *to,
                   usec_t since, usec_t until, bool report);
/* Every waiter without a verdict is told no. */
void keeper_refuse_all(struct keeper *k, struct sandbox *s, enum reason r, usec_t retry_after);
void keeper_waiter_free(struct keeper *k, struct waiter *w);
void keeper_retire(struct keeper *k, struct waiter *w);

/* keeper_judge.c */
enum judgement {
    JUDGE_REFUSE, /* with a reason */
    JUDGE_LOOK,   /* find out first */
    JUDGE_TRUTH,  /* the same, at the platform */
    JUDGE_WAIT,   /* something is under way */
    JUDGE_LEAD,   /* it has to be woken, by this one */
    JUDGE_GO,
    JUDGE_STAY,
};
enum judgement keeper_judge(struct keeper *k, const struct waiter *w, enum reason *why,
                            usec_t *retry_after);
/* Has it been running for so short a time that its ports may still be coming? */
bool keeper_in_grace(const struct keeper *k, const struct waiter *w);
/* What a waiter is told whose time is up. */
enum reason keeper_late_reason(const struct keeper *k, const struct waiter *w, usec_t *retry_after);
/* May this waiter cause a wake now, by the rate limits? charge: and take its share. */
bool keeper_rate(struct keeper *k, struct waiter *w, bool charge, usec_t *wait);

/* keeper_look.c */
/* The next suspicion is due: requests wait for an answer that does not come. */
void keeper_look_suspect(struct keeper *k, struct sandbox *s);
void keeper_look_want(struct sandbox *s, bool truth, bool patient);
void keeper_look_step(struct keeper *k, struct sandbox *s);
void keeper_look_on_store(struct keeper *k, struct sandbox *s, const struct store_result *r);
void keeper_look_on_driver(struct keeper *k, struct sandbox *s, const struct driver_result *r);
usec_t keeper_look_due(const struct sandbox *s);
/* The platform says there is no such sandbox. */
void keeper_not_found(struct keeper *k, struct sandbox *s);
void keeper_killed(struct keeper *k, struct sandbox *s);

/* keeper_learn.c */
/* Takes a record over if it is to be believed; false when not. */
bool keeper_learn(struct keeper *k, struct sandbox *s, const struct record *r, enum origin from);
/* One of our own moves, by the table. */
void keeper_move(struct keeper *k, struct sandbox *s, enum sandbox_state to);
/* A new route_version: what workers and ports know is void. quiesce: with the handshake. */
void keeper_new_version(struct keeper *k, struct sandbox *s, bool quiesce);
/* Tells a worker to end the streams it has there. */
void keeper_close_streams(struct keeper *k, struct sandbox *s, unsigned worker, enum reason why);
void keeper_forget_all(struct keeper *k, struct sandbox *s);

/* keeper_release.c */
void keeper_go(struct keeper *k, struct waiter *w);
void keeper_pump(struct keeper *k, struct sandbox *s);
void keeper_on_connected(struct keeper *k, struct waiter *w, const struct mail *m);
void keeper_on_connect_failed(struct keeper *k, struct waiter *w, const struct mail *m);
void keeper_on_answered(struct keeper *k, struct waiter *w, const struct mail *m);
usec_t keeper_release_due(const struct keeper *k, const struct sandbox *s);
void keeper_unqueue_all(struct sandbox *s);
void keeper_free_pairs(struct sandbox *s);
void keeper_post(struct keeper *k, struct sandbox *s, unsigned worker, struct mail *m);

/* keeper_flight.c */
void keeper_flight_begin(struct keeper *k, struct sandbox *s, enum intent intent);
void keeper_flight_set(struct keeper *k, struct sandbox *s, enum flight_state to);
/* Over; its lease is given up unless it has to run out. */
void keeper_flight_end(struct keeper *k, struct sandbox *s);
void keeper_flight_cancel(struct keeper *k, struct sandbox *s);
void keeper_flight_lease(struct keeper *k, struct sandbox *s);
void keeper_flight_held(struct keeper *k, struct sandbox *s, usec_t lease_for);
void keeper_flight_rest(struct keeper *k, struct sandbox *s, enum flight_state then, usec_t delay);
void keeper_flight_settle(struct keeper *k, struct sandbox *s, usec_t delay);
void keeper_flight_publish(struct keeper *k, struct sandbox *s, const struct record *r);
void keeper_flight_step(struct keeper *k, struct sandbox *s);
void keeper_flight_on_store(struct keeper *k, struct sandbox *s, const struct store_result *r);
void keeper_flight_on_driver(struct keeper *k, struct sandbox *s, const struct driver_result *r);
void keeper_renew_on_store(struct keeper *k, struct sandbox *s, const struct store_result *r);
usec_t keeper_flight_due(const struct sandbox *s);

/* keeper_wake.c */
void keeper_wake_call(struct keeper *k, struct sandbox *s);
void keeper_wake_on_call(struct keeper *k, struct sandbox *s, const struct driver_result *r);
void keeper_wake_on_settle(struct keeper *k, struct sandbox *s, const struct driver_result *r);
void keeper_wake_published(struct keeper *k, struct sandbox *s);
void keeper_wake_fail(struct keeper *k, struct sandbox *s, enum reason r, usec_t remember);
/* Is there anybody for whom a wake may be made? */
bool keeper_wake_wanted(const struct keeper *k, const struct sandbox *s);

/* keeper_pause.c */
void keeper_pause_step(struct keeper *k, struct sandbox *s);
void keeper_pause_disturb(struct keeper *k, struct sandbox *s);
void keeper_pause_abort(struct keeper *k, struct sandbox *s);
/* The same, and whoever asked for it has to be patient: it is not tried again at once. */
void keeper_pause_later(struct keeper *k, struct sandbox *s);
void keeper_pause_call(struct keeper *k, struct sandbox *s);
void keeper_pause_on_call(struct keeper *k, struct sandbox *s, const struct driver_result *r);
void keeper_pause_on_settle(struct keeper *k, struct sandbox *s, const struct driver_result *r);
void keeper_pause_published(struct keeper *k, struct sandbox *s);
usec_t keeper_pause_due(const struct keeper *k, const struct sandbox *s);

/* keeper_admin.c */
void keeper_errands_step(struct keeper *k, struct sandbox *s);
void keeper_errands_end(struct keeper *k, struct sandbox *s, bool pause, enum reason r);
void keeper_on_errand_due(struct keeper *k, struct errand *e);
bool keeper_errand_wakes(const struct sandbox *s);
void keeper_errand_free(struct keeper *k, struct errand *e);

#endif
