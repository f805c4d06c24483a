/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_check.c: tls_certs_check: looks at every pair of a directory. Keeps nothing. */
#include "config.h"

#include "net/tls_certs_priv.h"
#include "net/tls_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct check {
    struct tls_library *lib;
    const char *directory;
    void (*report)(void *ctx, const char *file, const char *why, bool is_error);
    void *ctx;
    unsigned looked;
    int good;
    bool bad;
};

static void
say(struct check *k, const char *file, const char *why, bool is_error)
{
    k->bad |= is_error;
    k->report(k->ctx, file, why, is_error);
}

static void
check_end(struct check *k, const struct tls_pair_path *path, const struct tls_pair *pair)
{
    int64_t left = pair->ends - tls_library_wall(k->lib);
    char text[64];

    if (left >= TLS_CERTS_ALARM)
        return;
    if (left <= 0)
        snprintf(text, sizeof(text), "has ended");
    else
        snprintf(text, sizeof(text), "ends in %d days", (int)(left / 86400));
    say(k, path->cert, text, false);
}

static void
check_pair(struct check *k, struct slice stem)
{
    char why[TLS_PATH_MAX + 128];
    struct tls_pair_path path;
    struct tls_pair_stamp stamp;
    struct tls_pair *pair;
    enum tls_pair_found found;

    if (tls_pair_path(&path, k->directory, stem) != 0)
        return;
    found = tls_pair_look(&path, &stamp);
    if (found == TLS_PAIR_ABSENT)
        return;
    k->looked++;
    if (found == TLS_PAIR_INCOMPLETE) {
        say(k, path.key, strerror(errno), true);
        return;
    }
    pair = tls_pair_load(k->lib, &path, why, sizeof(why));
    if (pair) {
        k->good++;
        check_end(k, &path, pair);
        tls_pair_free(pair);
    } else {
        char *colon = strstr(why, ": ");

        if (colon)
            *colon = '\0';
        say(k, why, colon ? colon + 2 : "cannot be used", true);
    }
}

/* A stem that no client's name leads to is a mistake worth a word. */
static void
check_name(struct check *k, struct slice stem, const char *file)
{
    char name[TLS_NAME_MAX + 1];
    struct slice rest = stem;
    size_t n;

    if (slice_starts(stem, SLICE("*.")))
        rest = slice_sub(stem, 2, stem.n);
    if (tls_name_parse(rest, name, &n) != 0 || n != rest.n || memcmp(name, rest.p, n) != 0)
        say(k, file, "never chosen: the name is not a host name in lower case", false);
}

static void
check_entry(struct check *k, const char *file)
{
    char stem_text[TLS_NAME_MAX + 16];
    struct slice name = slice_of(file), stem;
    int looked = (int)k->looked;

    if (file[0] == '.' || name.n > TLS_NAME_MAX + 4)
        return;
    if (slice_ends(name, SLICE(".crt"))) {
        stem = slice_sub(name, 0, name.n - 4);
        check_pair(k, stem);
    } else {
        stem = name;
        snprintf(stem_text, sizeof(stem_text), "%s/tls", file);
        check_pair(k, slice_of(stem_text));
    }
    if ((int)k->looked > looked)
        check_name(k, stem, file);
}

int
tls_certs_check(struct tls_library *lib, const char *directory, unsigned max,
                void (*report)(void *ctx, const char *file, const char *why, bool is_error),
                void *ctx)
{
    struct check k = {.lib = lib, .directory = directory, .report = report, .ctx = ctx};
    DIR *d = opendir(directory);
    struct dirent *e;

    if (!d) {
        say(&k, directory, strerror(errno), true);
        return -1;
    }
    while ((e = readdir(d)) != NULL && (max == 0 || k.looked < max))
        check_entry(&k, e->d_name);
    closedir(d);
    if (k.good == 0 && !k.bad)
        say(&k, directory, "holds no certificate with its key (NAME.crt, NAME.key)", true);
    return k.bad ? -1 : k.good;
}
