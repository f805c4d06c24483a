/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.h: xoshiro256** for jitter and simulation, seeded by the caller; and the kernel's random
 * bytes for ids, seeds and keys.
 */
#ifndef ROUSE_BASE_RANDOM_H
#define ROUSE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t s[4];
};

void random_seed(struct random *r, uint64_t seed);
uint64_t random_u64(struct random *r);
/* Uniform in [0, n); n > 0. */
uint64_t random_below(struct random *r, uint64_t n);
/* n bytes from getrandom(2); aborts when the kernel has none. */
void random_bytes(void *p, size_t n);

#endif
