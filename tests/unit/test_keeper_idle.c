/* SPDX-License-Identifier: BSD-2-Clause */
/* A sandbox's own idle time goes before its site's. */
#include "config.h"

#include "keeper_rig.h"

#include "unit.h"

/* Whether a sandbox with that idle time of its own (0: none) is on its way into a pause after
 * `later`, at a site that pauses after `site`. */
static bool
pauses(usec_t own, usec_t site, usec_t later)
{
    struct record running = rig_record(SANDBOX_RUNNING, "1");
    struct mail m = {.kind = MAIL_CONNECTED}, verdict;
    struct rig r;
    bool asked;

    running.idle = own;
    rig_init(&r, 1);
    r.site.pause_after = site;
    assert_int_equal(keeper_set_site(r.k, 0, &r.site), 0);
    m.ticket = rig_ask(&r, NULL);
    rig_answer(&r, DRIVER_INSPECT, OUTCOME_RUNNING, &running, 0);
    assert_true(rig_take(&r, MAIL_VERDICT, &verdict));
    m.version = verdict.version;
    rig_send(&r, 0, m);
    m.kind = MAIL_ANSWERED;
    m.u.answered.ok = true;
    rig_send(&r, 0, m);
    rig_advance(&r, later);
    asked = rig_take(&r, MAIL_QUIESCE, &m);
    rig_fini(&r);
    return asked;
}

static void
test_its_own_time_goes_first(void **state)
{
    (void)state;
    assert_true(pauses(0, 5 * USEC_SEC, 5 * USEC_SEC));
    assert_false(pauses(0, 5 * USEC_SEC, 4 * USEC_SEC));
    assert_false(pauses(0, USEC_OFF, 3600 * USEC_SEC));
    assert_true(pauses(3 * USEC_SEC, USEC_OFF, 3 * USEC_SEC));
    assert_false(pauses(9 * USEC_SEC, 5 * USEC_SEC, 8 * USEC_SEC));
    assert_false(pauses(USEC_OFF, 5 * USEC_SEC, 3600 * USEC_SEC));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_own_time_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
