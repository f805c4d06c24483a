/* SPDX-License-Identifier: BSD-2-Clause */
/* The version says something that a bug report can use. */
#include "config.h"

#include "base/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_release_is_the_packages(void **state)
{
    (void)state;
    assert_string_equal(version_string(), PACKAGE_VERSION);
}

static void
test_build_is_not_empty(void **state)
{
    (void)state;
    assert_true(strlen(version_build()) > 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release_is_the_packages),
        cmocka_unit_test(test_build_is_not_empty),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
