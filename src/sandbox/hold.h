/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold.h: the requests that wait, and the caps that keep them from taking the gateway down: per
 * sandbox, tenant, source, in total, and in bytes. A full queue refuses the newest arrival; when
 * the total or the bytes are used up, a tenant below its fair share displaces the newest waiter of
 * the heaviest one.
 */
#ifndef ROUSE_SANDBOX_HOLD_H
#define ROUSE_SANDBOX_HOLD_H

#include <assert.h>

#include "base/bucket.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/reason.h"
#include "sandbox/mail.h"

/*
 * held      no verdict yet; in its sandbox's list, counted by the caps; queued: at a port
 * released  told to connect; holds a place in its port's window
 * connected the same, until the head of the answer; slow: gave its place back before that
 */
enum waiter_phase { WAITER_NEW, WAITER_HELD, WAITER_RELEASED, WAITER_CONNECTED };

/* Whom the waiting is charged to: a tenant, or the site before the tenant is known. */
struct account {
    struct map_node node;
    struct heap_node weight; /* the heaviest on top */
    struct list waiters;     /* oldest first */
    uint32_t n;
    bool tenant;
    struct name name;
};

/* A client's address: its waiters, and the wakes it may cause. */
struct source {
    struct map_node node;
    struct list spare; /* in hold.spare while n == 0 */
    uint32_t n;
    struct bucket wakes;
    uint8_t ip[16];
};

/* Who asks, for the platform's `caller`, one block. */
struct caller {
    uint16_t client, method, host, path; /* lengths */
    char text[]; /* then the token's digest, if one came */
};

struct ticket_id {
    uint64_t ticket, worker;
};

struct waiter {
    struct map_node node; /* by id */
    struct ticket_id id;
    struct heap_node due; /* held: its deadline; connected: when it counts as slow */
    struct list link;     /* sandbox.held */
    struct list queue;    /* its place at a port */
    struct list peers;    /* account.waiters */
    struct sandbox *sandbox;
    struct pair *pair;
    struct account *account;
    struct source *source;
    struct caller *caller;
    usec_t arrived;
    uint32_t bytes, lives, truth; /* truth: the inspect that must have ended */
    uint16_t port, site;
    uint8_t phase, why, klass;
    bool may_wake : 1, keep_alive : 1, has_token : 1, leader : 1, slow : 1, waited : 1;
    bool wished : 1; /* the client's own limit: a pause does not extend it */
};
static_assert(sizeof(struct waiter) <= 200, "a held request costs a small struct");

struct hold_caps {
    uint32_t per_sandbox, per_tenant, per_source, total;
    uint64_t bytes;
};

struct hold {
    struct map accounts, sources;
    struct heap weights;
    struct list spare;
    uint32_t n;
    uint64_t bytes;
};

void hold_init(struct hold *h, uint64_t seed0, uint64_t seed1);
void hold_fini(struct hold *h);
/* The source of that address, made if need be; NULL when out of room: then it is not limited. */
struct source *hold_source(struct hold *h, const uint8_t *ip, usec_t now);
/*
 * Takes the waiter in, charged to tenant (or to its site while that is empty); sandbox_n waiters of
 * its sandbox are there already. REASON_NONE, with *victim the waiter that must go for it or NULL;
 * else the refusal.
 */
enum reason hold_admit(struct hold *h, struct waiter *w, const struct hold_caps *caps,
                       uint32_t sandbox_n, const struct name *tenant, struct waiter **victim)
    must_check;
/* The tenant became known: charges the waiter to it; -1: its cap is reached. */
int hold_move(struct hold *h, struct waiter *w, const struct hold_caps *caps,
              const struct name *tenant) must_check;
/* The waiter leaves the hold, for whatever reason. Not admitted: nothing. */
void hold_drop(struct hold *h, struct waiter *w);
/* Copies the caller's texts; NULL when out of memory. */
struct caller *caller_new(const struct mail_ask *a);
struct slice caller_client(const struct caller *c);
struct slice caller_method(const struct caller *c);
struct slice caller_host(const struct caller *c);
struct slice caller_path(const struct caller *c);
/* TOKEN_DIGEST bytes; only of who has_token. */
const uint8_t *caller_token(const struct caller *c);

#endif
