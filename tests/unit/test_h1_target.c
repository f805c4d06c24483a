/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where requests go and what they say about it, row by row of RELIABILITY table B: Host, targets,
 * methods, names and values. Every input is read in all the ways of h1_lab.
 */
#include "config.h"

#include "h1_lab.h"
#include "http/host.h"
#include "http/octet.h"
#include "unit.h"

#include <stdio.h>

#define BAD "refused request_invalid"
#define BAD_HOST "refused bad_host"

static struct lab lab;
static struct random dice;

static int
set_up(void **state)
{
    (void)state;
    random_seed(&dice, 11);
    lab_init(&lab, LAB_REQUEST);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    lab_fini(&lab);
    return 0;
}

/* told must occur in what is told of in; behind a leading '!' it must not. */
static void
check(const char *id, struct slice in, const char *told)
{
    bool absent = told[0] == '!';

    lab_cut(&lab, in, &dice, 10);
    const char *got = buf_cstr(&lab.told);
    if ((strstr(got, told + absent) == NULL) != absent)
        fail_msg("%s: %.*s\nwanted %s\ntold %s", id, (int)in.n, in.p, told, got);
}

static void
check_line(const char *line, const char *told)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a\r\n\r\n", line);

    check(line, (struct slice){text, (size_t)n}, told);
}

static void
check_field(const char *field, const char *told)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", field);

    check(field, (struct slice){text, (size_t)n}, told);
}

