/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of an untrusted sandbox, row by row of RELIABILITY table E as far as a codec knows it.
 * Every input is read in all the ways of h1_lab.
 */
#include "config.h"

#include "h1_lab.h"
#include "http/h1_body.h"
#include "http/h1_write.h"
#include "unit.h"

#include <stdio.h>

#define OK "HTTP/1.1 200 OK\r\n"
#define BAD "refused upstream_malformed"

static struct random dice;

static void
check(enum lab_kind kind, const char *id, struct slice in, const char *told)
{
    struct lab l;
    bool absent = told[0] == '!';

    lab_init(&l, kind);
    lab_cut(&l, in, &dice, 10);
    const char *got = buf_cstr(&l.told);
    if ((strstr(got, told + absent) == NULL) != absent)
        fail_msg("%s: %.*s\nwanted %s\ntold %s", id, (int)in.n, in.p, told, got);
    lab_fini(&l);
}

static void
check_fields(const char *fields, const char *told)
{
    char text[1024];
    int n = snprintf(text, sizeof text, OK "%s\r\n", fields);

    check(LAB_ANSWER, fields, (struct slice){text, (size_t)n}, told);
}

static void
check_line(const char *line, const char *told)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "%s\r\nContent-Length: 0\r\n\r\n", line);

    check(LAB_ANSWER, line, (struct slice){text, (size_t)n}, told);
}

