/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch_trust.h: whom a fetcher's TLS trusts: one client for each file of authorities, read again
 * when the file has changed. One loop's.
 */
#ifndef ROUSE_HTTP_FETCH_TRUST_H
#define ROUSE_HTTP_FETCH_TRUST_H

#include "base/list.h"
#include "base/slice.h"
#include "net/tls_client.h"

struct fetch_trust;
struct fetch_trusts {
    struct tls_library *lib; /* NULL: no TLS here */
    struct list all;
};

void fetch_trusts_init(struct fetch_trusts *t, struct tls_library *lib);
/* All must have been put back. */
void fetch_trusts_fini(struct fetch_trusts *t);
/* ca: a file, or NULL: the system's authorities. NULL: it cannot be used; why says it. */
struct fetch_trust *fetch_trust_get(struct fetch_trusts *t, const char *ca, char *why, size_t n);
/* NULL is fine. */
void fetch_trust_put(struct fetch_trust *t);
struct tls_client *fetch_trust_client(const struct fetch_trust *t);
/* Never 0; differs by trust and name. */
uint64_t fetch_trust_identity(const struct fetch_trust *t, struct slice name);

#endif
