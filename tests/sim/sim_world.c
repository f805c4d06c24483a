/* SPDX-License-Identifier: BSD-2-Clause */
/* sim_world.c: the clock, the queue of events, the plan of a run, its beginning and end. */
#include "config.h"

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 400000
#define BEGIN (1000 * USEC_SEC)

bool
chance(struct sim *s, unsigned thousandths)
{
    return thousandths > 0 && random_below(&s->random, 1000) < thousandths;
}

usec_t
between(struct sim *s, usec_t least, usec_t most)
{
    return least + (usec_t)random_below(&s->random, (uint64_t)(most - least) + 1);
}

unsigned
below(struct sim *s, unsigned n)
{
    return (unsigned)random_below(&s->random, n);
}

struct event *
at(struct sim *s, usec_t when, void (*fn)(struct sim *, struct event *), struct gateway *g,
   size_t bytes)
{
    struct event *e = calloc(1, sizeof(*e) + bytes);

    ensure(e);
    e->fn = fn;
    e->g = g;
    e->life = g ? g->life : 0;
    e->n = bytes;
    ensure(heap_set(&s->events, &e->node, usec_max(when, s->now)) == 0);
    return e;
}

void
trace(struct sim *s, const char *fmt, ...)
{
    va_list ap;

    if (!s->verbose)
        return;
    printf("%11.6f ", (double)(s->now - BEGIN) / 1e6);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* --- plan ------------------------------------------------------------------------------------- */

static unsigned
sometimes(struct sim *s, unsigned most)
{
    return chance(s, 500) ? below(s, most + 1) : 0;
}

static void
make_plan(struct sim *s, unsigned requests)
{
    struct plan *p = &s->plan;

    p->gateways = 1 + below(s, MAX_GATEWAYS);
    p->workers = 1 + below(s, MAX_WORKERS);
    p->guests = 1 + below(s, MAX_GUESTS);
    p->ports = 1 + below(s, MAX_PORTS);
    p->requests = 4 + below(s, requests);
    p->span = between(s, 2 * USEC_SEC, 40 * USEC_SEC);
    p->honest_store = chance(s, 500);
    if (!p->honest_store) {
        p->store_lost = sometimes(s, 100);
        p->store_doubled = sometimes(s, 100);
        p->store_down = sometimes(s, 1000);
    }
    p->news_lost = sometimes(s, 700);
    p->news_doubled = sometimes(s, 300);
    p->store_delay = chance(s, 500) ? 2 * USEC_MS : between(s, 0, 200 * USEC_MS);
    p->mail_delay = chance(s, 700) ? 200 : between(s, 0, 20 * USEC_MS);
    p->drv_fault = sometimes(s, 400);
    p->drv_never = sometimes(s, 100);
    p->drv_late = sometimes(s, 100);
    p->drv_pending = sometimes(s, 400);
    p->drv_final = sometimes(s, 60);
    p->self_pause = sometimes(s, 800);
    p->announced = below(s, 1001);
    p->killed = sometimes(s, 150);
    p->crash = p->gateways > 1 ? sometimes(s, 400) : sometimes(s, 100);
    p->stall = sometimes(s, 300);
    p->verbs = sometimes(s, 500);
    p->leave = sometimes(s, 400);
    p->dead_port = sometimes(s, 200);
    p->stranger = sometimes(s, 200);
    p->crowd = below(s, 1001);
    p->slow_connect = sometimes(s, 500);
    p->echo = sometimes(s, 800);
}

/* --- beginning and end ------------------------------------------------------------------------ */

static void
on_request(struct sim *s, struct event *e)
{
    struct gateway *g = &s->gw[e->a];

    if (g->up)
        exchange_start(s, g);
}

void
on_crash(struct sim *s, struct event *e)
{
    gateway_crash(s, &s->gw[e->a]);
}

static void
on_stall(struct sim *s, struct event *e)
{
    struct gateway *g = &s->gw[e->a];

    g->stalled_until = usec_max(g->stalled_until, s->now + (usec_t)e->b);
    trace(s, "g%u is stopped for %.1f s", g->n, (double)e->b / 1e6);
}

static void
on_store_down(struct sim *s, struct event *e)
{
    s->store_down_until = s->now + (usec_t)e->b;
    trace(s, "the store is down for %.1f s", (double)e->b / 1e6);
}

/* Requests come in a few bunches and some alone. */
static void
schedule_requests(struct sim *s)
{
    struct plan *p = &s->plan;
    usec_t bunch = BEGIN;

    for (unsigned i = 0; i < p->requests; i++) {
        struct event *e;
        usec_t when;

        if (i % 16 == 0)
            bunch = BEGIN + between(s, 0, p->span);
        when = chance(s, p->crowd) ? bunch + between(s, 0, 50 * USEC_MS)
                                   : BEGIN + between(s, 0, p->span);
        /* Just when the sandbox may have been idle long enough. */
        if (chance(s, p->echo))
            when = bunch + (1 + below(s, 8)) * 500 * USEC_MS + between(s, 0, 80 * USEC_MS);
        e = at(s, when, on_request, NULL, 0);
        e->a = below(s, p->gateways);
    }
}

static void
schedule(struct sim *s)
{
    struct plan *p = &s->plan;
    struct event *e;

    schedule_requests(s);
    for (unsigned i = 0; i < p->gateways; i++) {
        if (chance(s, p->crash)) {
            e = at(s, BEGIN + between(s, 0, p->span), on_crash, NULL, 0);
            e->a = i;
        }
        if (chance(s, p->stall)) {
            e = at(s, BEGIN + between(s, 0, p->span), on_stall, NULL, 0);
            e->a = i;
            e->b = (uint64_t)between(s, 50 * USEC_MS, 6 * USEC_SEC);
        }
    }
    if (chance(s, p->store_down)) {
        e = at(s, BEGIN + between(s, 0, p->span), on_store_down, NULL, 0);
        e->b = (uint64_t)between(s, USEC_SEC, 10 * USEC_SEC);
    }
}

static void
sim_begin(struct sim *s, uint64_t seed, unsigned requests, bool verbose)
{
    memset(s, 0, sizeof(*s));
    s->seed = seed;
    s->verbose = verbose;
    s->now = BEGIN;
    random_seed(&s->random, seed * 2654435761u + 1);
    heap_init(&s->events);
    list_init(&s->exchanges);
    make_plan(s, requests);
    for (unsigned i = 0; i < s->plan.guests; i++)
        guest_init(s, &s->guest[i], i);
    for (unsigned i = 0; i < s->plan.gateways; i++) {
        s->gw[i].n = i;
        s->gw[i].sim = s;
        gateway_start(s, &s->gw[i]);
    }
    schedule(s);
    for (unsigned i = 0; i < s->plan.guests; i++)
        guest_life(s, &s->guest[i]);
}

static void
sim_end(struct sim *s)
{
    struct heap_node *n;

    for (unsigned i = 0; i < s->plan.gateways; i++)
        gateway_stop(s, &s->gw[i]);
    while ((n = heap_top(&s->events))) {
        heap_remove(&s->events, n);
        free(container_of(n, struct event, node));
    }
    heap_fini(&s->events);
    for (unsigned i = 0; i < s->plan.guests; i++) {
        list_each_safe(l, tmp, &s->guest[i].resumes) {
            list_unlink(l);
            free(container_of(l, struct resume, link));
        }
    }
    list_each_safe(l, tmp, &s->exchanges)
        free(container_of(l, struct exchange, link));
}

static void
run_event(struct sim *s, struct event *e)
{
    struct gateway *g = e->g;

    if (g && (e->life != g->life || !g->up)) {
        free(e);
        return;
    }
    if (g && s->now < g->stalled_until) {
        ensure(heap_set(&s->events, &e->node, g->stalled_until) == 0);
        g->last_stall_end = g->stalled_until;
        return;
    }
    e->fn(s, e);
    free(e);
    s->events_n++;
    if (g && g->up)
        check_gateway(s, g);
}

uint64_t
sim_run(uint64_t seed, unsigned requests, bool verbose, struct verdict_of_run *out)
{
    struct sim s;
    struct heap_node *n;
    usec_t end;

    sim_begin(&s, seed, requests, verbose);
    end = BEGIN + s.plan.span;
    while ((n = heap_top(&s.events)) && s.failed.rule == RULE_NONE) {
        if (n->at > end && s.ending)
            break;
        if (n->at > end) {
            /* No more requests and faults: all must come to rest. */
            s.ending = true;
            end += 200 * USEC_SEC;
        }
        heap_remove(&s.events, n);
        s.now = n->at;
        run_event(&s, container_of(n, struct event, node));
        if (s.events_n > EVENTS_MAX)
            broken(&s, RULE_BALANCE, "%llu events and no end", (unsigned long long)s.events_n);
    }
    if (s.failed.rule == RULE_NONE)
        check_end(&s);
    sim_end(&s);
    *out = s.failed;
    return s.events_n;
}
