/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy.c: the story of one request. READ THIS FIRST.
 *
 * A session (http/session.h: HTTP/1 or HTTP/2) has judged a head and hands over an exchange. Then:
 *
 *     on_request       which site, sandbox, port, class?            -> refuse | proxy_route
 *                      may this connection ask for that site (doors.h)?
 *     proxy_route      does our view know where it runs?            -> proxy_connect | proxy_ask
 *     proxy_ask        ask control, and wait: the request is held    -> proxy_on_verdict
 *     proxy_on_verdict GO: connect as told.  NO: refuse               -> proxy_connect | refuse
 *     proxy_connect    a pooled connection, else dial (proxy_connect.c)   -> proxy_relay
 *                      HTTP/1 or HTTP/2, plain or TLS (speak.h)?
 *     proxy_relay      adapt the head, attach the back: bytes flow   -> on_answer
 *     on_answer        adapt the answer's head, tell control          -> on_end
 *                      WebSockets and other streams are listed and watched (proxy_stream.c):
 *                      they end with their sandbox, with us, or when nobody uses them
 *     on_back_lost     the back died before it answered              -> again, if safe | refuse
 *     on_silence       sent, but no byte for a second: asleep?       -> ask, go on waiting
 *     on_end           exactly once: pay what is owed, log, count
 *
 * The control side (who wakes, who waits, who connects when) is sandbox/keeper.h. Must not know
 * which protocol speaks on either side, nor anything of platforms. Owner: one worker's thread.
 */
#include "config.h"

#include "gateway/proxy.h"
#include "gateway/access_log.h"
#include "gateway/answer.h"
#include "gateway/classify.h"
#include "gateway/doors.h"
#include "gateway/forward.h"
#include "gateway/proxy_priv.h"
#include "http/memory_end.h"

#include <string.h>

/* Connections one request may be given to, when sending again is safe (RELIABILITY: retry 2). */
#define TRIES_MAX 3

static struct proxy *
of_exchange(struct exchange *ex)
{
    return container_of(ex, struct proxy, ex);
}

/* ---- answering from here ---------------------------------------------------------- */

/* Control gets what this request owes: exactly one message for each debt. */
void
proxy_pay(struct proxy *p, enum mail_kind kind, uint64_t *ticket, struct mail *m)
{
    if (*ticket == 0)
        return;
    m->kind = kind;
    m->ticket = *ticket;
    m->sandbox = p->route.sandbox;
    m->version = p->route.version;
    worker_post_urgent(p->w, m);
    *ticket = 0;
}

/* The open question is of no interest any more; its verdict will find nobody. */
static void
drop_question(struct proxy *p)
{
    struct mail m = {0};

    if (p->ticket)
        idtable_remove(&p->w->tickets, p->ticket);
    proxy_pay(p, MAIL_LEAVE, &p->ticket, &m);
}

static void
leave(struct proxy *p)
{
    struct mail m = {0};

    drop_question(p);
    proxy_pay(p, MAIL_LEAVE, &p->released, &m);
    proxy_pay(p, MAIL_ANSWERED, &p->unanswered, &m);
}

static void
stop_using(struct proxy *p)
{
    if (!p->use)
        return;
    proxy_stream_end(p);
    view_end(p->w->view, p->use, p->ex.to_front.written + p->ex.to_back.drained, p->ex.loop->now);
    p->use = NULL;
    worker_activity(p->w);
}

static void
end_hold(struct proxy *p)
{
    if (p->hold_began == 0)
        return;
    p->held_for += p->ex.loop->now - p->hold_began;
    p->hold_began = 0;
}

/* Nobody misses a favicon: 404, and no message. */
static void
answer_housekeeping(struct proxy *p)
{
    struct head *h = &p->ex.resp;
    struct slice origin = head_value(&p->ex.req, FIELD_ORIGIN);

    head_init(h);
    p->ex.reason = REASON_WAKE_NOT_ALLOWED;
    if (answer_common_fields(&p->ex, slice_of(p->request_id), origin) < 0 ||
        head_add(h, &p->ex.arena, FIELD_PROXY_STATUS, SLICE("Proxy-Status"),
                 SLICE("rouse; error=destination_unavailable; details=\"wake_not_allowed\"")) < 0 ||
        memory_answer(&p->ex, 404, SLICE("text/plain"), SLICE("not while it sleeps\n")) < 0)
        exchange_abort(&p->ex, REASON_OUT_OF_MEMORY);
}

