/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4), so that a test can compare a body with what the witness got.
 */
#ifndef TOOLSHA_H
#define TOOLSHA_H

#include <stddef.h>
#include <stdint.h>

struct toolsha {
    uint32_t state[8];
    uint64_t total;
    unsigned char block[64];
};

void toolsha_init(struct toolsha *sha);
void toolsha_add(struct toolsha *sha, const void *data, size_t len);

/* Writes the digest of what was added so far; SHA itself is left as it is. */
void toolsha_get(const struct toolsha *sha, unsigned char digest[32]);

#endif
