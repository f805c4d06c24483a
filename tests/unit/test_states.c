/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of legal moves are what the drawings in the headers and in src/sandbox/README.md say.
 * */
#include "config.h"

#include "sandbox/sandbox.h"
#include "sandbox/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STATES 16

/* Edges of a drawing, between the states that `name` knows. */
struct drawing {
    unsigned to[STATES];
    const char *(*name)(unsigned);
    unsigned n;
};

static const char *
sandbox_word(unsigned s)
{
    return sandbox_state_name((enum sandbox_state)s);
}

static const char *
flight_word(unsigned s)
{
    return flight_state_name((enum flight_state)s);
}

static int
state_of(const struct drawing *d, struct slice word)
{
    for (unsigned i = 0; i < d->n; i++) {
        if (slice_eq(word, slice_of(d->name(i))))
            return (int)i;
    }
    return -1;
}

static struct slice
next_word(struct slice *rest)
{
    size_t n = 0;
    struct slice word;

    while (n < rest->n && rest->p[n] != ' ')
        n++;
    word = slice_sub(*rest, 0, n);
    *rest = slice_sub(*rest, n, rest->n);
    return word;
}

/* "a --> b c --> d   a remark": one space between words; more of them end the line. */
static void
read_line(struct drawing *d, struct slice line)
{
    int from = -1, last = -1;

    while (line.n > 0 && strchr(" *", line.p[0]))
        line = slice_sub(line, 1, line.n);
    while (line.n > 0) {
        struct slice word = next_word(&line);
        int s = state_of(d, word);

        if (slice_eq(word, SLICE("-->"))) {
            from = last;
        } else if (s < 0) {
            return;
        } else {
            if (from >= 0)
                d->to[from] |= 1u << s;
            last = s;
        }
        if (slice_starts(line, SLICE("  ")))
            return;
        line = slice_sub(line, 1, line.n);
    }
}

static void
read_file(struct drawing *d, const char *name)
{
    const char *top = getenv("TOP_SRCDIR");
    char path[512], line[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "-->"))
            read_line(d, slice_of(line));
    }
    fclose(f);
}

static void
check_sandbox(const char *file)
{
    struct drawing d = {.name = sandbox_word, .n = SANDBOX_STATE_COUNT};

    read_file(&d, file);
    for (unsigned from = 0; from < d.n; from++) {
        for (unsigned to = 0; to < d.n; to++) {
            bool legal = sandbox_may_move((enum sandbox_state)from, (enum sandbox_state)to);

            if (to == SANDBOX_KILLED)
                assert_int_equal(legal, from != SANDBOX_KILLED);
            else
                assert_int_equal(legal, (d.to[from] >> to) & 1);
        }
    }
}

static void
check_flight(const char *file)
{
    struct drawing d = {.name = flight_word, .n = FLIGHT_STATE_COUNT};

    read_file(&d, file);
    for (unsigned from = 0; from < d.n; from++) {
        for (unsigned to = 0; to < d.n; to++)
            assert_int_equal(flight_may_move((enum flight_state)from, (enum flight_state)to),
                             (d.to[from] >> to) & 1);
    }
}

static void
test_headers(void **state)
{
    (void)state;
    check_sandbox("src/sandbox/sandbox.h");
    check_flight("src/sandbox/wake.h");
}

static void
test_readme(void **state)
{
    (void)state;
    check_sandbox("src/sandbox/README.md");
    check_flight("src/sandbox/README.md");
}

static void
test_text(void **state)
{
    static const char want[] = "running --> pausing\n"
                               "pausing --> running paused\n"
                               "paused --> resuming\n"
                               "resuming --> running paused\n"
                               "any --> killed\n";
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    sandbox_moves_text(&out);
    assert_string_equal(buf_cstr(&out), want);
    buf_clear(&out);
    flight_moves_text(&out);
    assert_non_null(strstr(buf_cstr(&out), "held --> none lease\n"));
    buf_fini(&out);
}

static void
test_older(void **state)
{
    struct sandbox s = {.known = true};
    struct record r;

    (void)state;
    record_init(&s.record);
    record_init(&r);
    name_set(&s.record.generation, SLICE("10"));
    name_set(&r.generation, SLICE("9"));
    assert_true(sandbox_is_older(&s, &r));
    name_set(&r.generation, SLICE("11"));
    assert_false(sandbox_is_older(&s, &r));
    name_set(&r.generation, SLICE("abc"));
    assert_false(sandbox_is_older(&s, &r));
    assert_true(sandbox_route_differs(&s.record, &r));
    name_set(&r.generation, SLICE("9"));
    name_set(&r.instance, SLICE("other"));
    assert_false(sandbox_is_older(&s, &r));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_readme),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_older),
    };

    return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
