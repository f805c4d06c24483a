/* SPDX-License-Identifier: BSD-2-Clause */
/* caller.c: see caller.h. */
#include "config.h"

#include "gateway/caller.h"
#include "gateway/forwarded.h"
#include "http/host.h"

/*
 * A list of hops, read from its beginning (the far end). `found` is the last one that is not
 * trusted, or the farthest of those behind the last one that has no address.
 */
struct trail {
    const struct listener_config *l;
    struct endpoint found; /* family 0: none yet: the hop that follows, or the peer */
    struct slice proto, host;
    bool any;
};

/* true: this hop is where the trail begins, as far as it is read. */
static bool
step(struct trail *t, bool has_address, struct endpoint e)
{
    bool first = !t->any;

    t->any = true;
    e.port = 0;
    if (!has_address) {
        t->found = (struct endpoint){0};
        return true;
    }
    if (!listener_trusts(t->l, &e)) {
        t->found = e;
        return true;
    }
    if (t->found.family == 0)
        t->found = e;
    return first;
}

static void
read_listed(struct trail *t, const struct head *h)
{
    for (const struct field *f = head_find(h, FIELD_X_FORWARDED_FOR); f; f = head_find_next(h, f)) {
        struct slice rest = f->value, one;
        struct endpoint e = {0};

        while (slice_next(&rest, ',', &one))
            if (one.n > 0)
                step(t, endpoint_parse(one, &e) == 0, e);
    }
}

/* 0, or -1: malformed. */
static int
read_forwarded(struct trail *t, const struct head *h)
{
    for (const struct field *f = head_find(h, FIELD_FORWARDED); f; f = head_find_next(h, f)) {
        struct slice rest = f->value;
        struct forwarded hop;
        int more;

        while ((more = forwarded_next(&rest, &hop)) > 0) {
            struct endpoint e = {0};

            if (!step(t, forwarded_address(hop.node, &e) == 0, e))
                continue;
            t->proto = hop.proto;
            t->host = hop.host;
        }
        if (more < 0)
            return -1;
    }
    return 0;
}

/* "https" or "http", of a list the first; anything else says nothing. */
static void
take_scheme(struct caller *c, struct slice proto)
{
    struct slice first;

    if (!slice_next(&proto, ',', &first))
        return;
    if (slice_ieq(first, SLICE("https")))
        c->https = true;
    else if (slice_ieq(first, SLICE("http")))
        c->https = false;
}

static void
take_host(struct caller *c, struct slice host)
{
    struct host parsed;

    if (host.n > 0 && host_parse(host, &parsed) == 0)
        c->host = host;
}

void
caller_find(struct caller *c, const struct head *h, const struct listener_config *l,
            const struct endpoint *peer, bool https)
{
    struct trail listed = {.l = l}, forwarded = {.l = l};

    *c = (struct caller){.client = *peer, .https = https, .trusted = listener_trusts(l, peer)};
    c->client.port = 0;
    if (!c->trusted)
        return;
    read_listed(&listed, h);
    if (listed.found.family == 0)
        listed.found = c->client;
    c->forwarded = head_find(h, FIELD_FORWARDED) && read_forwarded(&forwarded, h) == 0 &&
                   forwarded.any;
    if (forwarded.found.family == 0)
        forwarded.found = c->client;
    c->listed = listed.any;
    if (c->listed)
        c->forwarded = c->forwarded && endpoint_eq(&listed.found, &forwarded.found);
    if (c->forwarded) {
        take_scheme(c, forwarded.proto);
        take_host(c, forwarded.host);
    }
    c->client = c->forwarded ? forwarded.found : listed.found;
    take_scheme(c, head_value(h, FIELD_X_FORWARDED_PROTO));
    take_host(c, head_value(h, FIELD_X_FORWARDED_HOST));
}
