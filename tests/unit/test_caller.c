/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who the client is behind proxies (RELIABILITY G2): X-Forwarded-* and Forwarded by trusted peers
 * and by strangers, well-formed and hostile.
 */
#include "config.h"

#include "gateway/caller.h"
#include "gateway/forwarded.h"

#include "gatewaykit.h"
#include "unit.h"

#include <stdio.h>

static const char *const sites[] = {"*.localhost", NULL};

/* Trusted: 10.0.0.0/8 and fd00::/8. */
static void
find(struct kit *k, const char *peer, const char *fields, bool https, struct caller *c)
{
    static struct listener_config l;
    struct endpoint e;
    char lines[4096];

    l.trusted_n = 2;
    assert_int_equal(cidr_parse(SLICE("10.0.0.0/8"), &l.trusted[0]), 0);
    assert_int_equal(cidr_parse(SLICE("fd00::/8"), &l.trusted[1]), 0);
    assert_int_equal(endpoint_parse(slice_of(peer), &e), 0);
    e.port = 4711;
    snprintf(lines, sizeof(lines), "GET / HTTP/1.1\r\nHost: 80-x.localhost\r\n%s", fields);
    kit_head(k, lines);
    caller_find(c, &k->head, &l, &e, https);
}

#define P "10.0.0.1"

static const struct {
    const char *peer, *fields, *client, *host;
    bool tls, https, forwarded;
} row[] = {
    /* nobody says anything */
    {"192.0.2.1", "", "192.0.2.1", "", 0, 0, 0},
    {"192.0.2.1", "", "192.0.2.1", "", 1, 1, 0},
    {P, "", P, "", 0, 0, 0},
    {"fd00::1", "", "fd00::1", "", 0, 0, 0},
    /* strangers say it */
    {"192.0.2.1", "X-Forwarded-For: 198.51.100.7\r\n", "192.0.2.1", "", 0, 0, 0},
    {"192.0.2.1", "Forwarded: for=198.51.100.7;proto=https;host=a\r\n", "192.0.2.1", "", 0, 0, 0},
    {"192.0.2.1", "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n", "192.0.2.1", "", 0, 0, 0},
    {"192.0.2.1", "X-Forwarded-Proto: http\r\n", "192.0.2.1", "", 1, 1, 0},
    /* X-Forwarded-For */
    {P, "X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7", "", 0, 0, 0},
    {P, "X-Forwarded-For: [2001:db8::7]\r\n", "2001:db8::7", "", 0, 0, 0},
    {P, "X-Forwarded-For: [2001:db8::7]:4711\r\n", "2001:db8::7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 198.51.100.7:4711\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: ::ffff:198.51.100.7\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 198.51.100.7, 10.2.0.1\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 198.51.100.7,10.2.0.1,fd00::9\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 1.1.1.1, 198.51.100.7\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7", "", 0, 0,
     0},
    {P, "X-Forwarded-For: 10.9.9.9, 198.51.100.7, 10.2.0.1\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 10.3.0.1, 10.2.0.1\r\n", "10.3.0.1", "", 0, 0, 0},
    {P, "X-Forwarded-For: ,, 198.51.100.7 ,,\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For:\r\n", P, "", 0, 0, 0},
    /* ... and what is no address ends it */
    {P, "X-Forwarded-For: unknown\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 1.1.1.1, unknown\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 1.1.1.1, unknown, 10.2.0.1\r\n", "10.2.0.1", "", 0, 0, 0},
    {P, "X-Forwarded-For: 1.1.1.1, 10.3.0.1, garbage, 10.2.0.2, 10.2.0.1\r\n", "10.2.0.2", "", 0, 0,
     0},
    {P, "X-Forwarded-For: 1.1.1.1 10.2.0.1\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 010.2.0.1\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 10.2.1\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 0x0a020001\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 198.51.100.7:99999\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: [198.51.100.7]\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: fe80::1%eth0\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: \"198.51.100.7\"\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-For: 198.51.100.7;10.2.0.1\r\n", P, "", 0, 0, 0},
    /* the scheme and the host */
    {P, "X-Forwarded-Proto: https\r\n", P, "", 0, 1, 0},
    {P, "X-Forwarded-Proto: HTTPS\r\n", P, "", 0, 1, 0},
    {P, "X-Forwarded-Proto: http\r\n", P, "", 1, 0, 0},
    {P, "X-Forwarded-Proto: https, http\r\n", P, "", 0, 1, 0},
    {P, "X-Forwarded-Proto: gopher\r\n", P, "", 1, 1, 0},
    {P, "X-Forwarded-Proto:\r\n", P, "", 1, 1, 0},
    {P, "X-Forwarded-Host: app.example.com:8080\r\n", P, "app.example.com:8080", 0, 0, 0},
    {P, "X-Forwarded-Host: a, b\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-Host: a/b\r\n", P, "", 0, 0, 0},
    /* Forwarded */
    {P, "Forwarded: for=198.51.100.7\r\n", "198.51.100.7", "", 0, 0, 1},
    {P, "Forwarded: For=\"198.51.100.7\"\r\n", "198.51.100.7", "", 0, 0, 1},
    {P, "Forwarded: for=\"[2001:db8:cafe::17]:4711\"\r\n", "2001:db8:cafe::17", "", 0, 0, 1},
    {P, "Forwarded: for=\"[2001:db8:cafe::17]:_hid\"\r\n", "2001:db8:cafe::17", "", 0, 0, 1},
    {P, "Forwarded: for=198.51.100.7:80\r\n", "198.51.100.7", "", 0, 0, 1},
    {P, "Forwarded: for=\"198.51.100.7:_x\";proto=https;by=203.0.113.43\r\n", "198.51.100.7", "", 0,
     1, 1},
    {P, "Forwarded: proto=https;for=198.51.100.7;host=\"a.example:80\"\r\n", "198.51.100.7",
     "a.example:80", 0, 1, 1},
    {P, "Forwarded: for=198.51.100.7; proto=https ; host=a\r\n", "198.51.100.7", "a", 0, 1, 1},
    {P, "Forwarded: for=1.1.1.1;proto=http, for=198.51.100.7;proto=https, for=10.2.0.1;proto=http"
        "\r\n", "198.51.100.7", "", 0, 1, 1},
    {P, "Forwarded: for=1.1.1.1\r\nForwarded: for=198.51.100.7;host=b\r\n", "198.51.100.7", "b", 0,
     0, 1},
    {P, "Forwarded: for=10.3.0.1;host=c, for=10.2.0.1;host=d\r\n", "10.3.0.1", "c", 0, 0, 1},
    {P, "Forwarded: for=\"a,b;c\\\"d\";proto=https, for=198.51.100.7\r\n", "198.51.100.7", "", 0, 0,
     1},
    {P, "Forwarded: for=198.51.100.7;ext=\"x\\\\\";proto=https\r\n", "198.51.100.7", "", 0, 1, 1},
    /* hidden clients: the proxy that hides them counts, and its word on the scheme */
    {P, "Forwarded: for=unknown;proto=https\r\n", P, "", 0, 1, 1},
    {P, "Forwarded: for=_hidden;proto=https, for=10.2.0.1\r\n", "10.2.0.1", "", 0, 1, 1},
    {P, "Forwarded: for=1.1.1.1, for=_hidden;proto=https\r\n", P, "", 0, 1, 1},
    {P, "Forwarded: proto=https;host=a\r\n", P, "a", 0, 1, 1},
    {P, "Forwarded: for=\"1.1.1.\\1\"\r\n", P, "", 0, 0, 1},
    {P, "Forwarded: for=198.51.100.7;host=\"a\\\"b\"\r\n", "198.51.100.7", "", 0, 0, 1},
    {P, "Forwarded: for=198.51.100.7;host=\"a b\";proto=ftp\r\n", "198.51.100.7", "", 0, 0, 1},
    {P, "Forwarded: , ;, for=198.51.100.7;,\r\n", "198.51.100.7", "", 0, 0, 1},
    /* malformed: nothing of it counts */
    {P, "Forwarded:\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=\"198.51.100.7\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=\"1.1.1.1, for=198.51.100.7\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=1.1.1.1\"\", for=198.51.100.7\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=198.51.100.7\\\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=\"198.51.100.7\\\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=198.51.100.7;for=1.1.1.1\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=198.51.100.7;proto=http;Proto=https\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for = 198.51.100.7\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: =198.51.100.7\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: 198.51.100.7\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=198.51.100.7 proto=https\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=198.51.100.7\r\nForwarded: for=\"\r\n", P, "", 0, 0, 0},
    {P, "Forwarded: for=1.1.1.1/8\r\n", P, "", 0, 0, 0},
    /* both */
    {P, "X-Forwarded-For: 198.51.100.7\r\nForwarded: for=198.51.100.7;proto=https;host=a\r\n",
     "198.51.100.7", "a", 0, 1, 1},
    {P, "X-Forwarded-For: 198.51.100.7\r\nForwarded: for=1.1.1.1;proto=https;host=a\r\n",
     "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: 198.51.100.7\r\nForwarded: for=\"\r\n", "198.51.100.7", "", 0, 0, 0},
    {P, "X-Forwarded-For: unknown\r\nForwarded: for=1.1.1.1\r\n", P, "", 0, 0, 0},
    {P, "X-Forwarded-Proto: http\r\nForwarded: for=1.1.1.1;proto=https\r\n", "1.1.1.1", "", 0, 0,
     1},
};

