/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests, row by row of RELIABILITY tables A and B: what is refused and why, what passes and what
 * is written for it. Every input is read whole, byte by byte, cut at every place and at random.
 */
#include "config.h"

#include "h1_lab.h"
#include "unit.h"

#include <stdio.h>

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" H

struct row {
    const char *id;
    const char *in;
    size_t n;
    const char *told; /* must occur in what is told; a leading '!' must not */
};

#define ROW(id, in, told) {id, in, sizeof(in) - 1, told}
#define BAD "refused request_invalid"

static struct random dice;

static void
check(struct lab *l, const struct row *row)
{
    bool absent = row->told[0] == '!';
    const char *wanted = row->told + absent;

    lab_cut(l, (struct slice){row->in, row->n}, &dice, 20);
    const char *told = buf_cstr(&l->told);
    if ((strstr(told, wanted) == NULL) != absent)
        fail_msg("%s: %.*s\nwanted %s\ntold %s", row->id, (int)row->n, row->in, row->told, told);
}

#define CHECK_ALL(rows) check_all(rows, sizeof(rows) / sizeof((rows)[0]))

static void
check_all(const struct row *row, size_t n)
{
    struct lab l;

    random_seed(&dice, 1);
    lab_init(&l, LAB_REQUEST);
    for (size_t i = 0; i < n; i++)
        check(&l, &row[i]);
    lab_fini(&l);
}

