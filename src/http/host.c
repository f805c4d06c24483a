/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c: judges host names while lowering their case; addresses go through libc. */
#include "config.h"

#include "http/host.h"

#include "http/octet.h"
#include "http/octet_priv.h"

#include <arpa/inet.h>
#include <string.h>

#define LABEL_MAX 63

struct slice
host_name(const struct host *h)
{
    return (struct slice){h->name, h->n};
}

/* ":8080" behind a name, or nothing. */
static int
parse_port(struct slice s, struct host *out)
{
    uint64_t port;

    if (s.n == 0)
        return 0;
    if (s.p[0] != ':' || slice_u64((struct slice){s.p + 1, s.n - 1}, UINT16_MAX, &port) != 0 ||
        port == 0)
        return -1;
    out->has_port = true;
    out->port = (uint16_t)port;
    return 0;
}

/* "[2001:db8::1]:80". Equal addresses get equal names. */
static int
parse_bracketed(struct slice s, struct host *out)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    ptrdiff_t close = slice_index(s, ']');

    if (close < 0 || (size_t)close > sizeof text)
        return -1;
    slice_copy(slice_sub(s, 1, (size_t)close), text, sizeof text);
    if (strlen(text) != (size_t)close - 1 || inet_pton(AF_INET6, text, &address) != 1 ||
        !inet_ntop(AF_INET6, &address, out->name, sizeof out->name))
        return -1;
    out->n = (uint8_t)strlen(out->name);
    out->literal = true;
    return parse_port(slice_sub(s, (size_t)close + 1, s.n), out);
}

/*
 * Whether browsers take a name with this last label for an IPv4 address: all digits, or a
 * hexadecimal number. Such a name must be a plain dotted quad.
 */
static bool
is_number(struct slice label)
{
    if (!octet_is(label.p[0], OCTET_DIGIT))
        return false;
    if (slice_starts(label, SLICE("0x")))
        return octet_all(slice_sub(label, 2, label.n), OCTET_HEX);
    return octet_all(label, OCTET_DIGIT);
}

/*
 * Copies in lower case up to the first byte that no name has; returns how much that was. Sixteen
 * at a time while there is room to write as many.
 */
static size_t
copy_lower(struct slice s, char *out)
{
    size_t most = s.n < HOST_MAX + 1 ? s.n : HOST_MAX + 1;
    size_t i = 0;

    while (most - i >= OCTETS) {
        octets v = octets_load(s.p + i);
        octets upper = (octets)((octets)(v - 'A') < 26);
        octets fine = octets_plain(v) | (octets)(v == '.') | (octets)(v == '_');
        v |= upper & 0x20;
        memcpy(out + i, &v, sizeof v);
        unsigned other = ~octets_mask(fine) & 0xffff;
        if (other != 0)
            return i + (size_t)__builtin_ctz(other);
        i += OCTETS;
    }
    for (; i < most && octet_is(s.p[i], OCTET_HOST); i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return i;
}

/* Labels of 1 to 63 bytes in name[0, n); where the last one begins, or -1. */
static ptrdiff_t
last_label(const char *name, size_t n)
{
    size_t label = 0;

    for (;;) {
        size_t length = octet_find(name + label, n - label, '.');
        if (length == 0 || length > LABEL_MAX)
            return -1;
        if (label + length == n)
            return (ptrdiff_t)label;
        label += length + 1;
    }
}

int
host_parse(struct slice s, struct host *out)
{
    out->n = 0;
    out->literal = out->has_port = false;
    out->port = 0;
    if (s.n > 0 && s.p[0] == '[')
        return parse_bracketed(s, out);

    size_t taken = copy_lower(s, out->name);
    size_t n = taken > 0 && out->name[taken - 1] == '.' ? taken - 1 : taken;
    ptrdiff_t label = n <= HOST_MAX ? last_label(out->name, n) : -1;
    if (label < 0)
        return -1;
    out->name[n] = '\0';
    out->n = (uint8_t)n;
    if (is_number(slice_sub(host_name(out), (size_t)label, n))) {
        struct in_addr address;
        if (inet_pton(AF_INET, out->name, &address) != 1)
            return -1;
        out->literal = true;
    }
    return taken == s.n ? 0 : parse_port(slice_sub(s, taken, s.n), out);
}

bool
host_same(const struct host *a, const struct host *b)
{
    return slice_eq(host_name(a), host_name(b)) && a->has_port == b->has_port &&
           a->port == b->port;
}
