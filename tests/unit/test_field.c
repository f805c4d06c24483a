/* SPDX-License-Identifier: BSD-2-Clause */
/* Field names to ids: each finds itself, however it is written, and nothing else does. */
#include "config.h"

#include "http/head.h"

#include "http/field_priv.h"
#include "unit.h"

#include <ctype.h>
#include <stdio.h>

/* The table that field.def asks for; false when two names fall together. */
static bool
right_slots(uint8_t *slots)
{
    memset(slots, 0, FIELD_SLOTS);
    for (unsigned id = 1; id < FIELD_COUNT; id++) {
        uint8_t *slot = &slots[field_hash(field_known[id].name, field_known[id].n)];
        if (*slot != 0) {
            print_message("%s and %s fall together: choose other factors in field_hash\n",
                          field_known[id].name, field_known[*slot].name);
            return false;
        }
        *slot = (uint8_t)id;
    }
    return true;
}

static void
test_table(void **state)
{
    uint8_t slots[FIELD_SLOTS];

    (void)state;
    assert_true(FIELD_COUNT < 256);
    assert_true(right_slots(slots));
    if (memcmp(slots, field_slots, sizeof slots) != 0) {
        for (unsigned i = 0; i < FIELD_SLOTS; i++)
            fprintf(stderr, "%s%u,%s", i % 16 == 0 ? "    " : "", slots[i],
                    i % 16 == 15 ? "\n" : " ");
        fail_msg("field.def has changed: field_slots in field.c must be as above");
    }
}

static void
test_names(void **state)
{
    (void)state;
    for (unsigned id = 1; id < FIELD_COUNT; id++) {
        struct slice name = field_name_of((enum field_id)id);
        char *text = malloc(name.n); /* of exactly its size */
        assert_non_null(text);
        for (size_t i = 0; i < name.n; i++) {
            assert_true(islower(name.p[i]) || isdigit(name.p[i]) || name.p[i] == '-');
            text[i] = (char)toupper(name.p[i]);
        }
        assert_int_equal(field_id_of(name), id);
        assert_int_equal(field_id_of((struct slice){text, name.n}), id);
        for (size_t i = 0; i < name.n; i += 2)
            text[i] = name.p[i];
        assert_int_equal(field_id_of((struct slice){text, name.n}), id);
        /* One byte changed to any other, one less. */
        memcpy(text, name.p, name.n);
        for (size_t i = 0; i < name.n; i++) {
            for (unsigned c = 0; c < 256; c++) {
                text[i] = (char)c;
                struct slice got = field_name_of(field_id_of((struct slice){text, name.n}));
                bool same = c < 128 && tolower((int)c) == name.p[i];
                assert_int_equal(slice_ieq(got, name), same);
            }
            text[i] = name.p[i];
        }
        assert_int_not_equal(field_id_of((struct slice){text, name.n - 1}), id);
        free(text);
    }
    assert_int_equal(field_id_of(SLICE_NONE), FIELD_OTHER);
    assert_int_equal(field_id_of(SLICE("x")), FIELD_OTHER);
    assert_int_equal(field_id_of(SLICE("x-something-else")), FIELD_OTHER);
}

static void
test_traits(void **state)
{
    (void)state;
    assert_int_equal(field_traits_of(FIELD_OTHER), 0);
    assert_true(field_traits_of(FIELD_CONNECTION) & HOP);
    assert_true(field_traits_of(FIELD_TRANSFER_ENCODING) & JUDGED);
    assert_true(field_traits_of(FIELD_X_FORWARDED_FOR) & OURS);
    assert_true(field_traits_of(FIELD_COOKIE) & KEEP);
    assert_false(field_traits_of(FIELD_ACCEPT) & (HOP | KEEP | OURS | JUDGED));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_traits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
