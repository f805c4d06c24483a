/* SPDX-License-Identifier: BSD-2-Clause */
/* grove.h: the memory that a grove shares with the test that planted it. */
#ifndef ROUSE_TESTS_GROVE_H
#define ROUSE_TESTS_GROVE_H

#include <stdatomic.h>

#define GROVE_SLOTS 64
#define GROVE_BOMB 50

struct grove_slot {
    atomic_int pid;
    atomic_ulong count;
};

struct grove {
    atomic_uint slots, ready;
    atomic_int alive;   /* of the bomb */
    atomic_ulong bred;
    struct grove_slot slot[GROVE_SLOTS];
};

#endif
