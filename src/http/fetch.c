/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch.c: an exchange whose front is memory: the request's body is lent whole, the answer's is
 * collected. resolve -> pooled connection, or dial each address in turn -> answer; one deadline
 * over all. It must not know what is fetched. Owner: whoever asked, until on_done; one loop.
 */
#include "config.h"

#include "http/fetch.h"

#include "base/list.h"
#include "http/back_pool.h"
#include "http/fetch_trust.h"
#include "http/host.h"
#include "net/dialer.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_MAX 128

struct fetcher {
    struct loop *loop;
    struct resolver *resolver;
    struct back_pool *pool;
    struct fetch_trusts trusts;
    struct list fetches;
};

struct fetch {
    struct exchange ex;
    struct exchange_end front;
    struct list link;
    struct fetcher *of;
    struct dialer dialer;
    struct resolver_query *query;
    struct wheel_timer timer;
    struct host host;
    struct fetch_trust *trust; /* NULL: plain */
    struct dialer_tls tls;
    struct endpoint to[RESOLVER_MAX_ADDRESSES];
    size_t addresses, next;
    bool from_pool, secure;
    bool head_seen;
    usec_t began, connect_timeout, timeout;
    char *body;
    struct buf answer;
    char detail[DETAIL_MAX];
    void (*on_done)(void *ctx, const struct fetch_result *r);
    void *ctx;
};

static struct fetch *
of_exchange(struct exchange *ex)
{
    return container_of(ex, struct fetch, ex);
}

static void
fail(struct fetch *x, enum reason why, const char *detail)
{
    if (x->detail[0] == '\0')
        snprintf(x->detail, sizeof(x->detail), "%s", detail);
    exchange_abort(&x->ex, why);
}

/* --- the front: collects -------------------------------------------------------------------- */

static void
collect(struct fetch *x)
{
    struct pipe *p = &x->ex.to_front;
    struct iovec v;

    while (pipe_peek(p, &v, 1) == 1) {
        if (buf_add(&x->answer, v.iov_base, v.iov_len) < 0) {
            snprintf(x->detail, sizeof(x->detail), "answer longer than %zu bytes",
                     x->answer.max);
            exchange_abort(&x->ex, REASON_UPSTREAM_MALFORMED);
            return;
        }
        exchange_drain(p, v.iov_len, x->ex.back);
    }
    if (pipe_closed(p))
        exchange_front_done(&x->ex);
}

static void
on_head(struct exchange_end *end)
{
    struct fetch *x = container_of(end, struct fetch, front);

    x->head_seen = x->ex.answer_here;
}

static void
on_kick(struct exchange_end *end)
{
    struct fetch *x = container_of(end, struct fetch, front);

    if (x->head_seen)
        collect(x);
}

/* The whole body is lent from the start. */
static void
on_credit(struct exchange_end *end)
{
    (void)end;
}

static const struct exchange_end_ops front_ops = {
    .name = "fetch",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
};

/* --- connecting ----------------------------------------------------------------------------- */

static struct back_key
next_key(const struct fetch *x)
{
    return (struct back_key){
        .sandbox = 1,
        .incarnation = 1,
        .to = x->to[x->next],
        .tls = x->trust ? fetch_trust_identity(x->trust, host_name(&x->host)) : 0,
    };
}

static void
dial(struct fetch *x)
{
    x->from_pool = false;
    if (dialer_start(&x->dialer, &x->to[x->next], x->connect_timeout) < 0)
        fail(x, REASON_NO_DESCRIPTORS, "no room for another connection");
}

static void
connect_next(struct fetch *x)
{
    struct back_key key = next_key(x);
    struct back *b = back_pool_take(x->of->pool, &key, method_idempotent(x->ex.req.method));

    if (!b) {
        dial(x);
        return;
    }
    x->from_pool = true;
    back_serve(b, &x->ex);
}

static void
on_connected(struct dialer *d, struct conn *c, usec_t took)
{
    struct fetch *x = container_of(d, struct fetch, dialer);
    struct back_key key = next_key(x);
    struct back *back = back_pool_adopt(x->of->pool, &key, c);

    (void)took;
    if (back)
        back_serve(back, &x->ex);
    else
        fail(x, REASON_OUT_OF_MEMORY, "out of memory");
}

static void
on_failed(struct dialer *d, int error, unsigned open)
{
    struct fetch *x = container_of(d, struct fetch, dialer);

    (void)open;
    if (++x->next < x->addresses) {
        connect_next(x);
        return;
    }
    if (error == ECONNREFUSED)
        fail(x, REASON_CONNECT_REFUSED, "connection refused");
    else if (error == ETIMEDOUT)
        fail(x, REASON_CONNECT_TIMEOUT, "no answer to connecting");
    else if (error == EKEYREJECTED)
        fail(x, REASON_UPSTREAM_UNTRUSTED, "its certificate is not good, or not for this name");
    else if (error == EPROTO)
        fail(x, REASON_CONNECT_UNREACHABLE, "it does not speak TLS as it should");
    else
        fail(x, REASON_CONNECT_UNREACHABLE, strerrordesc_np(error));
}

