/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * static_proxy.c: everything that comes in goes to one address: http/ without a gateway, for the
 * witness matrix and for measuring.
 *
 *     static_proxy LISTEN ORIGIN [ACCESS-LOG]      e.g. 127.0.0.1:0 127.0.0.1:9000
 *
 * "h2:" before LISTEN: clients speak HTTP/2, by prior knowledge.
 *
 * Prints the address it listens on. Ends on SIGTERM or SIGINT with a line of counters that must
 * balance: requests = answered + aborted + left.
 */
#include "config.h"

#include "base/log.h"
#include "base/random.h"
#include "http/back_pool.h"
#include "http/h1_server.h"
#include "http/h2_server.h"
#include "http/memory_end.h"
#include "net/dialer.h"
#include "net/listener.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TTL (2 * USEC_SEC)
#define DIALS_MAX 3

struct proxy {
    struct loop loop;
    struct endpoint origin;
    struct back_pool *pool;
    struct pool exchanges;
    struct list sessions;
    struct h1_server_options front;
    struct h2_options front2;
    bool h2;
    struct log_hub *hub;
    struct log *log;
    int log_fd;
    struct wheel_timer drain;
    uint64_t requests, answered, aborted, left, refused;
};

struct relay {
    struct exchange ex;
    struct dialer dialer;
    struct proxy *proxy;
    unsigned dials;
};

static struct proxy *the_proxy; /* for the signal handler */

static struct relay *
of_exchange(struct exchange *ex)
{
    return container_of(ex, struct relay, ex);
}

static struct back_key
key_of(const struct proxy *p)
{
    return (struct back_key){.sandbox = 1, .incarnation = 1, .to = p->origin};
}

static void
answer(struct exchange *ex, enum reason why)
{
    const struct reason_row *row = reason_row(why);
    uint16_t status = (uint16_t)(row->status ? row->status : 502);

    ex->reason = why;
    head_init(&ex->resp);
    if (memory_answer(ex, status, SLICE("text/plain"), slice_of(row->slug)) < 0)
        exchange_abort(ex, why);
}

static void
dial(struct relay *r)
{
    if (r->dials++ >= DIALS_MAX || dialer_start(&r->dialer, &r->proxy->origin, CONNECT_TTL) < 0)
        answer(&r->ex, REASON_PORT_CLOSED);
}

static void
serve(struct relay *r)
{
    struct back_key key = key_of(r->proxy);
    struct back *b =
        back_pool_take(r->proxy->pool, &key, method_idempotent(r->ex.req.method));

    if (b)
        back_serve(b, &r->ex);
    else
        dial(r);
}

static void
on_connected(struct dialer *d, struct conn *c, usec_t took)
{
    struct relay *r = container_of(d, struct relay, dialer);
    struct back_key key = key_of(r->proxy);
    struct back *back;

    (void)took;
    if (r->ex.ended) { /* in this very turn */
        conn_close(c, true);
        return;
    }
    back = back_pool_adopt(r->proxy->pool, &key, c);
    if (back)
        back_serve(back, &r->ex);
    else
        answer(&r->ex, REASON_OUT_OF_MEMORY);
}

static void
on_failed(struct dialer *d, int error, unsigned open)
{
    struct relay *r = container_of(d, struct relay, dialer);

    (void)error;
    (void)open;
    if (!r->ex.ended)
        answer(&r->ex, REASON_PORT_CLOSED);
}

static const struct dialer_owner dialer_owner = {
    .on_connected = on_connected,
    .on_failed = on_failed,
};

static void
on_request(struct exchange *ex)
{
    struct relay *r = of_exchange(ex);

    r->proxy->requests++;
    head_strip(&ex->req, true);
    if (method_idempotent(ex->req.method) && ex->req.framing != FRAMING_NONE)
        pipe_retain(&ex->to_back);
    serve(r);
}

static void
on_answer(struct exchange *ex)
{
    head_strip(&ex->resp, false);
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    if (exchange_can_resend(ex))
        dial(of_exchange(ex));
    else
        answer(ex, why);
}

static void
write_log(struct proxy *p, const struct exchange *ex)
{
    struct log_line l;

    if (!p->log)
        return;
    log_open(&l, p->log, LOG_INFO, LOG_ACCESS, "request");
    log_slice(&l, LF_METHOD, ex->req.method_text);
    log_slice(&l, LF_HOST, ex->req.host);
    log_slice(&l, LF_PATH, ex->req.target);
    log_i64(&l, LF_STATUS, ex->resp.status);
    log_i64(&l, LF_BYTES_OUT, (int64_t)ex->to_front.drained);
    log_usec(&l, LF_T_TOTAL, ex->loop->now - ex->began);
    log_str(&l, LF_REASON, reason_slug(ex->reason));
    log_close(&l);
}

static void
on_end(struct exchange *ex)
{
    struct relay *r = of_exchange(ex);
    struct proxy *p = r->proxy;

    dialer_stop(&r->dialer);
    if (ex->outcome == END_ANSWERED)
        p->answered++;
    else if (ex->outcome == END_CLIENT_LEFT)
        p->left++;
    else
        p->aborted++;
    write_log(p, ex);
}

static void
release(struct exchange *ex)
{
    struct relay *r = of_exchange(ex);

    pool_give(&r->proxy->exchanges, r);
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_end = on_end,
    .release = release,
};

