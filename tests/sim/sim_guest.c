/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_guest.c: the sandboxes themselves and their platform: what is really so. A sleeping guest
 * either is frozen (its kernel accepts, and runs what it accepted after the thaw) or its address is
 * gone, and may be somebody else's next.
 */
#include "config.h"

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- records ---------------------------------------------------------------------------------- */

struct guest *
guest_of(struct sim *s, const struct sandbox_key *key)
{
    unsigned n = (unsigned)(key->id[0] - 'a');

    ensure(n < s->plan.guests);
    return &s->guest[n];
}

static void
name_number(struct name *n, unsigned v)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", v);
    name_set(n, slice_of(text));
}

struct record
guest_record(const struct guest *g)
{
    struct record r;

    record_init(&r);
    r.state = g->state;
    if (g->names_generation)
        name_number(&r.generation, g->generation);
    name_number(&r.instance, g->instance);
    name_set(&r.tenant, g->n % 2 ? SLICE("odd") : SLICE("even"));
    if (g->address >= 0 && g->state == SANDBOX_RUNNING)
        r.address = (struct endpoint){.family = 4, .ip = {10, 0, 0, (uint8_t)g->address}};
    r.auto_resume = g->auto_resume;
    if (g->needs_token) {
        r.tokens_n = 1;
        r.tokens[0][0] = (uint8_t)(g->n + 1);
    }
    return r;
}

/* --- sleeping and waking ---------------------------------------------------------------------- */

static void
take_address(struct sim *s, struct guest *g)
{
    unsigned first = below(s, ADDRESSES);

    if (g->address >= 0)
        return;
    for (unsigned i = 0; i < ADDRESSES; i++) {
        unsigned a = (first + i) % ADDRESSES;

        if (s->address[a])
            continue;
        s->address[a] = g;
        g->address = (int)a;
        return;
    }
    ensure(g->address >= 0); /* there is one for everybody */
}

static void
drop_address(struct sim *s, struct guest *g)
{
    if (g->address >= 0)
        s->address[g->address] = NULL;
    g->address = -1;
}

static void
open_ports(struct sim *s, struct guest *g, bool cold)
{
    for (unsigned i = 0; i < s->plan.ports; i++) {
        usec_t delay = cold && chance(s, 600) ? between(s, 0, 300 * USEC_MS) : 0;

        g->opens[i] = chance(s, s->plan.dead_port) ? USEC_NEVER : s->now + delay;
    }
}

static void on_answer_due(struct sim *s, struct event *e);

static void
execute(struct sim *s, struct guest *g, struct exchange *x)
{
    struct event *e;

    if (!x->executing) {
        x->executing = true;
        x->executed++;
        check_executed(s, x, g);
    }
    e = at(s, s->now + (chance(s, 100) ? between(s, 0, 4 * USEC_SEC) : between(s, 100, 20000)),
           on_answer_due, NULL, 0);
    e->p = x;
    e->a = ++x->runs;
}

/* What is in a guest whose memory or network is lost comes to nothing. */
static void
lose_inside(struct sim *s, struct guest *g)
{
    list_each_safe(l, tmp, &g->inside) {
        struct exchange *x = container_of(l, struct exchange, inside);

        list_unlink(l);
        x->reached = NULL;
        if (chance(s, 500))
            exchange_reset(s, x);
    }
}

static void
on_answer_due(struct sim *s, struct event *e)
{
    struct exchange *x = e->p;
    struct guest *g = x->reached;

    if (!g || !list_linked(&x->inside) || x->runs != e->a || g->state == SANDBOX_PAUSED)
        return; /* frozen, gone or reset meanwhile: the thaw brings it again */
    list_unlink(&x->inside);
    exchange_answer(s, x);
}

static void
sleep_now(struct sim *s, struct guest *g, int by)
{
    trace(s, "platform: %s sleeps (%s)", g->key.id, by < 0 ? "by itself" : "asked");
    g->motion++;
    g->paused_by = by;
    if (g->kind == SLEEP_GONE) {
        lose_inside(s, g);
        drop_address(s, g);
    }
    g->state = SANDBOX_PAUSED;
    g->moved = s->now;
}

