/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names: what is taken, as what, and what is not (RELIABILITY B1). */
#include "config.h"

#include "http/host.h"

#include "http/octet.h"
#include "unit.h"

#include <stdio.h>

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"
#define D251 L63 "." L63 "." L63 \
    ".x1234567890123456789012345678901234567890123456789012345678"

struct row {
    const char *in;
    const char *name; /* NULL: refused */
    unsigned port;
    bool literal;
};

static const struct row rows[] = {
    {"a", "a", 0, false},
    {"A", "a", 0, false},
    {"localhost", "localhost", 0, false},
    {"LOCALHOST:8080", "localhost", 8080, false},
    {"3000-demo.localhost", "3000-demo.localhost", 0, false},
    {"3000-i7k2p.Preview.Example.COM", "3000-i7k2p.preview.example.com", 0, false},
    {"example.com.", "example.com", 0, false},
    {"example.com.:80", "example.com", 80, false},
    {"a.b.c.d.e.f", "a.b.c.d.e.f", 0, false},
    {"xn--bcher-kva.example", "xn--bcher-kva.example", 0, false},
    {"_dmarc.example.com", "_dmarc.example.com", 0, false},
    {"a_b.example.com", "a_b.example.com", 0, false},
    {"-a.example", "-a.example", 0, false},
    {"a-.example", "a-.example", 0, false},
    {"1a.2b", "1a.2b", 0, false},
    {"3com", "3com", 0, false},
    {"1.2.3.4.example", "1.2.3.4.example", 0, false},
    {"0x7f.example", "0x7f.example", 0, false},
    {"a:1", "a", 1, false},
    {"a:65535", "a", 65535, false},
    {"a:443", "a", 443, false},
    {"127.0.0.1", "127.0.0.1", 0, true},
    {"127.0.0.1:8080", "127.0.0.1", 8080, true},
    {"255.255.255.255", "255.255.255.255", 0, true},
    {"0.0.0.0", "0.0.0.0", 0, true},
    {"10.1.4.7.", "10.1.4.7", 0, true},
    {"[::1]", "::1", 0, true},
    {"[::1]:80", "::1", 80, true},
    {"[::]", "::", 0, true},
    {"[2001:DB8::1]", "2001:db8::1", 0, true},
    {"[2001:db8:0:0:0:0:0:1]:443", "2001:db8::1", 443, true},
    {"[::ffff:10.1.4.7]", "::ffff:10.1.4.7", 0, true},
    {L63, L63, 0, false},
    {L63 ".b", L63 ".b", 0, false},
    {"b." L63, "b." L63, 0, false},
    {D251 ".a", D251 ".a", 0, false},
    {D251 ".a.", D251 ".a", 0, false},
    {D251 ".a:65535", D251 ".a", 65535, false},

    {"", NULL, 0, false}, {".", NULL, 0, false}, {"..", NULL, 0, false}, {".a", NULL, 0, false},
    {"a..b", NULL, 0, false}, {"a..", NULL, 0, false}, {".:80", NULL, 0, false},
    {":80", NULL, 0, false}, {":", NULL, 0, false}, {"a:", NULL, 0, false},
    {"a:0", NULL, 0, false}, {"a:00", NULL, 0, false}, {"a:080", NULL, 0, false},
    {"a:65536", NULL, 0, false}, {"a:99999", NULL, 0, false}, {"a:100000", NULL, 0, false},
    {"a:18446744073709551617", NULL, 0, false}, {"a:-1", NULL, 0, false},
    {"a:+80", NULL, 0, false}, {"a:8 0", NULL, 0, false}, {"a: 80", NULL, 0, false},
    {"a:80 ", NULL, 0, false}, {"a:80a", NULL, 0, false}, {"a:0x50", NULL, 0, false},
    {"a:http", NULL, 0, false}, {"a:80:80", NULL, 0, false}, {"a::80", NULL, 0, false},
    {"a,b", NULL, 0, false}, {"a, b", NULL, 0, false}, {"a;b", NULL, 0, false},
    {"u@a", NULL, 0, false}, {"u:p@a", NULL, 0, false}, {"u:80@a", NULL, 0, false},
    {"@a", NULL, 0, false}, {"a@", NULL, 0, false}, {"a b", NULL, 0, false},
    {" a", NULL, 0, false}, {"a ", NULL, 0, false}, {"a\t", NULL, 0, false},
    {"a%20b", NULL, 0, false}, {"%61", NULL, 0, false}, {"a%", NULL, 0, false},
    {"a/b", NULL, 0, false}, {"a/", NULL, 0, false}, {"/a", NULL, 0, false},
    {"http://a", NULL, 0, false}, {"a?b", NULL, 0, false}, {"a#b", NULL, 0, false},
    {"a\\b", NULL, 0, false}, {"a*b", NULL, 0, false}, {"*.a", NULL, 0, false},
    {"a!b", NULL, 0, false}, {"a$b", NULL, 0, false}, {"a&b", NULL, 0, false},
    {"a'b", NULL, 0, false}, {"a(b)", NULL, 0, false}, {"a+b", NULL, 0, false},
    {"a=b", NULL, 0, false}, {"a~b", NULL, 0, false}, {"a\"b", NULL, 0, false},
    {"a<b", NULL, 0, false}, {"a|b", NULL, 0, false}, {"a^b", NULL, 0, false},
    {"a`b", NULL, 0, false}, {"a{b}", NULL, 0, false}, {"a\x7f", NULL, 0, false},
    {"a\x01", NULL, 0, false}, {"a\r", NULL, 0, false}, {"a\n", NULL, 0, false},
    {"\xc3\xa4.example", NULL, 0, false}, {"a\xff", NULL, 0, false},
    {"a\xe3\x80\x82" "b", NULL, 0, false}, {"a\xef\xbc\x8e" "b", NULL, 0, false},
    /* What browsers would take for an IPv4 address of another spelling. */
    {"1", NULL, 0, false}, {"127.1", NULL, 0, false}, {"2130706433", NULL, 0, false},
    {"0177.0.0.1", NULL, 0, false}, {"0x7f.0.0.1", NULL, 0, false}, {"0x7f000001", NULL, 0, false},
    {"127.0.0.0x1", NULL, 0, false}, {"127.0.0.01", NULL, 0, false}, {"1.2.3", NULL, 0, false},
    {"1.2.3.4.5", NULL, 0, false}, {"256.1.1.1", NULL, 0, false}, {"a.1", NULL, 0, false},
    {"example.0x1", NULL, 0, false}, {"example.0x", NULL, 0, false}, {"1..2", NULL, 0, false},
    {"[", NULL, 0, false}, {"]", NULL, 0, false}, {"[]", NULL, 0, false}, {"[::1", NULL, 0, false},
    {"::1", NULL, 0, false}, {"::1]", NULL, 0, false}, {"[::1]a", NULL, 0, false},
    {"[::1]:", NULL, 0, false}, {"[::1]:0", NULL, 0, false}, {"[::1]80", NULL, 0, false},
    {"[::1]]", NULL, 0, false}, {"[[::1]]", NULL, 0, false}, {"[::1%25eth0]", NULL, 0, false},
    {"[fe80::1%eth0]", NULL, 0, false}, {"[127.0.0.1]", NULL, 0, false},
    {"[v1.a]", NULL, 0, false}, {"[a]", NULL, 0, false}, {"[::g]", NULL, 0, false},
    {"[1:2:3:4:5:6:7:8:9]", NULL, 0, false}, {"a[::1]", NULL, 0, false},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", NULL, 0, false},
    {"[ ::1]", NULL, 0, false}, {"[::1].", NULL, 0, false},
    {"x" L63, NULL, 0, false}, {"a.x" L63, NULL, 0, false}, {"x" L63 ".a", NULL, 0, false},
    {D251 ".ab", NULL, 0, false}, {D251 ".ab.", NULL, 0, false}, {D251 ".a..", NULL, 0, false},
    {D251 "." D251, NULL, 0, false},
};