static struct exchange *
new_exchange(void *ctx, struct session *s)
{
    struct proxy *p = ctx;
    struct relay *r = pool_take(&p->exchanges);

    (void)s;
    if (!r)
        return NULL;
    r->proxy = p;
    r->dials = 0;
    dialer_init(&r->dialer, &p->loop, &dialer_owner);
    exchange_init(&r->ex, &p->loop, &handler);
    return &r->ex;
}

static void
on_bad_request(void *ctx, struct session *s, enum reason why, const char *detail,
               struct buf *body, char request_id[REQUEST_ID_SIZE])
{
    struct proxy *p = ctx;

    (void)s;
    (void)request_id;
    p->refused++;
    buf_printf(body, "{\"error\":\"%s\",\"detail\":\"%s\"}\n", reason_slug(why), detail);
}

static void
on_closed(void *ctx, struct session *s, enum reason why)
{
    (void)ctx;
    (void)why;
    list_unlink(&s->link);
}

static const struct session_owner session_owner = {
    .new_exchange = new_exchange,
    .on_bad_request = on_bad_request,
    .on_closed = on_closed,
};

static void
on_accept(void *ctx, struct listener *l, int fd, const struct endpoint *peer)
{
    struct proxy *p = ctx;
    struct session *s;
    struct conn c;

    (void)l;
    if (!p->h2)
        s = h1_server_open(&p->loop, fd, peer, &p->front, &session_owner, p);
    else if (conn_open_accepted(&c, &p->loop, fd, peer, NULL) == 0)
        s = h2_server_open(&p->loop, &c, SLICE_NONE, &p->front2, &session_owner, p);
    else
        s = NULL;
    if (s)
        list_push_back(&p->sessions, &s->link);
}

static const struct listener_owner listener_owner = {.on_accept = on_accept};

static void
on_signal(int number)
{
    (void)number;
    loop_stop(&the_proxy->loop);
}

static void
on_drain(struct wheel_timer *t)
{
    struct proxy *p = container_of(t, struct proxy, drain);

    log_hub_drain(p->hub, p->log_fd);
    loop_timer_set(&p->loop, &p->drain, p->loop.now + 100 * USEC_MS);
}

static void
open_log(struct proxy *p, const char *path)
{
    p->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    p->hub = log_hub_new(LOG_JSON, LOG_INFO, false, 4u << 20);
    if (p->log_fd == -1 || !p->hub) {
        perror(path);
        exit(1);
    }
    p->log = log_new(p->hub);
    wheel_timer_init(&p->drain, on_drain);
    loop_timer_set(&p->loop, &p->drain, p->loop.now + 100 * USEC_MS);
}

static void
close_all(struct proxy *p)
{
    struct list *n;

    while ((n = list_first(&p->sessions)) != NULL)
        session_close(container_of(n, struct session, link), REASON_SHUTDOWN);
    back_pool_free(p->pool);
    for (int i = 0; i < 4; i++)
        loop_turn(&p->loop, 0);
    if (p->log) {
        loop_timer_cancel(&p->loop, &p->drain);
        log_hub_drain(p->hub, p->log_fd);
        log_hub_free(p->hub);
    }
    loop_fini(&p->loop);
    fprintf(stderr, "requests=%llu answered=%llu aborted=%llu left=%llu refused=%llu\n",
            (unsigned long long)p->requests, (unsigned long long)p->answered,
            (unsigned long long)p->aborted, (unsigned long long)p->left,
            (unsigned long long)p->refused);
}

int
main(int argc, char **argv)
{
    static struct proxy p;
    struct back_pool_options back;
    struct listener *listener;
    char text[256];
    struct buf why;
    int fd;

    the_proxy = &p;
    buf_init_fixed(&why, text, sizeof(text));
    if (argc < 3 || endpoint_parse(slice_of(argv[2]), &p.origin) < 0 ||
        loop_init(&p.loop, &(struct loop_options){.tick = 0}) < 0) {
        fprintf(stderr, "usage: static_proxy LISTEN ORIGIN [ACCESS-LOG]\n");
        return 2;
    }
    p.h2 = slice_starts(slice_of(argv[1]), SLICE("h2:"));
    fd = listener_bind(slice_of(argv[1] + (p.h2 ? 3 : 0)), false, &why);
    if (fd == -1) {
        fprintf(stderr, "%s\n", buf_cstr(&why));
        return 1;
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    buf_clear(&why);
    listener_address(fd, &why);
    printf("%s\n", buf_cstr(&why));
    fflush(stdout);
    list_init(&p.sessions);
    pool_init(&p.exchanges, sizeof(struct relay), 4096, 0);
    h1_server_options_init(&p.front);
    h2_options_server(&p.front2);
    back_pool_options_init(&back);
    back.per_key = 4096;
    p.pool = back_pool_new(&p.loop, &back);
    if (argc > 3)
        open_log(&p, argv[3]);
    listener = listener_new(&p.loop, fd, &listener_owner, &p);
    if (!listener || !p.pool)
        return 1;
    loop_run(&p.loop);
    listener_close(listener);
    close_all(&p);
    return p.requests == p.answered + p.aborted + p.left ? 0 : 1;
}
