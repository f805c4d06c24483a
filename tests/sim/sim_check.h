/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_check.h: the rules of DESIGN section 7 that the simulator watches, and some of its own. Each
 * is told what happens; the first broken one ends the run.
 */
#ifndef ROUSE_TESTS_SIM_CHECK_H
#define ROUSE_TESTS_SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

/* RULE(symbol, number in DESIGN section 7 or above 11, text). */
#define RULES(X)                                                                                   \
    X(ITS_OWN, 1, "a request reaches only its own sandbox")                                        \
    X(ENDS_ONCE, 3, "every request ends exactly once")                                             \
    X(EXECUTED_ONCE, 4, "a non-idempotent request is executed at most once")                       \
    X(ONE_RESUME, 5, "resume calls overlap only if the earlier lease expired; epochs differ")      \
    X(AUTHORISED, 6, "nothing unauthorised wakes")                                                 \
    X(PAUSE, 7, "Rouse never pauses under a request that it relays")                               \
    X(DEADLINE, 8, "a held request ends by its deadline")                                          \
    X(TAKEOVER, 9, "a dead leader is replaced within lease TTL + 1 s")                             \
    X(ONE_VERDICT, 12, "exactly one verdict for each ticket")                                      \
    X(NO_LEAK, 13, "no place in a window leaks; one terminal message for each released ticket")    \
    X(BALANCE, 14, "the counters balance at the end")                                              \
    X(OVERTAKE, 15, "nobody overtakes")                                                            \
    X(DEAD_PORT, 16, "a dead port never costs a wake")                                             \
    X(FOR_NOBODY, 17, "no wake is made for nobody")                                                \
    X(ONE_PROBE, 18, "one probe at a time")                                                        \
    X(MOVES, 19, "only legal moves")

enum rule {
    RULE_NONE,
#define X(sym, n, text) RULE_##sym,
    RULES(X)
#undef X
};

struct verdict_of_run {
    enum rule rule;
    char text[200];
};

struct sim;
struct guest;
struct gateway;
struct exchange;
struct ask;
struct driver_call;
struct mail;

int rule_number(enum rule r);
const char *rule_text(enum rule r);
/* Broken: remembers the first. */
void broken(struct sim *s, enum rule r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void check_resume(struct sim *s, struct gateway *g, struct guest *b, const struct driver_call *c);
void check_pause(struct sim *s, struct gateway *g, struct guest *b, const char *when);
void check_verdict(struct sim *s, struct gateway *g, const struct mail *m);
void check_terminal(struct sim *s, struct gateway *g, uint64_t ticket);
void check_executed(struct sim *s, struct exchange *x, struct guest *where);
void check_takeover(struct sim *s, struct guest *b, usec_t expired);
/* After each event of a gateway. */
void check_gateway(struct sim *s, struct gateway *g);
/* All is quiet: nothing may be left. */
void check_end(struct sim *s);

#endif