static void
run_now(struct sim *s, struct guest *g)
{
    bool cold = g->kind == SLEEP_GONE;

    g->motion++;
    g->state = SANDBOX_RUNNING;
    g->running_since = g->moved = s->now;
    g->paused_by = -1;
    if (cold || chance(s, 300))
        g->generation++;
    take_address(s, g);
    open_ports(s, g, cold);
    trace(s, "platform: %s runs at %d, generation %u", g->key.id, g->address, g->generation);
    list_each_safe(l, tmp, &g->inside)
        execute(s, g, container_of(l, struct exchange, inside));
}

static void
die(struct sim *s, struct guest *g)
{
    struct record r;

    trace(s, "platform: %s is killed", g->key.id);
    g->motion++;
    lose_inside(s, g);
    drop_address(s, g);
    g->state = SANDBOX_KILLED;
    r = guest_record(g);
    store_news(s, g, &r, NULL);
}

/* --- what it does by itself ------------------------------------------------------------------- */

static void
on_asleep(struct sim *s, struct event *e)
{
    struct guest *g = &s->guest[e->a];
    struct record r;

    if (g->motion != e->b || g->state != SANDBOX_PAUSING)
        return;
    sleep_now(s, g, -1);
    r = guest_record(g);
    store_news(s, g, &r, NULL);
}

static void
doze(struct sim *s, struct guest *g)
{
    struct record r;
    struct event *e;

    if (!chance(s, s->plan.announced)) {
        sleep_now(s, g, -1);
        return;
    }
    g->motion++;
    g->state = SANDBOX_PAUSING;
    g->moved = s->now;
    r = guest_record(g);
    store_news(s, g, &r, NULL);
    e = at(s, s->now + between(s, 10 * USEC_MS, 3 * USEC_SEC), on_asleep, NULL, 0);
    e->a = g->n;
    e->b = g->motion;
}

static void
on_whim(struct sim *s, struct event *e)
{
    struct guest *g = &s->guest[e->a];

    if (s->ending)
        return;
    if (g->state == SANDBOX_KILLED) {
        g->instance++;
        g->generation++;
        g->state = SANDBOX_PAUSED;
    } else if (chance(s, s->plan.killed)) {
        die(s, g);
    } else if (g->state == SANDBOX_RUNNING && chance(s, s->plan.self_pause)) {
        doze(s, g);
    }
    guest_life(s, g);
}

void
guest_life(struct sim *s, struct guest *g)
{
    struct event *e = at(s, s->now + between(s, 200 * USEC_MS, 8 * USEC_SEC), on_whim, NULL, 0);

    e->a = g->n;
}

void
guest_init(struct sim *s, struct guest *g, unsigned n)
{
    memset(g, 0, sizeof(*g));
    g->n = n;
    g->key.n = 1;
    g->key.id[0] = (char)('a' + n);
    g->address = -1;
    g->paused_by = -1;
    g->instance = 1;
    g->generation = 1;
    g->kind = chance(s, 500) ? SLEEP_FROZEN : SLEEP_GONE;
    g->names_generation = chance(s, 600);
    g->needs_token = chance(s, 300);
    g->auto_resume = !chance(s, 100);
    list_init(&g->inside);
    list_init(&g->resumes);
    g->state = SANDBOX_PAUSED;
    if (chance(s, 500) || g->kind == SLEEP_FROZEN)
        run_now(s, g);
    if (chance(s, 500))
        sleep_now(s, g, -1);
}

/* --- connections ------------------------------------------------------------------------------ */

enum dialed
guest_dial(struct sim *s, const struct endpoint *to, struct guest **who)
{
    struct guest *g = s->address[to->ip[3]];
    unsigned port = (unsigned)(to->port - 3000);

    *who = g;
    if (!g)
        return to->ip[3] % 2 ? DIALED_REFUSED : DIALED_SILENT;
    if (s->now < g->opens[port])
        return DIALED_REFUSED;
    return DIALED_OK;
}

void
guest_take(struct sim *s, struct guest *g, struct exchange *x)
{
    x->reached = g;
    x->executing = false;
    list_push_back(&g->inside, &x->inside);
    if (g->state == SANDBOX_RUNNING || g->state == SANDBOX_PAUSING)
        execute(s, g, x);
}

/* --- the platform's calls --------------------------------------------------------------------- */

struct job {
    struct driver_call call;
    struct gateway *g;
    uint32_t life;
    struct driver_result result;
};