/* What there is to say of a reason to the caller of this request. */
static struct answer
answer_about(const struct proxy *p, enum reason why, const char *detail)
{
    struct answer a = {
        .reason = why,
        .dialect = p->site ? p->site->dialect : DIALECT_NATIVE,
        .sandbox = p->id,
        .port = p->port,
        .delivered = p->ex.delivered,
        .request_id = slice_of(p->request_id),
        .detail = detail,
    };

    answer_fit(&a, &p->ex.req, p->klass);
    return a;
}

void
proxy_refuse(struct proxy *p, enum reason why, usec_t retry_after, const char *detail)
{
    struct answer a = answer_about(p, why, detail);

    proxy_stop_connecting(p);
    end_hold(p);
    a.waited = p->held_for;
    a.retry_after = retry_after;
    leave(p);
    stop_using(p);
    p->phase = PROXY_ANSWERING;
    metric_reason(p->ex.loop->metrics, why);
    if (why == REASON_WAKE_NOT_ALLOWED && p->klass == CLASS_HOUSEKEEPING)
        answer_housekeeping(p);
    else
        answer_send(&p->ex, &a);
}

/* The session says it to its client, and the exchange is over. */
static int
on_broken(struct exchange *ex, enum reason why, struct head *h, struct arena *arena,
          struct buf *body)
{
    const char *detail = why == REASON_REQUEST_INVALID ? "its body is malformed" : NULL;
    struct answer a = answer_about(of_exchange(ex), why, detail);

    metric_reason(ex->loop->metrics, why);
    return answer_compose(h, arena, body, &a, &ex->loop->random);
}

/* ---- asking control --------------------------------------------------------------- */

/* "Prefer: wait=N" (RFC 7240): how long the client is willing to be held. */
static usec_t
preferred_wait(const struct head *h)
{
    struct slice rest = head_value(h, FIELD_PREFER), one;
    uint64_t seconds;

    while (slice_next(&rest, ',', &one))
        if (slice_istarts(one, SLICE("wait=")) &&
            slice_u64(slice_sub(one, 5, one.n), 86400, &seconds) == 0)
            return (usec_t)seconds * USEC_SEC;
    return USEC_OFF;
}

static void
fill_key(const struct proxy *p, struct sandbox_key *key)
{
    key->platform = p->site->platform;
    key->n = (uint16_t)slice_copy(p->id, key->id, sizeof(key->id));
}

static int
send_ask(struct proxy *p, enum ask_why why)
{
    struct mail m = {.kind = MAIL_ASK, .version = p->route.version};
    struct mail_ask *a = &m.u.ask;
    char client[ENDPOINT_TEXT];

    p->ticket = idtable_add(&p->w->tickets, p);
    if (p->ticket == 0)
        return -1;
    m.ticket = p->ticket;
    *a = (struct mail_ask){
        .why = why,
        .site = p->site->number,
        .port = p->port,
        .klass = p->klass,
        .may_wake = !(p->site->wake_ignore & (1u << p->klass)),
        .keep_alive = p->ex.req.keep_alive,
        .has_token = p->token != NULL,
        .arrived = p->ex.head_done,
        .wait = preferred_wait(&p->ex.req),
        .bytes = (uint32_t)pipe_pending(&p->ex.to_back),
        .client = slice_of(endpoint_text(&p->client, client)),
        .method = p->ex.req.method_text,
        .host = p->ex.req.host,
        .path = classify_path(&p->ex.req),
    };
    fill_key(p, &a->key);
    if (p->token)
        memcpy(a->token, p->token, sizeof(a->token));
    forward_source(&p->client, a->source);
    if (worker_ask(p->w, &m) == 0)
        return 0;
    idtable_remove(&p->w->tickets, p->ticket);
    p->ticket = 0;
    return -1;
}

