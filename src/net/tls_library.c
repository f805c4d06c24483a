/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_library.c: see tls_library.h. Not filled in yet. */
#include "config.h"

#include "net/tls_library.h"

#include <errno.h>

struct tls_library *
tls_library_new(struct loop *l)
{
    (void)l;
    errno = ENOTSUP;
    return NULL;
}

void
tls_library_free(struct tls_library *lib)
{
    (void)lib;
}

unsigned
tls_library_handshakes(const struct tls_library *lib)
{
    (void)lib;
    return 0;
}

void
tls_library_set_clock(struct tls_library *lib, int64_t (*wall)(void *ctx), void *ctx)
{
    (void)lib;
    (void)wall;
    (void)ctx;
}
