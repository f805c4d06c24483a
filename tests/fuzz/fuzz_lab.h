/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_lab.h: an HTTP/1 message from the fuzzer through h1_lab: whole, byte by byte and at cuts
 * that its own bytes decide, so that one input is one run.
 */
#ifndef ROUSE_TESTS_FUZZ_LAB_H
#define ROUSE_TESTS_FUZZ_LAB_H

#include "h1_lab.h"

#define FUZZ_INPUT_MAX (256u * 1024)
#define FUZZ_ROUNDS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
fuzz_read(enum lab_kind kind, const uint8_t *data, size_t size)
{
    struct slice in = {(const char *)data, size};
    struct random dice;
    struct lab lab;
    uint64_t seed = size;

    if (size > FUZZ_INPUT_MAX)
        return;
    for (size_t i = 0; i < size; i++)
        seed = seed * UINT64_C(1099511628211) + data[i];
    random_seed(&dice, seed);
    lab_init(&lab, kind);
    lab.quick = true;
    lab_cut(&lab, in, &dice, FUZZ_ROUNDS);
    lab_fini(&lab);
}

#endif