static void
resume_over(struct guest *b, const struct job *j, bool answered, bool executed)
{
    list_each_safe(l, tmp, &b->resumes) {
        struct resume *r = container_of(l, struct resume, link);

        if (r->call != j->call.id || r->g != j->g || r->life != j->life)
            continue;
        r->answered |= answered;
        r->executed |= executed;
        if (r->answered && r->executed) {
            list_unlink(l);
            free(r);
        }
    }
}

static void
on_deliver(struct sim *s, struct event *e)
{
    struct job *j = (struct job *)(void *)e->data;
    struct guest *b = guest_of(s, &j->call.key);

    trace(s, "g%u gets %s of %s: %s", j->g->n, driver_op_name(j->call.op), b->key.id,
          driver_outcome_name(j->result.outcome));
    if (j->result.has_record && j->result.record.state != SANDBOX_RUNNING)
        j->g->asleep_heard[b->n] = s->now;
    resume_over(b, j, true, false);
    keeper_on_driver(j->g->k, &j->result, s->now);
    gateway_after(s, j->g);
}

static void
deliver(struct sim *s, const struct job *j, usec_t delay)
{
    struct event *e;

    if (!j->g->up || j->life != j->g->life)
        return;
    e = at(s, s->now + delay, on_deliver, j->g, sizeof(*j));
    memcpy(e->data, j, sizeof(*j));
}

/* The caller waits no longer than its deadline. */
static void
on_given_up(struct sim *s, struct event *e)
{
    struct job *j = (struct job *)(void *)e->data;

    resume_over(guest_of(s, &j->call.key), j, true, false);
}

static void
finish(struct sim *s, struct job *j, enum driver_outcome o, bool with_record)
{
    struct guest *b = guest_of(s, &j->call.key);

    resume_over(b, j, false, true);
    j->result.id = j->call.id;
    j->result.outcome = o;
    j->result.has_record = with_record;
    if (with_record)
        j->result.record = guest_record(b);
    if (chance(s, s->plan.drv_never))
        return;
    if (j->call.op != DRIVER_INSPECT && chance(s, s->plan.drv_fault / 4))
        j->result.outcome = OUTCOME_UNKNOWN;
    deliver(s, j, chance(s, s->plan.drv_late) ? 6 * USEC_SEC : between(s, 500, 30 * USEC_MS));
}

/* answered: the caller has its answer already. */
static void
later(struct sim *s, const struct job *j, usec_t delay, bool answered,
      void (*fn)(struct sim *, struct event *))
{
    struct event *e = at(s, s->now + delay, fn, NULL, sizeof(*j));

    memcpy(e->data, j, sizeof(*j));
    e->a = answered;
    e->b = guest_of(s, &j->call.key)->motion;
}

static void
on_woken(struct sim *s, struct event *e)
{
    struct job *j = (struct job *)(void *)e->data;
    struct guest *b = guest_of(s, &j->call.key);

    if (b->motion == e->b && b->state == SANDBOX_RESUMING)
        run_now(s, b);
    if (e->a)
        return; /* PENDING was said */
    finish(s, j, b->state == SANDBOX_RUNNING ? OUTCOME_RUNNING : OUTCOME_CONFLICT,
           b->state == SANDBOX_RUNNING && !chance(s, 100));
}

static void
on_paused(struct sim *s, struct event *e)
{
    struct job *j = (struct job *)(void *)e->data;
    struct guest *b = guest_of(s, &j->call.key);

    if (b->motion == e->b && b->state == SANDBOX_PAUSING) {
        sleep_now(s, b, (int)j->g->n);
        b->paused_life = j->life;
        if (j->life == j->g->life)
            check_pause(s, j->g, b, "when it fell asleep");
    }
    if (!e->a)
        finish(s, j, OUTCOME_RUNNING, chance(s, 500));
}

/* Plain refusals that any call may meet. */
static bool
faulty(struct sim *s, struct job *j)
{
    static const enum driver_outcome soft[] = {OUTCOME_UNREACHABLE, OUTCOME_CAPACITY,
                                               OUTCOME_CONFLICT, OUTCOME_UNKNOWN};
    enum driver_outcome o = soft[below(s, 4)];

    if (chance(s, s->plan.drv_final) && j->call.op == DRIVER_RESUME) {
        static const enum driver_outcome hard[] = {OUTCOME_DENIED, OUTCOME_DISABLED,
                                                   OUTCOME_FAILED};
        finish(s, j, hard[below(s, 3)], false);
        return true;
    }
    if (!chance(s, s->plan.drv_fault))
        return false;
    if (o == OUTCOME_CAPACITY)
        j->result.retry_after = between(s, 0, 3 * USEC_SEC);
    finish(s, j, o, false);
    return true;
}

