/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings_tls.c: looks into the files that TLS needs, so that a mistake is found before the
 * gateway starts, or keeps its old configuration. At a start only a few certificates of each
 * directory: ten thousand must not cost seconds; `rouse check` looks at all.
 */
#include "config.h"

#include "app/settings_priv.h"
#include "net/tls_certs.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

#define CERTIFICATES_AT_START 16

struct finding {
    struct mistakes *m;
    int line, column;
    const char *directory;
};

static void
on_finding(void *ctx, const char *file, const char *why, bool is_error)
{
    const struct finding *f = ctx;

    if (!is_error)
        return;
    mistakes_add(f->m, f->line, f->column, "%s: %s", file, why);
    mistakes_hint(f->m, "%s holds NAME.crt (the certificate, then its chain) and NAME.key",
                  f->directory);
}

static void
judge(struct mistakes *m, const struct listener_config *l, unsigned max, int line, int column)
{
    struct tls_library *lib = tls_library_new(NULL);
    struct finding f = {m, line, column, l->certificates};

    if (!lib)
        mistakes_add(m, 0, 0, "out of memory");
    else if (tls_certs_check(lib, l->certificates, max, on_finding, &f) < 0 && m->n == 0)
        mistakes_add(m, line, column, "%s holds no certificate", l->certificates);
    tls_library_free(lib);
}

void
settings_judge_certificates(struct settings_reader *r, const struct config_node *listener,
                            const struct listener_config *l)
{
    const struct config_node *tls = config_node_get(listener, "tls");
    const struct config_node *n = tls ? config_node_get(tls, "certificates") : NULL;

    if (n && l->certificates[0])
        judge(r->m, l, CERTIFICATES_AT_START, n->pub.line, n->pub.column);
}

void
settings_judge_client_ca(struct settings_reader *r, const struct config_node *site,
                         const struct site *s)
{
    const struct config_node *tls = config_node_get(site, "tls");
    const struct config_node *n = tls ? config_node_get(tls, "client_ca") : NULL;
    struct tls_policy_options o = {.name = slice_of(s->host), .ca_file = s->client_ca};
    struct tls_library *lib;
    struct tls_policy *p;
    char text[256] = "out of memory";

    if (!n || !s->client_ca[0])
        return;
    lib = tls_library_new(NULL);
    p = lib ? tls_policy_new(lib, &o, text, sizeof(text)) : NULL;
    if (!p) {
        mistakes_add(r->m, n->pub.line, n->pub.column, "%s", text);
        mistakes_hint(r->m, "a file of certificates in PEM: the authorities of your clients");
    }
    tls_policy_free(p);
    tls_library_free(lib);
}

void
settings_judge_tls_ca(struct settings_reader *r, const struct config_node *site,
                      const struct site *s)
{
    const struct config_node *connect = config_node_get(site, "connect");
    const struct config_node *n = connect ? config_node_get(connect, "tls_ca") : NULL;
    struct tls_client_options o = {.ca_file = s->tls_ca};
    struct tls_library *lib;
    struct tls_client *c;
    char text[256] = "out of memory";

    if (!n || !s->tls_ca[0])
        return;
    lib = tls_library_new(NULL);
    c = lib ? tls_client_new(lib, &o, text, sizeof(text)) : NULL;
    if (!c) {
        mistakes_add(r->m, n->pub.line, n->pub.column, "%s", text);
        mistakes_hint(r->m, "a file of certificates in PEM: the authorities of your sandboxes");
    }
    tls_client_free(c);
    tls_library_free(lib);
}

void
settings_check_certificates(const struct gateway_config *c, struct mistakes *m)
{
    for (unsigned i = 0; i < c->listeners; i++)
        if (c->listener[i].certificates[0])
            judge(m, &c->listener[i], 0, 0, 0);
}
