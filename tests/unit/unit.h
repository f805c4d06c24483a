/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h: cmocka with what it needs before it, and a few words that most tests use. */
#ifndef ROUSE_TESTS_UNIT_H
#define ROUSE_TESTS_UNIT_H

#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_slice(s, text) \
    do { \
        struct slice got_ = (s); \
        assert_int_equal(got_.n, strlen(text)); \
        assert_true(got_.n == 0 || memcmp(got_.p, text, got_.n) == 0); \
    } while (0)

#endif
