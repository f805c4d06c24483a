/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_door.c: see worker_door.h. Must not know what becomes of a request: proxy.c does.
 *
 *     accept -> arrival -> session -> closed
 *
 * Each connection is counted once, from accept to its end, by the process; and by its client's
 * address as soon as that is known, which is when a PROXY header has been read, or at once.
 */
#include "config.h"

#include "gateway/worker_door.h"

#include "base/log.h"
#include "gateway/access_log.h"
#include "gateway/answer.h"
#include "gateway/doors.h"
#include "gateway/forward.h"
#include "gateway/gateway.h"
#include "gateway/proxy.h"
#include "gateway/sources.h"
#include "gateway/worker.h"
#include "http/h2_server.h"

#include <unistd.h>

static const struct listener_config *
config_of(const struct worker_door *d)
{
    return &d->w->config->c->listener[d->number];
}

/* --- counting -------------------------------------------------------------------------------- */

/* A trusted proxy speaks for many: it is counted, but not limited. */
static bool
count_client(const struct worker_door *d, const struct endpoint *client)
{
    struct worker *w = d->w;
    const struct gateway_config *c = w->config->c;
    uint32_t most = c->conn_per_source;
    struct rate rate = c->conn_rate;

    if (listener_trusts(config_of(d), client))
        most = rate.count = UINT32_MAX; /* off */
    return sources_enter(w->sources, client, most, rate, w->loop.now);
}

/* It is closed. known: its client was counted. */
static void
left(struct worker *w, const struct endpoint *client, bool known)
{
    if (known)
        sources_leave(w->sources, client);
    gateway_conn_leave(w->gateway);
    metric_add(&w->metrics, METRIC_CONNS_OPEN, -1);
    w->open--;
    worker_check_drained(w);
}

/* --- sessions -------------------------------------------------------------------------------- */

static struct exchange *
on_new_exchange(void *ctx, struct session *s)
{
    struct worker_door *d = ctx;
    struct proxy *p = proxy_new(d->w, d->number, s);

    return p ? &p->ex : NULL;
}

static void
on_bad_request(void *ctx, struct session *s, enum reason why, const char *detail,
               struct buf *body, char request_id[REQUEST_ID_SIZE])
{
    struct worker *w = ((struct worker_door *)ctx)->w;
    struct answer a = {.reason = why, .shape = ANSWER_JSON, .detail = detail};

    forward_new_id(&w->loop.random, request_id);
    a.request_id = slice_of(request_id);
    metric_add(&w->metrics, METRIC_INVALID, 1);
    metric_reason(&w->metrics, why);
    access_log_refused(w, &s->conn.peer, request_id, why, detail,
                       (unsigned)reason_row(why)->status);
    answer_body(body, &a, 0);
}

static void
on_session_closed(void *ctx, struct session *s, enum reason why)
{
    struct worker *w = ((struct worker_door *)ctx)->w;

    (void)why;
    list_unlink(&s->link);
    left(w, &s->conn.peer, true);
}

static const struct session_owner session_owner = {
    .new_exchange = on_new_exchange,
    .on_bad_request = on_bad_request,
    .on_closed = on_session_closed,
};

/* --- arrivals -------------------------------------------------------------------------------- */

static bool
on_announced(void *ctx, struct arrival *a)
{
    struct worker_door *d = ctx;

    if (count_client(d, &a->conn.peer))
        return true;
    metric_add(&d->w->metrics, METRIC_CONNS_REJECTED, 1);
    return false;
}

static void
on_ready(void *ctx, struct arrival *a, struct conn *c, enum arrival_protocol protocol,
         struct slice early)
{
    struct worker_door *d = ctx;
    struct worker *w = d->w;
    struct endpoint client = c->peer; /* c may be moved from, and no session come of it */
    struct session *s;

    if (protocol == ARRIVAL_H2)
        s = h2_server_open(&w->loop, c, early, &w->front_h2, &session_owner, d);
    else
        s = h1_server_adopt(&w->loop, c, early, a->first, &w->front, &session_owner, d);
    list_unlink(&a->link);
    if (!s) {
        left(w, &client, true);
        return;
    }
    list_push_back(&w->sessions, &s->link);
    if (w->draining)
        session_drain(s);
}

/* What somebody should know of; the rest are people who changed their mind. peer: where the
 * connection comes from, if that is not the client. */
static void
log_refused(struct worker *w, const struct endpoint *client, const struct endpoint *peer,
            enum reason why, const char *detail)
{
    char text[ENDPOINT_TEXT];
    struct log_line l;

