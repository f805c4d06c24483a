/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header.h: the PROXY protocol's header, versions 1 and 2 (proxy-protocol.txt of haproxy): a
 * balancer in front of us says with the first bytes of a connection whose it really is. Strict, and
 * pure: bytes in, verdict out, the same however they were cut.
 */
#ifndef ROUSE_NET_PROXY_HEADER_H
#define ROUSE_NET_PROXY_HEADER_H

#include <stdint.h>

#include "base/endpoint.h"
#include "base/slice.h"

/* Version 1 ends within its first 107 bytes. */
#define PROXY_HEADER_V1_MAX 107
/* Version 2 is meant to fit one segment: two paths, a name and a certificate's words do. */
#define PROXY_HEADER_MAX 1024

enum proxy_header_says {
    PROXY_HEADER_MORE, /* so far it is the beginning of one */
    PROXY_HEADER_DONE,
    PROXY_HEADER_BAD,  /* close: whoever this is must not be believed in anything */
};

struct proxy_header {
    size_t n; /* bytes of the header; what follows is the connection's */
    /* False: nobody is announced (UNKNOWN, LOCAL, unspecified, or a unix socket, which has no
     * address that we could show): the socket's own peer is the client. */
    bool announced;
    struct endpoint source, destination; /* a port may be 0; IPv4-mapped IPv6 becomes IPv4 */
};

/*
 * in: all that came so far, from the connection's first byte on. DONE fills out; BAD sets *why to a
 * static text, for the log. What does not matter to us (TLVs) must be well-formed; a checksum
 * (PP2_TYPE_CRC32C), when there is one, must be right.
 */
enum proxy_header_says proxy_header_parse(struct slice in, struct proxy_header *out,
                                          const char **why) must_check;

#endif
