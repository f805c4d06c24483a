/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c: see route.h. Owner: one worker. Must not know protocols, connections or sandboxes'
 * states.
 */
#include "config.h"

#include "gateway/route.h"

#include <stdlib.h>

/* Longest id in a host label, and in a header (CONTRACT section 3). */
#define ID_IN_LABEL 63
#define ID_IN_HEADER SANDBOX_ID_MAX

struct route_entry {
    struct map_node node;
    const struct site *site;
};

struct route_table {
    struct map exact, wildcard;
    const struct site *fallback; /* host: default */
    const struct site *only;     /* the one site there is, for header routing on localhost */
    struct route_entry entry[];
};

/* Why a host or header names no sandbox: to people, and in E2B's words. */
enum slip {
    SLIP_HOST,
    SLIP_LABEL,
    SLIP_LABEL_PORT,
    SLIP_LABEL_ID,
    SLIP_ONE_HEADER,
    SLIP_HEADER_ID,
    SLIP_HEADER_PORT,
    SLIP_NO_HEADERS,
};

static const struct {
    const char *detail, *e2b;
} slips[] = {
    [SLIP_HOST] = {"the Host field is not a valid name", "Invalid host"},
    [SLIP_LABEL] = {"the host's first label is not <port>-<id>", "Invalid host"},
    [SLIP_LABEL_PORT] = {"the host's port is not a number from 1 to 65535", "Invalid sandbox port"},
    [SLIP_LABEL_ID] = {"the host's sandbox id is not of the form [a-z0-9-]{1,63}",
                       "Invalid sandbox ID"},
    [SLIP_ONE_HEADER] = {"E2b-Sandbox-Id and E2b-Sandbox-Port come together", "missing header"},
    [SLIP_HEADER_ID] = {"E2b-Sandbox-Id is not of the form [a-z0-9-]{1,253}", "Invalid sandbox ID"},
    [SLIP_HEADER_PORT] = {"E2b-Sandbox-Port is not a number from 1 to 65535",
                          "Invalid sandbox port"},
    [SLIP_NO_HEADERS] = {"this host routes by E2b-Sandbox-Id and E2b-Sandbox-Port, which are "
                         "missing", "Invalid host"},
};

const char *
route_e2b_words(const char *detail)
{
    for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++)
        if (slips[i].detail == detail)
            return slips[i].e2b;
    return NULL;
}

struct route_table *
route_table_new(const struct gateway_config *c, uint64_t seed)
{
    struct route_table *t = calloc(1, sizeof(*t) + c->sites * sizeof(t->entry[0]));
    unsigned used = 0;

    if (!t)
        return NULL;
    map_init(&t->exact, CONFIG_SITES, seed, seed ^ 1);
    map_init(&t->wildcard, CONFIG_SITES, seed, seed ^ 2);
    for (unsigned i = 0; i < c->sites; i++) {
        const struct site *s = &c->site[i];
        struct route_entry *e = &t->entry[i];

        if (!s->used)
            continue;
        e->site = s;
        t->only = used++ == 0 ? s : NULL;
        if (s->kind == SITE_DEFAULT) {
            t->fallback = s;
            continue;
        }
        if (map_insert(s->kind == SITE_EXACT ? &t->exact : &t->wildcard, &e->node,
                       slice_of(s->domain)) < 0) {
            route_table_free(t);
            return NULL;
        }
    }
    return t;
}

void
route_table_free(struct route_table *t)
{
    if (!t)
        return;
    map_fini(&t->exact);
    map_fini(&t->wildcard);
    free(t);
}

static const struct site *
site_in(const struct map *m, struct slice domain)
{
    const struct map_node *n = map_find(m, domain);

    return n ? container_of(n, const struct route_entry, node)->site : NULL;
}

