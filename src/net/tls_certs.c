/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_certs.c: see tls_certs.h. Not filled in yet. */
#include "config.h"

#include "net/tls_certs.h"

#include <errno.h>

struct tls_certs *
tls_certs_new(struct tls_library *lib, const struct tls_certs_options *o)
{
    (void)lib;
    (void)o;
    errno = ENOTSUP;
    return NULL;
}

void
tls_certs_free(struct tls_certs *c)
{
    (void)c;
}

int
tls_certs_check(struct tls_library *lib, const char *directory, unsigned max,
                void (*report)(void *ctx, const char *file, const char *why, bool is_error),
                void *ctx)
{
    (void)lib;
    (void)max;
    report(ctx, directory, "not supported", true);
    return -1;
}
