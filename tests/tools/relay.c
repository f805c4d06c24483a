/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay.c: the least that a proxy on net/ does: bytes from each client to an origin and back, one
 * connection there for each here. To measure what net/ costs (system calls a request, CPU)
 * without any HTTP in the way; no product. usage: relay LISTEN ORIGIN, e.g. relay 127.0.0.1:9001
 * 127.0.0.1:9002.
 */
#include "config.h"

#include "net/conn.h"
#include "net/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Read from one connection at most in one go; the others pass before it goes on. */
#define TURN_BYTES (4 * LOOP_READ_SMALL)

struct relay;

/* One direction's reader and what it could not yet write to the other side. */
struct side {
    struct conn conn;
    struct relay *relay;
    struct side *other;
    struct task pump;
    struct buf rest; /* read here, not yet written to the other */
    bool ended;      /* the end of file was read and passed on */
};

struct relay {
    struct loop *loop;
    struct side front, back;
    struct task reap;
};

struct tool {
    struct loop loop;
    struct endpoint origin;
};

static void
reap_relay(struct task *t)
{
    struct relay *r = container_of(t, struct relay, reap);

    buf_fini(&r->front.rest);
    buf_fini(&r->back.rest);
    free(r);
}

static void
close_relay(struct relay *r)
{
    conn_close(&r->front.conn, false);
    conn_close(&r->back.conn, false);
    task_cancel(&r->front.pump);
    task_cancel(&r->back.pump);
    loop_queue_reap(r->loop, &r->reap);
}

/* Writes to the other side; what does not go stays in rest. -1: broken. */
static int
pass_on(struct side *s, const char *p, size_t n)
{
    struct iovec v = {(void *)(uintptr_t)p, n};
    ssize_t put = conn_writev(&s->other->conn, &v, 1);

    if (put == -1 && errno != EAGAIN)
        return -1;
    if (put == -1)
        put = 0;
    return buf_add(&s->rest, p + put, n - (size_t)put);
}

/* -1: broken. 0: nothing to do now. 1: used up its share. */
static int
pump_side(struct side *s)
{
    struct loop *l = s->relay->loop;
    char *p = pool_take(&l->small_reads);
    size_t total = 0;
    int rc = p ? 0 : -1;

    while (rc == 0 && s->conn.readable && s->rest.n == 0 && total < TURN_BYTES) {
        ssize_t n = conn_read(&s->conn, p, LOOP_READ_SMALL);

        if (n > 0) {
            total += (size_t)n;
            rc = pass_on(s, p, (size_t)n);
        } else if (n == 0) {
            s->ended = true;
            conn_shut_write(&s->other->conn);
        } else if (errno != EAGAIN) {
            rc = -1;
        }
    }
    if (p)
        pool_give(&l->small_reads, p);
    return rc == 0 && total >= TURN_BYTES && s->conn.readable && s->rest.n == 0 ? 1 : rc;
}

static void
pump(struct task *t)
{
    struct side *s = container_of(t, struct side, pump);
    struct slice rest = buf_slice(&s->rest);
    int rc = 0;

    if (s->other->conn.connecting)
        return;
    if (rest.n > 0) {
        struct iovec v = {(void *)(uintptr_t)rest.p, rest.n};
        ssize_t put = conn_writev(&s->other->conn, &v, 1);

        if (put > 0)
            buf_consume(&s->rest, (size_t)put);
        else if (errno != EAGAIN)
            rc = -1;
    }
    if (rc == 0)
        rc = pump_side(s);
    if (rc == 1)
        loop_queue_again(s->relay->loop, &s->pump);
    else if (rc == -1 || (s->ended && s->other->ended))
        close_relay(s->relay);
}

static void
on_event(struct conn *c, unsigned events)
{
    struct side *s = container_of(c, struct side, conn);

    if (events & CONN_FAILED) {
        close_relay(s->relay);
        return;
    }
    if (events & CONN_READABLE)
        loop_queue_run(s->relay->loop, &s->pump);
    if (events & CONN_WRITABLE)
        loop_queue_run(s->relay->loop, &s->other->pump);
}

static const struct conn_owner side_owner = {"side", on_event};

static void
side_init(struct side *s, struct relay *r, struct side *other)
{
    conn_init(&s->conn);
    s->relay = r;
    s->other = other;
    task_init(&s->pump, pump);
    buf_init(&s->rest, 2 * (size_t)LOOP_READ_SMALL);
}

static void
on_accept(void *ctx, struct listener *l, int fd, const struct endpoint *peer)
{
    struct tool *t = ctx;
    struct relay *r = calloc(1, sizeof(*r));

    (void)l;
    if (!r) {
        close(fd);
        return;
    }
    r->loop = &t->loop;
    side_init(&r->front, r, &r->back);
    side_init(&r->back, r, &r->front);
    task_init(&r->reap, reap_relay);
    if (conn_open_accepted(&r->front.conn, &t->loop, fd, peer, &side_owner) != 0 ||
        conn_open_connect(&r->back.conn, &t->loop, &t->origin, &side_owner) != 0)
        close_relay(r);
}

static const struct listener_owner owner = {on_accept};

int
main(int argc, char **argv)
{
    static struct tool t; /* large */
    struct loop_options o = {.tick = 0};
    char text[200];
    struct buf why;
    int fd;

    buf_init_fixed(&why, text, sizeof(text));
    if (argc != 3 || endpoint_parse(slice_of(argv[2]), &t.origin) != 0 || t.origin.port == 0) {
        fprintf(stderr, "usage: relay LISTEN ORIGIN\n");
        return 2;
    }
    fd = listener_bind(slice_of(argv[1]), false, &why);
    if (fd == -1 || loop_init(&t.loop, &o) != 0 || !listener_new(&t.loop, fd, &owner, &t)) {
        fprintf(stderr, "relay: %.*s\n", SLICE_ARG(buf_slice(&why)));
        return 1;
    }
    loop_run(&t.loop);
    return 0;
}