static void
test_b1_host_lines(void **state)
{
    static const struct { const char *lines, *told; } rows[] = {
        {"Host: a\r\n", "host=[a]"}, {"host:a\r\n", "host=[a]"}, {"HOST: \t a \t\r\n", "host=[a]"},
        {"Host: A.Example.COM.:8080\r\n", "> Host: A.Example.COM.:8080\n"},
        {"Host: [2001:db8::1]:80\r\n", "> Host: [2001:db8::1]:80\n"},
        {"X: y\r\nHost: a\r\n", "> GET / HTTP/1.1\n> Host: a\n> X: y\n"},
        {"", BAD_HOST}, {"X: y\r\n", BAD_HOST}, {"Host:\r\n", BAD_HOST}, {"Host: \r\n", BAD_HOST},
        {"Host: a\r\nHost: a\r\n", BAD_HOST}, {"Host: a\r\nHost: b\r\n", BAD_HOST},
        {"Host: a\r\nhOsT: a\r\n", BAD_HOST}, {"Host: a\r\nHost:\r\n", BAD_HOST},
        {"Host: a,b\r\n", BAD_HOST}, {"Host: a, a\r\n", BAD_HOST}, {"Host: u@a\r\n", BAD_HOST},
        {"Host: u:p@a\r\n", BAD_HOST}, {"Host: a b\r\n", BAD_HOST}, {"Host: a%00\r\n", BAD_HOST},
        {"Host: a:0\r\n", BAD_HOST}, {"Host: a:65536\r\n", BAD_HOST}, {"Host: a:\r\n", BAD_HOST},
        {"Host: \xc3\xa4\r\n", BAD_HOST}, {"Host: a/b\r\n", BAD_HOST},
        {"Host : a\r\n", BAD}, {" Host: a\r\n", BAD}, {"Host\r\n", BAD},
        {"X: y\r\n Host: a\r\n", BAD}, {"Host: a\r\n b\r\n", BAD},
        {"X-Host: a\r\n", BAD_HOST}, {"H0st: a\r\n", BAD_HOST}, {"Hos_t: a\r\n", BAD_HOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", rows[i].lines);
        check("B1", (struct slice){text, (size_t)n}, rows[i].told);
        n = snprintf(text, sizeof text, "GET / HTTP/1.0\r\n%s\r\n", rows[i].lines);
        if (rows[i].told[0] == 'r')
            check("B1", (struct slice){text, (size_t)n}, rows[i].told);
    }
    check("B1", SLICE("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), BAD);
}

static void
test_b2_forms(void **state)
{
    static const struct { const char *line, *told; } rows[] = {
        {"GET http://a/x?y", "> GET /x?y HTTP/1.1\n"}, {"GET HTTP://A/x", "> GET /x HTTP/1.1\n"},
        {"GET http://a", "> GET / HTTP/1.1\n"}, {"GET http://a/", "> GET / HTTP/1.1\n"},
        {"GET http://a?x=1", "> GET /?x=1 HTTP/1.1\n"}, {"GET https://a/x", "> GET /x HTTP/1.1\n"},
        {"GET http://a./x", "> GET /x HTTP/1.1\n"}, {"GET http://a//x", "> GET //x HTTP/1.1\n"},
        {"OPTIONS http://a", "> OPTIONS * HTTP/1.1\n"},
        {"OPTIONS http://a/", "> OPTIONS / HTTP/1.1\n"},
        {"GET http://b/x", BAD}, {"GET http://a:80/x", BAD}, {"GET http://a.b/x", BAD},
        {"GET http://u@a/x", BAD}, {"GET http://u:p@a/x", BAD}, {"GET http:///x", BAD},
        {"GET http://", BAD}, {"GET http:/a", BAD}, {"GET ftp://a/x", BAD}, {"GET ws://a/x", BAD},
        {"GET a", BAD}, {"GET a:80", BAD}, {"GET a/x", BAD}, {"GET ?x", BAD}, {"GET .", BAD},
        {"GET *", BAD}, {"POST *", BAD}, {"OPTIONS **", BAD}, {"OPTIONS *x", BAD},
        {"OPTIONS *", "> OPTIONS * HTTP/1.1\n"},
        {"CONNECT a:80", "refused method_not_allowed"},
        {"CONNECT /", "refused method_not_allowed"}, {"TRACE /", "refused method_not_allowed"},
        {"TRACE *", "refused method_not_allowed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_line(rows[i].line, rows[i].told);
    check("B2", SLICE("GET http://a:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n"), "> GET /x HTTP/1.1\n");
    check("B2", SLICE("GET http://a/x HTTP/1.1\r\nHost: a:80\r\n\r\n"), BAD);
    check("B2", SLICE("GET http://a/x HTTP/1.1\r\n\r\n"), BAD_HOST);
    check("B2", SLICE("GET http://[::1]/x HTTP/1.1\r\nHost: [0:0:0:0:0:0:0:1]\r\n\r\n"),
          "> GET /x HTTP/1.1\n");
}

/* All byte values: at the beginning of the target, in the path, in the query, at its end. */
static void
test_b3_target_bytes(void **state)
{
    static const struct { const char *before, *behind; } at[] = {
        {"GET ", "/x HTTP/1.1"}, {"GET /x", "y HTTP/1.1"}, {"GET /x?y=", "z HTTP/1.1"},
        {"GET /x?y", " HTTP/1.1"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof at / sizeof at[0]; k++) {
        for (unsigned c = 0; c < 256; c++) {
            struct buf b;
            bool fine = c > 0x20 && c < 0x7f && c != '#' && c != '\\' && (k > 0 || c == '/');
            char want[64];
            buf_init(&b, 256);
            buf_printf(&b, "%s%c%s\r\nHost: a\r\n\r\n", at[k].before, (int)c, at[k].behind);
            /* A slash in front of a path; anything else there is another form. */
            snprintf(want, sizeof want, "> %s%c%s\n", at[k].before, (int)c, at[k].behind);
            check("B3", buf_slice(&b), fine ? want : BAD);
            buf_fini(&b);
        }
    }
    check_line("GET /a|b{c}^d`e\"f<g>'h", "> GET /a|b{c}^d`e\"f<g>'h HTTP/1.1\n");
}

static void
test_b4_paths_are_opaque(void **state)
{
    static const char *const paths[] = {
        "/%2f", "/%2F..%2f", "/%5c", "/%00", "/..;/", "//a", "/a//b", "/./a", "/../a", "/a/../b",
        "/%c0%af", "/%e0%80%af", "/%", "/%zz", "/%2", "/a;b=c", "/a?b?c", "/?", "/a%0d%0ab",
        "/a+b", "/%61", "/~", "/a:b@c", "/a?b=http://c/", "/&&", "/*", "/'\"", "/a%20b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char line[64], want[96];
        snprintf(line, sizeof line, "GET %s", paths[i]);
        snprintf(want, sizeof want, "> GET %s HTTP/1.1\n", paths[i]);
        check_line(line, want);
    }
}

static void
test_b5_methods(void **state)
{
    static const char *const known[] = {
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY", "PROPFIND", "MKCOL",
        "COPY", "MOVE", "LOCK", "UNLOCK", "PROPPATCH", "SEARCH", "REPORT", "ACL", "BIND", "LINK",
        "UNLINK", "MKCALENDAR", "MKACTIVITY", "CHECKOUT", "MERGE", "PURGE", "M-SEARCH", "NOTIFY",
        "SUBSCRIBE", "UNSUBSCRIBE", "REBIND", "UNBIND",
    };
    static const char *const unknown[] = {
        "get", "Get", "GETX", "GE", "G", "X", "__proto__", "constructor", "FOO", "BREW", "DEBUG",
        "TRACK", "DESCRIBE", "SETUP", "PRI", "connect", "trace", "head", "!#$%&'*+-.^_`|~0", "1",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG",
    };
    static const char *const wrong[] = {
        "GET,", "(GET)", "GET/", "G@T", "G[T", "G\\T", "G{T", "G\"T", "GET:", "G;T", "G<T", "G=T",
        "G?T", "\xc7GT", "G\x7f",
    };
    char line[2100];

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char want[64];
        snprintf(line, sizeof line, "%s /", known[i]);
        snprintf(want, sizeof want, "> %s / HTTP/1.1\n", known[i]);
        check_line(line, want);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        snprintf(line, sizeof line, "%s /", unknown[i]);
        check_line(line, "refused not_implemented");
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(line, sizeof line, "%s /", wrong[i]);
        check_line(line, BAD);
    }
    memset(line, 'A', 2000);
    memcpy(line + 2000, " /", 3);
    check_line(line, "refused not_implemented");
}

static void
test_b6_names_and_values(void **state)
{
    (void)state;
    check_field(": x", BAD);
    check_field("x", BAD);
    check_field("x y: z", BAD);
    check_field("x : z", BAD);
    check_field("X:", "> X: \n");
    check_field("X:y", "> X: y\n");
    check_field("X: \t y z \t ", "> X: y z\n");
    check_field("X: a:b", "> X: a:b\n");
    check_field("X: \xe4\xff\x80", "> X: \xe4\xff\x80\n");
    check_field("X: a\tb", "> X: a\tb\n");
    for (unsigned c = 1; c < 256; c++) {
        char name[16], value[16], want[24];
        bool token = octet_is((char)c, OCTET_TOKEN), text = c == '\t' || (c >= 0x20 && c != 0x7f);
        snprintf(name, sizeof name, "a%cb: x", (int)c);
        snprintf(value, sizeof value, "X: a%cb", (int)c);
        snprintf(want, sizeof want, "> %s\n", name);
        if (c == ':')
            check_field(name, "> a: b: x\n");
        else if (c == '_')
            check_field(name, "dropped 1");
        else
            check_field(name, token ? want : BAD);
        snprintf(want, sizeof want, "> %s\n", value);
        check_field(value, text ? want : BAD);
    }
    check("B6", SLICE("GET / HTTP/1.1\r\nHost: a\r\na\0b: c\r\n\r\n"), BAD);
    check("B6", SLICE("GET / HTTP/1.1\r\nHost: a\r\na: \0b\r\n\r\n"), BAD);
}

static void
test_b7_underscores(void **state)
{
    static const char *const names[] = {
        "X_Forwarded_For", "X_Forwarded_Proto", "X-Forwarded_Host", "Content_Length", "_", "Ho_st",
        "Transfer_Encoding", "x_real_ip", "Connection_", "_Host", "Authorization_", "a_b-c",
        "E2b_Sandbox_Id", "Rouse_Access_Token", "A-very-long-name-that-has-one-at-its-very-end_",
        "an_underscore-in-the-first-sixteen-bytes", "an-underscore-in-_-the-second-sixteen-ones",
    };
    char field[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(field, sizeof field, "%s: 1\r\nX: y", names[i]);
        check_field(field, "dropped 1\n> GET / HTTP/1.1\n> Host: a\n> X: y\n> \n");
    }
    check_field("a_b: 1\r\nX: y\r\nc_d: 2\r\n_: 3",
                "dropped 3\n> GET / HTTP/1.1\n> Host: a\n> X: y");
}

static void
test_connection(void **state)
{
    static const struct { const char *field, *told; } rows[] = {
        {"Connection: close", "> Connection: close\n"}, {"Connection: close\t", " length=0\n"},
        {"connection: foo ,\tCLOSE\t, bar", " length=0\n"}, {"Connection: ,close", " length=0\n"},
        {"Connection: x\r\nConnection: close", " length=0\n"}, {"Connection: keep-alive", " keep"},
        {"Connection: keep-alive", "!> Connection"}, {"Connection: closed", " keep"},
        {"Connection: \"close\"", " keep"}, {"Keep-Alive: timeout=5", "!> Keep-Alive"},
        {"Connection: X-A\r\nX-A: 1\r\nX-B: 2", "!> X-A"},
        {"Connection: X-A\r\nX-A: 1\r\nX-B: 2", "> X-B: 2\n"},
        {"X-A: 1\r\nx-a: 2\r\nConnection: b,, x-a ,c\r\nX-B: 2", "> Host: a\n> X-B: 2\n> \n"},
        {"X-A: 1\r\nConnection: x-a\r\nX-B: 2\r\nConnection: x-b", "> Host: a\n> \n"},
        {"X-A: 1\r\nConnection: x-a\r\nConnection: x-b\r\nX-B: 2", "> Host: a\n> \n"},
        {"Connection: Host, Cookie, Authorization, X-Forwarded-For\r\nCookie: c", "> Cookie: c\n"},
        {"Connection: X-Forwarded-For\r\nX-Forwarded-For: 1", "> X-Forwarded-For: 1\n"},
        {"Connection: Accept\r\nAccept: b\r\nACCEPT: c", "!> A"},
        {"Proxy-Connection: keep-alive\r\nProxy-Authorization: a\r\nTE: trailers\r\nTrailer: x\r\n"
         "HTTP2-Settings: AA\r\nUpgrade: h2c", "> Host: a\n> \n"},
        {"TE: gzip, trailers", " trailers\n"}, {"TE: trailersx", "! trailers\n"},
        {"Connection: Upgrade\r\nUpgrade: websocket", " upgrade\n"},
        {"Connection: keep-alive , UPGRADE\r\nUpgrade: websocket", " upgrade\n"},
        {"Connection: Upgrade", "! upgrade\n"}, {"Upgrade: websocket", "! upgrade\n"},
        {"Connection: Content-Length\r\nContent-Length: 0", "> Content-Length: 0\n"},
    };
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_field(rows[i].field, rows[i].told);
    buf_init(&b, 4096);
    buf_add_str(&b, "Connection: a");
    for (unsigned i = 1; i < 64; i++)
        buf_add_str(&b, ",a");
    check_field(buf_cstr(&b), " keep");
    buf_add_str(&b, ",");
    check_field(buf_cstr(&b), BAD);
    buf_fini(&b);
    check("1.0", SLICE("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), "> Connection: close\n");
    check("1.0", SLICE("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"), " keep");
    check("1.0", SLICE("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"),
          "> Connection: close\n");
    check("1.0", SLICE("GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: b\r\n\r\n"),
          "!0 upgrade");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_b1_host_lines),
        cmocka_unit_test(test_b2_forms),
        cmocka_unit_test(test_b3_target_bytes),
        cmocka_unit_test(test_b4_paths_are_opaque),
        cmocka_unit_test(test_b5_methods),
        cmocka_unit_test(test_b6_names_and_values),
        cmocka_unit_test(test_b7_underscores),
        cmocka_unit_test(test_connection),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
