/* SPDX-License-Identifier: BSD-2-Clause */
/* The reason table is whole and consistent with itself. */
#include "config.h"

#include "base/reason.h"

#include "unit.h"

static void
test_rows(void **state)
{
    (void)state;
    assert_string_equal(reason_slug(REASON_NONE), "-");
    assert_int_equal(reason_row(REASON_NONE)->status, 0);
    assert_int_equal(reason_row(REASON_RESUME_TIMEOUT)->status, 504);
    assert_int_equal(reason_row(REASON_RESUME_TIMEOUT)->retry_after, RA_JITTER(2));
    assert_int_equal(reason_row(REASON_SANDBOX_GONE)->e2b_status, 502);
    for (unsigned r = 1; r < REASON_COUNT; r++) {
        const struct reason_row *row = reason_row((enum reason)r);
        assert_true((row->status == 0) == (row->e2b_status == 0));
        assert_true(row->status == 0 || (row->status >= 400 && row->status < 600));
        assert_true((row->status == 0) == (*row->code == '\0'));
        assert_true((row->status == 0) == (*row->e2b_code == '\0'));
        assert_true(row->status != 0 || row->retry_after == RA_NONE);
        for (const char *c = row->slug; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
    }
}

static void
test_slugs_are_unique_and_found(void **state)
{
    (void)state;
    for (unsigned r = 1; r < REASON_COUNT; r++)
        assert_int_equal(reason_of_slug(slice_of(reason_slug((enum reason)r))), r);
    assert_int_equal(reason_of_slug(SLICE("-")), REASON_NONE);
    assert_int_equal(reason_of_slug(SLICE("no_such")), REASON_NONE);
    assert_int_equal(reason_of_slug(SLICE_NONE), REASON_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_slugs_are_unique_and_found),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