    metric_reason(&w->metrics, why);
    log_open(&l, w->loop.log, LOG_INFO, LOG_EVENT, "connection_refused");
    log_str(&l, LF_CLIENT_ADDRESS, endpoint_text(client, text));
    if (!endpoint_eq(peer, client))
        log_str(&l, LF_PEER_ADDRESS, endpoint_text(peer, text));
    log_str(&l, LF_REASON, reason_slug(why));
    if (*detail)
        log_str(&l, LF_DETAIL, detail);
    log_close(&l);
}

static void
on_gone(void *ctx, struct arrival *a, enum reason why, const char *detail)
{
    struct worker *w = ((struct worker_door *)ctx)->w;

    list_unlink(&a->link);
    if (why == REASON_PROXY_HEADER || why == REASON_TLS_HANDSHAKE ||
        why == REASON_CONNECTION_LIMIT || why == REASON_OUT_OF_MEMORY) {
        struct endpoint peer = a->o->proxy_header ? conn_socket_peer(&a->conn) : a->conn.peer;

        log_refused(w, &a->conn.peer, &peer, why, detail);
    }
    left(w, &a->conn.peer, a->known);
}

static const struct arrival_owner arrival_owner = {
    .on_announced = on_announced,
    .on_ready = on_ready,
    .on_gone = on_gone,
};

/* --- accept ---------------------------------------------------------------------------------- */

/*
 * Whoever says whose a connection is may say anything: where the listener has a list of those it
 * trusts, nobody else is let in. Over a unix socket come those who may open it.
 */
static bool
is_stranger(const struct worker_door *d, const struct endpoint *peer)
{
    const struct listener_config *l = config_of(d);

    return d->arrival.proxy_header && l->trusted_n > 0 && peer->family != 0 &&
           !listener_trusts(l, peer);
}

/* False: at a limit. */
static bool
let_in(struct worker_door *d, const struct endpoint *peer)
{
    struct worker *w = d->w;

    if (w->draining || !gateway_conn_enter(w->gateway, w->config->c->conn_max))
        return false;
    if (d->arrival.proxy_header || count_client(d, peer))
        return true;
    gateway_conn_leave(w->gateway);
    return false;
}

static void
on_accept(void *ctx, struct listener *l, int fd, const struct endpoint *peer)
{
    struct worker_door *d = ctx;
    struct worker *w = d->w;
    struct arrival *a;

    (void)l;
    if (is_stranger(d, peer)) {
        log_refused(w, peer, peer, REASON_PROXY_HEADER, "not among the listener's trusted_proxies");
        close(fd);
        return;
    }
    if (!let_in(d, peer)) {
        metric_add(&w->metrics, METRIC_CONNS_REJECTED, 1);
        close(fd);
        return;
    }
    metric_add(&w->metrics, METRIC_CONNS_OPEN, 1);
    w->open++;
    a = arrival_open(&w->hall, fd, peer, &d->arrival, &arrival_owner, d);
    if (!a) {
        left(w, peer, !d->arrival.proxy_header);
        return;
    }
    list_push_back(&w->arrivals, &a->link);
    metric_add(&w->metrics, METRIC_CONNS, 1);
}

static const struct listener_owner listener_owner = {.on_accept = on_accept};

/* --- life ------------------------------------------------------------------------------------ */

void
worker_door_configure(struct worker_door *d)
{
    const struct gateway_config *c;

    if (!d->w)
        return;
    c = d->w->config->c;
    d->w->hall.max_handshakes = c->handshakes;
    arrival_options_init(&d->arrival);
    d->arrival.proxy_header = config_of(d)->proxy_protocol;
    d->arrival.tls = doors_server(d->w->doors, d->number);
    d->arrival.handshake_time = c->handshake_time;
    d->arrival.idle = c->front.idle;
    d->arrival.head_time = c->front.head_time;
    d->arrival.h2 = config_of(d)->http2;
}

int
worker_door_open(struct worker_door *d, struct worker *w, unsigned number, int fd)
{
    d->w = w;
    d->number = number;
    worker_door_configure(d);
    d->listener = listener_new(&w->loop, fd, &listener_owner, d);
    return d->listener ? 0 : -1;
}

void
worker_door_drain(struct worker_door *d)
{
    if (d->listener)
        listener_drain(d->listener);
    d->listener = NULL;
}

void
worker_door_close(struct worker_door *d)
{
    if (d->listener)
        listener_close(d->listener);
    d->listener = NULL;
}