static const struct dialer_owner dialer_owner = {
    .on_connected = on_connected,
    .on_failed = on_failed,
};

static void
on_resolved(void *ctx, const struct endpoint *e, size_t n, const char *why)
{
    struct fetch *x = ctx;

    x->query = NULL;
    if (n == 0) {
        fail(x, REASON_CONNECT_UNREACHABLE, why);
        return;
    }
    x->addresses = n < RESOLVER_MAX_ADDRESSES ? n : RESOLVER_MAX_ADDRESSES;
    memcpy(x->to, e, x->addresses * sizeof(*e));
    connect_next(x);
}

/* --- the exchange's handler ----------------------------------------------------------------- */

static uint16_t
port_of(const struct fetch *x)
{
    return x->host.has_port ? x->host.port : x->secure ? 443 : 80;
}

static void
on_request(struct exchange *ex)
{
    struct fetch *x = of_exchange(ex);

    if (x->secure && !x->trust) {
        exchange_abort(ex, REASON_UPSTREAM_UNTRUSTED); /* x->detail says it */
        return;
    }
    x->query = resolver_ask(x->of->resolver, host_name(&x->host),
                            port_of(x), x->connect_timeout,
                            on_resolved, x);
    if (!x->query)
        fail(x, REASON_CONNECT_UNREACHABLE, "the name cannot be resolved");
}

static void
on_answer(struct exchange *ex)
{
    (void)ex;
}

static const char *
detail_of(enum reason why)
{
    if (why == REASON_UPSTREAM_MALFORMED)
        return "the answer is not valid HTTP";
    if (why == REASON_UPSTREAM_TRUNCATED)
        return "the answer broke off";
    if (why == REASON_UPSTREAM_TIMEOUT)
        return "no answer in time";
    if (why == REASON_OUT_OF_MEMORY)
        return "out of memory";
    if (why == REASON_INTERNAL_ERROR)
        return "the request cannot be written";
    return "the connection was closed before an answer";
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    struct fetch *x = of_exchange(ex);

    if (x->from_pool && exchange_can_resend(ex))
        dial(x);
    else
        fail(x, why == REASON_POOL_STALE ? REASON_UPSTREAM_RESET : why, detail_of(why));
}

static void
put_trust(struct fetch *x)
{
    fetch_trust_put(x->trust);
    x->trust = NULL;
}

/* Nobody is to hear from it any more, but the exchange. */
static void
let_go(struct fetch *x)
{
    list_unlink(&x->link);
    loop_timer_cancel(x->ex.loop, &x->timer);
    dialer_stop(&x->dialer);
    put_trust(x);
    if (x->query)
        resolver_cancel(x->query);
    x->query = NULL;
}

static void
on_end(struct exchange *ex)
{
    struct fetch *x = of_exchange(ex);
    bool answered = ex->outcome == END_ANSWERED;
    struct fetch_result r = {
        .reason = answered ? REASON_NONE : ex->reason,
        .sent = ex->delivered == DELIVERED_NO ? FETCH_NOT_SENT : FETCH_MAYBE_SENT,
        .took = ex->loop->now - x->began,
    };

    let_go(x);
    if (answered) {
        r.sent = FETCH_ANSWERED;
        r.status = ex->resp.status;
        r.head = &ex->resp;
        r.body = buf_slice(&x->answer);
    } else {
        r.detail = x->detail[0] != '\0' ? x->detail : detail_of(ex->reason);
    }
    if (x->on_done)
        x->on_done(x->ctx, &r);
}

static void
release(struct exchange *ex)
{
    struct fetch *x = of_exchange(ex);

    put_trust(x);
    buf_fini(&x->answer);
    free(x->body);
    free(x);
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_end = on_end,
    .release = release,
};

static void
on_timer(struct wheel_timer *t)
{
    struct fetch *x = container_of(t, struct fetch, timer);

    if (x->ex.ended)
        return;
    snprintf(x->detail, sizeof(x->detail), "not answered within %lld ms",
             (long long)(x->timeout / USEC_MS));
    exchange_abort(&x->ex, REASON_UPSTREAM_TIMEOUT);
}

/* --- starting ------------------------------------------------------------------------------- */

/* NULL, or what is wrong with it. */
static const char *
parse_url(struct fetch *x, struct slice url)
{
    struct head *h = &x->ex.req;
    struct slice authority = url;
    ptrdiff_t slash;

    if (slice_istarts(url, SLICE("https://")))
        x->secure = true;
    else if (!slice_istarts(url, SLICE("http://")))
        return "the URL must start with http:// or https://";
    url = slice_sub(url, sizeof("http://") - 1 + x->secure, url.n);
    slash = slice_index(url, '/');
    authority = slash < 0 ? url : slice_sub(url, 0, (size_t)slash);
    h->target = slash < 0 ? SLICE("/") : slice_sub(url, (size_t)slash, url.n);
    if (host_parse(authority, &x->host) < 0)
        return "the URL has no valid host";
    for (size_t i = 0; i < h->target.n; i++)
        if (h->target.p[i] <= ' ' || h->target.p[i] > '~' || h->target.p[i] == '#')
            return "the URL has a byte that must be percent-encoded";
    h->host = arena_copy(&x->ex.arena, authority);
    h->target = arena_copy(&x->ex.arena, h->target);
    return h->host.p && h->target.p ? NULL : "out of memory";
}

