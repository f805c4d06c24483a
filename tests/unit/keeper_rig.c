/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper_rig.c: see keeper_rig.h. It must not judge: the tests do. */
#include "config.h"

#include "keeper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
on_mail(void *ctx, unsigned worker, const struct mail *m)
{
    struct rig *r = ctx;

    assert_true(r->mails < RIG_MAX);
    r->mail_worker[r->mails] = worker;
    r->mail[r->mails++] = *m;
}

static void
on_driver(void *ctx, const struct driver_call *c)
{
    struct rig *r = ctx;

    assert_true(r->drivers < RIG_MAX);
    r->driver[r->drivers++] = *c;
}

static void
on_store(void *ctx, const struct store_call *c)
{
    struct rig *r = ctx;

    assert_true(r->stores < RIG_MAX);
    r->store[r->stores] = *c;
    if (c->op == STORE_PUBLISH && (c->epoch == r->epoch || c->epoch == 0)) {
        record_fini(&r->record);
        assert_int_equal(record_copy(&r->record, c->record), 0);
        r->has_record = true;
    }
    r->stores++;
}

static void
on_story(void *ctx, const struct keeper_tale *t)
{
    struct rig *r = ctx;

    r->story[t->what]++;
}

static void
on_done(void *ctx, uint64_t request, enum reason reason)
{
    struct rig *r = ctx;

    r->done[r->dones].request = request;
    r->done[r->dones++].reason = reason;
}

void
rig_init(struct rig *r, unsigned workers)
{
    struct keeper_ports ports = {r, on_mail, on_driver, on_store, on_story, on_done};
    struct keeper_options o = {.workers = workers, .hold_total = 1000, .hold_bytes = 1 << 20};

    memset(r, 0, sizeof(*r));
    record_init(&r->record);
    r->now = 1000 * USEC_SEC;
    r->auto_store = true;
    r->epoch = 100;
    o.max_sandboxes = 100;
    o.fresh = 2 * USEC_SEC;
    o.wakes_in_flight = 200;
    o.wakes_global = (struct rate){UINT32_MAX, USEC_SEC};
    o.metrics = &r->metrics;
    o.seed = 1;
    r->site = (struct keeper_site){
        .hold_timeout = 50 * USEC_SEC, .hold_pausing = 120 * USEC_SEC, .hold_per_sandbox = 500,
        .hold_per_tenant = 500, .hold_per_source = UINT32_MAX,
        .wake_per_sandbox = {UINT32_MAX, 1}, .wake_per_client = {UINT32_MAX, 1},
        .lease = 15 * USEC_SEC, .wake_grace = 10 * USEC_SEC, .refused_for = USEC_SEC,
        .pause_after = USEC_OFF, .resume_timeout = 20 * USEC_SEC, .inspect_timeout = 5 * USEC_SEC,
    };
    r->k = keeper_new(&o, &ports, r->now);
    assert_non_null(r->k);
    assert_int_equal(keeper_set_site(r->k, 0, &r->site), 0);
}

void
rig_fini(struct rig *r)
{
    keeper_free(r->k);
    assert_int_equal(metric_get(&r->metrics, METRIC_HELD), 0);
    assert_int_equal(metric_get(&r->metrics, METRIC_SANDBOXES), 0);
    assert_int_equal(metric_get(&r->metrics, METRIC_ILLEGAL_MOVES), 0);
    record_fini(&r->record);
}

struct sandbox_key
rig_key(const char *id)
{
    struct sandbox_key k = {.platform = 0};

    k.n = (uint16_t)slice_copy(slice_of(id), k.id, sizeof(k.id));
    return k;
}

struct record
rig_record(enum sandbox_state state, const char *generation)
{
    struct record r;

    record_init(&r);
    r.state = state;
    name_set(&r.generation, slice_of(generation));
    if (state == SANDBOX_RUNNING)
        r.address = (struct endpoint){.family = 4, .ip = {10, 0, 0, 1}};
    return r;
}

void
rig_send(struct rig *r, unsigned worker, struct mail m)
{
    keeper_on_mail(r->k, worker, &m, r->now);
    if (r->auto_store)
        rig_store(r);
}

