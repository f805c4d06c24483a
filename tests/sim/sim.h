/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.h: a small world around src/sandbox: gateways (a keeper and some miniature workers each), a
 * shared store, sandboxes on a platform that pauses them, lies and fails, clients that come and
 * leave. One seed is one run under a virtual clock; nothing here reads a real one. sim_check.c
 * watches.
 */
#ifndef ROUSE_TESTS_SIM_H
#define ROUSE_TESTS_SIM_H

#include "base/heap.h"
#include "base/list.h"
#include "base/random.h"
#include "sandbox/attempt.h"
#include "sandbox/keeper.h"
#include "sandbox/view.h"

#define MAX_GATEWAYS 3
#define MAX_WORKERS 3
#define MAX_GUESTS 4
#define MAX_PORTS 2
#define MAX_EPOCHS 1024
#define ADDRESSES 6

#include "sim_check.h"
#include "sim_plan.h"

struct sim;
struct gateway;

/* Does a sleeping guest's kernel accept (frozen), or is its address gone? */
enum sleep_kind { SLEEP_FROZEN, SLEEP_GONE };

/* A resume that the platform was asked for and that may still be executing. */
struct resume {
    struct list link;
    struct gateway *g;
    uint32_t life;
    uint64_t call, epoch;
    bool answered, executed; /* over when both */
};

struct guest {
    unsigned n;
    struct sandbox_key key;
    enum sandbox_state state; /* the truth */
    unsigned generation, instance;
    int address; /* -1: none */
    enum sleep_kind kind;
    bool names_generation, needs_token, auto_resume;
    usec_t running_since, moved;
    uint64_t motion; /* numbers its transitions */
    int paused_by;   /* the gateway that did; -1 */
    uint32_t paused_life;
    usec_t opens[MAX_PORTS];
    uint64_t fence;
    struct list inside;  /* exchanges whose request is in it */
    struct list resumes; /* struct resume */
    /* its entry of the store */
    bool has_record;
    struct record record;
    uint64_t epoch, lease_epoch;
    usec_t lease_until;
    struct gateway *lease_of;
    usec_t expires[MAX_EPOCHS]; /* of each epoch ever given */
};

enum step { STEP_NEW, STEP_ASKING, STEP_CONNECTING, STEP_SENT, STEP_ENDED };

struct exchange {
    struct list link, inside;
    unsigned id;
    struct gateway *g;
    uint32_t life;
    unsigned worker;
    struct guest *guest;   /* for whom it is */
    struct guest *reached; /* where its request went */
    unsigned port;
    enum step step;
    enum traffic_class klass;
    bool may_wake, keep_alive, idempotent, has_token;
    uint8_t token[TOKEN_DIGEST];
    usec_t arrived, wait;
    uint32_t bytes;
    uint64_t ticket, asked; /* asked: of the NO_ANSWER */
    uint64_t sandbox, version, serial;
    struct attempt attempt;
    bool report, connected, woken, executing;
    struct view_sandbox *open;
    unsigned executed, ended;
    uint64_t runs;
};

/* A ticket, as both ends see it. */
struct ask {
    uint64_t ticket;
    struct exchange *x;
    unsigned guest, port, worker;
    enum ask_why why;
    bool may_wake, keep_alive, bad_token;
    usec_t arrived, deadline, heard; /* heard: when control got it; 0: not yet */
    uint64_t order;
    unsigned verdicts, terminals;
    bool left, left_heard, released, probe;
    enum sandbox_state state_heard; /* what control believed then */
    uint64_t version;
};

struct sim_worker {
    struct view *view;
    usec_t activity_at;
    usec_t in_last, out_last; /* the mailboxes keep their order */
};

struct gateway {
    unsigned n;
    struct sim *sim;
    struct keeper *k;
    struct metrics metrics;
    bool up, forgot;
    uint32_t life;
    usec_t stalled_until, tick_at, last_stall_end;
    usec_t link_out, link_in; /* to the store, in order */
    struct sim_worker w[MAX_WORKERS];
    struct ask *ask; /* by ticket */
    size_t asks, asks_cap;
    uint64_t order;
    unsigned errands;
    usec_t pausing_seen[MAX_GUESTS], asleep_heard[MAX_GUESTS];
    enum sandbox_state state[MAX_GUESTS];
};

struct sim {
    uint64_t seed;
    bool verbose, ending;
    struct random random;
    struct plan plan;
    usec_t now;
    struct heap events;
    uint64_t events_n;
    struct gateway gw[MAX_GATEWAYS];
    struct guest guest[MAX_GUESTS];
    struct guest *address[ADDRESSES];
    struct list exchanges;
    unsigned exchanges_n;
    usec_t store_down_until;
    struct verdict_of_run failed;
};

/* sim_world.c */
bool chance(struct sim *s, unsigned thousandths);
usec_t between(struct sim *s, usec_t least, usec_t most);
unsigned below(struct sim *s, unsigned n);
/* At that time; g: gated. bytes: room behind it. */
struct event *at(struct sim *s, usec_t when, void (*fn)(struct sim *, struct event *),
                 struct gateway *g, size_t bytes);
void trace(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Runs one seed; *out says how it ended. Returns the number of events. */
uint64_t sim_run(uint64_t seed, unsigned requests, bool verbose, struct verdict_of_run *out);

/* The gateway of number e->a dies. */
void on_crash(struct sim *s, struct event *e);

/* sim_store.c */
void store_port(void *ctx, const struct store_call *c);
void store_news(struct sim *s, struct guest *g, const struct record *r, struct gateway *except);

/* sim_guest.c */
void guest_init(struct sim *s, struct guest *g, unsigned n);
void driver_port(void *ctx, const struct driver_call *c);
struct guest *guest_of(struct sim *s, const struct sandbox_key *key);
struct record guest_record(const struct guest *g);
void guest_life(struct sim *s, struct guest *g);
/* A request's bytes enter whatever listens at the address. */
enum dialed { DIALED_OK, DIALED_REFUSED, DIALED_SILENT };
enum dialed guest_dial(struct sim *s, const struct endpoint *to, struct guest **who);
void guest_take(struct sim *s, struct guest *g, struct exchange *x);

/* sim_gateway.c */
void gateway_start(struct sim *s, struct gateway *g);
void gateway_crash(struct sim *s, struct gateway *g);
void gateway_stop(struct sim *s, struct gateway *g);
/* After anything that spoke to the keeper: timers, watching. */
void gateway_after(struct sim *s, struct gateway *g);
void gateway_post(struct gateway *g, unsigned worker, const struct mail *m);
struct ask *gateway_ask(struct gateway *g, uint64_t ticket);
struct ask *gateway_new_ask(struct gateway *g);

/* sim_worker.c */
void exchange_start(struct sim *s, struct gateway *g);
void exchange_answer(struct sim *s, struct exchange *x);
void exchange_reset(struct sim *s, struct exchange *x);
void exchange_crash(struct sim *s, struct exchange *x);
void worker_on_mail(struct sim *s, struct gateway *g, unsigned n, const struct mail *m);

#endif
