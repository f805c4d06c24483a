/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.h: endpoints as the socket calls want them, and back.
 */
#ifndef ROUSE_NET_ADDRESS_H
#define ROUSE_NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/endpoint.h"

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un path;
    } u;
    socklen_t n;
};

/* Family 0 gives an address that no socket call takes (n == 0). */
void address_of_endpoint(struct address *a, const struct endpoint *e);
/* IPv4-mapped IPv6 becomes IPv4; what is neither gives family 0. */
struct endpoint address_endpoint(const struct sockaddr *a);

#endif
