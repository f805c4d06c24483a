/* SPDX-License-Identifier: BSD-2-Clause */
/* host.c: judges host names byte by byte while lowering their case; addresses go through libc. */
#include "config.h"

#include "http/host.h"

#include "http/octet.h"

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
    if (s.p[0] != ':' || slice_u64(slice_sub(s, 1, s.n), UINT16_MAX, &port) != 0 || port == 0)
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
    if (slice_starts(label, SLICE("0x")))
        return octet_all(slice_sub(label, 2, label.n), OCTET_HEX);
    return octet_all(label, OCTET_DIGIT);
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Copies in lower case up to the port; returns how much was taken, 0 when a label is wrong. */
static size_t
take_labels(struct slice s, struct host *out, size_t *last)
{
    size_t i = 0, label = 0;

    for (; i < s.n && s.p[i] != ':'; i++) {
        if (i > HOST_MAX || !octet_is(s.p[i], OCTET_HOST))
            return 0;
        if (s.p[i] == '.') {
            if (i == label || i - label > LABEL_MAX)
                return 0;
            if (i + 1 < s.n && s.p[i + 1] != ':')
                label = i + 1;
            else
                continue;
        }
        out->name[i] = lower(s.p[i]);
    }
    *last = label;
    return i;
}

int
host_parse(struct slice s, struct host *out)
{
    size_t label = 0;

    out->n = 0;
    out->literal = out->has_port = false;
    out->port = 0;
    if (s.n > 0 && s.p[0] == '[')
        return parse_bracketed(s, out);

    size_t taken = take_labels(s, out, &label);
    size_t n = taken > 0 && s.p[taken - 1] == '.' ? taken - 1 : taken;
    if (n == 0 || n > HOST_MAX || n - label > LABEL_MAX)
        return -1;
    out->name[n] = '\0';
    out->n = (uint8_t)n;
    if (is_number(slice_sub(host_name(out), label, n))) {
        struct in_addr address;
        if (inet_pton(AF_INET, out->name, &address) != 1)
            return -1;
        out->literal = true;
    }
    return parse_port(slice_sub(s, taken, s.n), out);
}