static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct kit k;
        struct caller c;
        char text[ENDPOINT_TEXT];
        bool right;

        kit_open(&k, sites);
        find(&k, row[i].peer, row[i].fields, row[i].tls, &c);
        right = slice_eq(slice_of(endpoint_text(&c.client, text)), slice_of(row[i].client)) &&
                slice_eq(c.host, slice_of(row[i].host)) && c.https == row[i].https &&
                c.forwarded == row[i].forwarded;
        if (!right)
            print_error("%s%s: %s host %.*s https %d forwarded %d\n", row[i].peer, row[i].fields,
                        text, SLICE_ARG(c.host), c.https, c.forwarded);
        assert_true(right);
        assert_int_equal(c.trusted, row[i].peer[0] != '1' || row[i].peer[1] != '9');
        kit_close(&k);
    }
}

/* Thousands of hops: each is looked at once. */
static void
test_long_lists(void **state)
{
    struct kit k;
    struct caller c;
    struct buf b;
    char text[ENDPOINT_TEXT];

    (void)state;
    kit_open(&k, sites);
    buf_init(&b, 65536);
    buf_add_str(&b, "X-Forwarded-For: 198.51.100.7");
    while (b.n < 4000)
        buf_add_str(&b, ",10.0.0.1");
    buf_add_str(&b, "\r\n");
    find(&k, P, buf_cstr(&b), false, &c);
    assert_string_equal(endpoint_text(&c.client, text), "198.51.100.7");
    buf_fini(&b);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_long_lists),
    };

    return cmocka_run_group_tests_name("caller", tests, NULL, NULL);
}
