/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_client.c: see tls_client.h. Not filled in yet. */
#include "config.h"

#include "net/tls_client.h"

#include "base/slice.h"

struct tls_client *
tls_client_new(struct tls_library *lib, const struct tls_client_options *o, char *text,
               size_t room)
{
    (void)lib;
    (void)o;
    slice_copy(SLICE("not supported"), text, room);
    return NULL;
}

void
tls_client_free(struct tls_client *c)
{
    (void)c;
}
