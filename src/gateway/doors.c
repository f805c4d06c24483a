/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doors.c: see doors.h. Must not know requests: a site's name is all it asks the routes for. Owner:
 * one worker's thread, but for doors_new and the first doors_configure.
 */
#include "config.h"

#include "gateway/doors.h"

#include "net/tls_info.h"

#include <stdlib.h>
#include <string.h>

struct door { /* both NULL: plain */
    struct tls_certs *certs;
    struct tls_server *server;
};

/* What one configuration made. */
struct door_set {
    struct door door[CONFIG_LISTENERS];
    struct tls_policy *open;   /* of sites that ask for nothing, and of names without a site */
    struct tls_policy **guard; /* by the site's number; NULL where nothing is asked for */
    unsigned guards;
};

struct doors {
    struct loop *loop;
    struct tls_library *library;
    struct tls_tickets *tickets;
    const struct route_table *routes;
    struct door_set *now;
    uint32_t policies; /* the last id given to one */
};

static void
set_free(struct door_set *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < CONFIG_LISTENERS; i++) {
        tls_server_free(s->door[i].server);
        tls_certs_free(s->door[i].certs);
    }
    for (unsigned i = 0; i < s->guards; i++)
        tls_policy_free(s->guard[i]);
    tls_policy_free(s->open);
    free(s->guard);
    free(s);
}

struct doors *
doors_new(struct loop *l, struct tls_tickets *tickets)
{
    struct doors *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->loop = l;
    d->library = tls_library_new(l);
    d->tickets = tickets ? tls_tickets_ref(tickets) : NULL;
    if (d->library)
        return d;
    doors_free(d);
    return NULL;
}

void
doors_free(struct doors *d)
{
    if (!d)
        return;
    set_free(d->now);
    tls_library_free(d->library);
    tls_tickets_unref(d->tickets);
    free(d);
}

struct tls_library *
doors_library(struct doors *d)
{
    return d->library;
}

static const struct tls_policy *
guard_of(const struct doors *d, const struct site *s)
{
    return d->now && s->number < d->now->guards ? d->now->guard[s->number] : NULL;
}

static const struct tls_policy *
policy_of(void *ctx, struct slice sni)
{
    struct doors *d = ctx;
    const struct site *s = sni.n > 0 ? route_site(d->routes, sni) : NULL;
    const struct tls_policy *guard = s ? guard_of(d, s) : NULL;

    return guard ? guard : d->now->open;
}

/*
 * The identity of a policy is 0 for all who ask for nothing; else a number of its own, which stays
 * for as long as the site and the authority's certificates are the same: who showed a certificate
 * of another authority is a stranger.
 */
static int
make_policies(struct doors *d, struct door_set *s, const struct gateway_config *c,
              char *text, size_t room)
{
    struct tls_policy_options o = {.name = SLICE("")};

    s->open = tls_policy_new(d->library, &o, text, room);
    s->guard = calloc(c->sites + 1, sizeof(struct tls_policy *));
    if (!s->open || !s->guard)
        return -1;
    s->guards = c->sites;
    for (unsigned i = 0; i < c->sites; i++) {
        const struct site *x = &c->site[i];

        if (!x->used || !x->client_ca[0])
            continue;
        o = (struct tls_policy_options){.id = ++d->policies, .name = slice_of(x->host),
                                        .ca_file = x->client_ca, .before = guard_of(d, x)};
        s->guard[x->number] = tls_policy_new(d->library, &o, text, room);
        if (!s->guard[x->number])
            return -1;
    }
    return 0;
}

static int
make_door(struct doors *d, struct door *door, const struct gateway_config *c, unsigned n,
          char *text, size_t room)
{
    const struct listener_config *l = &c->listener[n];
    struct tls_certs_options co = {.directory = l->certificates, .log = d->loop->log};
    struct tls_server_options so = {
        .tickets = d->tickets,
        .policy = policy_of,
        .ctx = d,
        .h1_only = !l->http2,
        .tls13_only = c->tls_minimum > 0,
    };

    door->certs = tls_certs_new(d->library, &co);
    if (!door->certs)
        return -1;
    so.certs = door->certs;
    door->server = tls_server_new(d->library, &so, text, room);
    return door->server ? 0 : -1;
}

int
doors_configure(struct doors *d, const struct gateway_config *c, const struct route_table *routes,
                struct buf *why)
{
    struct door_set *s = calloc(1, sizeof(*s)), *old = d->now;
    char text[256] = "out of memory";
    int rc = s ? make_policies(d, s, c, text, sizeof(text)) : -1;

    for (unsigned i = 0; rc == 0 && i < c->listeners; i++)
        if (c->listener[i].certificates[0])
            rc = make_door(d, &s->door[i], c, i, text, sizeof(text));
    d->routes = routes;
    if (rc < 0) {
        buf_printf(why, "tls: %s", text);
        set_free(s);
        return -1;
    }
    d->now = s;
    set_free(old);
    return 0;
}

struct tls_server *
doors_server(struct doors *d, unsigned n)
{
    return d->now->door[n].server;
}

enum reason
doors_judge(const struct doors *d, const struct conn *c, const struct site *site,
            const char **detail)
{
    const struct tls_info *tls = conn_tls(c);
    const struct tls_policy *guard = guard_of(d, site);

    if (tls && tls->sni.n > 0 && route_site(d->routes, tls->sni) != site) {
        *detail = "the name of the TLS handshake belongs to another site";
        return REASON_MISDIRECTED;
    }
    if (site->client_ca[0] &&
        !(guard && tls && tls->verified && tls->policy == tls_policy_id(guard))) {
        *detail = "this site asks for a client certificate in the TLS handshake";
        return REASON_MISDIRECTED;
    }
    return REASON_NONE;
}
