/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_store.c: the store that the gateways share, behind links that lose, delay and double; and the
 * news that goes out when something is published.
 */
#include "config.h"

#include "sim.h"

#include <string.h>

struct wire_call {
    struct store_call call;
    struct record record;
    bool has_record;
};

static void
on_result(struct sim *s, struct event *e)
{
    struct store_result *r = (struct store_result *)(void *)e->data;
    struct guest *b = &s->guest[e->a];

    if (r->has_record && r->record.state != SANDBOX_RUNNING)
        e->g->asleep_heard[b->n] = s->now;
    keeper_on_store(e->g->k, r, s->now);
    gateway_after(s, e->g);
}

static void
answer(struct sim *s, struct gateway *g, struct guest *b, const struct store_result *r)
{
    unsigned copies = chance(s, s->plan.store_doubled) ? 2 : 1;

    if (chance(s, s->plan.store_lost))
        return;
    for (unsigned i = 0; i < copies; i++) {
        usec_t when = s->now + between(s, 0, s->plan.store_delay);
        struct event *e;

        g->link_in = when = usec_max(when, g->link_in);
        e = at(s, when, on_result, g, sizeof(*r));
        e->a = b->n;
        memcpy(e->data, r, sizeof(*r));
    }
}

static bool
live(const struct sim *s, const struct guest *b)
{
    return b->lease_epoch != 0 && s->now < b->lease_until;
}

static void
lease(struct sim *s, struct gateway *g, struct guest *b, const struct store_call *c,
      struct store_result *r)
{
    if (live(s, b)) {
        r->status = STORE_HELD;
        return;
    }
    b->lease_epoch = ++b->epoch;
    ensure(b->epoch < MAX_EPOCHS);
    b->lease_until = s->now + c->ttl;
    b->lease_of = g;
    b->expires[b->epoch] = b->lease_until;
    r->epoch = b->epoch;
    r->lease_for = 0;
    trace(s, "store: lease of %s to g%u, epoch %u", b->key.id, g->n, (unsigned)b->epoch);
}

static void
renew(struct sim *s, struct guest *b, const struct store_call *c, struct store_result *r)
{
    if (!live(s, b) || b->lease_epoch != c->epoch) {
        r->status = STORE_LOST;
        return;
    }
    b->lease_until = s->now + c->ttl;
    b->expires[b->epoch] = b->lease_until;
}

static void
publish(struct sim *s, struct gateway *g, struct guest *b, const struct wire_call *w,
        struct store_result *r)
{
    if (w->call.epoch != 0 ? w->call.epoch != b->epoch : live(s, b)) {
        r->status = STORE_STALE;
        return;
    }
    b->record = w->record;
    b->has_record = true;
    trace(s, "store: g%u publishes %s %s, epoch %u", g->n, b->key.id,
          sandbox_state_name(w->record.state), (unsigned)w->call.epoch);
    store_news(s, b, &w->record, g);
}

static void
on_call(struct sim *s, struct event *e)
{
    struct wire_call *w = (struct wire_call *)(void *)e->data;
    struct gateway *g = e->p;
    struct guest *b = guest_of(s, &w->call.key);
    struct store_result r = {.id = w->call.id, .status = STORE_OK};

    record_init(&r.record);
    if (s->now < s->store_down_until) {
        r.status = STORE_DOWN;
        answer(s, g, b, &r);
        return;
    }
    r.epoch = b->epoch;
    r.lease_for = live(s, b) ? b->lease_until - s->now : 0;
    if (w->call.op == STORE_GET) {
        r.status = b->has_record ? STORE_OK : STORE_NONE;
        r.has_record = b->has_record;
        r.record = b->record;
    } else if (w->call.op == STORE_LEASE) {
        lease(s, g, b, &w->call, &r);
    } else if (w->call.op == STORE_RENEW) {
        renew(s, b, &w->call, &r);
    } else if (w->call.op == STORE_RELEASE) {
        if (b->lease_epoch == w->call.epoch)
            b->lease_epoch = 0;
    } else if (w->call.op == STORE_PUBLISH) {
        publish(s, g, b, w, &r);
    } else {
        b->has_record = false;
    }
    if (g->up && e->life == g->life)
        answer(s, g, b, &r);
}

void
store_port(void *ctx, const struct store_call *c)
{
    struct gateway *g = ctx;
    struct sim *s = g->sim;
    struct wire_call *w;
    struct event *e;
    usec_t when = s->now + between(s, 0, s->plan.store_delay);

    g->link_out = when = usec_max(when, g->link_out);
    if (chance(s, s->plan.store_lost))
        return;
    /* Once it is sent it arrives, whatever happens to the sender. */
    e = at(s, when, on_call, NULL, sizeof(*w));
    e->p = g;
    e->life = g->life;
    w = (struct wire_call *)(void *)e->data;
    w->call = *c;
    w->has_record = c->record != NULL;
    if (c->record)
        w->record = *c->record;
}

/* --- news ------------------------------------------------------------------------------------- */

static void
on_news(struct sim *s, struct event *e)
{
    struct record *r = (struct record *)(void *)e->data;
    struct guest *b = &s->guest[e->a];

    if (r->state != SANDBOX_RUNNING)
        e->g->asleep_heard[b->n] = s->now;
    trace(s, "g%u hears %s is %s", e->g->n, b->key.id, sandbox_state_name(r->state));
    (void)keeper_on_news(e->g->k, &b->key, r, s->now);
    gateway_after(s, e->g);
}

void
store_news(struct sim *s, struct guest *b, const struct record *r, struct gateway *except)
{
    for (unsigned i = 0; i < s->plan.gateways; i++) {
        unsigned copies = chance(s, s->plan.news_doubled) ? 2 : 1;

        if (&s->gw[i] == except || !s->gw[i].up || chance(s, s->plan.news_lost))
            continue;
        while (copies-- > 0) {
            usec_t when = s->now + between(s, 100, 100 * USEC_MS);
            struct event *e = at(s, when, on_news, &s->gw[i], sizeof(*r));

            e->a = b->n;
            memcpy(e->data, r, sizeof(*r));
        }
    }
}
