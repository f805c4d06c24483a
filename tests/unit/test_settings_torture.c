/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that ends while a configuration is read: there is a snapshot that is whole, or none and a
 * mistake that says why. Never half of one.
 */
#include "config.h"

#include "app/show_config.h"
#include "failalloc.h"
#include "settings_rig.h"
#include "unit.h"

#include <stdio.h>

static const char text[] =
    "listen:\n  - { address: \"[::1]:80\", trusted_proxies: [10.0.0.0/8] }\n"
    "admin: { token: \"${ROUSE_TORTURE:-secret}\" }\n"
    "platforms:\n  own: { plugin: http, inspect: \"http://h/{id}\", timeout: 3s,\n"
    "         headers: { a: b, c: \"${ROUSE_TORTURE:-d}\" } }\n"
    "  more: { plugin: exec, inspect: [a, b], resume: [c] }\n"
    "sites:\n  - { host: \"*.b\", platform: own, wake: { ignore: [sse] },\n"
    "      probes: { paths: [/c] } }\n"
    "  - { host: default, platform: more, idle: { pause_after: 90s } }\n";

static void
show(const struct gateway_config *c, char *room, size_t n)
{
    struct buf b;

    buf_init_fixed(&b, room, n);
    for (unsigned i = 0; i < c->platforms; i++)
        for (unsigned k = 0; c->platform[i].module->options[k].name; k++) {
            const struct rouse_node *node = c->platform[i].values[k].node;
            for (node = node ? node->child : NULL; node; node = node->next)
                buf_printf(&b, "%.*s;", (int)node->value.n, node->value.p);
        }
    show_config_yaml(&b, c, "");
    (void)buf_cstr(&b);
}

static void
test_out_of_memory(void **state)
{
    static char whole[65536], shown[65536];
    unsigned failed = 0;

    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        struct mistakes m;
        mistakes_init(&m);
        failalloc_from(n);
        struct gateway_config *c = settings_parse("t", SLICE(text), NULL, &m);
        failalloc_from(0);
        if (n == 0) {
            if (!c)
                mistakes_print(&m, stderr);
            assert_non_null(c);
            show(c, whole, sizeof whole);
        } else if (c) {
            show(c, shown, sizeof shown);
            assert_string_equal(whole, shown);
        } else {
            assert_true(m.n > 0);
            failed++;
        }
        bool over = n > 0 && c && failed > 0;
        gateway_config_unref(c);
        mistakes_fini(&m);
        if (over)
            break;
    }
    assert_true(failed > 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_memory),
    };

    rig_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
