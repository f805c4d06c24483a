/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address_rules.h: which addresses a sandbox may have (CONTRACT section 2, connect.allow). Pure.
 * Metadata services, unspecified addresses and the gateway's own listeners never; the rest must be
 * in the site's list; link-local only through an entry that is itself inside the link-local block.
 */
#ifndef ROUSE_GATEWAY_ADDRESS_RULES_H
#define ROUSE_GATEWAY_ADDRESS_RULES_H

#include "gateway/gateway_config.h"

/*
 * NULL: allowed for sandboxes of this site. Otherwise why not, static text. own: where the gateway
 * listens; an unspecified address among them stands for every local one (loopback, and those in
 * local: this machine's).
 */
struct address_own {
    struct endpoint own[32];
    uint8_t own_n;
    struct endpoint local[64]; /* without ports */
    uint8_t local_n;
};
const char *address_refused(const struct site *s, const struct address_own *o,
                            const struct endpoint *e);
/* The same by any site that uses the platform. */
const char *address_refused_platform(const struct gateway_config *c, uint16_t platform,
                                     const struct address_own *o, const struct endpoint *e);
/*
 * What a worker asks before it connects for a request of that site, when the port is known: a
 * record may have come without one, or by another site of the platform.
 */
const char *address_refused_here(const struct gateway_config *c, const struct site *s,
                                 const struct address_own *o, const struct endpoint *e);
/* Fills local with this machine's addresses. */
void address_own_local(struct address_own *o);

#endif
