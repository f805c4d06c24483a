/* SPDX-License-Identifier: BSD-2-Clause */
/* foreign.c: see foreign.h. */
#include "config.h"

#include "gateway/foreign.h"
#include "http/host.h"

#include <string.h>

/* The value of a cookie's Domain is the host itself, which no neighbour has. */
static bool
is_own_domain(struct slice domain, struct slice host)
{
    struct host h;

    if (domain.p[0] == '.') /* RFC 6265 section 5.2.3 */
        domain = slice_sub(domain, 1, domain.n);
    return host_parse(host, &h) == 0 && slice_ieq(domain, host_name(&h));
}

/*
 * "a=b; Path=/; Domain=example.com": browsers take the last Domain and pass over empty ones; here
 * each must be harmless.
 */
static bool
cookie_is_own(struct slice cookie, struct slice host)
{
    struct slice one;

    slice_next(&cookie, ';', &one); /* the name and value: anything */
    while (slice_next(&cookie, ';', &one)) {
        ptrdiff_t eq = slice_index(one, '=');
        struct slice value;

        if (eq < 0 || !slice_ieq(slice_trim(slice_sub(one, 0, (size_t)eq)), SLICE("domain")))
            continue;
        value = slice_trim(slice_sub(one, (size_t)eq + 1, one.n));
        if (value.n > 0 && !is_own_domain(value, host))
            return false;
    }
    return true;
}

/* RFC 6797 section 6.1, without the directives that reach further than one host. */
static int
cut_hsts(struct slice *value, struct arena *a)
{
    struct slice rest = *value, one, out = {NULL, 0};
    char *to;
    bool cut = false;

    while (slice_next(&rest, ';', &one))
        cut = cut || slice_istarts(one, SLICE("includesubdomains")) ||
              slice_istarts(one, SLICE("preload"));
    if (!cut)
        return 0;
    to = arena_bytes(a, value->n * 2 + 2);
    if (!to)
        return -1;
    out.p = to;
    rest = *value;
    while (slice_next(&rest, ';', &one)) {
        if (one.n == 0 || slice_istarts(one, SLICE("includesubdomains")) ||
            slice_istarts(one, SLICE("preload")))
            continue;
        if (out.n > 0) {
            memcpy(to + out.n, "; ", 2);
            out.n += 2;
        }
        memcpy(to + out.n, one.p, one.n);
        out.n += one.n;
    }
    *value = out;
    return 0;
}

/* Names only what belongs to one origin. */
static bool
clears_own_only(struct slice value)
{
    static const struct slice own[] = {
        {"\"cache\"", 7}, {"\"storage\"", 9}, {"\"executionContexts\"", 19},
        {"\"prefetchCache\"", 15}, {"\"prerenderCache\"", 16},
    };
    struct slice one;
    bool all = value.n > 0;

    while (slice_next(&value, ',', &one)) {
        bool known = false;

        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
            known = known || slice_eq(one, own[i]);
        all = all && known;
    }
    return all;
}

/* 1: the field stays, perhaps changed; 0: it goes; -1: out of arena. */
static int
judge(struct field *f, struct arena *a, struct slice host)
{
    switch ((int)f->id) {
    case FIELD_SET_COOKIE:
        return cookie_is_own(f->value, host);
    case FIELD_STRICT_TRANSPORT_SECURITY:
        return cut_hsts(&f->value, a) < 0 ? -1 : f->value.n > 0;
    case FIELD_CLEAR_SITE_DATA:
        return clears_own_only(f->value);
    default:
        return 0;
    }
}

int
foreign_strip(struct head *h, struct arena *a, struct slice host)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < h->fields; i++) {
        struct field *f = &h->field[i];
        int stays = field_traits_of(f->id) & FOREIGN ? judge(f, a, host) : 1;

        if (stays < 0)
            return -1;
        if (stays == 0)
            continue;
        if (kept != i)
            h->field[kept] = *f;
        kept++;
    }
    h->fields = (uint16_t)kept;
    return 0;
}
