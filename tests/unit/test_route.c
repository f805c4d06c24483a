/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts, labels and routing headers to sites, sandboxes and ports (CONTRACT section 3). */
#include "config.h"

#include "gateway/route.h"

#include "gatewaykit.h"
#include "unit.h"

#include <stdio.h>

static const char *const hosts[] = {"*.preview.example.com", "app.example.com", "*.localhost",
                                    NULL};
static const char *const with_default[] = {"*.preview.example.com", "default", NULL};
static const char *const one[] = {"*.localhost", NULL};

/* "site id port" of the route, or the refusal's slug. */
static void
expect(const char *const *sites, const char *host, const char *fields, const char *wanted)
{
    struct kit k;
    struct route_table *t;
    struct route r;
    const char *detail = NULL;
    enum reason why;
    char lines[1024], got[512];

    kit_open(&k, sites);
    t = route_table_new(k.config, 1);
    assert_non_null(t);
    snprintf(lines, sizeof(lines), "GET / HTTP/1.1\r\nHost: %s\r\n%s", host, fields);
    kit_head(&k, lines);
    why = route_find(t, &k.head, &r, &detail);
    if (why == REASON_NONE)
        snprintf(got, sizeof(got), "%s %.*s %u", r.site->host, SLICE_ARG(r.id), r.port);
    else
        snprintf(got, sizeof(got), "%s", reason_slug(why));
    assert_string_equal(got, wanted);
    assert_true(why == REASON_NONE || detail != NULL);
    route_table_free(t);
    kit_close(&k);
}

static void
test_labels(void **state)
{
    static const struct {
        const char *host, *wanted;
    } row[] = {
        {"3000-i7k2p.preview.example.com", "*.preview.example.com i7k2p 3000"},
        {"3000-I7K2P.Preview.Example.COM", "*.preview.example.com i7k2p 3000"},
        {"3000-i7k2p.preview.example.com.", "*.preview.example.com i7k2p 3000"},
        {"3000-i7k2p.preview.example.com:8443", "*.preview.example.com i7k2p 3000"},
        {"80-a-b-c.preview.example.com", "*.preview.example.com a-b-c 80"},
        {"65535-x.localhost", "*.localhost x 65535"},
        {"65536-x.localhost", "bad_host"},
        {"0-x.localhost", "bad_host"},
        {"00080-x.localhost", "bad_host"},
        {"-x.localhost", "bad_host"},
        {"x.localhost", "bad_host"},
        {"3000-.localhost", "bad_host"},
        {"3000.localhost", "bad_host"},
        {"a3000-x.localhost", "bad_host"},
        {"99999999999999999999-x.localhost", "bad_host"},
        {"a.3000-x.localhost", "unknown_site"},
        {"3000-x.example.org", "unknown_site"},
        {"localhost", "unknown_site"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        expect(hosts, row[i].host, "", row[i].wanted);
}

static void
test_headers(void **state)
{
    const char *both = "E2b-Sandbox-Id: i7k2p\r\nE2b-Sandbox-Port: 8080\r\n";

    (void)state;
    expect(hosts, "app.example.com", both, "app.example.com i7k2p 8080");
    expect(hosts, "sandbox.preview.example.com", both, "*.preview.example.com i7k2p 8080");
    expect(hosts, "3000-x.preview.example.com", both, "*.preview.example.com x 3000");
    expect(with_default, "localhost", both, "default i7k2p 8080");
    expect(with_default, "127.0.0.1:8080", both, "default i7k2p 8080");
    expect(with_default, "[::1]", both, "default i7k2p 8080");
    expect(one, "127.0.0.1", both, "*.localhost i7k2p 8080");
    expect(one, "localhost:8080", both, "*.localhost i7k2p 8080");
    expect(one, "localhost", "", "bad_host");
    expect(hosts, "app.example.com", "", "bad_host");
    expect(hosts, "app.example.com", "E2b-Sandbox-Id: i7k2p\r\n", "bad_host");
    expect(hosts, "app.example.com", "E2b-Sandbox-Port: 80\r\n", "bad_host");
    expect(hosts, "app.example.com", "E2b-Sandbox-Id: I7\r\nE2b-Sandbox-Port: 80\r\n", "bad_host");
    expect(hosts, "app.example.com", "E2b-Sandbox-Id: i\r\nE2b-Sandbox-Port: 080\r\n", "bad_host");
}

static void
test_ids_are_bounded(void **state)
{
    char host[200], fields[512], id[300];

    (void)state;
    memset(id, 'a', sizeof(id));
    snprintf(host, sizeof(host), "1-%.*s.localhost", 61, id);
    snprintf(fields, sizeof(fields), "*.localhost %.*s 1", 61, id);
    expect(hosts, host, "", fields);
    snprintf(fields, sizeof(fields), "E2b-Sandbox-Id: %.*s\r\nE2b-Sandbox-Port: 1\r\n", 254, id);
    expect(hosts, "app.example.com", fields, "bad_host");
    assert_true(route_id_valid((struct slice){id, 253}, 253));
    assert_false(route_id_valid((struct slice){id, 254}, 253));
    assert_false(route_id_valid(SLICE(""), 63));
    assert_false(route_id_valid(SLICE("a_b"), 63));
    assert_false(route_id_valid(SLICE("../x"), 63));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_ids_are_bounded),
    };

    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
