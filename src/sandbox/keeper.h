/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.h: the control side's whole mind: every sandbox, waiter, wake, release and pause. Pure: it
 * is told what happened (mail from workers, answers of platforms and of the store, news, time) and
 * acts through its ports only. One thread. gateway/control.c feeds it for real, the simulator for
 * the tests.
 *
 * Made of: registry (who is known), sandbox (states and legal moves), hold (waiters and caps), wake
 * (one flight for each sandbox), release (who connects when), quiesce (the way into a pause), idle.
 */
#ifndef ROUSE_SANDBOX_KEEPER_H
#define ROUSE_SANDBOX_KEEPER_H

#include "base/bucket.h"
#include "base/log.h"
#include "base/metric.h"
#include "sandbox/driver.h"
#include "sandbox/mail.h"
#include "sandbox/store.h"

struct keeper;

/*
 * One site's rules for holding and waking (CONTRACT section 2); numbers of sites are stable over
 * reloads.
 */
struct keeper_site {
    usec_t hold_timeout;            /* 50 s */
    /* 120 s: waits for the end of a pause even beyond hold_timeout */
    usec_t hold_pausing;
    uint32_t hold_per_sandbox;      /* 2,500; UINT32_MAX: off */
    uint32_t hold_per_tenant, hold_per_source;
    struct rate wake_per_sandbox;   /* 12/10min, charged by leaders */
    struct rate wake_per_client;    /* 60/min, callers without a token */
    usec_t lease;                   /* 15 s */
    usec_t wake_grace;              /* connect.wake_grace, 10 s */
    usec_t refused_for;             /* connect.refused_for, 1 s */
    usec_t pause_after;             /* idle.pause_after; USEC_OFF */
    usec_t resume_timeout;          /* of one resume call, 20 s */
    usec_t inspect_timeout;         /* 5 s */
};

struct keeper_options {
    unsigned workers;
    uint32_t hold_total;            /* 20,000 */
    uint64_t hold_bytes;            /* 256 MiB of bodies */
    size_t max_sandboxes;           /* registry: 100,000; idle ones are evicted, oldest first */
    /* a running record needs no inspect for so long: 2 s... news keep it longer */
    usec_t fresh;
    uint32_t wakes_in_flight;       /* 200 */
    struct rate wakes_global;       /* 100/s */
    struct log *log;                /* may be NULL */
    struct metrics *metrics;        /* may be NULL */
    uint64_t seed;                  /* jitter, hashing */
};

/*
 * A step of the story, for the demo's terminal, the event log and tests: KEEPER_STORY(symbol, event
 * word).
 */
enum keeper_story {
    STORY_HELD,       /* the first waiter of a sandbox */
    STORY_WAKE,       /* resume called */
    STORY_WOKEN,      /* running again; took */
    STORY_WAKE_FAILED,/* reason */
    /* the queue of a port is empty; count waiters were released, took since running */
    STORY_RELEASED,
    STORY_PAUSING, STORY_PAUSED, STORY_PAUSE_ABORTED,
    STORY_ASLEEP,     /* found asleep though nobody said so */
    STORY_GONE,
};
struct keeper_tale {
    enum keeper_story what;
    const struct sandbox_key *key;
    uint16_t port;
    uint64_t epoch;
    usec_t took;
    uint32_t count;
    enum reason reason;
    const char *detail;
};

struct keeper_ports {
    void *ctx;
    void (*mail)(void *ctx, unsigned worker, const struct mail *m);
    void (*driver)(void *ctx, const struct driver_call *c);
    void (*store)(void *ctx, const struct store_call *c);
    void (*story)(void *ctx, const struct keeper_tale *t); /* may be NULL */
    /* An admin request of keeper_wake / keeper_pause ended. */
    void (*done)(void *ctx, uint64_t request, enum reason r);
};

struct keeper *keeper_new(const struct keeper_options *o, const struct keeper_ports *p, usec_t now);
void keeper_free(struct keeper *k);
/* Takes over hold_total, hold_bytes, fresh and the wakes' limits; what is held already stays. */
void keeper_set_limits(struct keeper *k, const struct keeper_options *o);
/* Defines or changes site n (0-based, < 4096). */
int keeper_set_site(struct keeper *k, uint16_t n, const struct keeper_site *s) must_check;

void keeper_on_mail(struct keeper *k, unsigned worker, const struct mail *m, usec_t now);
void keeper_on_driver(struct keeper *k, const struct driver_result *r, usec_t now);
void keeper_on_store(struct keeper *k, const struct store_result *r, usec_t now);
/* A record from outside (PUT /sandboxes/{id}, a platform's watch, another gateway). Older
 * generations are ignored: returns -1 then. */
int keeper_on_news(struct keeper *k, const struct sandbox_key *key, const struct record *r,
    usec_t now);
/* Everything that is due. Call at keeper_next at the latest. */
void keeper_tick(struct keeper *k, usec_t now);
usec_t keeper_next(const struct keeper *k);

/* Verbs of the admin side; the outcome comes through ports.done with `request`. */
void keeper_wake(struct keeper *k, const struct sandbox_key *key, uint16_t site, uint64_t request,
                 usec_t now);
/*
 * Waits at most wait for requests in flight, then gives up (reason HOLD...): never under a request.
 */
void keeper_pause(struct keeper *k, const struct sandbox_key *key, uint16_t site, uint64_t request,
                  usec_t wait, usec_t now);
/* Drops what is known; the next request starts from nothing. -1: unknown, or waiters hold it. */
int keeper_forget(struct keeper *k, const struct sandbox_key *key, usec_t now);
/*
 * From now on no wake begins: who would need one is told `draining` at once. Waiters of a wake that
 * is under way go on, and so does whoever only has to be told where its sandbox runs.
 */
void keeper_drain(struct keeper *k, usec_t now);

/* One line of `show sandboxes`. */
struct keeper_sandbox {
    struct sandbox_key key;
    enum sandbox_state state;
    const struct record *record;
    uint64_t number, epoch, version;
    uint32_t waiters, open;
    usec_t idle_for;  /* 0 while in use */
    bool waking;
    usec_t oldest_wait;
    uint32_t wakes, pauses;
    const char *awake_because; /* static text */
};
/* Calls fn for each (of key only, when not NULL); stops when fn returns false. */
void keeper_each(const struct keeper *k, const struct sandbox_key *key, usec_t now,
                 bool (*fn)(void *ctx, const struct keeper_sandbox *s), void *ctx);
/* One line of `show holds`. */
struct keeper_waiter {
    struct sandbox_key key;
    uint16_t port;
    enum traffic_class klass;
    usec_t age, left;
    const char *phase; /* "inspect", "wake", "probe", "window" */
};
void keeper_each_waiter(const struct keeper *k, usec_t now,
                        bool (*fn)(void *ctx, const struct keeper_waiter *w), void *ctx);
/* Sums for status. */
struct keeper_totals {
    uint32_t sandboxes, waiters, wakes, releases;
    uint64_t bytes;
};
void keeper_totals(const struct keeper *k, struct keeper_totals *t);

#endif