/* Where it cannot be, x->detail says why, and on_request makes it known. */
static int
start_tls(struct fetch *x, const char *ca)
{
    struct slice name = arena_copy(&x->ex.arena, host_name(&x->host));

    x->trust = fetch_trust_get(&x->of->trusts, ca, x->detail, sizeof(x->detail));
    if (x->trust)
        x->tls = (struct dialer_tls){fetch_trust_client(x->trust), name};
    x->dialer.tls = &x->tls;
    return name.p ? 0 : -1;
}

static const char *
make_head(struct fetch *x, const struct fetch_options *o)
{
    struct arena *a = &x->ex.arena;
    struct head *h = &x->ex.req;
    const char *why = parse_url(x, o->url);

    if (why)
        return why;
    if (x->secure && start_tls(x, o->ca) < 0)
        return "out of memory";
    h->version = 11;
    h->keep_alive = true;
    h->method_text = arena_copy(a, o->method);
    h->method = method_of(o->method);
    h->framing = o->body.n > 0 ? FRAMING_LENGTH : FRAMING_NONE;
    h->length = o->body.n;
    for (unsigned i = 0; i < o->fields; i++) {
        struct slice name = arena_copy(a, o->field[i].name);
        struct slice value = arena_copy(a, o->field[i].value);

        if (!name.p || !value.p || head_add(h, a, field_id_of(name), name, value) < 0)
            return "out of memory";
    }
    return h->method_text.p ? NULL : "out of memory";
}

static const char *
make_body(struct fetch *x, struct slice body)
{
    struct pipe *p = &x->ex.to_back;

    if (body.n > 0) {
        x->body = malloc(body.n);
        if (!x->body)
            return "out of memory";
        memcpy(x->body, body.p, body.n);
        if (method_idempotent(x->ex.req.method))
            pipe_retain(p);
        if (pipe_lend(p, (struct slice){x->body, body.n}) < 0)
            return "out of memory";
    }
    pipe_end(p);
    return NULL;
}

static struct fetch *
new_fetch(struct fetcher *f, const struct fetch_options *o)
{
    struct fetch *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->of = f;
    x->began = f->loop->now;
    x->timeout = o->timeout > 0 ? o->timeout : 20 * USEC_SEC;
    x->connect_timeout = o->connect_timeout > 0 ? o->connect_timeout : USEC_SEC;
    list_init(&x->link);
    buf_init(&x->answer, o->answer_max > 0 ? o->answer_max : 64u * 1024);
    dialer_init(&x->dialer, f->loop, &dialer_owner);
    exchange_end_init(&x->front, &front_ops);
    wheel_timer_init(&x->timer, on_timer);
    exchange_init(&x->ex, f->loop, &handler);
    return x;
}

struct fetch *
fetch_start(struct fetcher *f, const struct fetch_options *o,
            void (*on_done)(void *ctx, const struct fetch_result *r), void *ctx, const char **why)
{
    struct fetch *x = new_fetch(f, o);
    const char *wrong = x ? make_head(x, o) : "out of memory";

    if (!wrong)
        wrong = make_body(x, o->body);
    if (wrong) {
        *why = wrong;
        if (x)
            exchange_discard(&x->ex);
        return NULL;
    }
    x->on_done = on_done;
    x->ctx = ctx;
    list_push_back(&f->fetches, &x->link);
    loop_timer_set(f->loop, &x->timer, usec_add(f->loop->now, x->timeout));
    exchange_attach_front(&x->ex, &x->front);
    exchange_request_ready(&x->ex);
    return x;
}

void
fetch_cancel(struct fetch *x)
{
    x->on_done = NULL;
    let_go(x);
    if (!x->ex.ended)
        exchange_front_lost(&x->ex, REASON_CLIENT_LEFT);
}

struct fetcher *
fetcher_new(struct loop *l, struct resolver *r, struct tls_library *tls)
{
    struct fetcher *f = calloc(1, sizeof(*f));
    struct back_pool_options o;

    if (!f)
        return NULL;
    back_pool_options_init(&o);
    o.client.silence = 0;
    o.client.first_byte = USEC_OFF; /* the fetch's own deadline stands over all */
    f->loop = l;
    f->resolver = r;
    list_init(&f->fetches);
    fetch_trusts_init(&f->trusts, tls);
    f->pool = back_pool_new(l, &o);
    if (f->pool)
        return f;
    free(f);
    return NULL;
}

void
fetcher_free(struct fetcher *f)
{
    struct list *n;

    if (!f)
        return;
    while ((n = list_first(&f->fetches)) != NULL)
        fetch_cancel(container_of(n, struct fetch, link));
    back_pool_free(f->pool);
    fetch_trusts_fini(&f->trusts);
    free(f);
}
