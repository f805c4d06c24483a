/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint.c: reading, writing and judging numeric addresses. inet_pton() is strict enough: no
 * octal, no missing parts, no zone ids.
 */
#include "config.h"

#include "base/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* Only the address: family and ip. */
static int
parse_ip(struct slice s, uint8_t *family, uint8_t ip[16])
{
    char text[INET6_ADDRSTRLEN];
    uint8_t raw[16] = {0};

    if (s.n == 0 || s.n >= sizeof text || slice_index(s, '\0') >= 0)
        return -1;
    slice_copy(s, text, sizeof text);
    if (slice_index(s, ':') < 0) {
        if (inet_pton(AF_INET, text, raw) != 1)
            return -1;
        *family = 4;
    } else {
        if (inet_pton(AF_INET6, text, raw) != 1)
            return -1;
        *family = 6;
    }
    memcpy(ip, raw, sizeof raw);
    return 0;
}

static bool
is_mapped(uint8_t family, const uint8_t ip[16])
{
    return family == 6 && memcmp(ip, mapped, sizeof mapped) == 0;
}

static void
unmap(uint8_t *family, uint8_t ip[16])
{
    memmove(ip, ip + 12, 4);
    memset(ip + 4, 0, 12);
    *family = 4;
}

int
endpoint_parse(struct slice s, struct endpoint *out)
{
    struct endpoint e = {0};
    struct slice ip = s, port = SLICE_NONE;
    ptrdiff_t colon = slice_index(s, ':');

    if (s.n > 0 && s.p[0] == '[') {
        ptrdiff_t close = slice_index(s, ']');
        if (close < 0)
            return -1;
        ip = slice_sub(s, 1, (size_t)close);
        port = slice_sub(s, (size_t)close + 1, s.n);
        if (slice_index(ip, ':') < 0 || (port.n > 0 && port.p[0] != ':'))
            return -1;
    } else if (colon >= 0 && slice_rindex(s, ':') == colon) {
        ip = slice_sub(s, 0, (size_t)colon);
        port = slice_sub(s, (size_t)colon, s.n);
    }
    if (parse_ip(ip, &e.family, e.ip))
        return -1;
    if (port.n > 0) {
        uint64_t v;
        if (slice_u64(slice_sub(port, 1, port.n), UINT16_MAX, &v) || v == 0)
            return -1;
        e.port = (uint16_t)v;
    }
    if (is_mapped(e.family, e.ip))
        unmap(&e.family, e.ip);
    *out = e;
    return 0;
}

/* Do the first `bits` bits agree? */
static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

int
cidr_parse(struct slice s, struct cidr *out)
{
    struct cidr c = {0};
    ptrdiff_t slash = slice_index(s, '/');
    struct slice ip = slash < 0 ? s : slice_sub(s, 0, (size_t)slash);

    if (parse_ip(ip, &c.family, c.ip))
        return -1;
    uint64_t widest = c.family == 4 ? 32 : 128, bits = widest;
    if (slash >= 0 && slice_u64(slice_sub(s, (size_t)slash + 1, s.n), widest, &bits))
        return -1;
    if (is_mapped(c.family, c.ip) && bits >= 96) {
        unmap(&c.family, c.ip);
        bits -= 96;
    }
    c.bits = (uint8_t)bits;
    for (unsigned i = c.bits; i < 128; i++)
        c.ip[i / 8] = (uint8_t)(c.ip[i / 8] & ~(0x80 >> i % 8));
    *out = c;
    return 0;
}

bool
cidr_has(const struct cidr *c, const struct endpoint *e)
{
    return c->family != 0 && c->family == e->family && same_bits(c->ip, e->ip, c->bits);
}

bool
endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

void
endpoint_add(struct buf *b, const struct endpoint *e)
{
    char text[INET6_ADDRSTRLEN];
    int af = e->family == 4 ? AF_INET : AF_INET6;

    if (e->family == 0 || !inet_ntop(af, e->ip, text, sizeof text)) {
        buf_add_char(b, '-');
        return;
    }
    bool brackets = e->family == 6 && e->port != 0;
    if (brackets)
        buf_add_char(b, '[');
    buf_add_str(b, text);
    if (brackets)
        buf_add_char(b, ']');
    if (e->port != 0) {
        buf_add_char(b, ':');
        buf_add_u64(b, e->port);
    }
}

const char *
endpoint_text(const struct endpoint *e, char *text)
{
    struct buf b;

    buf_init_fixed(&b, text, ENDPOINT_TEXT);
    endpoint_add(&b, e);
    return buf_cstr(&b);
}

static bool
is_ip4(const struct endpoint *e, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return e->family == 4 && e->ip[0] == a && e->ip[1] == b && e->ip[2] == c && e->ip[3] == d;
}

bool
endpoint_is_metadata(const struct endpoint *e)
{
    static const uint8_t aws6[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};

    return is_ip4(e, 169, 254, 169, 254) || is_ip4(e, 100, 100, 100, 200) ||
           (e->family == 6 && memcmp(e->ip, aws6, sizeof aws6) == 0);
}

bool
endpoint_is_unspecified(const struct endpoint *e)
{
    static const uint8_t zero[16];

    if (e->family == 4)
        return e->ip[0] == 0 || (e->ip[0] & 0xf0) == 224 || is_ip4(e, 255, 255, 255, 255);
    return e->family != 6 || e->ip[0] == 0xff || memcmp(e->ip, zero, sizeof zero) == 0;
}

bool
endpoint_is_loopback(const struct endpoint *e)
{
    static const uint8_t one[16] = {[15] = 1};

    return (e->family == 4 && e->ip[0] == 127) ||
           (e->family == 6 && memcmp(e->ip, one, sizeof one) == 0);
}

bool
endpoint_is_linklocal(const struct endpoint *e)
{
    return (e->family == 4 && e->ip[0] == 169 && e->ip[1] == 254) ||
           (e->family == 6 && e->ip[0] == 0xfe && (e->ip[1] & 0xc0) == 0x80);
}
