/* SPDX-License-Identifier: BSD-2-Clause */
/* settings_site.c: the list `sites:`: hosts, platforms, numbers that stay over reloads. */
#include "config.h"

#include "app/settings_priv.h"
#include "app/suggest.h"

#include <string.h>

static bool
is_label_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* What is wrong with a lower case host name, or NULL. */
static const char *
name_slip(struct slice s)
{
    struct slice label;
    struct endpoint e;

    if (endpoint_parse(s, &e) == 0)
        return e.port ? "leave the port out: a site answers on every listener" : NULL;
    if (slice_index(s, ':') >= 0 || slice_index(s, '/') >= 0)
        return "write the name alone, without scheme, port or path";
    if (slice_index(s, '*') >= 0)
        return "only one \"*.\" at the beginning is a wildcard";
    if (s.n == 0 || s.n > 253)
        return "a host name has 1 to 253 bytes";
    while (slice_next(&s, '.', &label)) {
        if (label.n == 0 || label.n > 63)
            return "each part between dots has 1 to 63 bytes";
        for (size_t i = 0; i < label.n; i++)
            if (!is_label_byte(label.p[i]))
                return "host names are made of a-z, 0-9, - and _; write others in punycode";
    }
    return NULL;
}

/* Fills kind and domain from host. NULL, or a hint. */
static const char *
judge_host(struct site *s)
{
    struct slice host = slice_of(s->host);

    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    for (size_t i = 0; i < host.n; i++)
        s->host[i] = slice_lower(s->host[i]);
    s->host[host.n] = 0;
    if (slice_eq(host, SLICE("default"))) {
        s->kind = SITE_DEFAULT;
        return NULL;
    }
    s->kind = slice_starts(host, SLICE("*.")) ? SITE_WILDCARD : SITE_EXACT;
    if (s->kind == SITE_WILDCARD)
        host = slice_sub(host, 2, host.n);
    slice_copy(host, s->domain, sizeof s->domain);
    if (slice_eq(host, SLICE("*")))
        return "for every host write default";
    return name_slip(host);
}

static void
read_platform(struct settings_reader *r, const struct config_node *n, struct site *s)
{
    const struct config_node *p = config_node_get(n, "platform");
    const struct gateway_config *c = r->config;
    struct suggest g;

    if (!p)
        return;
    if (p->pub.kind != ROUSE_SCALAR || config_node_is_null(p)) {
        mistakes_add(r->m, p->pub.line, p->pub.column,
                     "sites[].platform must be the name of a platform, not %s",
                     config_node_kind(p));
        return;
    }
    suggest_init(&g, config_node_text(p));
    for (unsigned i = 0; i < c->platforms; i++) {
        if (!c->platform[i].used)
            continue;
        if (slice_eq(config_node_text(p), slice_of(c->platform[i].name))) {
            s->platform = (uint16_t)i;
            return;
        }
        suggest_offer(&g, slice_of(c->platform[i].name));
    }
    mistakes_add(r->m, p->pub.line, p->pub.column, "there is no platform \"%.60s\"",
                 p->pub.value.p);
    struct slice best = suggest_best(&g);
    if (best.p)
        mistakes_hint(r->m, "did you mean \"%.*s\"?", SLICE_ARG(best));
    else
        mistakes_hint(r->m, "platforms are defined under platforms:, each by its name");
}

/* Loopback joins the default list where the platform's plugin runs sandboxes on this machine. */
static void
allow_loopback(const struct gateway_config *c, struct site *s)
{
    if (s->platform >= c->platforms || !c->platform[s->platform].loopback)
        return;
    ensure(cidr_parse(SLICE("127.0.0.0/8"), &s->allow[s->allow_n++]) == 0);
    ensure(cidr_parse(SLICE("::1/128"), &s->allow[s->allow_n++]) == 0);
}

static void
read_site(struct settings_reader *r, const struct config_node *n, struct site *s)
{
    bool seen[SETTINGS_TABLE_MAX] = {false};
    const struct config_node *host;
    const char *slip;

    site_init(s);
    s->used = true;
    settings_read_scope(r, SCOPE_SITE, n, s, seen, NULL, NULL);
    read_platform(r, n, s);
    settings_judge_client_ca(r, n, s);
    settings_judge_tls_ca(r, n, s);
    if (!settings_seen(seen, SCOPE_SITE, "connect.allow"))
        allow_loopback(r->config, s);
    host = config_node_get(n, "host");
    if (!host || host->pub.kind != ROUSE_SCALAR || config_node_is_null(host) || !s->host[0])
        return;
    if ((slip = judge_host(s)) != NULL) {
        mistakes_add(r->m, host->pub.line, host->pub.column, "\"%.80s\" is not a host for a site",
                     host->pub.value.p);
        mistakes_hint(r->m, "%s", slip);
    }
}

