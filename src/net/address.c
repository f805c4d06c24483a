/* SPDX-License-Identifier: BSD-2-Clause */
/* address.c: see address.h. */
#include "config.h"

#include "net/address.h"

#include <string.h>

void
address_of_endpoint(struct address *a, const struct endpoint *e)
{
    *a = (struct address){.n = 0};
    if (e->family == 4) {
        a->u.in4.sin_family = AF_INET;
        a->u.in4.sin_port = htons(e->port);
        memcpy(&a->u.in4.sin_addr, e->ip, 4);
        a->n = sizeof(a->u.in4);
    } else if (e->family == 6) {
        a->u.in6.sin6_family = AF_INET6;
        a->u.in6.sin6_port = htons(e->port);
        memcpy(&a->u.in6.sin6_addr, e->ip, 16);
        a->n = sizeof(a->u.in6);
    }
}

struct endpoint
address_endpoint(const struct sockaddr *a)
{
    struct endpoint e = {.family = 0};

    if (a->sa_family == AF_INET) {
        struct sockaddr_in in4;

        memcpy(&in4, a, sizeof(in4));
        e.family = 4;
        e.port = ntohs(in4.sin_port);
        memcpy(e.ip, &in4.sin_addr, 4);
    } else if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        bool mapped;

        memcpy(&in6, a, sizeof(in6));
        mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        e.family = mapped ? 4 : 6;
        e.port = ntohs(in6.sin6_port);
        memcpy(e.ip, in6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    }
    return e;
}
