/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as platforms and operators write them. */
#include "config.h"

#include "base/endpoint.h"

#include "unit.h"

static struct endpoint
parsed(const char *text)
{
    struct endpoint e;

    if (endpoint_parse(slice_of(text), &e))
        fail_msg("%s was refused", text);
    return e;
}

static void
test_good(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"10.1.4.7", "10.1.4.7"},
        {"10.1.4.7:31000", "10.1.4.7:31000"},
        {"0.0.0.0:1", "0.0.0.0:1"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
        {"[::1]:80", "[::1]:80"},
        {"[::1]", "::1"},
        {"::1", "::1"},
        {"::", "::"},
        {"FD00:EC2::254", "fd00:ec2::254"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"[::ffff:a00:1]:80", "10.0.0.1:80"},
        {"[0000:0000:0000:0000:0000:ffff:192.168.100.228]:65535", "192.168.100.228:65535"},
        {"[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
         "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"},
    };
    char text[ENDPOINT_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct endpoint e = parsed(cases[i].in), again;
        assert_ptr_equal(endpoint_text(&e, text), text);
        assert_string_equal(text, cases[i].out);
        again = parsed(text);
        assert_true(endpoint_eq(&e, &again));
    }
    assert_string_equal(endpoint_text(&(struct endpoint){0}, text), "-");
}

static void
test_bad(void **state)
{
    static const char *const cases[] = {
        "",          "localhost",      "10.1.4",        "10.1.4.7.8",   "010.1.4.7", "0x7f.0.0.1",
        "127.1", "2130706433", "10.1.4.256", "10.1.4.7:", "10.1.4.7:0", "10.1.4.7:080",
        "10.1.4.7:65536", "10.1.4.7:+1", "10.1.4.7:80 ", " 10.1.4.7",   "10.1.4.7/8", ":80",
        "[::1", "::1]", "[::1]80", "[::1]:", "[::1]:0", "[10.0.0.1]:80",
        "[]:80", "fe80::1%eth0", "[fe80::1%1]:80", "1::2::3", "::g", "10.1.4.7:80:90",
        "[[::1]]:80", "1:2:3:4:5:6:7:8:9", "10.1.4.7:99999999999999999999",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };
    struct endpoint e = {.family = 9};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (endpoint_parse(slice_of(cases[i]), &e) == 0)
            fail_msg("\"%s\" was taken", cases[i]);
    assert_int_equal(endpoint_parse((struct slice){"10.1.4.7\0", 9}, &e), -1);
    assert_int_equal(endpoint_parse((struct slice){"10.1.4.7\0:80", 12}, &e), -1);
    assert_int_equal(endpoint_parse(SLICE_NONE, &e), -1);
    assert_int_equal(e.family, 9);
}

static bool
in(const char *block, const char *address)
{
    struct cidr c;
    struct endpoint e = parsed(address);

    if (cidr_parse(slice_of(block), &c))
        fail_msg("%s was refused", block);
    return cidr_has(&c, &e);
}

static void
test_blocks(void **state)
{
    static const char *const bad[] = {
        "",           "/8",          "10.0.0.0/",   "10.0.0.0/33", "::/129",    "10.0.0.0/08",
        "10.0.0.0/-1", "10.0.0.0:80", "10/8",       "x/8",         "[::1]/128", "10.0.0.0/8/8",
    };
    struct cidr c;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(cidr_parse(slice_of(bad[i]), &c), -1);
    assert_true(in("10.0.0.0/8", "10.255.0.1:80"));
    assert_true(in("10.9.9.9/8", "10.255.0.1:80"));
    assert_false(in("10.0.0.0/8", "11.0.0.0"));
    assert_true(in("100.64.0.0/10", "100.127.255.255"));
    assert_false(in("100.64.0.0/10", "100.128.0.0"));
    assert_true(in("172.16.0.0/12", "172.31.0.1"));
    assert_false(in("172.16.0.0/12", "172.32.0.1"));
    assert_true(in("192.168.1.7", "192.168.1.7"));
    assert_false(in("192.168.1.7", "192.168.1.6"));
    assert_true(in("0.0.0.0/0", "8.8.8.8"));
    assert_false(in("0.0.0.0/0", "::1"));
    assert_true(in("fc00::/7", "fdff::1"));
    assert_false(in("fc00::/7", "fe00::1"));
    assert_true(in("::/0", "::1"));
    assert_false(in("::/0", "10.0.0.1"));
    assert_true(in("::ffff:10.0.0.0/104", "10.1.2.3"));
    assert_true(in("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_false(cidr_has(&(struct cidr){0}, &(struct endpoint){0}));
}

static void
test_kinds(void **state)
{
    static const struct {
        const char *address;
        bool metadata, unspecified, loopback, linklocal;
    } cases[] = {
        {"169.254.169.254", true, false, false, true},
        {"::ffff:169.254.169.254", true, false, false, true},
        {"100.100.100.200:80", true, false, false, false},
        {"fd00:ec2::254", true, false, false, false},
        {"fd00:ec2::255", false, false, false, false},
        {"0.0.0.0", false, true, false, false},
        {"0.1.2.3", false, true, false, false},
        {"::", false, true, false, false},
        {"224.0.0.1", false, true, false, false},
        {"239.255.255.255", false, true, false, false},
        {"255.255.255.255", false, true, false, false},
        {"ff02::1", false, true, false, false},
        {"127.0.0.1", false, false, true, false},
        {"127.255.0.9", false, false, true, false},
        {"::1", false, false, true, false},
        {"::ffff:127.0.0.1", false, false, true, false},
        {"169.254.0.1", false, false, false, true},
        {"fe80::1", false, false, false, true},
        {"febf::1", false, false, false, true},
        {"fec0::1", false, false, false, false},
        {"10.0.0.1", false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct endpoint e = parsed(cases[i].address);
        assert_int_equal(endpoint_is_metadata(&e), cases[i].metadata);
        assert_int_equal(endpoint_is_unspecified(&e), cases[i].unspecified);
        assert_int_equal(endpoint_is_loopback(&e), cases[i].loopback);
        assert_int_equal(endpoint_is_linklocal(&e), cases[i].linklocal);
    }
    assert_true(endpoint_is_unspecified(&(struct endpoint){0}));
}

static void
test_equality_minds_the_port(void **state)
{
    struct endpoint a = parsed("10.0.0.1:1"), b = parsed("10.0.0.1:2"), c = parsed("10.0.0.1");

    (void)state;
    assert_false(endpoint_eq(&a, &b));
    assert_false(endpoint_eq(&a, &c));
    assert_true(endpoint_eq(&c, &c));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),   cmocka_unit_test(test_bad),
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_equality_minds_the_port),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
