/* SPDX-License-Identifier: BSD-2-Clause */
/* gatewaykit.c: see gatewaykit.h. */
#include "config.h"

#include "gatewaykit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
kit_open(struct kit *k, const char *const *hosts)
{
    memset(k, 0, sizeof(*k));
    pool_init(&k->blocks, 1024, 4, 0);
    arena_init(&k->arena, &k->blocks, 256 * 1024);
    k->config = calloc(1, sizeof(*k->config));
    ensure(k->config);
    gateway_config_init(k->config);
    k->config->site = calloc(16, sizeof(*k->config->site));
    ensure(k->config->site);
    for (; *hosts; hosts++) {
        struct site *s = &k->config->site[k->config->sites];
        struct slice h = slice_of(*hosts);

        site_init(s);
        s->used = true;
        s->number = (uint16_t)k->config->sites++;
        slice_copy(h, s->host, sizeof(s->host));
        s->kind = slice_eq(h, SLICE("default")) ? SITE_DEFAULT
                  : slice_starts(h, SLICE("*.")) ? SITE_WILDCARD
                                                 : SITE_EXACT;
        if (s->kind == SITE_WILDCARD)
            h = slice_sub(h, 2, h.n);
        if (s->kind != SITE_DEFAULT)
            slice_copy(h, s->domain, sizeof(s->domain));
    }
}

void
kit_close(struct kit *k)
{
    arena_reset(&k->arena);
    pool_fini(&k->blocks);
    free(k->config->site);
    free(k->config);
}

void
kit_head(struct kit *k, const char *lines)
{
    const char *detail;
    struct buf b;
    struct slice block;

    arena_reset(&k->arena);
    buf_init(&b, 65536);
    buf_add_str(&b, lines);
    buf_add_str(&b, "\r\n");
    block = arena_copy(&k->arena, buf_slice(&b));
    buf_fini(&b);
    head_init(&k->head);
    if (h1_parse_request(&k->head, &k->arena, block, &detail) != REASON_NONE) {
        fprintf(stderr, "not a request: %s\n%s\n", detail, lines);
        abort();
    }
}