struct proxy_page {
    struct proxy *p;
    struct wheel_timer timer;
};

static void
on_page_timer(struct wheel_timer *t)
{
    struct proxy *p = container_of(t, struct proxy_page, timer)->p;

    if (p->ex.ended || (p->phase != PROXY_HELD && p->phase != PROXY_CONNECTING))
        return;
    proxy_stop_connecting(p);
    end_hold(p);
    leave(p);
    p->phase = PROXY_ANSWERING;
    p->splash = true;
    metric_add(p->ex.loop->metrics, METRIC_PAGES, 1);
    answer_waiting_page(&p->ex, p->id, slice_of(p->request_id));
}

/* The waiting page is due at some time, if this request may be answered with it. -1: out of
 * memory. */
static int
arm_page(struct proxy *p)
{
    if (p->site->page_after == USEC_OFF || !classify_page_fits(&p->ex.req, p->klass))
        return 0;
    if (!p->page) {
        p->page = arena_alloc(&p->ex.arena, sizeof(*p->page));
        if (!p->page)
            return -1;
        p->page->p = p;
        wheel_timer_init(&p->page->timer, on_page_timer);
    }
    loop_timer_set(p->ex.loop, &p->page->timer, p->ex.head_done + p->site->page_after);
    return 0;
}

void
proxy_stop_page(struct proxy *p)
{
    if (p->page)
        loop_timer_cancel(p->ex.loop, &p->page->timer);
}

/* Holds the request until control's verdict. Of its body only what came already is kept. */
void
proxy_ask(struct proxy *p, enum ask_why why)
{
    usec_t now = p->ex.loop->now;

    proxy_stop_connecting(p);
    p->phase = PROXY_HELD;
    if (send_ask(p, why) < 0) {
        proxy_refuse(p, REASON_HOLD_QUEUE_FULL, 0, NULL);
        return;
    }
    if (p->hold_began == 0)
        p->hold_began = now;
    if (arm_page(p) < 0)
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
}

/* ---- relaying --------------------------------------------------------------------- */

/*
 * A request that is still being uploaded says nothing about the port before its client is done: it
 * does not keep the others waiting for its answer.
 */
static void
free_place(struct proxy *p)
{
    struct mail m = {.u.answered.ok = false};

    if (p->ex.req.framing != FRAMING_NONE && !p->ex.to_back.ended)
        proxy_pay(p, MAIL_ANSWERED, &p->unanswered, &m);
}

/*
 * Adapts the head once and attaches the back; from now on bytes flow by themselves. Whoever was
 * released from the hold (its answer is owed) was let in by the window; others count against the
 * sandbox's limit.
 */
void
proxy_relay(struct proxy *p, struct back *b)
{
    usec_t now = p->ex.loop->now;

    proxy_stop_connecting(p);
    end_hold(p);
    if (!p->prepared && forward_request(p) < 0) {
        back_pool_park(p->w->pool, b);
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
        return;
    }
    p->prepared = true;
    p->use = view_begin(p->w->view, p->route.sandbox, now);
    p->phase = PROXY_RELAYING;
    if (p->tries < UINT8_MAX)
        p->tries++;
    if (p->connect_began)
        p->connect_took = now - p->connect_began;
    p->ex.back_peer = p->route.to;
    if (!p->use) { /* a pause would not see it */
        back_pool_park(p->w->pool, b);
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
        return;
    }
    worker_activity(p->w);
    if (p->unanswered == 0 && view_open(p->use) > p->wc->c->sandbox_conns) {
        back_pool_park(p->w->pool, b);
        proxy_refuse(p, REASON_CONNECTION_LIMIT, 0, NULL);
        return;
    }
    free_place(p);
    p->up_proto = b->ops->name;
    back_serve(b, &p->ex);
}

