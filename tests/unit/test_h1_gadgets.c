/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Smuggling gadgets by the thousand (RELIABILITY A1, A4, A5): each byte value at each place of a
 * framing field, alone and next to an honest one, towards both sides. Nobody can say of each what
 * is right; but whatever passes must be written with at most one framing field, ours, must hide no
 * second one from a lax reader, and (h1_lab) must mean the same to llhttp.
 */
#include "config.h"

#include "h1_lab.h"
#include "unit.h"

#include <strings.h>

static struct random dice;

/* % is the byte. */
static const char *const gadgets[] = {
    "%Transfer-Encoding: chunked", "Transfer-Encoding%: chunked", "Transfer-Encoding:%chunked",
    "Transfer-Encoding: %chunked", "Transfer-Encoding: chunked%", "Transfer-Encoding: chu%nked",
    "Transfer%-Encoding: chunked", "Transfer%Encoding: chunked", "Transfer-Encoding %: chunked",
    "Transfer-Encoding: chunked,%", "Transfer-Encoding: %,chunked", "Transfer-Encoding%chunked",
    "Transfer-Encoding: a%chunked", "Transfer-Encoding: chunked%a", "Transfer-Encoding:\t%chunked",
    "X: y%Transfer-Encoding: chunked", "X: y\r%Transfer-Encoding: chunked",
    "X: y\n%Transfer-Encoding: chunked", "X: y%\r\nTransfer-Encoding: chunked",
    "X: y\r\n%Transfer-Encoding: chunked", "X: y\r\n%\r\nTransfer-Encoding: chunked",
    "%: y\r\nTransfer-Encoding: chunked", "X%: y\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\n%: y", "Transfer-Encoding: chunked\r\nX: %",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: %",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding%: identity",
    "%Content-Length: 4", "Content-Length%: 4", "Content-Length:%4", "Content-Length: %4",
    "Content-Length: 4%", "Content-Length: 4%4", "Content%Length: 4", "Content-Length: 4,%",
    "Content-Length: 4\r\nContent-Length%: 4", "Content-Length: 4\r\n%Content-Length: 5",
    "X: y%Content-Length: 4", "X: y\r%Content-Length: 4", "X: y\r\n%Content-Length: 4",
    "Connection: %", "Connection: close%", "Connection: Transfer-Encoding%",
    "Connection: Content-Length%", "Expect: 100-continue%", "Expect: %100-continue",
    "Upgrade: %", "Host: b%", "Host%: b", "%Host: b",
};

static const char *const companions[] = {
    "", "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n",
};

/* Lines of what is written that begin so, in any case. */
static unsigned
count_lines(const char *told, const char *begin)
{
    unsigned n = 0;

    for (const char *line = strstr(told, "\n> "); line; line = strstr(line + 1, "\n> "))
        n += strncasecmp(line + 3, begin, strlen(begin)) == 0;
    return n;
}

static void
check(struct lab *l, const char *start, const char *gadget, unsigned c, const char *companion,
      bool before)
{
    struct buf b;

    buf_init(&b, 4096);
    buf_add_str(&b, start);
    buf_add_str(&b, before ? companion : "");
    for (const char *p = gadget; *p != '\0'; p++)
        buf_add_char(&b, *p == '%' ? (char)c : *p);
    buf_add_str(&b, "\r\n");
    buf_add_str(&b, before ? "" : companion);
    buf_add_str(&b, "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    lab_cut(l, buf_slice(&b), &dice, 2);

    const char *told = buf_cstr(&l->told);
    unsigned framings = count_lines(told, "Content-Length:") +
                        count_lines(told, "Transfer-Encoding:");
    unsigned aliases = count_lines(told, "Content_Length:") +
                       count_lines(told, "Transfer_Encoding:") +
                       count_lines(told, "Transfer_-Encoding:");
    bool refused = strncmp(told, "refused ", 8) == 0;
    if (framings > !refused || (l->kind == LAB_REQUEST && aliases > 0))
        fail_msg("gadget %s with %02x:\n%.*s\ntold\n%s", gadget, c, (int)b.n, b.p, told);
    buf_fini(&b);
}

static void
check_all(enum lab_kind kind, const char *start)
{
    /* A quick run takes one byte in 17, others for each gadget. */
    unsigned step = getenv("ROUSE_QUICK") ? 17 : 1;
    struct lab l;

    random_seed(&dice, 61);
    lab_init(&l, kind);
    l.quick = true;
    for (size_t g = 0; g < sizeof gadgets / sizeof gadgets[0]; g++)
        for (unsigned c = (unsigned)g % step; c < 256; c += step)
            for (size_t k = 0; k < sizeof companions / sizeof companions[0]; k++)
                check(&l, start, gadgets[g], c, companions[k], c % 2);
    lab_fini(&l);
}

static void
test_requests(void **state)
{
    (void)state;
    check_all(LAB_REQUEST, "POST / HTTP/1.1\r\nHost: a\r\n");
}

static void
test_answers(void **state)
{
    (void)state;
    check_all(LAB_ANSWER, "HTTP/1.1 200 OK\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