static void
test_e1_framing(void **state)
{
    static const struct { const char *fields, *told; } rows[] = {
        {"Content-Length: 5\r\n", "> Content-Length: 5\n> \nbody [] more"},
        {"Content-Length: 0\r\n", "body [] end"},
        {"Content-Length: 007\r\n", "> Content-Length: 7\n"},
        {"Transfer-Encoding: chunked\r\n", "> Transfer-Encoding: chunked\n> \nbody [] more"},
        {"transfer-encoding: Chunked\r\n", "> Transfer-Encoding: chunked\n"},
        {"", "> Connection: close\n> \nbody [] close"},
        {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", BAD},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", BAD},
        {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", BAD},
        {"Content-Length: 5\r\nContent-Length: 5\r\n", BAD},
        {"Content-Length: 5\r\nContent-Length: 6\r\n", BAD},
        {"Content-Length: 5, 5\r\n", BAD}, {"Content-Length: 5,6\r\n", BAD},
        {"Content-Length:\r\n", BAD}, {"Content-Length: -1\r\n", BAD},
        {"Content-Length: +1\r\n", BAD}, {"Content-Length: 0x10\r\n", BAD},
        {"Content-Length: 1 1\r\n", BAD}, {"Content-Length: 1.0\r\n", BAD},
        {"Content-Length: 1e3\r\n", BAD}, {"Content-Length: a\r\n", BAD},
        {"Content-Length: 9223372036854775808\r\n", BAD},
        {"Content-Length: 18446744073709551617\r\n", BAD},
        {"Content-Length: 00000000000000000001\r\n", BAD},
        {"Transfer-Encoding: gzip\r\n", BAD}, {"Transfer-Encoding: gzip, chunked\r\n", BAD},
        {"Transfer-Encoding: chunked, gzip\r\n", BAD}, {"Transfer-Encoding: identity\r\n", BAD},
        {"Transfer-Encoding: chunked, chunked\r\n", BAD}, {"Transfer-Encoding:\r\n", BAD},
        {"Transfer-Encoding: chunked;a=b\r\n", BAD}, {"Transfer-Encoding: xchunked\r\n", BAD},
        {"Transfer-Encoding: ,chunked\r\n", BAD}, {"Transfer-Encoding: \"chunked\"\r\n", BAD},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", BAD},
        {"Transfer-Encoding : chunked\r\n", BAD}, {"Content-Length : 5\r\n", BAD},
        {" Content-Length: 5\r\n", BAD}, {"X: y\r\n Content-Length: 5\r\n", BAD},
        {"Transfer_Encoding: chunked\r\n", "> Transfer_Encoding: chunked\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_fields(rows[i].fields, rows[i].told);
    check(LAB_ANSWER, "E1", SLICE("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), BAD);
    check(LAB_ANSWER, "E1", SLICE("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"),
          "> HTTP/1.1 200 OK\n> Content-Length: 1\n> Connection: close\n> \nbody [a] end");
    check(LAB_ANSWER, "E1", SLICE("HTTP/1.0 200 OK\r\n\r\nabc"), "body [abc] close");
    check(LAB_ANSWER, "E10", SLICE(OK "Content-Length: 5\r\n\r\nabc"), "body [abc] more");
    check(LAB_ANSWER, "E10", SLICE(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"),
          "body [abc] more");
    check(LAB_ANSWER, "E10", SLICE(OK "Content-Length: 5\r\n"), "more");
}

/* What has no body ends with its head; what follows is another's. */
static void
check_bodiless(enum lab_kind kind, int status, unsigned f)
{
    static const char *const fields[] = {
        "", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 0\r\n",
    };
    /* 1xx and 204 never frame; the others tell what would have been. */
    bool silent = status < 200 || status == 204;
    bool bodiless = kind == LAB_ANSWER_HEAD || silent || status == 304;
    char text[256], want[64];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%s\r\n", status, fields[f]);

    if (bodiless || f == 3)
        snprintf(want, sizeof want, "body [] end %d\n", n);
    else
        snprintf(want, sizeof want, f == 0 ? "body [5\r\nhello" : "body [");
    n += snprintf(text + n, sizeof text - (size_t)n, "5\r\nhello\r\n0\r\n\r\n");
    struct slice in = {text, (size_t)n};
    check(kind, "E2", in, want);
    check(kind, "E2", in, !silent && f % 2 ? "> Content-Length: " : "!> Content-Length: 5");
    if (silent)
        check(kind, "E2", in, "!> Transfer-Encoding");
}

static void
test_e2_bodiless(void **state)
{
    static const int statuses[] = {100, 101, 102, 103, 199, 200, 204, 205, 304, 404};

    (void)state;
    for (size_t s = 0; s < sizeof statuses / sizeof statuses[0]; s++) {
        for (unsigned f = 0; f < 4; f++) {
            check_bodiless(LAB_ANSWER, statuses[s], f);
            check_bodiless(LAB_ANSWER_HEAD, statuses[s], f);
        }
    }
    check(LAB_ANSWER, "E2", SLICE("HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n"),
          "> Connection: close");
    check(LAB_ANSWER, "E2", SLICE("HTTP/1.1 204 X\r\nContent-Length: a\r\n\r\n"), BAD);
    check(LAB_ANSWER, "E2", SLICE("HTTP/1.1 304 X\r\n\r\n"), "!> Content-Length");
    check(LAB_ANSWER_HEAD, "E2", SLICE(OK "\r\n"), "!> Content-Length");
    check(LAB_ANSWER_HEAD, "E2", SLICE(OK "\r\n"), "!> Connection");
}

static void
test_e3_two_answers(void **state)
{
    (void)state;
    check(LAB_ANSWER, "E3", SLICE(OK "Content-Length: 1\r\n\r\na" OK "\r\n"), "body [a] end 39");
    check(LAB_ANSWER, "E3", SLICE(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" OK),
          "body [] end 52");
}

static void
test_e7_status_lines(void **state)
{
    static const struct { const char *line, *told; } rows[] = {
        {"HTTP/1.1 200 OK", "HTTP/11 200 [OK]"}, {"HTTP/1.1 200 ", "HTTP/11 200 []"},
        {"HTTP/1.1 200", "> HTTP/1.1 200 \n"}, {"HTTP/1.0 200 OK", "HTTP/10 200 [OK]"},
        {"HTTP/1.1 100 C", "HTTP/11 100 "}, {"HTTP/1.1 599 X", "HTTP/11 599 [X]"},
        {"HTTP/1.1 200  two", "HTTP/11 200 [ two]"},
        {"HTTP/1.1 200 \xc3\xa4", "> HTTP/1.1 200 \xc3\xa4\n"},
        {"HTTP/1.1 200 a\tb", "> HTTP/1.1 200 a\tb\n"},
        {"HTTP/1.1 099 X", BAD}, {"HTTP/1.1 99 X", BAD}, {"HTTP/1.1 000 X", BAD},
        {"HTTP/1.1 600 X", BAD}, {"HTTP/1.1 999 X", BAD}, {"HTTP/1.1 1000 X", BAD},
        {"HTTP/1.1 2000 X", BAD}, {"HTTP/1.1 20 OK", BAD}, {"HTTP/1.1 2 OK", BAD},
        {"HTTP/1.1 2x0 OK", BAD}, {"HTTP/1.1 abc", BAD}, {"HTTP/1.1 -20 X", BAD},
        {"HTTP/1.1 +20 X", BAD}, {"HTTP/1.1 200OK", BAD}, {"HTTP/1.1 200\tOK", BAD},
        {"HTTP/1.1  200 OK", BAD}, {"HTTP/1.1\t200 OK", BAD}, {"HTTP/1.1 OK", BAD},
        {"HTTP/1.1", BAD}, {"HTTP/1.1 ", BAD}, {"HTTP/2.0 200 OK", BAD}, {"HTTP/2 200", BAD},
        {"HTTP/0.9 200 OK", BAD}, {"HTTP/1.2 200 OK", BAD}, {"http/1.1 200 OK", BAD},
        {"HTTP/1.10 200 OK", BAD}, {"HTTP/11 200 OK", BAD}, {"HTTP/1 200 OK", BAD},
        {"HTTPS/1.1 200 OK", BAD}, {"ICY 200 OK", BAD}, {"RTSP/1.0 200 OK", BAD},
        {" HTTP/1.1 200 OK", BAD}, {"SSH-2.0-OpenSSH_9.2p1", BAD}, {"220 smtp", BAD},
        {"<html>", BAD}, {"GET / HTTP/1.1", BAD}, {"HTTP/1.1 200 O\x01K", BAD},
        {"HTTP/1.1 200 O\x7fK", BAD}, {"HTTP/1.1 200 OK\r", BAD}, {"\r\nHTTP/1.1 200 OK", BAD},
        {"", BAD}, {"\x15\x03\x03", BAD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_line(rows[i].line, rows[i].told);
    check(LAB_ANSWER, "E7", SLICE("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"), BAD);
    check(LAB_ANSWER, "E7", SLICE("HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n"), BAD);
    check(LAB_ANSWER, "E7", SLICE("HTTP/1.1 2\0" "0 OK\r\n\r\n"), BAD);
}

static void
test_e8_fields(void **state)
{
    static const char *const wrong[] = {
        "a\rb: c\r\n", "a: b\rc\r\n", "a: b\nc: d\r\n", "a: b\r\n c\r\n", "a: b\r\n\tc\r\n",
        ": b\r\n", "a\r\n", "a b: c\r\n", " a: b\r\n", "a : b\r\n", "a(: b\r\n", "a: \x01\r\n",
        "a: \x7f\r\n", "\xe4: b\r\n", "a: b\r\r\n", "a: b\n", "\r\n\n", "a: \x1b[0m\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (memcmp(wrong[i], "\r\n", 2) != 0)
            check_fields(wrong[i], BAD);
    check(LAB_ANSWER, "E8", SLICE(OK "a: b\0c\r\n\r\n"), BAD);
    check(LAB_ANSWER, "E8", SLICE(OK "a\0b: c\r\n\r\n"), BAD);
    check_fields("a: \xe4\xff\tb\r\n", "> a: \xe4\xff\tb\n");
}

static void
test_e9_hop_by_hop(void **state)
{
    (void)state;
    check_fields("Content-Length: 0\r\nConnection: close\t\r\n", "length=0\n");
    check_fields("Content-Length: 0\r\nConnection: close\t\r\nX: y\r\n",
                 "> X: y\n> Content-Length: 0\n> Connection: close\n");
    check_fields("Content-Length: 0\r\nConnection: X-A, keep-alive\r\nX-A: 1\r\nKeep-Alive: 1\r\n"
                 "Proxy-Connection: a\r\nProxy-Authenticate: b\r\nUpgrade: h2c\r\nTrailer: c\r\n"
                 "TE: d\r\nX-B: 2\r\n",
                 "> HTTP/1.1 200 OK\n> X-B: 2\n> Content-Length: 0\n> \n");
    check_fields("Content-Length: 0\r\nConnection: Set-Cookie\r\n"
                 "Set-Cookie: a\r\nSet-Cookie: b\r\n",
                 "> Set-Cookie: a\n> Set-Cookie: b\n");
    check_fields("Content-Length: 0\r\nExpect: x\r\nHost: y\r\n", "> Expect: x\n");
    check_fields("Content-Length: 0\r\na_b: x\r\n", "> a_b: x\n");
}

/* To a client of HTTP/1.0, and what closing adds. */
static void
test_to_old_clients(void **state)
{
    static const struct {
        uint16_t status;
        enum framing framing;
        uint8_t to;
        bool close, bodiless;
        const char *written;
    } rows[] = {
        {200, FRAMING_LENGTH, 10, false, false, "Content-Length: 3\r\nConnection: keep-alive\r\n"},
        {200, FRAMING_LENGTH, 10, true, false, "Content-Length: 3\r\nConnection: close\r\n"},
        {200, FRAMING_CHUNKED, 10, false, false, "Connection: close\r\n"},
        {200, FRAMING_CHUNKED, 11, false, false, "Transfer-Encoding: chunked\r\n"},
        {200, FRAMING_CHUNKED, 10, false, true, "Connection: keep-alive\r\n"},
        {200, FRAMING_CHUNKED, 11, false, true, "Transfer-Encoding: chunked\r\n"},
        {200, FRAMING_CLOSE, 11, false, false, "Connection: close\r\n"},
        {200, FRAMING_NONE, 11, false, false, "Content-Length: 0\r\n"},
        {200, FRAMING_NONE, 11, false, true, ""},
        {204, FRAMING_NONE, 11, false, false, ""},
        {204, FRAMING_LENGTH, 11, true, false, "Connection: close\r\n"},
        {304, FRAMING_LENGTH, 11, false, false, "Content-Length: 3\r\n"},
        {304, FRAMING_CHUNKED, 11, false, false, ""},
        {304, FRAMING_CHUNKED, 10, false, false, "Connection: keep-alive\r\n"},
        {103, FRAMING_NONE, 11, true, false, ""},
        {103, FRAMING_LENGTH, 10, false, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct head h;
        struct buf out;
        char want[256];
        head_init(&h);
        h.status = rows[i].status;
        h.phrase = SLICE("X");
        h.framing = rows[i].framing;
        h.length = 3;
        buf_init(&out, 1024);
        assert_int_equal(h1_write_answer(&out, &h, rows[i].to, rows[i].close, rows[i].bodiless), 0);
        snprintf(want, sizeof want, "HTTP/1.1 %u X\r\n%s\r\n", rows[i].status, rows[i].written);
        assert_string_equal(buf_cstr(&out), want);
        buf_fini(&out);
    }
}

static int
set_up(void **state)
{
    (void)state;
    random_seed(&dice, 21);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_e1_framing),       cmocka_unit_test(test_e2_bodiless),
        cmocka_unit_test(test_e3_two_answers),   cmocka_unit_test(test_e7_status_lines),
        cmocka_unit_test(test_e8_fields),        cmocka_unit_test(test_e9_hop_by_hop),
        cmocka_unit_test(test_to_old_clients),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
