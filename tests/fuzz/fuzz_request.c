/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_request.c: bytes of a client: a request's head and body. Invariants: see h1_lab.h. */
#include "config.h"

#include "fuzz_lab.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(LAB_REQUEST, data, size);
    return 0;
}
