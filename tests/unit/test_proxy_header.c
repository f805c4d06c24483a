/* SPDX-License-Identifier: BSD-2-Clause */
/* PROXY headers: what is taken, as whose, and what is not; the same verdict wherever they are cut
 * (RELIABILITY G3, A16). */
#include "config.h"

#include "net/proxy_header.h"

#include "unit.h"

#include <stdio.h>

/* The verdict on p[0, n), in memory of exactly that size. */
static enum proxy_header_says
parse(const char *p, size_t n, struct proxy_header *h, const char **why)
{
    char *copy = malloc(n > 0 ? n : 1);
    enum proxy_header_says says;

    assert_non_null(copy);
    memcpy(copy, p, n);
    *why = NULL;
    says = proxy_header_parse((struct slice){copy, n}, h, why);
    assert_int_equal(*why != NULL, says == PROXY_HEADER_BAD);
    free(copy);
    return says;
}

/* Every beginning says MORE until the verdict falls, which is then the same for every longer one.
 * Returns it, and how many bytes it took. */
static enum proxy_header_says
parse_cut(const char *p, size_t n, struct proxy_header *h, size_t *took)
{
    enum proxy_header_says verdict = PROXY_HEADER_MORE;
    struct proxy_header first = {0};
    const char *why;

    *took = 0;
    for (size_t cut = 0; cut <= n; cut++) {
        enum proxy_header_says says = parse(p, cut, h, &why);

        if (verdict == PROXY_HEADER_MORE) {
            verdict = says;
            first = *h;
            *took = cut;
        }
        if (says != verdict)
            fail_msg("cut at %zu: %d, earlier %d", cut, (int)says, (int)verdict);
        if (says == PROXY_HEADER_DONE)
            assert_memory_equal(&first, h, sizeof first);
    }
    return verdict;
}

static void
assert_endpoints(const struct proxy_header *h, const char *source, const char *destination)
{
    char text[ENDPOINT_TEXT];

    assert_true(h->announced);
    assert_string_equal(endpoint_text(&h->source, text), source);
    assert_string_equal(endpoint_text(&h->destination, text), destination);
}

/* --- version 1 --- */

#define A39 "1234:1234:1234:1234:1234:1234:1234:1234"

struct line {
    const char *text; /* without CRLF */
    const char *source, *destination; /* NULL: nobody is announced */
};

