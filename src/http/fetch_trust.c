/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch_trust.c: see fetch_trust.h. A file that changed gets a new client; the old one stays until
 * who uses it is done. Must not know what is fetched. Owner: a fetcher.
 */
#include "config.h"

#include "http/fetch_trust.h"

#include "base/map.h"
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fetch_trust {
    struct list link; /* not in it: outdated */
    struct tls_client *client;
    unsigned users;
    uint64_t seed[2];
    struct timespec changed;
    off_t size;
    ino_t inode;
    char ca[]; /* empty: the system's */
};

static void
trust_free(struct fetch_trust *t)
{
    list_unlink(&t->link);
    tls_client_free(t->client);
    free(t);
}

void
fetch_trusts_init(struct fetch_trusts *t, struct tls_library *lib)
{
    t->lib = lib;
    list_init(&t->all);
}

void
fetch_trusts_fini(struct fetch_trusts *t)
{
    list_each_safe(n, tmp, &t->all)
        trust_free(container_of(n, struct fetch_trust, link));
}

static bool
is_current(const struct fetch_trust *t, const struct stat *st)
{
    return t->size == st->st_size && t->inode == st->st_ino &&
           t->changed.tv_sec == st->st_mtim.tv_sec && t->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static struct fetch_trust *
trust_new(struct fetch_trusts *all, const char *ca, const struct stat *st, char *why, size_t n)
{
    struct tls_client_options o = {.ca_file = ca[0] ? ca : NULL, .alpn = TLS_ALPN_H1};
    struct fetch_trust *t = calloc(1, sizeof(*t) + strlen(ca) + 1);

    if (!t) {
        slice_copy(SLICE("out of memory"), why, n);
        return NULL;
    }
    memcpy(t->ca, ca, strlen(ca) + 1);
    list_init(&t->link);
    t->size = st->st_size;
    t->inode = st->st_ino;
    t->changed = st->st_mtim;
    random_bytes(t->seed, sizeof(t->seed));
    t->client = tls_client_new(all->lib, &o, why, n);
    if (!t->client) {
        free(t);
        return NULL;
    }
    list_push_back(&all->all, &t->link);
    return t;
}

static struct fetch_trust *
find_trust(struct fetch_trusts *all, const char *ca)
{
    list_each(n, &all->all) {
        struct fetch_trust *t = container_of(n, struct fetch_trust, link);

        if (strcmp(t->ca, ca) == 0)
            return t;
    }
    return NULL;
}

struct fetch_trust *
fetch_trust_get(struct fetch_trusts *all, const char *ca, char *why, size_t n)
{
    const char *file = ca ? ca : "";
    struct fetch_trust *t = find_trust(all, file);
    struct stat st = {0};

    if (!all->lib) {
        slice_copy(SLICE("TLS is not available"), why, n);
        return NULL;
    }
    if (file[0] && stat(file, &st) != 0) {
        snprintf(why, n, "%s: %s", file, strerrordesc_np(errno));
        return NULL;
    }
    if (t && !is_current(t, &st)) {
        list_unlink(&t->link);
        if (t->users == 0)
            trust_free(t);
        t = NULL;
    }
    if (!t)
        t = trust_new(all, file, &st, why, n);
    if (t)
        t->users++;
    return t;
}

void
fetch_trust_put(struct fetch_trust *t)
{
    if (t && --t->users == 0 && !list_linked(&t->link))
        trust_free(t);
}

struct tls_client *
fetch_trust_client(const struct fetch_trust *t)
{
    return t->client;
}

uint64_t
fetch_trust_identity(const struct fetch_trust *t, struct slice name)
{
    return map_hash(name, t->seed[0], t->seed[1]) | 1;
}
