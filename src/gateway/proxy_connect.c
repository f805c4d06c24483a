/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_connect.c: how a request gets its connection: an idle one of the pool, or the dialer driven
 * by sandbox/attempt.h, which decides; here it is only done, and control told. Owner: the worker's
 * thread.
 */
#include "config.h"

#include "gateway/proxy.h"
#include "gateway/address_rules.h"
#include "gateway/doors.h"
#include "gateway/gateway.h"
#include "gateway/proxy_priv.h"

#include <errno.h>

void
proxy_stop_connecting(struct proxy *p)
{
    if (p->dial) {
        dialer_stop(&p->dial->dialer);
        probe_cancel(p->ex.loop, &p->dial->precise);
    }
    proxy_stop_page(p);
}

static void follow(struct proxy *p, enum attempt_do step);

static struct back_key
back_key_of(const struct proxy *p)
{
    return (struct back_key){p->route.sandbox, p->route.incarnation, p->route.to, p->back_kind,
                             p->back_identity};
}

static void
connected(struct proxy *p, usec_t took)
{
    struct mail m = {.u.connected.took = took};
    uint64_t ticket = p->released;

    p->connect_took = took;
    proxy_pay(p, MAIL_CONNECTED, &p->released, &m);
    p->unanswered = ticket;
}

static void
connect_failed(struct proxy *p)
{
    const struct attempt *a = &p->dial->attempt;
    struct mail m = {.u.failed = {.silent = a->silent, .since = a->since}};

    proxy_pay(p, MAIL_CONNECT_FAILED, &p->released, &m);
}

/* One connect ended well: is it still the right place? */
static void
on_connected(struct dialer *d, struct conn *c, usec_t took)
{
    struct proxy_dial *dial = container_of(d, struct proxy_dial, dialer);
    struct proxy *p = dial->p;
    bool current = view_current(p->w->view, p->route.sandbox, p->route.version);
    enum attempt_do step = attempt_on_connected(&dial->attempt, current, p->ex.loop->now);
    struct back_key key = back_key_of(p);
    struct back *back;

    if (p->ex.ended) { /* in this very turn: on_end pays what is owed */
        conn_close(c, true);
        return;
    }
    if (step != ATTEMPT_ACCEPT) {
        conn_close(c, true);
        follow(p, step);
        return;
    }
    back = back_pool_adopt(p->w->pool, &key, c);
    if (!back) {
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
        return;
    }
    connected(p, took);
    p->pooled = false;
    proxy_relay(p, back);
}

static void
untrusted(struct proxy *p, const char *detail)
{
    log_event(p->ex.loop->log, LOG_WARN, "upstream_untrusted", "%.*s port %u: %s",
              SLICE_ARG(p->id), p->port, detail);
    proxy_refuse(p, REASON_UPSTREAM_UNTRUSTED, 0, NULL);
}

static void
on_connect_failed(struct dialer *d, int error, unsigned open)
{
    struct proxy_dial *dial = container_of(d, struct proxy_dial, dialer);
    struct proxy *p = dial->p;
    usec_t now = p->ex.loop->now;

    (void)open;
    if (p->ex.ended)
        return;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
        error == EADDRNOTAVAIL) {
        connect_failed(p);
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, "no descriptor or port left");
        return;
    }
    if (error == EKEYREJECTED) { /* asking again would not make it better */
        connect_failed(p);
        untrusted(p, "its certificate is not good, or not for this name");
        return;
    }
    follow(p, error == ETIMEDOUT ? attempt_on_silent(&dial->attempt, now)
                                 : attempt_on_refused(&dial->attempt, now));
}

static const struct dialer_owner dialer_owner = {
    .on_connected = on_connected,
    .on_failed = on_connect_failed,
};

static void
on_precise_timer(struct probe_timer *t)
{
    struct proxy_dial *dial = container_of(t, struct proxy_dial, precise);
    struct proxy *p = dial->p;

    if (p->phase != PROXY_CONNECTING || p->ex.ended)
        return;
    /* The sandbox may have ended, or fallen asleep again, before its port ever opened. */
    if (view_current(p->w->view, p->route.sandbox, p->route.version))
        follow(p, attempt_on_timer(&dial->attempt, p->ex.loop->now));
    else
        follow(p, attempt_on_stale(&dial->attempt));
}

