/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header.c: see proxy_header.h. It must not know sockets, listeners or who may announce
 * anything. No state. Section numbers are those of proxy-protocol.txt.
 */
#include "config.h"

#include "net/proxy_header.h"

#include <string.h>

#define V1_BEGINNING SLICE("PROXY ")
#define V2_SIGNATURE SLICE("\r\n\r\n\0\r\nQUIT\n")
#define V2_FIXED 16u /* signature, version and command, family and protocol, length */
#define TLV_FIXED 3u /* type, length */

enum { COMMAND_LOCAL = 0, COMMAND_PROXY = 1 };
enum { FAMILY_NONE = 0x00, FAMILY_INET = 0x11, FAMILY_INET6 = 0x21, FAMILY_UNIX = 0x31 };
enum { TLV_CRC32C = 0x03, TLV_UNIQUE_ID = 0x05, TLV_SSL = 0x20 };

static enum proxy_header_says
bad(const char **why, const char *text)
{
    *why = text;
    return PROXY_HEADER_BAD;
}

/* in and what are the same as far as both reach. */
static bool
begins(struct slice in, struct slice what)
{
    size_t n = in.n < what.n ? in.n : what.n;

    return memcmp(in.p, what.p, n) == 0;
}

/* --- version 1: a line (section 2.1) --------------------------------------------------------- */

/* The bytes up to the next space, which is cut off too. False: there is no space. */
static bool
next_word(struct slice *rest, struct slice *word)
{
    ptrdiff_t space = slice_index(*rest, ' ');

    if (space < 0)
        return false;
    *word = slice_sub(*rest, 0, (size_t)space);
    *rest = slice_sub(*rest, (size_t)space + 1, rest->n);
    return true;
}

/* An address of that family, bare, and a port. */
static int
v1_endpoint(struct slice ip, struct slice port, bool six, struct endpoint *out)
{
    ptrdiff_t colon = slice_index(ip, ':');
    uint64_t number;

    /* Two colons at least: one alone would be a port for endpoint_parse. */
    if (six ? colon == slice_rindex(ip, ':') : colon >= 0)
        return -1;
    if (slice_index(ip, '[') >= 0)
        return -1;
    if (endpoint_parse(ip, out) < 0 || slice_u64(port, UINT16_MAX, &number) < 0)
        return -1;
    out->port = (uint16_t)number;
    return 0;
}

static enum proxy_header_says
v1_line(struct slice line, struct proxy_header *out, const char **why)
{
    struct slice rest = slice_sub(line, V1_BEGINNING.n, line.n);
    struct slice family, source, destination, port;

    if (slice_eq(rest, SLICE("UNKNOWN")) || slice_starts(rest, SLICE("UNKNOWN ")))
        return PROXY_HEADER_DONE;
    if (!next_word(&rest, &family) || !next_word(&rest, &source) ||
        !next_word(&rest, &destination) || !next_word(&rest, &port))
        return bad(why, "words are missing");
    bool six = slice_eq(family, SLICE("TCP6"));
    if (!six && !slice_eq(family, SLICE("TCP4")))
        return bad(why, "unknown family");
    if (v1_endpoint(source, port, six, &out->source) < 0 ||
        v1_endpoint(destination, rest, six, &out->destination) < 0)
        return bad(why, "malformed address or port");
    out->announced = true;
    return PROXY_HEADER_DONE;
}

static enum proxy_header_says
v1_parse(struct slice in, struct proxy_header *out, const char **why)
{
    size_t end = 0;

    if (!begins(in, V1_BEGINNING))
        return bad(why, "no PROXY header");
    while (end < in.n && end < PROXY_HEADER_V1_MAX && in.p[end] != '\r' && in.p[end] != '\n')
        end++;
    if (end + 1 >= PROXY_HEADER_V1_MAX)
        return bad(why, "the line is too long");
    if (end == in.n)
        return PROXY_HEADER_MORE;
    if (in.p[end] == '\n' || (end + 1 < in.n && in.p[end + 1] != '\n'))
        return bad(why, "the line does not end in CRLF");
    if (end + 1 == in.n)
        return PROXY_HEADER_MORE;
    out->n = end + 2;
    return v1_line(slice_sub(in, 0, end), out, why);
}

/* --- version 2: binary (section 2.2) --------------------------------------------------------- */