uint64_t
rig_ask(struct rig *r, const struct mail *shape)
{
    struct mail m = {.kind = MAIL_ASK};
    unsigned worker = 0;

    m.u.ask.klass = CLASS_OTHER;
    m.u.ask.may_wake = true;
    m.u.ask.keep_alive = true;
    m.u.ask.wait = USEC_OFF;
    m.u.ask.key = rig_key("a");
    m.u.ask.port = 80;
    m.u.ask.method = SLICE("GET");
    m.u.ask.path = SLICE("/");
    if (shape) {
        worker = (unsigned)shape->ticket;
        m = *shape;
    }
    m.u.ask.arrived = r->now;
    m.ticket = ++r->tickets;
    rig_send(r, worker, m);
    return m.ticket;
}

void
rig_advance(struct rig *r, usec_t by)
{
    usec_t end = r->now + by;

    while (keeper_next(r->k) <= end) {
        r->now = usec_max(r->now, keeper_next(r->k));
        keeper_tick(r->k, r->now);
        if (r->auto_store)
            rig_store(r);
    }
    r->now = end;
}

bool
rig_take(struct rig *r, enum mail_kind kind, struct mail *m)
{
    for (unsigned i = 0; i < r->mails; i++) {
        if (r->mail[i].kind != kind)
            continue;
        *m = r->mail[i];
        memmove(&r->mail[i], &r->mail[i + 1], (r->mails - i - 1) * sizeof(r->mail[0]));
        memmove(&r->mail_worker[i], &r->mail_worker[i + 1],
                (r->mails - i - 1) * sizeof(r->mail_worker[0]));
        r->mails--;
        return true;
    }
    return false;
}

bool
rig_has_verdict(const struct rig *r, uint64_t ticket)
{
    for (unsigned i = 0; i < r->mails; i++) {
        if (r->mail[i].kind == MAIL_VERDICT && r->mail[i].ticket == ticket)
            return true;
    }
    return false;
}

struct mail_verdict
rig_verdict(struct rig *r, uint64_t ticket)
{
    struct mail_verdict v;

    for (unsigned i = 0; i < r->mails; i++) {
        if (r->mail[i].kind != MAIL_VERDICT || r->mail[i].ticket != ticket)
            continue;
        v = r->mail[i].u.verdict;
        memmove(&r->mail[i], &r->mail[i + 1], (r->mails - i - 1) * sizeof(r->mail[0]));
        memmove(&r->mail_worker[i], &r->mail_worker[i + 1],
                (r->mails - i - 1) * sizeof(r->mail_worker[0]));
        r->mails--;
        return v;
    }
    fail_msg("no verdict for ticket %llu", (unsigned long long)ticket);
    abort();
}

void
rig_answer(struct rig *r, enum driver_op op, enum driver_outcome o, const struct record *rec,
           usec_t retry_after)
{
    struct driver_result res = {.outcome = o, .retry_after = retry_after};

    assert_true(r->drivers > 0);
    assert_string_equal(driver_op_name(r->driver[0].op), driver_op_name(op));
    res.id = r->driver[0].id;
    r->drivers--;
    memmove(&r->driver[0], &r->driver[1], r->drivers * sizeof(r->driver[0]));
    record_init(&res.record);
    if (rec) {
        res.has_record = true;
        res.record = *rec;
    }
    keeper_on_driver(r->k, &res, r->now);
    if (r->auto_store)
        rig_store(r);
}

static void
answer_store(struct rig *r, const struct store_call *c)
{
    struct store_result res = {.id = c->id, .status = STORE_OK, .epoch = r->epoch};
    bool live = r->now < r->lease_until;

    record_init(&res.record);
    res.lease_for = live ? r->lease_until - r->now : 0;
    if (c->op == STORE_GET) {
        res.status = r->has_record ? STORE_OK : STORE_NONE;
        res.has_record = r->has_record;
        res.record = r->record;
    } else if (c->op == STORE_LEASE) {
        res.status = live ? STORE_HELD : STORE_OK;
        if (!live) {
            res.epoch = ++r->epoch;
            r->lease_until = r->now + c->ttl;
        }
    } else if (c->op == STORE_RENEW) {
        r->lease_until = r->now + c->ttl;
    } else if (c->op == STORE_RELEASE && c->epoch == r->epoch) {
        r->lease_until = 0;
    } else if (c->op == STORE_PUBLISH && c->epoch != 0 && c->epoch != r->epoch) {
        res.status = STORE_STALE;
    } else if (c->op == STORE_FORGET) {
        r->has_record = false;
    }
    keeper_on_store(r->k, &res, r->now);
}

void
rig_store(struct rig *r)
{
    while (r->stores > 0) {
        struct store_call c = r->store[0];

        r->stores--;
        memmove(&r->store[0], &r->store[1], r->stores * sizeof(r->store[0]));
        answer_store(r, &c);
    }
}
