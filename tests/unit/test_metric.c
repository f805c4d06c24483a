/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting on one thread while another reads. */
#include "config.h"

#include "base/metric.h"

#include "unit.h"

#include <pthread.h>

#define ADDS 200000

static void
test_null_is_nobody(void **state)
{
    (void)state;
    metric_add(NULL, METRIC_ACCEPTED, 1);
    metric_reason(NULL, REASON_BAD_HOST);
    assert_int_equal(metric_get(NULL, METRIC_ACCEPTED), 0);
}

static void *
count_up(void *arg)
{
    struct metrics *m = arg;

    for (int i = 0; i < ADDS; i++) {
        metric_add(m, METRIC_ACCEPTED, 1);
        metric_add(m, METRIC_ACTIVE, i % 2 ? -1 : 1);
        metric_reason(m, REASON_BAD_HOST);
    }
    return NULL;
}

static void
test_sum_while_counting(void **state)
{
    static struct metrics m[2], sum;
    pthread_t t[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, count_up, &m[i]), 0);
    for (int64_t last = 0; last < ADDS / 2;) {
        int64_t now = metric_get(&m[0], METRIC_ACCEPTED);
        assert_true(now >= last && now <= ADDS);
        memset(&sum, 0, sizeof sum);
        metric_sum(&sum, &m[0]);
        assert_true(metric_get(&sum, METRIC_ACCEPTED) >= now);
        last = now;
    }
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    memset(&sum, 0, sizeof sum);
    for (int i = 0; i < 2; i++)
        metric_sum(&sum, &m[i]);
    assert_int_equal(metric_get(&sum, METRIC_ACCEPTED), 2 * ADDS);
    assert_int_equal(metric_get(&sum, METRIC_ACTIVE), 0);
    assert_int_equal(sum.reason[REASON_BAD_HOST], 2 * ADDS);
}

static void
test_text(void **state)
{
    struct metrics m = {0};
    struct buf b;

    (void)state;
    metric_add(&m, METRIC_ACCEPTED, 42);
    metric_reason(&m, REASON_PORT_CLOSED);
    metric_reason(&m, REASON_CLIENT_LEFT);
    buf_init(&b, 1 << 20);
    metric_text(&b, &m);
    assert_false(b.full);
    const char *text = buf_cstr(&b);
    assert_non_null(strstr(text, "# TYPE rouse_requests_accepted_total counter\n"
                                 "rouse_requests_accepted_total 42\n"));
    assert_non_null(strstr(text, "# TYPE rouse_held_requests gauge\nrouse_held_requests 0\n"));
    assert_non_null(strstr(text, "\nrouse_generated_responses_total{error=\"port_closed\"} 1\n"));
    assert_non_null(strstr(text, "\nrouse_generated_responses_total{error=\"draining\"} 0\n"));
    assert_non_null(strstr(text, "\nrouse_ends_total{error=\"client_left\"} 1\n"));
    assert_null(strstr(text, "responses_total{error=\"client_left\""));
    /* Every line is a comment or a series, every name appears under one TYPE. */
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        assert_true(*line == '#' || (*line >= 'a' && *line <= 'z'));
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_is_nobody),
        cmocka_unit_test(test_sum_while_counting),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