static void
test_lines(void **state)
{
    static const struct line rows[] = {
        {"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443", "192.168.0.1:56324", "192.168.0.11:443"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255:65535",
         "255.255.255.255:65535"},
        {"PROXY TCP4 0.0.0.0 127.0.0.1 0 1", "0.0.0.0", "127.0.0.1:1"},
        {"PROXY TCP6 ::1 2001:DB8::2 1 65535", "[::1]:1", "[2001:db8::2]:65535"},
        {"PROXY TCP6 " A39 " " A39 " 65535 65535", "[" A39 "]:65535", "[" A39 "]:65535"},
        {"PROXY TCP6 :: :: 0 0", "::", "::"},
        {"PROXY TCP6 ::ffff:10.1.2.3 ::ffff:a01:204 5 6", "10.1.2.3:5", "10.1.2.4:6"},
        {"PROXY UNKNOWN", NULL, NULL},
        {"PROXY UNKNOWN ", NULL, NULL},
        {"PROXY UNKNOWN ffff:f... whatever \x01\x80", NULL, NULL},
        {"PROXY UNKNOWN " A39 " " A39 " 65535 65535", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[300];
        int n = snprintf(text, sizeof text, "%s\r\nPROXY \r\nGET / HTTP/1.1\r\n", rows[i].text);
        size_t header = strlen(rows[i].text) + 2, took;
        struct proxy_header h;

        assert_int_equal(parse_cut(text, (size_t)n, &h, &took), PROXY_HEADER_DONE);
        assert_int_equal(took, header);
        assert_int_equal(h.n, header);
        if (rows[i].source)
            assert_endpoints(&h, rows[i].source, rows[i].destination);
        else
            assert_false(h.announced);
    }
}

static void
test_bad_lines(void **state)
{
    static const char *rows[] = {
        "PROXY\r\n", "PROXY \r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "proxy TCP4",
        "Proxy ", " PROXY ", "PROXYTCP4", "PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", "\nPROXY ",
        "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP44 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY UNKNOWNX\r\n", "PROXY UNKNOW\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4  1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n",
        "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.0x4 1.2.3.4 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP4 1.2.3.4:5 1.2.3.4 1 2\r\n", "PROXY TCP4 [1.2.3.4] 1.2.3.4 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP6 1.2.3.4:5 ::1 1 2\r\n",
        "PROXY TCP6 ::1 1.2.3.4 1 2\r\n", "PROXY TCP6 [::1] [::1] 1 2\r\n",
        "PROXY TCP6 [::1]:5 ::1 1 2\r\n", "PROXY TCP6 ::1%1 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n",
        "PROXY TCP6 ::12345 ::1 1 2\r\n", "PROXY TCP6 ::1::2 ::1 1 2\r\n",
        "PROXY TCP6 ::g ::1 1 2\r\n", "PROXY TCP6 ::1 ::1: 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 02\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 99999999999999999999\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 0x1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 a 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX", "PROXY UNKNOWN\n", "PROXY UNKNOWN \rx\r\n",
        "PROXY UNKNOWN a\nb\r\n", "GET / HTTP/1.1\r\n", "\x16\x03\x01\x02", "PRI * HTTP/2.0\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "P ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct proxy_header h;
        size_t took;

        if (parse_cut(rows[i], strlen(rows[i]), &h, &took) != PROXY_HEADER_BAD)
            fail_msg("taken: %s", rows[i]);
    }
}

static void
test_long_lines(void **state)
{
    char text[300] = "PROXY UNKNOWN ";
    struct proxy_header h;
    size_t took;

    (void)state;
    memset(text + 14, 'x', sizeof text - 14);
    memcpy(text + 105, "\r\n", 2);
    assert_int_equal(parse_cut(text, 200, &h, &took), PROXY_HEADER_DONE);
    assert_int_equal(h.n, PROXY_HEADER_V1_MAX);
    memcpy(text + 105, "x\r\n", 3);
    assert_int_equal(parse_cut(text, 200, &h, &took), PROXY_HEADER_BAD);
    assert_int_equal(took, 106); /* it can no longer end in time */
    memset(text + 14, '\0', sizeof text - 14);
    assert_int_equal(parse_cut(text, 200, &h, &took), PROXY_HEADER_BAD);
}

static void
test_nul_in_an_address(void **state)
{
    static const char text[] = "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n";
    struct proxy_header h;
    size_t took;

    (void)state;
    assert_int_equal(parse_cut(text, sizeof text - 1, &h, &took), PROXY_HEADER_BAD);
}

/* --- version 2 --- */

struct v2 {
    char p[2000];
    size_t n;
};

static void
v2_begin(struct v2 *v, unsigned version_command, unsigned family)
{
    memcpy(v->p, "\r\n\r\n\0\r\nQUIT\n", 12);
    v->p[12] = (char)version_command;
    v->p[13] = (char)family;
    v->n = 16;
}

static void
v2_add(struct v2 *v, const void *p, size_t n)
{
    memcpy(v->p + v->n, p, n);
    v->n += n;
}

static void
v2_tlv(struct v2 *v, unsigned type, const void *p, size_t n)
{
    char head[3] = {(char)type, (char)(n >> 8), (char)n};

    v2_add(v, head, 3);
    v2_add(v, p, n);
}

/* The length, then bytes of the connection itself; returns the header's. */
static size_t
v2_end(struct v2 *v)
{
    size_t n = v->n;

    v->p[14] = (char)((n - 16) >> 8);
    v->p[15] = (char)(n - 16);
    v2_add(v, "GET /", 5);
    return n;
}

#define V4 "\x0a\x01\x02\x03\x0a\x01\x02\x04\xdc\x04\x01\xbb", 12

static void
assert_v2(struct v2 *v, enum proxy_header_says want, struct proxy_header *h)
{
    size_t n = v2_end(v), took;

    assert_int_equal(parse_cut(v->p, v->n, h, &took), want);
    if (want == PROXY_HEADER_DONE) {
        assert_int_equal(took, n);
        assert_int_equal(h->n, n);
    }
}

static void
test_v2_addresses(void **state)
{
    static const char six[36] = {[0] = 0x20, [1] = 1, [15] = 1, [31] = 2, [33] = 7, [35] = 8};
    static const char mapped[36] = {[10] = '\xff', [11] = '\xff', [12] = 10, [15] = 9,
                                    [26] = '\xff', [27] = '\xff', [28] = 10, [31] = 8, [33] = 1};
    static const char path[216] = "/run/a";
    struct proxy_header h;
    struct v2 v;

    (void)state;
    v2_begin(&v, 0x21, 0x11);
    v2_add(&v, V4);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    assert_endpoints(&h, "10.1.2.3:56324", "10.1.2.4:443");
    v2_begin(&v, 0x21, 0x21);
    v2_add(&v, six, 36);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    assert_endpoints(&h, "[2001::1]:7", "[::2]:8");
    v2_begin(&v, 0x21, 0x21);
    v2_add(&v, mapped, 36);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    assert_endpoints(&h, "10.0.0.9:1", "10.0.0.8");
    v2_begin(&v, 0x21, 0x31);
    v2_add(&v, path, 216);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    assert_false(h.announced);
}

static void
test_v2_of_nobody(void **state)
{
    struct proxy_header h;
    struct v2 v;

    (void)state;
    for (unsigned family = 0; family < 256; family++) { /* LOCAL: the block is not looked at */
        v2_begin(&v, 0x20, family);
        if (family & 1)
            v2_add(&v, "anything", 8);
        assert_v2(&v, PROXY_HEADER_DONE, &h);
        assert_false(h.announced);
    }
    v2_begin(&v, 0x21, 0x00);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    assert_false(h.announced);
    v2_begin(&v, 0x21, 0x00);
    v2_add(&v, "\xff\xff\xff", 3);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    assert_false(h.announced);
}

static void
test_v2_first_bytes(void **state)
{
    struct proxy_header h;
    struct v2 v;

    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        v2_begin(&v, b, 0x11);
        v2_add(&v, V4);
        assert_v2(&v, b == 0x20 || b == 0x21 ? PROXY_HEADER_DONE : PROXY_HEADER_BAD, &h);
        if (b == 0x00 || b == 0x11 || b == 0x21 || b == 0x31)
            continue;
        v2_begin(&v, 0x21, b);
        v2_add(&v, V4);
        assert_v2(&v, PROXY_HEADER_BAD, &h);
    }
    for (size_t at = 0; at < 12; at++) {
        v2_begin(&v, 0x21, 0x11);
        v2_add(&v, V4);
        v.p[at] = (char)(v.p[at] ^ 0x20);
        assert_v2(&v, PROXY_HEADER_BAD, &h);
    }
}

