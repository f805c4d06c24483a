/* SPDX-License-Identifier: BSD-2-Clause */
/* address_rules.c: see address_rules.h. Pure but for address_own_local. */
#include "config.h"

#include "gateway/address_rules.h"
#include "net/address.h"

#include <ifaddrs.h>
#include <string.h>

static const struct cidr linklocal4 = {4, 16, {169, 254}};
static const struct cidr linklocal6 = {6, 10, {0xfe, 0x80}};

/* Is every address of block a in block b? */
static bool
inside(const struct cidr *a, const struct cidr *b)
{
    struct endpoint e = {.family = a->family};

    memcpy(e.ip, a->ip, sizeof(e.ip));
    return a->bits >= b->bits && cidr_has(b, &e);
}

static bool
in_list(const struct site *s, const struct endpoint *e)
{
    bool local = endpoint_is_linklocal(e);

    for (unsigned i = 0; i < s->allow_n; i++) {
        const struct cidr *c = &s->allow[i];

        if (cidr_has(c, e) && (!local || inside(c, &linklocal4) || inside(c, &linklocal6)))
            return true;
    }
    return false;
}

static bool
is_local(const struct address_own *o, const struct endpoint *e)
{
    struct endpoint plain = *e;

    plain.port = 0;
    if (endpoint_is_loopback(e))
        return true;
    for (unsigned i = 0; i < o->local_n; i++)
        if (endpoint_eq(&o->local[i], &plain))
            return true;
    return false;
}

static bool
is_own(const struct address_own *o, const struct endpoint *e)
{
    for (unsigned i = 0; i < o->own_n; i++) {
        const struct endpoint *own = &o->own[i];

        if (own->port != e->port)
            continue;
        if (endpoint_eq(own, e) || (endpoint_is_unspecified(own) && is_local(o, e)))
            return true;
    }
    return false;
}

/* What no configuration allows. */
static const char *
refused_always(const struct address_own *o, const struct endpoint *e)
{
    if (e->family == 0)
        return "it is not an address";
    if (endpoint_is_metadata(e))
        return "it is a cloud's metadata service";
    if (endpoint_is_unspecified(e))
        return "it is unspecified, multicast or broadcast";
    if (o && is_own(o, e))
        return "it is this gateway's own listener";
    return NULL;
}

const char *
address_refused(const struct site *s, const struct address_own *o, const struct endpoint *e)
{
    const char *why = refused_always(o, e);

    if (why)
        return why;
    return in_list(s, e) ? NULL : "it is not in connect.allow";
}

const char *
address_refused_here(const struct gateway_config *c, const struct site *s,
                     const struct address_own *o, const struct endpoint *e)
{
    const char *why = refused_always(o, e);

    if (why)
        return why;
    if (s->platform < c->platforms && c->platform[s->platform].loopback && endpoint_is_loopback(e))
        return NULL;
    return in_list(s, e) ? NULL : "it is not in connect.allow";
}

const char *
address_refused_platform(const struct gateway_config *c, uint16_t platform,
                         const struct address_own *o, const struct endpoint *e)
{
    const char *why = refused_always(o, e);

    if (why)
        return why;
    if (platform < c->platforms && c->platform[platform].loopback && endpoint_is_loopback(e))
        return NULL;
    for (unsigned i = 0; i < c->sites; i++)
        if (c->site[i].used && c->site[i].platform == platform && in_list(&c->site[i], e))
            return NULL;
    return "it is not in connect.allow of any site of this platform";
}

void
address_own_local(struct address_own *o)
{
    const size_t max = sizeof(o->local) / sizeof(o->local[0]);
    struct ifaddrs *all, *i;

    o->local_n = 0;
    if (getifaddrs(&all) < 0)
        return;
    for (i = all; i && o->local_n < max; i = i->ifa_next) {
        struct endpoint e;

        if (!i->ifa_addr)
            continue;
        e = address_endpoint(i->ifa_addr);
        e.port = 0;
        if (e.family)
            o->local[o->local_n++] = e;
    }
    freeifaddrs(all);
}
