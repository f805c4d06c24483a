/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h: one sandbox as the control side knows it: its state and what hangs on it. The moves
 * that Rouse's own actions may make (observations may jump anywhere, except out of killed):
 *
 *     running --> pausing --> paused --> resuming --> running
 *                 pausing --> running                            a pause given up
 *                                        resuming --> paused     a wake that failed
 *     any --> killed
 */
#ifndef ROUSE_SANDBOX_SANDBOX_H
#define ROUSE_SANDBOX_SANDBOX_H

#include "base/bucket.h"
#include "base/buf.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/reason.h"
#include "sandbox/driver.h"
#include "sandbox/idle.h"
#include "sandbox/quiesce.h"
#include "sandbox/record.h"
#include "sandbox/wake.h"

/* What is being found out about it: see keeper_look.c. */
enum look_state { LOOK_NONE, LOOK_GET, LOOK_INSPECT, LOOK_REST };

struct look {
    enum look_state state;
    bool wanted;       /* any knowledge will do: the store's */
    bool truth_wanted; /* only the platform's word */
    bool failed;       /* the last inspect came to nothing */
    bool store_down;   /* the last get came to nothing */
    unsigned tries;
    uint64_t started, finished; /* inspects, counted */
    usec_t next;                /* REST: not before; NONE: not before either */
    usec_t ended;               /* the last inspect */
    usec_t suspect_at;          /* the next one for requests without an answer */
    usec_t poll;                /* the pause between looks at something that is in motion */
    bool patient;               /* somebody needs this answer, however long it takes */
    struct call call;
};

/* A verb of the admin side that waits for its end. */
struct errand {
    struct list link;
    struct heap_node due;
    struct sandbox *sandbox;
    uint64_t request;
    bool pause; /* else wake */
};

struct sandbox {
    struct map_node by_key;
    struct sandbox_key key;
    uint64_t number;
    enum sandbox_state state;
    struct record record; /* as last heard */
    bool known;           /* there is a record */
    bool asleep_for_sure; /* paused by the platform's word or by us, not by a stored record */
    uint64_t version, incarnation, epoch;
    uint32_t lives; /* instances seen: a waiter belongs to one */
    usec_t known_at, running_at, wake_took;
    usec_t used_at; /* the last answer, or report of activity */
    usec_t suspected_at;
    /* A pause of ours may still be executed, however late: until then only a resume that was
     * answered, under a higher epoch, makes it run for us. */
    usec_t loose_until;
    uint16_t site; /* that asked last */

    /* Negative memory: until then this is the answer without asking anybody. */
    enum reason no;
    usec_t no_until, no_retry_at;
    /* Whose wake was denied last. */
    usec_t denied_until;
    bool denied_has_token;
    uint8_t denied[TOKEN_DIGEST];

    struct bucket wakes_rate;
    uint32_t wakes, pauses;
    struct list held; /* waiters that have no verdict yet, oldest first */
    uint32_t held_n;
    uint32_t out; /* released tickets that have not answered */
    struct list pairs;
    unsigned pairs_n;
    struct list errands;
    struct look look;
    struct flight flight;
    struct quiesce quiesce;
    usec_t no_pause_before; /* after one that could not get its lease */
    struct idle idle;
    struct heap_node due; /* always in the heap */
    struct list lru;
    bool recheck;     /* something changed: judge every waiter again */
    bool doubted;     /* its record was stale and is being looked at: who comes now waits too */
    bool withdrawing; /* its routes are being called back, to forget it */
    const char *awake_because;
    struct workers know; /* workers that may hold a route or a request of it */
};

/* True when one of our own actions may lead from one state to the other. */
bool sandbox_may_move(enum sandbox_state from, enum sandbox_state to);
/* Can requests be served soon without us doing anything: it is on its way up. */
bool sandbox_rising(enum sandbox_state s);
/* The legal moves as text, one line for each state that has some: for the test of the drawing. */
void sandbox_moves_text(struct buf *out);
struct slice sandbox_key_slice(const struct sandbox_key *k);
/* Is `r` of an incarnation that s has left behind? Only plainly rising numbers can tell. */
bool sandbox_is_older(const struct sandbox *s, const struct record *r);
/* Do r's state, generation or addresses differ from what is known? */
bool sandbox_route_differs(const struct record *a, const struct record *b);

#endif