bool
route_id_valid(struct slice id, size_t max)
{
    if (id.n == 0 || id.n > max)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

static int
parse_port(struct slice s, uint16_t *port)
{
    uint64_t v;

    if (slice_u64(s, 65535, &v) < 0 || v == 0)
        return -1;
    *port = (uint16_t)v;
    return 0;
}

int
route_native_label(struct slice label, uint16_t *port, struct slice *id, const char **detail)
{
    ptrdiff_t dash = slice_index(label, '-');

    if (dash < 0) {
        *detail = slips[SLIP_LABEL].detail;
        return -1;
    }
    if (parse_port(slice_sub(label, 0, (size_t)dash), port) < 0) {
        *detail = slips[SLIP_LABEL_PORT].detail;
        return -1;
    }
    *id = slice_sub(label, (size_t)dash + 1, label.n);
    if (!route_id_valid(*id, ID_IN_LABEL)) {
        *detail = slips[SLIP_LABEL_ID].detail;
        return -1;
    }
    return 0;
}

/* E2b-Sandbox-Id and E2b-Sandbox-Port: 1 found, 0 not given, -1 wrong. */
static int
by_header(const struct head *h, struct route *r, const char **detail)
{
    const struct field *id = head_find(h, FIELD_E2B_SANDBOX_ID);
    const struct field *port = head_find(h, FIELD_E2B_SANDBOX_PORT);

    if (!id && !port)
        return 0;
    if (!id || !port) {
        *detail = slips[SLIP_ONE_HEADER].detail;
        return -1;
    }
    if (!route_id_valid(id->value, ID_IN_HEADER)) {
        *detail = slips[SLIP_HEADER_ID].detail;
        return -1;
    }
    if (parse_port(port->value, &r->port) < 0) {
        *detail = slips[SLIP_HEADER_PORT].detail;
        return -1;
    }
    r->id = id->value;
    r->by_header = true;
    return 1;
}

/* localhost or an address: names no sandbox itself. */
static bool
is_local(const struct route *r)
{
    return r->host.literal || slice_eq(host_name(&r->host), SLICE("localhost"));
}

/*
 * The hosts on which routing headers count although a wildcard site would match (CONTRACT section
 * 3).
 */
static bool
headers_count(const struct route *r, struct slice label)
{
    return is_local(r) || r->site->kind != SITE_WILDCARD || slice_eq(label, SLICE("sandbox"));
}

/* Exact, else the wildcard over the first label, else default; and for localhost and addresses, the
 * one site there is. Fills label with what may name the sandbox. */
static const struct site *
find_site(const struct route_table *t, const struct route *r, struct slice *label)
{
    struct slice name = host_name(&r->host);
    ptrdiff_t dot = r->host.literal ? -1 : slice_index(name, '.');
    const struct site *s = site_in(&t->exact, name);

    *label = dot < 0 ? name : slice_sub(name, 0, (size_t)dot);
    if (!s && dot >= 0)
        s = site_in(&t->wildcard, slice_sub(name, (size_t)dot + 1, name.n));
    if (!s)
        s = t->fallback;
    if (!s && is_local(r))
        s = t->only;
    return s;
}

const struct site *
route_site(const struct route_table *t, struct slice name)
{
    struct route r = {0};
    struct slice label;

    return host_parse(name, &r.host) < 0 ? NULL : find_site(t, &r, &label);
}

enum reason
route_find(const struct route_table *t, const struct head *h, struct route *r, const char **detail)
{
    struct slice label;
    int found;

    *r = (struct route){0};
    *detail = slips[SLIP_HOST].detail;
    if (host_parse(h->host, &r->host) < 0)
        return REASON_BAD_HOST;
    *detail = NULL;
    r->site = find_site(t, r, &label);
    if (!r->site) {
        *detail = "no site of the configuration has this host";
        return REASON_UNKNOWN_SITE;
    }
    if (headers_count(r, label)) {
        found = by_header(h, r, detail);
        if (found != 0)
            return found > 0 ? REASON_NONE : REASON_BAD_HOST;
        if (r->site->kind != SITE_WILDCARD || is_local(r)) {
            *detail = slips[SLIP_NO_HEADERS].detail;
            return REASON_BAD_HOST;
        }
    }
    return route_native_label(label, &r->port, &r->id, detail) < 0 ? REASON_BAD_HOST
                                                                   : REASON_NONE;
}