static void
test_v2_lengths(void **state)
{
    static const struct {
        unsigned family;
        size_t n;
    } rows[] = {{0x11, 12}, {0x21, 36}, {0x31, 216}};
    static const char zeros[PROXY_HEADER_MAX] = "";
    struct proxy_header h;
    struct v2 v;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t n = 0; n <= rows[i].n + 9; n++) {
            size_t rest = n > rows[i].n ? n - rows[i].n : 0;
            bool fine = n >= rows[i].n && rest % 3 == 0; /* three zeros are an empty TLV */

            v2_begin(&v, 0x21, rows[i].family);
            v2_add(&v, zeros, n);
            assert_v2(&v, fine ? PROXY_HEADER_DONE : PROXY_HEADER_BAD, &h);
        }
    v2_begin(&v, 0x20, 0);
    v2_add(&v, zeros, PROXY_HEADER_MAX - 16);
    assert_v2(&v, PROXY_HEADER_DONE, &h);
    v2_begin(&v, 0x20, 0);
    v2_add(&v, zeros, PROXY_HEADER_MAX - 15);
    assert_v2(&v, PROXY_HEADER_BAD, &h);
    v2_begin(&v, 0x21, 0x11);
    memcpy(v.p + 14, "\xff\xff", 2);
    const char *why;
    assert_int_equal(parse(v.p, 16, &h, &why), PROXY_HEADER_BAD);
}