/* The slot of a site by its host in the previous snapshot, or its size. */
static unsigned
previous_slot(const struct gateway_config *p, const char *host)
{
    unsigned i = 0;

    if (!p)
        return 0;
    while (i < p->sites && (!p->site[i].host[0] || strcmp(p->site[i].host, host) != 0))
        i++;
    return i;
}

/* Hosts keep their number; new ones come behind all that ever were, gaps only when there is no
 * more room. A removed site keeps its host in its gap, so that it may come back to it. */
static void
number_sites(struct settings_reader *r, const struct site *read, unsigned n)
{
    struct gateway_config *c = r->config;
    unsigned old = r->previous ? r->previous->sites : 0, next = old;
    unsigned slots = old + n < CONFIG_SITES ? old + n : CONFIG_SITES;

    c->site = arena_alloc(r->arena, slots * sizeof *c->site);
    if (!c->site) {
        mistakes_add(r->m, 0, 0, "out of memory");
        return;
    }
    memset(c->site, 0, slots * sizeof *c->site);
    for (unsigned i = 0; i < old; i++)
        memcpy(c->site[i].host, r->previous->site[i].host, sizeof c->site[i].host);
    for (unsigned i = 0; i < n; i++) {
        unsigned slot = previous_slot(r->previous, read[i].host);
        if (slot >= old)
            slot = next < CONFIG_SITES ? next++ : 0;
        while (slot < slots - 1 && c->site[slot].used)
            slot++;
        c->site[slot] = read[i];
        c->site[slot].number = (uint16_t)slot;
    }
    c->sites = next;
    for (unsigned i = 0; i < c->sites; i++)
        c->site[i].number = (uint16_t)i;
}

static void
note_double(struct settings_reader *r, const struct config_node *list, unsigned at,
            const char *host)
{
    const struct config_node *n = config_node_child(list);

    while (at-- > 0)
        n = config_node_next(n);
    n = config_node_get(n, "host");
    mistakes_add(r->m, n->pub.line, n->pub.column, "two sites have the host \"%s\"", host);
    mistakes_hint(r->m, "remove one of the two");
}

static unsigned
count_sites(const struct config_node *list)
{
    unsigned n = 0;

    for (const struct config_node *x = config_node_child(list); x && n < CONFIG_SITES;
         x = config_node_next(x))
        n++;
    return n;
}

void
settings_read_sites(struct settings_reader *r, const struct config_node *list)
{
    uint32_t total = 0;
    unsigned n = 0;
    struct site *read;

    if (list->pub.kind != ROUSE_LIST || !config_node_child(list)) {
        mistakes_add(r->m, list->pub.line, list->pub.column,
                     "sites must be a list with at least one entry");
        mistakes_hint(r->m,
                      "for example  sites: [{ host: \"*.preview.localhost\", platform: own }]");
        return;
    }
    read = arena_alloc(r->arena, count_sites(list) * sizeof *read);
    for (const struct config_node *x = config_node_child(list); x && read;
         x = config_node_next(x), n++) {
        if (n == CONFIG_SITES) {
            mistakes_add(r->m, x->pub.line, x->pub.column, "more than %d sites", CONFIG_SITES);
            return;
        }
        site_init(&read[n]);
        if (x->pub.kind != ROUSE_MAP) {
            mistakes_add(r->m, x->pub.line, x->pub.column,
                         "a site must be a map of settings, not %s", config_node_kind(x));
            continue;
        }
        read_site(r, x, &read[n]);
        for (unsigned i = 0; i < n && read[n].host[0]; i++)
            if (strcmp(read[i].host, read[n].host) == 0)
                note_double(r, list, n, read[n].host);
        total = read[n].hold_total > total ? read[n].hold_total : total;
    }
    r->config->hold_total = total;
    if (r->m->n == 0)
        number_sites(r, read, n);
}
