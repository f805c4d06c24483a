/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_intake.c: from what a plugin or an operator says of a sandbox to a record that may be
 * believed: names resolved, one after the other, and every address judged. Owner: control's thread.
 */
#include "config.h"

#include "gateway/plugin_priv.h"
#include "gateway/record_json.h"
#include "net/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOLVE_TIMEOUT (2 * USEC_SEC)
#define ADDRESSES (1 + RECORD_PORTS)
#define ADDRESS_TEXT_MAX 272

struct intake {
    struct list link;
    struct plugin_host *h;
    struct sandbox_key key;
    struct record record;
    unsigned at, n; /* the address being looked at; how many there are */
    struct {
        char text[ADDRESS_TEXT_MAX];
        uint16_t port; /* of the ports map; 0: the default address */
    } address[ADDRESSES];
    struct resolver_query *query;
    struct task finish;
    char why[400];
    void (*done)(void *ctx, const struct sandbox_key *key, const struct record *r,
                 const char *why);
    void *ctx;
};

static void
intake_free(struct intake *i)
{
    list_unlink(&i->link);
    task_cancel(&i->finish);
    if (i->query)
        resolver_cancel(i->query);
    record_fini(&i->record);
    free(i);
}

static void
on_finish(struct task *t)
{
    struct intake *i = container_of(t, struct intake, finish);

    i->done(i->ctx, &i->key, i->why[0] ? NULL : &i->record, i->why);
    intake_free(i);
}

static void
end(struct intake *i)
{
    loop_queue_run(i->h->o.loop, &i->finish);
}

static void
refuse(struct intake *i, const char *what)
{
    snprintf(i->why, sizeof(i->why), "address \"%s\" refused: %s", i->address[i->at].text, what);
    end(i);
}

static void
set_address(struct intake *i, const struct endpoint *e)
{
    uint16_t port = i->address[i->at].port;

    if (port == 0) {
        i->record.address = *e;
        return;
    }
    i->record.ports[i->record.ports_n].port = port;
    i->record.ports[i->record.ports_n].at = *e;
    if (e->port == 0)
        i->record.ports[i->record.ports_n].at.port = port;
    i->record.ports_n++;
}

static void next_address(struct intake *i);

/* False: it was refused. */
static bool
take(struct intake *i, const struct endpoint *e)
{
    const char *why =
        address_refused_platform(i->h->config, i->key.platform, &i->h->own, e);

    if (why) {
        refuse(i, why);
        return false;
    }
    set_address(i, e);
    i->at++;
    return true;
}

/* A name has several addresses; the first that a sandbox may have is taken. */
static void
on_resolved(void *ctx, const struct endpoint *e, size_t n, const char *why)
{
    struct intake *i = ctx;
    size_t good = 0;

    i->query = NULL;
    if (n == 0) {
        refuse(i, why);
        return;
    }
    while (good < n &&
           address_refused_platform(i->h->config, i->key.platform, &i->h->own, &e[good]))
        good++;
    if (take(i, &e[good < n ? good : 0]))
        next_address(i);
}

/* A name, maybe with ":port". */
static void
resolve(struct intake *i, struct slice text)
{
    ptrdiff_t colon = slice_rindex(text, ':');
    struct slice name = colon < 0 ? text : slice_sub(text, 0, (size_t)colon);
    uint64_t port = 0;

    if (colon >= 0 &&
        (slice_u64(slice_sub(text, (size_t)colon + 1, text.n), 65535, &port) < 0 || port == 0)) {
        refuse(i, "it is neither an address nor a name, with or without a port");
        return;
    }
    i->query = resolver_ask(i->h->o.resolver, name, (uint16_t)port, RESOLVE_TIMEOUT, on_resolved,
                            i);
    if (!i->query)
        refuse(i, "it is neither an address nor a name, with or without a port");
}

static void
next_address(struct intake *i)
{
    struct endpoint e;

    while (i->at < i->n) {
        struct slice text = slice_of(i->address[i->at].text);

        if (endpoint_parse(text, &e) < 0) {
            resolve(i, text);
            return;
        }
        if (!take(i, &e))
            return;
    }
    end(i);
}

static int
add_address(struct intake *i, struct rouse_text t, uint16_t port)
{
    if (t.n == 0)
        return 0;
    if (t.n >= ADDRESS_TEXT_MAX || i->n >= ADDRESSES)
        return -1;
    slice_copy(plugin_slice(t), i->address[i->n].text, ADDRESS_TEXT_MAX);
    i->address[i->n++].port = port;
    return 0;
}

int
intake_start(struct plugin_host *h, const struct sandbox_key *key, const struct rouse_sandbox *s,
             void (*done)(void *ctx, const struct sandbox_key *key, const struct record *r,
                          const char *why),
             void *ctx)
{
    struct intake *i = calloc(1, sizeof(*i));
    struct buf why;
    int rc;

    if (!i)
        return -1;
    *i = (struct intake){.h = h, .key = *key, .done = done, .ctx = ctx};
    list_init(&i->link);
    list_push_back(&h->intakes, &i->link);
    task_init(&i->finish, on_finish);
    buf_init_fixed(&why, i->why, sizeof(i->why));
    if (record_json_fill(&i->record, s, &why) < 0) {
        if (why.n == 0)
            buf_add_str(&why, "out of memory");
        end(i);
        return 0;
    }
    i->why[0] = '\0';
    rc = add_address(i, s->address, 0);
    for (unsigned p = 0; p < s->ports_n && p < ROUSE_PORTS; p++)
        rc |= add_address(i, s->ports[p].address, s->ports[p].port);
    if (rc == 0)
        next_address(i);
    else {
        snprintf(i->why, sizeof(i->why), "an address is longer than 271 bytes");
        end(i);
    }
    return 0;
}

void
intake_end_all(struct plugin_host *h)
{
    list_each_safe(n, next, &h->intakes)
    {
        struct intake *i = container_of(n, struct intake, link);

        i->done(i->ctx, &i->key, NULL, "the gateway is shutting down");
        intake_free(i);
    }
}
