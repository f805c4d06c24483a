/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_answer.c: bytes of a sandbox, as the answer to GET and to HEAD. Invariants: see h1_lab.h. */
#include "config.h"

#include "fuzz_lab.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(LAB_ANSWER, data, size);
    fuzz_read(LAB_ANSWER_HEAD, data, size);
    return 0;
}
