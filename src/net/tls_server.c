/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_server.c: see tls_server.h. Not filled in yet. */
#include "config.h"

#include "net/tls_server.h"

#include <errno.h>

struct tls_policy *
tls_policy_new(struct tls_library *lib, const struct tls_policy_options *o, char *text,
               size_t room)
{
    (void)lib;
    (void)o;
    slice_copy(SLICE("not supported"), text, room);
    return NULL;
}

void
tls_policy_free(struct tls_policy *p)
{
    (void)p;
}

struct tls_server *
tls_server_new(struct tls_library *lib, const struct tls_server_options *o, char *text,
               size_t room)
{
    (void)lib;
    (void)o;
    slice_copy(SLICE("not supported"), text, room);
    return NULL;
}

void
tls_server_free(struct tls_server *s)
{
    (void)s;
}