/* Does what the attempt says next. */
static void
follow(struct proxy *p, enum attempt_do step)
{
    struct proxy_dial *dial = p->dial;
    struct attempt *a = &dial->attempt;

    switch (step) {
    case ATTEMPT_DIAL:
        if (dialer_start(&dial->dialer, &a->to, a->ttl) < 0) {
            bool full = errno == EAGAIN;

            connect_failed(p);
            proxy_refuse(p, full ? REASON_CONNECTION_LIMIT : REASON_OUT_OF_MEMORY, 0, NULL);
            return;
        }
        /* fall through */
    case ATTEMPT_WAIT:
    case ATTEMPT_DROP:
        if (a->next == USEC_NEVER)
            probe_cancel(p->ex.loop, &dial->precise);
        else if (probe_set(p->ex.loop, &dial->precise, a->next) < 0)
            proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
        return;
    case ATTEMPT_ASK:
        connect_failed(p);
        proxy_ask(p, a->why);
        return;
    case ATTEMPT_FAIL:
        connect_failed(p);
        proxy_refuse(p, a->reason, 0, NULL);
        return;
    case ATTEMPT_ACCEPT:
        break;
    }
    ensure(!"an attempt accepts only what connected");
}

/*
 * The address was judged when the platform named it, but perhaps without a port, or for another
 * site: whoever asks for the port of our own admin side is not led there.
 */
static bool
is_refused(struct proxy *p)
{
    const char *why = address_refused_here(p->wc->c, p->site, gateway_own_rules(p->w->gateway),
                                           &p->route.to);
    char text[ENDPOINT_TEXT];

    if (!why)
        return false;
    log_event(p->ex.loop->log, LOG_WARN, "address_refused", "%.*s at %s: %s", SLICE_ARG(p->id),
              endpoint_text(&p->route.to, text), why);
    proxy_refuse(p, REASON_PORT_CLOSED, 0, NULL);
    return true;
}

/* How the sandbox is spoken to. False: refused. */
static bool
choose(struct proxy *p, struct speak *speak)
{
    const char *detail = "";
    enum reason why =
        speak_choose(&p->wc->speakers, doors_library(p->w->doors), p->site, p->route.manner,
                     p->port, &p->ex.req, &p->ex.arena, speak, &detail);

    if (why == REASON_UPSTREAM_UNTRUSTED)
        untrusted(p, detail);
    else if (why != REASON_NONE)
        proxy_refuse(p, why, 0, NULL);
    p->back_kind = speak->kind;
    p->back_identity = speak->identity;
    /* HTTP/2 may refuse a stream, whatever its method: then it is sent again. */
    if (p->back_kind != BACK_H1 && p->ex.req.framing != FRAMING_NONE &&
        p->ex.to_back.drained == 0)
        pipe_retain(&p->ex.to_back);
    return why == REASON_NONE;
}

/* What dialing needs; there is none before a first connection is dialed for. -1: out of memory. */
static int
get_dial(struct proxy *p, const struct speak *speak)
{
    struct proxy_dial *d = p->dial;

    if (!d) {
        d = p->dial = pool_take(&p->w->dials);
        if (!d)
            return -1;
        d->p = p;
        dialer_init(&d->dialer, &p->w->loop, &dialer_owner);
        probe_timer_init(&d->precise, on_precise_timer);
    }
    d->tls = speak->tls;
    d->dialer.tls = speak->tls.client ? &d->tls : NULL;
    return 0;
}

/* Gets the request its connection: an idle one, else by dialing as `mode` says. */
void
proxy_connect(struct proxy *p, enum verdict mode, usec_t since, usec_t until)
{
    bool idempotent = method_idempotent(p->ex.req.method);
    usec_t now = p->ex.loop->now;
    struct back_key key;
    struct speak speak;
    struct back *b;

    p->phase = PROXY_CONNECTING;
    p->connect_began = now;
    if (is_refused(p) || !choose(p, &speak))
        return;
    key = back_key_of(p);
    b = back_pool_take(p->w->pool, &key, idempotent);
    if (b) {
        metric_add(p->ex.loop->metrics, METRIC_BACK_REUSED, 1);
        connected(p, 0);
        p->pooled = true;
        proxy_relay(p, b);
        return;
    }
    if (p->released == 0 && view_open_at(p->w->view, key.sandbox) >= p->wc->c->sandbox_conns) {
        proxy_refuse(p, REASON_CONNECTION_LIMIT, 0, NULL);
        return;
    }
    if (get_dial(p, &speak) < 0) {
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
        return;
    }
    follow(p, attempt_start(&p->dial->attempt, &p->site->connect, mode, &key.to, since, until,
                            now));
}