static uint16_t
be16(const char *p)
{
    return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

/* CRC-32C (RFC 9260 appendix A), a nibble at a time. */
static uint32_t
crc32c(uint32_t crc, const char *p, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

/* Of the whole header, with the four bytes at sum taken as zeros. */
static bool
checksum_ok(struct slice header, const char *sum)
{
    size_t at = (size_t)(sum - header.p);
    uint32_t crc = crc32c(UINT32_MAX, header.p, at);
    uint32_t want = (uint32_t)be16(sum) << 16 | be16(sum + 2);

    crc = crc32c(crc, "\0\0\0", 4);
    crc = crc32c(crc, sum + 4, header.n - at - 4);
    return ~crc == want;
}

/* Cuts the first TLV off. False: there is none, or less than it says. */
static bool
next_tlv(struct slice *rest, uint8_t *type, struct slice *value)
{
    size_t n;

    if (rest->n < TLV_FIXED)
        return false;
    n = be16(rest->p + 1);
    if (n > rest->n - TLV_FIXED)
        return false;
    *type = (uint8_t)rest->p[0];
    *value = slice_sub(*rest, TLV_FIXED, TLV_FIXED + n);
    *rest = slice_sub(*rest, TLV_FIXED + n, rest->n);
    return true;
}

/* PP2_TYPE_SSL: five bytes, then TLVs of its own (section 2.2.6). */
static bool
ssl_ok(struct slice value)
{
    struct slice rest = slice_sub(value, 5, value.n), inner;
    uint8_t type;

    if (value.n < 5)
        return false;
    while (rest.n > 0)
        if (!next_tlv(&rest, &type, &inner))
            return false;
    return true;
}

static enum proxy_header_says
v2_tlvs(struct slice header, struct slice rest, const char **why)
{
    bool summed = false;
    struct slice value;
    uint8_t type;

    while (rest.n > 0) {
        if (!next_tlv(&rest, &type, &value))
            return bad(why, "malformed TLV");
        if (type == TLV_SSL && !ssl_ok(value))
            return bad(why, "malformed TLV");
        if (type == TLV_UNIQUE_ID && value.n > 128)
            return bad(why, "malformed TLV");
        if (type != TLV_CRC32C)
            continue;
        if (summed || value.n != 4 || !checksum_ok(header, value.p))
            return bad(why, "wrong checksum");
        summed = true;
    }
    return PROXY_HEADER_DONE;
}

static struct endpoint
v2_endpoint(const char *ip, size_t n, const char *port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct endpoint e = {.family = n == 4 ? 4 : 6, .port = be16(port)};

    if (n == 16 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
        e.family = 4;
        ip += sizeof(mapped);
        n = 4;
    }
    memcpy(e.ip, ip, n);
    return e;
}

/* Source, destination, their ports. */
static void
v2_addresses(const char *p, size_t ip, struct proxy_header *out)
{
    out->announced = true;
    out->source = v2_endpoint(p, ip, p + 2 * ip);
    out->destination = v2_endpoint(p + ip, ip, p + 2 * ip + 2);
}

/* A PROXY command's block behind the fixed part. */
static enum proxy_header_says
v2_block(struct slice header, uint8_t family, struct proxy_header *out, const char **why)
{
    struct slice block = slice_sub(header, V2_FIXED, header.n);
    size_t ip = family == FAMILY_INET ? 4 : 16;
    size_t addresses = family == FAMILY_UNIX ? 2 * 108 : 2 * (ip + 2);

    if (family == FAMILY_NONE)
        return PROXY_HEADER_DONE; /* nobody says how long the addresses are */
    if (block.n < addresses)
        return bad(why, "the addresses are cut short");
    if (family != FAMILY_UNIX)
        v2_addresses(block.p, ip, out);
    return v2_tlvs(header, slice_sub(block, addresses, block.n), why);
}

static bool
v2_family_ok(uint8_t family)
{
    return family == FAMILY_NONE || family == FAMILY_INET || family == FAMILY_INET6 ||
           family == FAMILY_UNIX;
}

/* Each byte is judged as soon as it is there, so that nobody waits for the rest of what is wrong;
 * `in` begins with as much of the signature as it has bytes. */
static enum proxy_header_says
v2_parse(struct slice in, struct proxy_header *out, const char **why)
{
    const uint8_t *p = (const uint8_t *)in.p;
    bool local = in.n > 12 && (p[12] & 15) == COMMAND_LOCAL;

    if (in.n > 12 && p[12] >> 4 != 2)
        return bad(why, "unknown version");
    if (in.n > 12 && (p[12] & 15) > COMMAND_PROXY)
        return bad(why, "unknown command");
    if (in.n > 13 && !local && !v2_family_ok(p[13])) /* LOCAL: whatever it is, it is ignored */
        return bad(why, "unknown family or protocol");
    if (in.n < V2_FIXED)
        return PROXY_HEADER_MORE;
    out->n = V2_FIXED + be16(in.p + 14);
    if (out->n > PROXY_HEADER_MAX)
        return bad(why, "the header is too long");
    if (in.n < out->n)
        return PROXY_HEADER_MORE;
    return local ? PROXY_HEADER_DONE : v2_block(slice_sub(in, 0, out->n), p[13], out, why);
}

enum proxy_header_says
proxy_header_parse(struct slice in, struct proxy_header *out, const char **why)
{
    *out = (struct proxy_header){0};
    if (in.n == 0)
        return PROXY_HEADER_MORE;
    return begins(in, V2_SIGNATURE) ? v2_parse(in, out, why) : v1_parse(in, out, why);
}
