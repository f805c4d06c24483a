/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange_rig.h: an exchange between two ends in memory, which count what they are told. No op may
 * reach an end that was let go, no callback an exchange that is over: the rig checks.
 */
#ifndef ROUSE_TESTS_EXCHANGE_RIG_H
#define ROUSE_TESTS_EXCHANGE_RIG_H

#include "http/exchange.h"

struct rig;

/* One side in memory. It belongs to the rig and outlives the exchange. */
struct side {
    struct exchange_end end;
    struct rig *rig;
    bool resets;
    unsigned heads, kicks, credits;
    uint64_t seen; /* bytes read, in this attempt */
};

struct rig {
    struct loop loop;
    struct random rnd;
    struct exchange *ex;
    struct side front, back;
    unsigned requests, answers, losses, ends, releases, silences;
    bool gone; /* on_end was called */
    enum exchange_end_kind outcome;
    bool cut;                   /* the answer's pipe was aborted */
    uint64_t forth, back_bytes; /* drained, each way */
    void (*act)(struct rig *r); /* called in every callback; NULL: nothing */
};

/* r's loop and random are the caller's; the exchange is announced in the next turn. */
void rig_begin(struct rig *r);
/* Attaches the back side; an earlier attempt's reset is forgotten. */
void rig_attach(struct rig *r);

/* Bytes for the bodies: byte i is rig_byte(i). */
#define RIG_STREAM 200000
char rig_byte(uint64_t i);
const char *rig_stream(void);

#endif