static void
check(const struct row *row)
{
    /* In memory of exactly its size. */
    size_t n = strlen(row->in);
    char *copy = malloc(n > 0 ? n : 1);
    struct host h;

    assert_non_null(copy);
    memcpy(copy, row->in, n);
    int result = host_parse((struct slice){copy, n}, &h);
    if ((result == 0) != (row->name != NULL))
        fail_msg("%s: %s", row->in, result == 0 ? "taken" : "refused");
    if (row->name) {
        assert_slice(host_name(&h), row->name);
        assert_string_equal(h.name, row->name);
        assert_int_equal(h.port, row->port);
        assert_int_equal(h.has_port, row->port != 0);
        assert_int_equal(h.literal, row->literal);
    }
    free(copy);
}

static void
test_table(void **state)
{
    (void)state;
    assert_int_equal(strlen(D251 ".a"), HOST_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

/* The byte c at one place of a name of n Xs. */
static void
check_byte(size_t n, size_t at, unsigned c)
{
    bool digit = c >= '0' && c <= '9', upper = c >= 'A' && c <= 'Z';
    bool fine = octet_is((char)c, OCTET_HOST);
    char text[64], lower[64];
    struct host h;

    /* Another shape, or a number. */
    if (c == '.' || c == ':' || (n <= 2 && at == 0 && digit))
        return;
    memset(text, 'X', n);
    memset(lower, 'x', n);
    text[at] = (char)c;
    lower[at] = (char)(upper ? c + 32 : c);
    assert_int_equal(host_parse((struct slice){text, n}, &h), fine ? 0 : -1);
    assert_true(!fine || slice_eq(host_name(&h), (struct slice){lower, n}));
}

/* Every byte at every place of names of every length up to three vectors. */
static void
test_bytes(void **state)
{
    struct host h;

    (void)state;
    for (size_t n = 1; n <= 50; n++)
        for (size_t at = 0; at < n; at++)
            for (unsigned c = 0; c < 256; c++)
                check_byte(n, at, c);
    assert_int_equal(host_parse(SLICE("a\0b"), &h), -1);
    assert_int_equal(host_parse(SLICE("[::1\0]"), &h), -1);
    assert_int_equal(host_parse(SLICE_NONE, &h), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