static void
test_v2_tlvs(void **state)
{
    static const struct {
        const char *p;
        size_t n;
        bool fine;
    } rows[] = {
        {"\x01\x00\x02h2", 5, true},
        {"\x02\x00\x01" "a\x04\x00\x00", 7, true},
        {"\xff\x00\x00", 3, true},
        {"\xea\x00\x02\x01\x02", 5, true}, /* a cloud's own */
        {"\x01", 1, false},
        {"\x01\x00", 2, false},
        {"\x01\x00\x03h2", 5, false},
        {"\x01\xff\xffh2", 5, false},
        {"\x01\x00\x01h2", 5, false},
        {"\x20\x00\x05\x01\0\0\0\0", 8, true},
        {"\x20\x00\x0f\x01\0\0\0\0\x21\x00\x07TLSv1.3", 18, true},
        {"\x20\x00\x04\x01\0\0\0", 7, false},
        {"\x20\x00\x0f\x01\0\0\0\0\x21\x00\x08TLSv1.3", 18, false},
        {"\x20\x00\x06\x01\0\0\0\0\x21", 9, false},
    };
    struct proxy_header h;
    struct v2 v;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        v2_begin(&v, 0x21, 0x11);
        v2_add(&v, V4);
        v2_add(&v, rows[i].p, rows[i].n);
        assert_v2(&v, rows[i].fine ? PROXY_HEADER_DONE : PROXY_HEADER_BAD, &h);
    }
    for (size_t n = 127; n <= 129; n++) {
        char id[129] = "";

        v2_begin(&v, 0x21, 0x11);
        v2_add(&v, V4);
        v2_tlv(&v, 0x05, id, n);
        assert_v2(&v, n <= 128 ? PROXY_HEADER_DONE : PROXY_HEADER_BAD, &h);
    }
}

/* CRC-32C a bit at a time. */
static uint32_t
slow_crc32c(const char *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void
put_checksum(struct v2 *v, size_t at)
{
    uint32_t crc;

    v->p[14] = 0;
    v->p[15] = (char)(v->n - 16);
    crc = slow_crc32c(v->p, v->n);
    for (int i = 0; i < 4; i++)
        v->p[at + (size_t)i] = (char)(crc >> (24 - 8 * i));
}

static void
test_v2_checksum(void **state)
{
    struct proxy_header h;
    struct v2 v;

    (void)state;
    assert_int_equal(slow_crc32c("123456789", 9), 0xe3069283u);
    for (size_t flip = 0; flip < 39; flip++) {
        /* 0: none is flipped. The length is written below; another type is no checksum. */
        bool fine = flip == 0 || flip == 14 || flip == 15 || flip == 28;

        v2_begin(&v, 0x21, 0x11);
        v2_add(&v, V4);
        v2_tlv(&v, 0x03, "\0\0\0\0", 4);
        v2_tlv(&v, 0x02, "a", 1);
        put_checksum(&v, 31);
        if (flip > 0)
            v.p[flip] = (char)(v.p[flip] ^ 0x40);
        assert_v2(&v, fine ? PROXY_HEADER_DONE : PROXY_HEADER_BAD, &h);
    }
    v2_begin(&v, 0x21, 0x11); /* twice: the second cannot be right as well */
    v2_add(&v, V4);
    v2_tlv(&v, 0x03, "\0\0\0\0", 4);
    v2_tlv(&v, 0x03, "\0\0\0\0", 4);
    put_checksum(&v, 31);
    assert_v2(&v, PROXY_HEADER_BAD, &h);
    v2_begin(&v, 0x21, 0x11);
    v2_add(&v, V4);
    v2_tlv(&v, 0x03, "\0\0\0", 3);
    assert_v2(&v, PROXY_HEADER_BAD, &h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_nul_in_an_address),
        cmocka_unit_test(test_v2_addresses),
        cmocka_unit_test(test_v2_of_nobody),
        cmocka_unit_test(test_v2_first_bytes),
        cmocka_unit_test(test_v2_lengths),
        cmocka_unit_test(test_v2_tlvs),
        cmocka_unit_test(test_v2_checksum),
    };

    return cmocka_run_group_tests_name("proxy_header", tests, NULL, NULL);
}