static void
test_a1_two_framings(void **state)
{
    static const struct row rows[] = {
        ROW("A1", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
        ROW("A1", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", BAD),
        ROW("A1", POST "transfer-encoding:chunked\r\nCONTENT-LENGTH:0\r\n\r\n", BAD),
        ROW("A1", POST "TRANSFER-ENCODING: CHUNKED\r\ncontent-length: \r\n\r\n", BAD),
        ROW("A1", POST "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n", BAD),
        ROW("A1", POST "Transfer-Encoding: \r\nContent-Length: 5\r\n\r\nhello", BAD),
        ROW("A1", POST "Content-Length: 5\r\nX: y\r\nTransfer-Encoding: identity\r\n\r\n", BAD),
        ROW("A1", "GET / HTTP/1.0\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            BAD),
    };

    (void)state;
    CHECK_ALL(rows);
}

static void
test_a2_repeated_length(void **state)
{
    static const struct row rows[] = {
        ROW("A2", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", BAD),
        ROW("A2", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", BAD),
        ROW("A2", POST "Content-Length: 5, 5\r\n\r\nhello", BAD),
        ROW("A2", POST "Content-Length: 5,6\r\n\r\nhello", BAD),
        ROW("A2", POST "Content-Length: 5,\r\n\r\nhello", BAD),
        ROW("A2", POST "Content-Length: \r\nContent-Length: 5\r\n\r\nhello", BAD),
        ROW("A2", POST "content-length: 5\r\nX: y\r\nCONTENT-LENGTH: 5\r\n\r\nhello", BAD),
        ROW("A2", POST "Content-Length: 5\r\nContent_Length: 6\r\n\r\nhello", "dropped 1"),
    };

    (void)state;
    CHECK_ALL(rows);
}

static void
test_a3_length_syntax(void **state)
{
    static const char *const wrong[] = {
        "+5", "-5", "-0", "0x5", "5h", "h5", "1_0", "5 5", "5\t5", "", "5.0", ".5", "5.", "5e0",
        "1e1", "5;a=b", "\"5\"", "'5'", "5\\", "5/", "5:", "5=", "0b1", "0o5", "five", "\xb5",
        "5\xa0", "\xc2\xa0", "\xd9\xa5", "NaN", "inf", "null", "true", "5%", "%35", "$5", "#5",
        "5#", "(5)", "5()", "[5]", "{5}", "5l", "5u", "5ULL", "00000000000000000005",
        "9223372036854775808", "9223372036854775809", "18446744073709551615",
        "18446744073709551616", "18446744073709551621", "99999999999999999999",
        "100000000000000000000", "4294967296 ,5", "*", "chunked",
    };
    static const struct { const char *in, *written; } fine[] = {
        {"0", "> Content-Length: 0\n"}, {"5", "> Content-Length: 5\n"},
        {"05", "> Content-Length: 5\n"}, {"0000000000000000005", "> Content-Length: 5\n"},
        {"  5  ", "> Content-Length: 5\n"}, {"5 ", "> Content-Length: 5\n"},
        {"4294967296", "> Content-Length: 4294967296\n"},
        {"9223372036854775807", "> Content-Length: 9223372036854775807\n"},
    };
    struct lab l;
    char text[256];

    (void)state;
    random_seed(&dice, 2);
    lab_init(&l, LAB_REQUEST);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int n = snprintf(text, sizeof text, POST "Content-Length: %s\r\n\r\nhello", wrong[i]);
        check(&l, &(struct row){"A3", text, (size_t)n, BAD});
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        int n = snprintf(text, sizeof text, POST "Content-Length: %s\r\n\r\nhello", fine[i].in);
        check(&l, &(struct row){"A3", text, (size_t)n, fine[i].written});
    }
    lab_fini(&l);
}

static const struct { const char *field, *told; } codings[] = {
    {"Transfer-Encoding: chunked", "> Transfer-Encoding: chunked\n> \n"},
    {"Transfer-Encoding: chunked", "body [] end"},
    {"transfer-encoding:  CHUNKED ", "body [] end"},
    {"Transfer-Encoding: gzip, chunked", "refused not_implemented"},
    {"Transfer-Encoding: gzip", "refused not_implemented"},
    {"Transfer-Encoding: identity", "refused not_implemented"},
    {"Transfer-Encoding: xchunked", "refused not_implemented"},
    {"Transfer-Encoding: chunkedx", "refused not_implemented"},
    {"Transfer-Encoding: chunke", "refused not_implemented"},
    {"Transfer-Encoding: cow", "refused not_implemented"},
    {"Transfer-Encoding: identity, chunked", "refused not_implemented"},
    {"Transfer-Encoding: chunked, identity", BAD},
    {"Transfer-Encoding: chunked, gzip", BAD},
    {"Transfer-Encoding: chunked, chunked", BAD},
    {"Transfer-Encoding: chunked,", BAD},
    {"Transfer-Encoding: ,chunked", BAD},
    {"Transfer-Encoding: ,", BAD},
    {"Transfer-Encoding:", BAD},
    {"Transfer-Encoding: \t", BAD},
    {"Transfer-Encoding: chunked;q=1", BAD},
    {"Transfer-Encoding: gzip;q=1, chunked", BAD},
    {"Transfer-Encoding: \"chunked\"", BAD},
    {"Transfer-Encoding: 'chunked'", "refused not_implemented"},
    {"Transfer-Encoding: chunked foo", BAD},
    {"Transfer-Encoding: chun\tked", BAD},
    {"Transfer-Encoding: \x0b" "chunked", BAD},
    {"Transfer-Encoding: chunked\x0c", BAD},
    {"Transfer-Encoding: \xa0" "chunked", BAD},
    {"Transfer-Encoding: chunked\xff", BAD},
    {"Transfer-Encoding: (a)chunked", BAD},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", BAD},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", BAD},
    {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", BAD},
    {"Transfer-Encoding : chunked", BAD},
    {"Transfer-Encoding\t: chunked", BAD},
    {"Transfer-Encoding\x0b: chunked", BAD},
    {" Transfer-Encoding: chunked", BAD},
    {"\tTransfer-Encoding: chunked", BAD},
    {"Transfer\xad-Encoding: chunked", BAD},
    {"X: y\r\n Transfer-Encoding: chunked", BAD},
    {"X: y\rTransfer-Encoding: chunked", BAD},
    {"X: y\nTransfer-Encoding: chunked", BAD},
    {"Transfer-Encoding\r\n : chunked", BAD},
    {"Transfer-Encoding:\r\n chunked", BAD},
    {"Transfer_Encoding: chunked", "dropped 1"},
    {"Transfer_Encoding: chunked", "!Encoding: chunked\n> "},
    {"Transfer-Encodin: chunked", "framing=0"},
    {"Transfer-Encodings: chunked", "framing=0"},
    {"X-Transfer-Encoding: chunked", "framing=0"},
    {"TransferEncoding: chunked", "framing=0"},
    {"Transfer--Encoding: chunked", "framing=0"},
};

static void
test_a4_transfer_encoding(void **state)
{
    struct lab l;
    char text[256];

    (void)state;
    random_seed(&dice, 3);
    lab_init(&l, LAB_REQUEST);
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        int n = snprintf(text, sizeof text, POST "%s\r\n\r\n0\r\n\r\n", codings[i].field);
        check(&l, &(struct row){"A4", text, (size_t)n, codings[i].told});
    }
    check(&l, &(struct row)ROW("A4", "POST / HTTP/1.0\r\n" H
                               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD));
    lab_fini(&l);
}

/* Each terminator in place of each CRLF. */
static void
test_a5_terminators(void **state)
{
    static const char *const parts[] = {
        "GET / HTTP/1.1", "Host: a", "Accept: b", "Content-Length: 0", "X: y", "",
    };
    static const struct { const char *text; size_t n; } wrong[] = {
        {"\n", 1}, {"\r", 1}, {"\r\r\n", 3}, {"\n\n", 2}, {"\r\r", 2}, {"\ra\n", 3}, {"\0\r\n", 3},
        {"\r\0\n", 3}, {"\r\n ", 3}, {"\r\n\t", 3}, {"\r\n \r\n", 5}, {"\n\r", 2}, {"\r\n\n", 3},
        {"\x0b\r\n", 3}, {"\x0c\r\n", 3}, {"\x85\n", 2}, {"\x1c\r\n", 3}, {"\x7f\r\n", 3},
    };
    const size_t lines = sizeof parts / sizeof parts[0];
    struct lab l;

    (void)state;
    random_seed(&dice, 4);
    lab_init(&l, LAB_REQUEST);
    for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
        for (size_t at = 0; at < lines; at++) {
            struct buf b;
            buf_init(&b, 4096);
            for (size_t i = 0; i < lines; i++) {
                buf_add_str(&b, parts[i]);
                if (i == at)
                    buf_add(&b, wrong[w].text, wrong[w].n);
                else
                    buf_add_str(&b, "\r\n");
            }
            buf_add_str(&b, "\r\n\r\n\r\n");
            struct slice in = buf_slice(&b);
            lab_cut(&l, in, &dice, 10);
            const char *told = buf_cstr(&l.told);
            /* A blank line made of CRLF SP is the body's business; a head that ends well, too. */
            bool ends_well = at == lines - 1 && wrong[w].n > 1 && !memcmp(wrong[w].text, "\r\n", 2);
            if (!ends_well && strncmp(told, BAD, strlen(BAD)) != 0)
                fail_msg("A5: terminator %zu at line %zu: %s", w, at, told);
            buf_fini(&b);
        }
    }
    lab_fini(&l);
}

static void
test_a6_to_a9_in_place(void **state)
{
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    static const struct row rows[] = {
        ROW("A6", CHUNKED "5\r\nhello\r\n0\r\n\r\nGET /next", "body [hello] end"),
        ROW("A6", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", "body [] bad"),
        ROW("A7", CHUNKED "5;a=b;c\r\nhello\r\n0;d=\"e\"\r\n\r\n", "body [hello] end"),
        ROW("A8", CHUNKED "5\r\nhelloXX0\r\n\r\n", "body [hello] bad"),
        ROW("A9", CHUNKED "0\r\nX-Sum: 1\r\n\r\n", "trailer X-Sum: 1"),
        ROW("A9", CHUNKED "0\r\nHost: b\r\nAuthorization: x\r\n\r\n", "!trailer"),
        ROW("A9", CHUNKED "0\r\nContent-Length: 5\r\n\r\n", "bad"),
        ROW("A9", CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n", "bad"),
        ROW("A15", CHUNKED "5\r\nhel", "body [hel] more"),
        ROW("A15", POST "Content-Length: 5\r\n\r\nhel", "body [hel] more"),
        ROW("A15", POST "Content-Length: 5\r\n\r\n", "body [] more"),
        ROW("A15", POST "Content-Length: 5\r\n", "more\n"),
        ROW("A13", POST "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n", "body [hello] end"),
    };

    (void)state;
    CHECK_ALL(rows);
}

static void
test_a10_bodies_of_all_methods(void **state)
{
    static const struct row rows[] = {
        ROW("A10", GET H "Content-Length: 5\r\n\r\nhello", "body [hello] end"),
        ROW("A10", "HEAD / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "body [hello] end"),
        ROW("A10", "DELETE / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "body [hello]"),
        ROW("A10", "OPTIONS / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "body [hello]"),
        ROW("A10", GET H "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "body [a] end"),
        ROW("A10", GET H "\r\nhello", "body [] end 27"),
        ROW("A10", POST "\r\nhello", "> Content-Length: 0\n"),
        ROW("A10", GET H "\r\n", "!Content-Length"),
    };

    (void)state;
    CHECK_ALL(rows);
}

static void
test_a11_expect(void **state)
{
#define LENGTH "Content-Length: 1\r\n"
    static const struct row rows[] = {
        ROW("A11", POST LENGTH "Expect: 100-continue\r\n\r\na", " expect\n"),
        ROW("A11", POST LENGTH "Expect: 100-Continue\r\n\r\na", " expect\n"),
        ROW("A11", POST LENGTH "Expect: 100-continue\r\n\r\na", "!> Expect"),
        ROW("A11", POST LENGTH "Expect: y 100-continue\r\n\r\na", "refused expectation_failed"),
        ROW("A11", POST LENGTH "Expect: 100-continue, x\r\n\r\na", "refused expectation_failed"),
        ROW("A11", POST LENGTH "Expect: \r\n\r\na", "refused expectation_failed"),
        ROW("A11", POST LENGTH "Expect: 200-ok\r\n\r\na", "refused expectation_failed"),
        ROW("A11", POST LENGTH "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\na",
            "refused expectation_failed"),
        ROW("A11", POST LENGTH "Expect : 100-continue\r\n\r\na", BAD),
        ROW("A11", POST LENGTH "Expect: 100-continue\r\n b\r\n\r\na", BAD),
        ROW("A11", "POST / HTTP/1.0\r\n" H LENGTH "Expect: 100-continue\r\n\r\na", "! expect"),
    };

    (void)state;
    CHECK_ALL(rows);
}

static void
test_a14_start_lines(void **state)
{
    static const struct { const char *line, *told; } rows[] = {
        {"GET / HTTP/1.1", "GET / HTTP/11"}, {"GET / HTTP/1.0", "GET / HTTP/10"},
        {"GET / HTTP/0.9", "refused version_unsupported"},
        {"GET / HTTP/1.2", "refused version_unsupported"},
        {"GET / HTTP/2.0", "refused version_unsupported"},
        {"GET / HTTP/3.0", "refused version_unsupported"},
        {"GET / HTTP/9.9", "refused version_unsupported"},
        {"PRI * HTTP/2.0", "refused version_unsupported"},
        {"GET / HTTP/1.10", BAD}, {"GET / HTTP/11.1", BAD}, {"GET / HTTP/1", BAD},
        {"GET / HTTP/1.", BAD}, {"GET / HTTP/.1", BAD}, {"GET / HTTP/1,1", BAD},
        {"GET / HTTP/1.x", BAD}, {"GET / HTTP/x.1", BAD}, {"GET / HTTP/ 1.1", BAD},
        {"GET / HTTP 1.1", BAD}, {"GET / http/1.1", BAD}, {"GET / Http/1.1", BAD},
        {"GET / HTTPS/1.1", BAD}, {"GET / HTTP/1.1 ", BAD}, {"GET / HTTP/1.1\t", BAD},
        {"GET /", BAD}, {"GET / ", BAD}, {"GET", BAD}, {"GET ", BAD}, {"/ HTTP/1.1", BAD},
        {" GET / HTTP/1.1", BAD}, {"GET  / HTTP/1.1", BAD}, {"GET /  HTTP/1.1", BAD},
        {"GET\t/ HTTP/1.1", BAD}, {"GET /\tHTTP/1.1", BAD}, {"GET / / HTTP/1.1", BAD},
        {"GET HTTP/1.1", BAD}, {"HTTP/1.1 200 OK", BAD}, {"DESCRIBE rtsp://a RTSP/1.0", BAD},
        {"OPTIONS * RTSP/1.0", BAD}, {"SOURCE /a ICE/1.0", BAD}, {"GET / \xd0HTTP/1.1", BAD},
        {"\x16\x03\x01\x02\x01", BAD}, {"SSH-2.0-OpenSSH_9.2", BAD}, {"{\"a\":1}", BAD},
        {"EHLO a", BAD}, {"GET / FTP/1.1", BAD},
    };
    static const struct row more[] = {
        ROW("A14", "\r\n" GET H "\r\n", "GET / HTTP/11"),
        ROW("A14", "\r\n\r\n" GET H "\r\n", BAD),
        ROW("A14", "\n" GET H "\r\n", BAD),
        ROW("A14", "\r" GET H "\r\n", BAD),
        ROW("A14", " \r\n" GET H "\r\n", BAD),
        ROW("A14", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "refused version_unsupported"),
        ROW("A14", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1", BAD),
        ROW("A14", "\x80\x2e\x01\x00\x02", BAD),
        ROW("A14", "\r\n", "more"),
        ROW("A14", "", "more"),
    };
    struct lab l;
    char text[256];

    (void)state;
    random_seed(&dice, 5);
    lab_init(&l, LAB_REQUEST);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int n = snprintf(text, sizeof text, "%s\r\n" H "\r\n", rows[i].line);
        check(&l, &(struct row){"A14", text, (size_t)n, rows[i].told});
    }
    lab_fini(&l);
    CHECK_ALL(more);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a1_two_framings),
        cmocka_unit_test(test_a2_repeated_length),
        cmocka_unit_test(test_a3_length_syntax),
        cmocka_unit_test(test_a4_transfer_encoding),
        cmocka_unit_test(test_a5_terminators),
        cmocka_unit_test(test_a6_to_a9_in_place),
        cmocka_unit_test(test_a10_bodies_of_all_methods),
        cmocka_unit_test(test_a11_expect),
        cmocka_unit_test(test_a14_start_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