/* Goes where the view says, or asks. */
static void
proxy_route(struct proxy *p)
{
    struct sandbox_key key;

    fill_key(p, &key);
    switch (view_route(p->w->view, &key, p->port, p->token, &p->route)) {
    case VIEW_GO:
        proxy_connect(p, VERDICT_GO_DIRECT, 0,
                      usec_add(p->ex.head_done, p->site->keep.hold_timeout));
        return;
    case VIEW_ASK:
        proxy_ask(p, ASK_UNKNOWN);
        return;
    case VIEW_NEEDS_TOKEN:
        proxy_refuse(p, REASON_AUTH_REQUIRED, 0, NULL);
        return;
    case VIEW_BAD_TOKEN:
        proxy_refuse(p, REASON_AUTH_INVALID, 0, NULL);
        return;
    }
}

/* OPTIONS *: about the server, not a sandbox; wakes nothing. */
static void
answer_options(struct proxy *p)
{
    struct exchange *ex = &p->ex;

    p->phase = PROXY_ANSWERING;
    if (head_add(&ex->resp, &ex->arena, FIELD_OTHER, SLICE("Allow"),
                 SLICE("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")) < 0 ||
        answer_common_fields(ex, slice_of(p->request_id), SLICE_NONE) < 0 ||
        memory_answer(ex, 204, SLICE_NONE, SLICE_NONE) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}

static void
on_request(struct exchange *ex)
{
    struct proxy *p = of_exchange(ex);
    struct route r;
    const char *detail = NULL;
    enum reason why = route_find(p->wc->routes, &ex->req, &r, &detail);

    metric_add(ex->loop->metrics, METRIC_ACCEPTED, 1);
    metric_add(ex->loop->metrics, METRIC_ACTIVE, 1);
    forward_request_id(p);
    forward_caller(p);
    p->site = r.site;
    p->port = r.port;
    p->klass = r.site ? classify(&ex->req, &r) : CLASS_OTHER;
    p->id = r.id.n ? arena_copy(&ex->arena, r.id) : SLICE_NONE;
    if (why == REASON_NONE && !p->id.p)
        why = REASON_OUT_OF_MEMORY;
    else if (why == REASON_NONE)
        why = doors_judge(p->w->doors, &p->session->conn, r.site, &detail);
    if (why == REASON_NONE && forward_is_loop(&ex->req))
        why = REASON_LOOP_DETECTED;
    if (why != REASON_NONE) {
        proxy_refuse(p, why, 0, detail);
        return;
    }
    if (slice_eq(ex->req.target, SLICE("*"))) {
        answer_options(p);
        return;
    }
    ex->half_close_waits = p->site->half_close_waits;
    if (forward_token(p) < 0) {
        proxy_refuse(p, REASON_OUT_OF_MEMORY, 0, NULL);
        return;
    }
    if (ex->req.framing != FRAMING_NONE && method_idempotent(ex->req.method))
        pipe_retain(&ex->to_back);
    proxy_route(p);
}

void
proxy_on_verdict(struct proxy *p, const struct mail *m)
{
    const struct mail_verdict *v = &m->u.verdict;

    p->ticket = 0;
    if (p->ex.ended) { /* in this very turn: on_end gives its place in the window back */
        if (v->verdict != VERDICT_NO && v->report)
            p->released = m->ticket;
        return;
    }
    if (p->phase == PROXY_RELAYING) { /* the answer to on_silence's question */
        if (v->verdict == VERDICT_NO && !p->ex.answer_here) {
            exchange_detach_back(&p->ex, v->reason);
            proxy_refuse(p, v->reason, v->retry_after, NULL);
        }
        return;
    }
    ensure(p->phase == PROXY_HELD);
    p->leader = p->leader || v->leader;
    p->wake_took = v->wake_took;
    p->woken_at = v->woken_at;
    p->woken = p->woken || v->woken_at > 0;
    if (v->verdict == VERDICT_NO) {
        proxy_refuse(p, v->reason, v->retry_after, NULL);
        return;
    }
    p->route = (struct view_route){v->to, v->incarnation, m->version, m->sandbox, v->manner};
    if (v->report)
        p->released = m->ticket;
    proxy_connect(p, v->verdict, v->since, v->until);
}

static void
on_interim(struct exchange *ex)
{
    if (forward_interim(of_exchange(ex)) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}

static void
on_answer(struct exchange *ex)
{
    struct proxy *p = of_exchange(ex);
    struct mail m = {.u.answered.ok = true};

    if (p->phase != PROXY_RELAYING)
        return; /* made up here: nothing to adapt */
    proxy_pay(p, MAIL_ANSWERED, &p->unanswered, &m);
    if (forward_answer(p) < 0 || proxy_stream_begin(p) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}

/* It would not be better the next time. */
static bool
is_final(enum reason why)
{
    return why == REASON_UPSTREAM_TIMEOUT || why == REASON_UPSTREAM_MALFORMED ||
           why == REASON_TUNNEL_UNSUPPORTED || why == REASON_INTERNAL_ERROR;
}

/* Sends the request again where that is safe (DESIGN section 3), else says what happened. */
static void
on_back_lost(struct exchange *ex, enum reason why)
{
    struct proxy *p = of_exchange(ex);
    struct mail m = {.u.answered.ok = false};
    bool again = exchange_can_resend(ex);

    proxy_pay(p, MAIL_ANSWERED, &p->unanswered, &m);
    drop_question(p);
    stop_using(p);
    if (is_final(why) || !again) {
        proxy_refuse(p, is_final(why) ? why : REASON_UPSTREAM_RESET, 0, NULL);
        return;
    }
    if (ex->unprocessed)
        ex->delivered = DELIVERED_NO;
    metric_add(ex->loop->metrics, METRIC_BACK_RETRIES, 1);
    /* Just woken: accepting and closing is how a port looks that is not quite there yet. */
    if (p->woken && !p->pooled &&
        ex->loop->now < usec_add(p->woken_at, p->site->keep.wake_grace)) {
        proxy_ask(p, ASK_REFUSED);
        return;
    }
    if (p->tries >= TRIES_MAX)
        proxy_refuse(p, REASON_UPSTREAM_RESET, 0, NULL);
    else
        proxy_route(p);
}

static void
on_silence(struct exchange *ex)
{
    struct proxy *p = of_exchange(ex);

    if (p->phase != PROXY_RELAYING || p->asked_silence || p->ticket)
        return;
    p->asked_silence = send_ask(p, ASK_NO_ANSWER) == 0;
}

static void
on_end(struct exchange *ex)
{
    struct proxy *p = of_exchange(ex);
    static const enum metric counter[] = {
        [END_NONE] = METRIC_ABORTED,
        [END_ANSWERED] = METRIC_ANSWERED,
        [END_ABORTED] = METRIC_ABORTED,
        [END_CLIENT_LEFT] = METRIC_CLIENT_LEFT,
    };

    proxy_stop_connecting(p);
    end_hold(p);
    leave(p);
    stop_using(p);
    p->phase = PROXY_OVER;
    metric_add(ex->loop->metrics, counter[ex->outcome], 1);
    if (ex->outcome != END_ANSWERED && reason_row(ex->reason)->status == 0)
        metric_reason(ex->loop->metrics, ex->reason);
    metric_add(ex->loop->metrics, METRIC_ACTIVE, -1);
    access_log_write(p);
}

static void
release(struct exchange *ex)
{
    struct proxy *p = of_exchange(ex);
    struct worker *w = p->w;

    worker_config_release(w, p->wc);
    pool_give(&w->dials, p->dial);
    pool_give(&w->proxies, p);
    worker_exchange_over(w);
}

const struct exchange_handler proxy_handler = {
    .on_request = on_request,
    .on_interim = on_interim,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_silence = on_silence,
    .on_broken = on_broken,
    .on_end = on_end,
    .release = release,
};

struct proxy *
proxy_new(struct worker *w, unsigned listener, struct session *session)
{
    struct proxy *p = pool_take(&w->proxies);

    if (!p)
        return NULL;
    memset(p, 0, offsetof(struct proxy, room));
    exchange_init(&p->ex, &w->loop, &proxy_handler);
    arena_lend(&p->ex.arena, p->room, sizeof(p->room));
    p->w = w;
    p->wc = w->config;
    p->wc->users++;
    p->session = session;
    p->https = conn_tls(&session->conn) != NULL;
    p->listener = listener;
    w->exchanges++;
    return p;
}
