/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_tickets.c: see tls_tickets.h. Not filled in yet. */
#include "config.h"

#include "net/tls_tickets.h"

#include <errno.h>

struct tls_tickets *
tls_tickets_new(struct slice secret, int rotation)
{
    (void)secret;
    (void)rotation;
    errno = ENOTSUP;
    return NULL;
}

struct tls_tickets *
tls_tickets_ref(struct tls_tickets *t)
{
    return t;
}

void
tls_tickets_unref(struct tls_tickets *t)
{
    (void)t;
}
