/* SPDX-License-Identifier: BSD-2-Clause */
/* Where sandboxes may be: connect.allow, and what no configuration allows (RELIABILITY J7). */
#include "config.h"

#include "gateway/address_rules.h"
#include "unit.h"

#include <stdio.h>

static struct endpoint
at(const char *text)
{
    struct endpoint e;

    if (endpoint_parse(slice_of(text), &e))
        fprintf(stderr, "# not an address: %s\n", text);
    assert_int_equal(endpoint_parse(slice_of(text), &e), 0);
    return e;
}

static void
allow(struct site *s, const char *block)
{
    assert_int_equal(cidr_parse(slice_of(block), &s->allow[s->allow_n++]), 0);
}

static void
test_defaults(void **state)
{
    static const char *const good[] = {
        "10.1.2.3:80", "100.64.0.1", "172.16.9.9:1", "172.31.255.255", "192.168.1.1",
        "[fd12::1]:80", "::ffff:10.1.2.3",
    };
    static const char *const bad[] = {
        "127.0.0.1:80", "[::1]:80", "8.8.8.8", "172.32.0.1", "100.128.0.1", "169.254.1.1",
        "[fe80::1]:80", "[2001:db8::1]:80", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    };
    struct site s;

    (void)state;
    site_init(&s);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct endpoint e = at(good[i]);
        assert_null(address_refused(&s, NULL, &e));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct endpoint e = at(bad[i]);
        assert_non_null(address_refused(&s, NULL, &e));
    }
}

/* Also when everything is allowed. */
static void
test_never(void **state)
{
    static const char *const never[] = {
        "169.254.169.254", "169.254.169.254:80", "100.100.100.200", "[fd00:ec2::254]:80",
        "::ffff:169.254.169.254", "0.0.0.0:80", "0.1.2.3", "::", "224.0.0.1", "239.1.1.1",
        "255.255.255.255", "[ff02::1]:80", "::ffff:0.0.0.0",
    };
    struct endpoint none = {0};
    struct site s;

    (void)state;
    site_init(&s);
    s.allow_n = 0;
    allow(&s, "0.0.0.0/0");
    allow(&s, "::/0");
    allow(&s, "169.254.0.0/16");
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        struct endpoint e = at(never[i]);
        if (!address_refused(&s, NULL, &e))
            fprintf(stderr, "# allowed: %s\n", never[i]);
        assert_non_null(address_refused(&s, NULL, &e));
    }
    assert_non_null(address_refused(&s, NULL, &none));
}

/* Link-local only by an entry that is itself link-local. */
static void
test_linklocal(void **state)
{
    struct endpoint four = at("169.254.7.7"), six = at("[fe80::7]:1");
    struct site s;

    (void)state;
    site_init(&s);
    s.allow_n = 0;
    allow(&s, "0.0.0.0/0");
    allow(&s, "::/0");
    assert_non_null(address_refused(&s, NULL, &four));
    assert_non_null(address_refused(&s, NULL, &six));
    allow(&s, "169.254.7.0/24");
    assert_null(address_refused(&s, NULL, &four));
    assert_non_null(address_refused(&s, NULL, &six));
    allow(&s, "fe80::/10");
    assert_null(address_refused(&s, NULL, &six));
}

static void
test_own_listeners(void **state)
{
    struct endpoint e;
    struct address_own o = {.own_n = 3, .local_n = 1};
    struct site s;

    (void)state;
    site_init(&s);
    allow(&s, "127.0.0.0/8");
    allow(&s, "::1/128");
    allow(&s, "8.0.0.0/8");
    o.own[0] = at("127.0.0.1:9090");
    o.own[1] = (struct endpoint){.family = 4, .port = 8080};  /* 0.0.0.0:8080 */
    o.own[2] = (struct endpoint){.family = 6, .port = 8443};  /* [::]:8443 */
    o.local[0] = at("10.9.9.9");
    static const char *const ours[] = {"127.0.0.1:9090", "127.0.0.1:8080", "127.7.7.7:8080",
                                       "10.9.9.9:8080", "[::1]:8443", "[::1]:8080",
                                       "::ffff:127.0.0.1", "10.9.9.9:8443"};
    static const char *const others[] = {"127.0.0.1:9091", "127.0.0.2:9090", "10.9.9.9:9090",
                                         "10.9.9.8:8080", "8.8.8.8:8080"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        e = at(ours[i]);
        if (e.port == 0)
            e.port = 8080;
        assert_non_null(address_refused(&s, &o, &e));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        e = at(others[i]);
        assert_null(address_refused(&s, &o, &e));
    }
}

/* A platform may name what one of its own sites allows; other sites' lists do not count. */
static void
test_platform(void **state)
{
    struct site sites[3];
    struct platform_config platforms[2] = {{.used = true}, {.used = true, .loopback = true}};
    struct gateway_config c = {.site = sites, .sites = 3, .platform = platforms, .platforms = 2};
    struct endpoint public = at("8.8.8.8"), loop = at("127.0.0.1:1");

    (void)state;
    for (int i = 0; i < 3; i++) {
        site_init(&sites[i]);
        sites[i].used = true;
    }
    sites[1].platform = 1;
    allow(&sites[1], "8.8.8.0/24");
    assert_non_null(address_refused_platform(&c, 0, NULL, &public));
    assert_null(address_refused_platform(&c, 1, NULL, &public));
    assert_non_null(address_refused_platform(&c, 0, NULL, &loop));
    assert_null(address_refused_platform(&c, 1, NULL, &loop));
    allow(&sites[2], "8.8.8.0/24");
    assert_null(address_refused_platform(&c, 0, NULL, &public));
    sites[2].used = false;
    assert_non_null(address_refused_platform(&c, 0, NULL, &public));
    assert_non_null(address_refused_platform(&c, 7, NULL, &loop));
}

static void
test_this_machine(void **state)
{
    struct address_own o = {0};
    struct endpoint loop = at("127.0.0.1");
    bool found = false;

    (void)state;
    address_own_local(&o);
    for (unsigned i = 0; i < o.local_n; i++)
        found = found || endpoint_eq(&o.local[i], &loop);
    assert_true(found);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_never),
        cmocka_unit_test(test_linklocal),     cmocka_unit_test(test_own_listeners),
        cmocka_unit_test(test_platform),      cmocka_unit_test(test_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
