/* SPDX-License-Identifier: BSD-2-Clause */
/* random.c: xoshiro256** (Blackman, Vigna), seeded through splitmix64; getrandom(2). */
#include "config.h"

#include "base/random.h"

#include "base/ensure.h"

#include <errno.h>
#include <sys/random.h>

void
random_seed(struct random *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = z ^ z >> 31;
    }
}

static uint64_t
rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

uint64_t
random_u64(struct random *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t
random_below(struct random *r, uint64_t n)
{
    ensure(n > 0);
    /* Refuse the few values at the bottom that would make some results likelier. */
    uint64_t least = (0 - n) % n, v;
    do
        v = random_u64(r);
    while (v < least);
    return v % n;
}

void
random_bytes(void *p, size_t n)
{
    char *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        ensure(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}
