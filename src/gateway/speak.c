/* SPDX-License-Identifier: BSD-2-Clause */
/* speak.c: see speak.h. Must not know exchanges. Owner: one worker. */
#include "config.h"

#include "gateway/speak.h"

#include "base/map.h"
#include "http/host.h"
#include "net/tls_client.h"

#include <stdlib.h>
#include <string.h>

/* What one set of sites wants of TLS. It stays when it could not be made: no file is read twice. */
struct speaker {
    struct list link;
    struct tls_client *client; /* NULL: why */
    unsigned alpn;
    bool verify;
    uint64_t seed[2]; /* of identities: they differ from one speaker to another */
    const char *ca;   /* the site's; "": the system's */
    char why[160];
};

void
speakers_init(struct speakers *x)
{
    list_init(&x->clients);
}

void
speakers_fini(struct speakers *x)
{
    list_each_safe(n, tmp, &x->clients) {
        struct speaker *s = container_of(n, struct speaker, link);

        tls_client_free(s->client);
        list_unlink(n);
        free(s);
    }
}

static struct speaker *
make_speaker(struct speakers *x, struct tls_library *lib, const struct site *site, unsigned alpn)
{
    struct tls_client_options o = {
        .ca_file = site->tls_ca[0] ? site->tls_ca : NULL,
        .insecure = !site->tls_verify,
        .alpn = alpn,
    };
    struct speaker *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->alpn = alpn;
    s->verify = site->tls_verify;
    s->ca = site->tls_ca;
    random_bytes(s->seed, sizeof(s->seed));
    s->client = tls_client_new(lib, &o, s->why, sizeof(s->why));
    list_push_back(&x->clients, &s->link);
    return s;
}

static struct speaker *
find_speaker(struct speakers *x, struct tls_library *lib, const struct site *site, unsigned alpn)
{
    list_each(n, &x->clients) {
        struct speaker *s = container_of(n, struct speaker, link);

        if (s->alpn == alpn && s->verify == site->tls_verify && strcmp(s->ca, site->tls_ca) == 0)
            return s;
    }
    return make_speaker(x, lib, site, alpn);
}

/* "application/grpc", "application/grpc+proto; ...", but not grpc-web: that is for HTTP/1 too. */
static bool
is_grpc(const struct head *req)
{
    struct slice type = head_value(req, FIELD_CONTENT_TYPE), name = SLICE("application/grpc");

    if (!slice_istarts(type, name))
        return false;
    return type.n == name.n || type.p[name.n] == '+' || type.p[name.n] == ';' ||
           type.p[name.n] == ' ';
}

static bool
is_h2_port(const struct site *site, uint16_t port)
{
    for (unsigned i = 0; i < site->h2_ports; i++)
        if (site->h2_port[i] == port)
            return true;
    return false;
}

static enum back_kind
kind_of(const struct site *site, struct record_manner manner, uint16_t port,
        const struct head *req)
{
    if (is_grpc(req) || manner.speaks == SPEAKS_H2)
        return BACK_H2;
    if (manner.speaks == SPEAKS_H1)
        return BACK_H1;
    if (is_h2_port(site, port))
        return BACK_H2;
    if (site->protocol == SITE_SPEAKS_H1)
        return BACK_H1;
    if (site->protocol == SITE_SPEAKS_H2)
        return BACK_H2;
    return manner.tls || site->tls ? BACK_ALPN : BACK_H1;
}

/* Whom the certificate must be for. */
static struct slice
name_of(const struct site *site, const struct head *req, struct arena *a)
{
    struct host h;

    if (site->tls_name[0])
        return slice_of(site->tls_name);
    return host_parse(req->host, &h) == 0 ? arena_copy(a, host_name(&h)) : SLICE_NONE;
}

enum reason
speak_choose(struct speakers *x, struct tls_library *lib, const struct site *site,
             struct record_manner manner, uint16_t port, const struct head *req, struct arena *a,
             struct speak *out, const char **detail)
{
    static const unsigned offers[] = {
        [BACK_H1] = TLS_ALPN_H1,
        [BACK_H2] = TLS_ALPN_H2,
        [BACK_ALPN] = TLS_ALPN_H2 | TLS_ALPN_H1,
    };
    struct speaker *s;

    *out = (struct speak){.kind = kind_of(site, manner, port, req)};
    if (!manner.tls && !site->tls)
        return REASON_NONE;
    s = find_speaker(x, lib, site, offers[out->kind]);
    if (!s)
        return REASON_OUT_OF_MEMORY;
    if (!s->client) {
        *detail = s->why;
        return REASON_UPSTREAM_UNTRUSTED;
    }
    out->tls = (struct dialer_tls){s->client, name_of(site, req, a)};
    if (!out->tls.server_name.p)
        return REASON_OUT_OF_MEMORY;
    out->identity = map_hash(out->tls.server_name, s->seed[0], s->seed[1]) | 1;
    return REASON_NONE;
}