static bool
stale(struct sim *s, struct job *j, struct guest *b)
{
    if (j->call.epoch < b->fence) {
        finish(s, j, OUTCOME_STALE_EPOCH, false);
        return true;
    }
    b->fence = j->call.epoch;
    return false;
}

static void
do_resume(struct sim *s, struct job *j, struct guest *b)
{
    usec_t takes = between(s, 10 * USEC_MS, chance(s, 200) ? 5 * USEC_SEC : 600 * USEC_MS);
    bool pending = chance(s, s->plan.drv_pending);

    if (b->state == SANDBOX_KILLED) {
        finish(s, j, OUTCOME_GONE, false);
    } else if (b->state == SANDBOX_RUNNING) {
        finish(s, j, OUTCOME_RUNNING, !chance(s, 100));
    } else if (b->state != SANDBOX_PAUSED) {
        finish(s, j, b->state == SANDBOX_RESUMING ? OUTCOME_PENDING : OUTCOME_CONFLICT, false);
    } else {
        b->motion++;
        b->state = SANDBOX_RESUMING;
        later(s, j, takes, pending, on_woken);
        if (pending)
            finish(s, j, OUTCOME_PENDING, false);
    }
}

static void
do_pause(struct sim *s, struct job *j, struct guest *b)
{
    struct slice said = name_slice(&j->call.generation);
    struct record now = guest_record(b);

    if (b->state == SANDBOX_KILLED) {
        finish(s, j, OUTCOME_GONE, false);
    } else if (b->state == SANDBOX_PAUSED) {
        finish(s, j, OUTCOME_RUNNING, true);
    } else if (b->state != SANDBOX_RUNNING ||
               (said.n > 0 && !slice_eq(said, name_slice(&now.generation)))) {
        finish(s, j, OUTCOME_CONFLICT, false);
    } else {
        b->motion++;
        b->state = SANDBOX_PAUSING;
        later(s, j, between(s, USEC_MS, 2 * USEC_SEC), false, on_paused);
    }
}

static void
on_call(struct sim *s, struct event *e)
{
    struct job *j = (struct job *)(void *)e->data;
    struct guest *b = guest_of(s, &j->call.key);

    if (s->ending ? false : faulty(s, j))
        return;
    if (j->call.op == DRIVER_INSPECT) {
        finish(s, j, b->state == SANDBOX_KILLED ? OUTCOME_GONE : OUTCOME_RUNNING,
               b->state != SANDBOX_KILLED);
        return;
    }
    if (stale(s, j, b))
        return;
    if (j->call.op == DRIVER_RESUME)
        do_resume(s, j, b);
    else
        do_pause(s, j, b);
}

void
driver_port(void *ctx, const struct driver_call *c)
{
    struct gateway *g = ctx;
    struct sim *s = g->sim;
    struct guest *b = guest_of(s, &c->key);
    struct job j = {.call = *c, .g = g, .life = g->life};
    struct event *e;

    record_init(&j.result.record);
    trace(s, "g%u calls %s of %s, epoch %u", g->n, driver_op_name(c->op), b->key.id,
          (unsigned)c->epoch);
    if (c->op == DRIVER_RESUME)
        check_resume(s, g, b, c);
    if (c->op == DRIVER_PAUSE)
        check_pause(s, g, b, "when the platform was called");
    if (c->op == DRIVER_RESUME && !s->ending && chance(s, s->plan.crash))
        at(s, s->now + between(s, 0, USEC_SEC), on_crash, NULL, 0)->a = g->n;
    /* Some calls dawdle on their way and are executed late. */
    later(s, &j, chance(s, s->plan.drv_late) ? between(s, USEC_SEC, 8 * USEC_SEC)
                                             : between(s, 100, 5 * USEC_MS), false, on_call);
    e = at(s, c->deadline, on_given_up, NULL, sizeof(j));
    memcpy(e->data, &j, sizeof(j));
}
