/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.c: the names of what is asked of platforms and of what they answer, for logs and tests.
 */
#include "config.h"

#include "sandbox/driver.h"

#include "base/ensure.h"

const char *
driver_op_name(enum driver_op op)
{
    static const char *const name[DRIVER_OPS] = {"inspect", "resume", "pause", "kill"};

    ensure(op < DRIVER_OPS);
    return name[op];
}

const char *
driver_outcome_name(enum driver_outcome o)
{
    static const char *const name[OUTCOMES] = {
#define X(sym, text) text,
        DRIVER_OUTCOMES(X)
#undef X
    };

    ensure(o < OUTCOMES);
    return name[o];
}
