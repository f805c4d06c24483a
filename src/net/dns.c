/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.c: see dns.h. Written for c-ares 1.18 to 1.34: no call that either lacks or deprecates.
 * c-ares says which sockets it wants watched and how long it may be left alone; it never blocks
 * but for reading its files. Our own callers' deadlines are resolver.c's.
 */
#include "config.h"

#include "net/dns.h"

#include "net/address.h"

#include <ares.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TRY_MS 1500
#define TRIES 3
#define RESOLV_CONF "/etc/resolv.conf"

struct dns {
    struct loop *loop;
    ares_channel channel;
    struct wheel_timer timer;
    struct list sockets;
    struct timespec changed; /* resolv.conf's modification */
    unsigned open;           /* questions */
    bool own_servers;        /* dns_set_servers was called */
    bool closing;
};

struct dns_socket {
    struct list link;
    struct event ev;
    struct dns *dns;
    struct task reap;
};

struct question {
    struct dns *dns;
    void (*on_answer)(void *ctx, const struct dns_answer *a);
    void *ctx;
};

/* Our caller keeps the answers; c-ares need not (it does since 1.31). */
#ifdef ARES_OPT_QUERY_CACHE
#define CACHE_OPTION ARES_OPT_QUERY_CACHE
#else
#define CACHE_OPTION 0
#endif

static void
reap_socket(struct task *t)
{
    free(container_of(t, struct dns_socket, reap));
}

/* When c-ares wants to be called although nothing came. */
static void
set_timer(struct dns *d)
{
    struct timeval tv, *wait = ares_timeout(d->channel, NULL, &tv);
    usec_t in;

    if (!wait) {
        loop_timer_cancel(d->loop, &d->timer);
        return;
    }
    in = (usec_t)wait->tv_sec * USEC_SEC + (usec_t)wait->tv_usec;
    loop_timer_set(d->loop, &d->timer, usec_add(d->loop->now, in));
}

static void
on_time(struct wheel_timer *t)
{
    struct dns *d = container_of(t, struct dns, timer);

    ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(d);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct dns *d = ((struct dns_socket *)arg)->dns;

    loop_enter(d->loop);
    ares_process_fd(d->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    set_timer(d);
}

static struct dns_socket *
find_socket(struct dns *d, ares_socket_t fd)
{
    list_each (n, &d->sockets) {
        struct dns_socket *s = container_of(n, struct dns_socket, link);

        if (event_get_fd(&s->ev) == fd)
            return s;
    }
    return NULL;
}

static void
drop_socket(struct dns_socket *s)
{
    event_del(&s->ev);
    list_unlink(&s->link);
    loop_queue_reap(s->dns->loop, &s->reap);
}

/* c-ares wants fd watched, otherwise than before, or (neither) no more. */
static void
on_sock_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns *d = data;
    struct dns_socket *s = find_socket(d, fd);
    short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

    if (s)
        drop_socket(s);
    if (!readable && !writable)
        return;
    s = calloc(1, sizeof(*s));
    if (!s)
        return; /* the question will time out */
    s->dns = d;
    list_init(&s->link);
    task_init(&s->reap, reap_socket);
    event_assign(&s->ev, d->loop->base, fd, what, on_socket, s);
    if (event_add(&s->ev, NULL) == 0)
        list_push_back(&d->sockets, &s->link);
    else
        free(s);
}

static int
open_channel(struct dns *d)
{
    struct ares_options o;
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | CACHE_OPTION;
    struct stat st;

    memset(&o, 0, sizeof(o)); /* also the cache's longest time: none */
    o.timeout = TRY_MS;
    o.tries = TRIES;
    o.sock_state_cb = on_sock_state;
    o.sock_state_cb_data = d;
    if (stat(RESOLV_CONF, &st) == 0)
        d->changed = st.st_mtim;
    return ares_init_options(&d->channel, &o, mask) == ARES_SUCCESS ? 0 : -1;
}

struct dns *
dns_new(struct loop *l)
{
    struct dns *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->loop = l;
    list_init(&d->sockets);
    wheel_timer_init(&d->timer, on_time);
    if (open_channel(d) != 0) {
        free(d);
        return NULL;
    }
    return d;
}

void
dns_free(struct dns *d)
{
    if (!d)
        return;
    d->closing = true;
    ares_destroy(d->channel);
    ensure(d->open == 0);
    while (!list_empty(&d->sockets))
        drop_socket(container_of(list_first(&d->sockets), struct dns_socket, link));
    loop_timer_cancel(d->loop, &d->timer);
    free(d);
}

int
dns_set_servers(struct dns *d, const char *servers)
{
    d->own_servers = true;
    return ares_set_servers_ports_csv(d->channel, servers) == ARES_SUCCESS ? 0 : -1;
}

/* Reads the configuration again if that is worth it and nothing is under way. */
static void
refresh(struct dns *d)
{
    ares_channel old = d->channel;
    struct stat st;

    if (d->open > 0 || d->own_servers || stat(RESOLV_CONF, &st) != 0 ||
        (st.st_mtim.tv_sec == d->changed.tv_sec && st.st_mtim.tv_nsec == d->changed.tv_nsec))
        return;
    if (open_channel(d) == 0)
        ares_destroy(old);
    else
        d->channel = old;
}

static void
take_addresses(struct dns_answer *a, const struct ares_addrinfo *info)
{
    a->ttl = USEC_NEVER;
    for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
        struct endpoint e = address_endpoint(n->ai_addr);

        if (e.family == 0 || a->n == DNS_MAX_ADDRESSES)
            continue;
        a->address[a->n++] = e;
        a->ttl = usec_min(a->ttl, n->ai_ttl > 0 ? n->ai_ttl * USEC_SEC : 0);
    }
}

static void
on_answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct question *q = arg;
    struct dns_answer a = {.n = 0, .why = ares_strerror(status)};

    (void)timeouts;
    q->dns->open--;
    if (status == ARES_SUCCESS && info) {
        take_addresses(&a, info);
        a.why = a.n > 0 ? NULL : "no address";
    }
    if (info)
        ares_freeaddrinfo(info);
    if (!q->dns->closing)
        q->on_answer(q->ctx, &a);
    free(q);
}

void
dns_ask(struct dns *d, const char *name, void (*on_answer)(void *ctx, const struct dns_answer *a),
        void *ctx)
{
    static const struct ares_addrinfo_hints hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = ARES_AI_NUMERICSERV,
    };
    struct question *q = calloc(1, sizeof(*q));

    if (!q) {
        on_answer(ctx, &(struct dns_answer){.why = "out of memory"});
        return;
    }
    refresh(d);
    q->dns = d;
    q->on_answer = on_answer;
    q->ctx = ctx;
    d->open++;
    ares_getaddrinfo(d->channel, name, NULL, &hints, on_answered, q);
    set_timer(d);
}
