/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.h: from a request's head to a site, a sandbox and a port (CONTRACT section 3). Looks at the
 * host label and the routing headers, at nothing else; asks nobody.
 */
#ifndef ROUSE_GATEWAY_ROUTE_H
#define ROUSE_GATEWAY_ROUTE_H

#include "base/map.h"
#include "gateway/gateway_config.h"
#include "http/head.h"
#include "http/host.h"

/* A worker's index over a snapshot's sites. */
struct route_table;

/* NULL: out of memory. c must outlive the table. */
struct route_table *route_table_new(const struct gateway_config *c, uint64_t seed);
void route_table_free(struct route_table *t);

struct route {
    const struct site *site;
    struct host host;
    struct slice id;  /* in host.name, or the header's value */
    uint16_t port;
    bool by_header;
};

/*
 * Exact site, else the wildcard over the first label, else the default site. REASON_NONE, or
 * BAD_HOST (an unparseable label, id, port, or missing routing header) with *detail, or
 * UNKNOWN_SITE. r->site may be set all the same, for the log and the shape of the answer.
 */
enum reason route_find(const struct route_table *t, const struct head *h, struct route *r,
                       const char **detail);

/* The site that a name, as host_parse leaves it, belongs to; NULL: none. */
const struct site *route_site(const struct route_table *t, struct slice name);

/* What E2B's own proxy says where route_find says detail; NULL: nothing of its own. */
const char *route_e2b_words(const char *detail);
/* "3000-i7k2p" of the native dialect: 0, or -1 and *detail. */
int route_native_label(struct slice label, uint16_t *port, struct slice *id, const char **detail)
    must_check;
/* Ids of the native dialect: [a-z0-9-], 1 to max bytes. */
bool route_id_valid(struct slice id, size_t max);

#endif
