/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_certs.h: a directory of certificates with their keys, chosen by name; one thread's view of
 * it. Nothing is read before it is needed, nothing is listed: ten thousand files cost nothing at
 * start. For the name a.b.example, the first of these that holds a complete, matching pair:
 *
 *     a.b.example.crt + .key      a.b.example/tls.crt + tls.key
 *     *.b.example.crt + .key      *.b.example/tls.crt + tls.key
 *     _.b.example.crt + .key      _.b.example/tls.crt + tls.key
 *     default.crt + .key          default/tls.crt + tls.key         tls.crt + tls.key
 *
 * (NAME/tls.crt is what a mounted Kubernetes secret looks like.) A .crt holds the certificate,
 * then its chain. Files are looked at again when used, at most once a second, through symbolic
 * links; a changed pair is taken only when it is complete and matches, the old one serves until
 * then, and what is wrong is logged once for each change. A pair whose files are gone serves for
 * a minute more.
 */
#ifndef ROUSE_NET_TLS_CERTS_H
#define ROUSE_NET_TLS_CERTS_H

#include "base/log.h"
#include "base/slice.h"
#include "net/tls_library.h"

/* A warning is logged, once a day, for a certificate that is used and ends within so many
 * seconds. */
#define TLS_CERTS_ALARM (14 * 86400)

struct tls_certs;
struct tls_certs_options {
    const char *directory;
    unsigned max_pairs; /* loaded at once, the least recently used go; 0: 1024 */
    unsigned max_names; /* remembered names, found or not; 0: 8192 */
    struct log *log;    /* NULL: says nothing. Each thread speaks of what it uses. */
};

/* Reads nothing yet. NULL: out of memory. */
struct tls_certs *tls_certs_new(struct tls_library *lib, const struct tls_certs_options *o);
/* Servers that use it keep it alive. NULL is fine. */
void tls_certs_free(struct tls_certs *c);

/*
 * Looks at every pair of the directory, for `rouse check` and for start-up: each must be complete,
 * load and match. report is called for each finding with the file and the reason, is_error false
 * for what is only worth a word (it ends soon, or has ended). Returns the number of good pairs, or
 * -1 when there was an error: unreadable directory, no complete pair, a bad pair. 57 to 537 us a
 * pair. max: pairs looked at, 0: all (start-up passes a small number).
 */
int tls_certs_check(struct tls_library *lib, const char *directory, unsigned max,
                    void (*report)(void *ctx, const char *file, const char *why, bool is_error),
                    void *ctx);

#endif
