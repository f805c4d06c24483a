/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two loops in one thread and a seeded, random mixture of everything that connections do to each
 * other: connect, dial, accept, read, write, half-close, close, reset, change hands, each also
 * from within callbacks. Peers are freed by the reaper as sessions are, so that the sanitizer
 * sees whoever is called too late. Bytes follow a pattern, so that none is lost, doubled or
 * foreign. At the end all stop writing, and every connection must come to its end of file or
 * error: a lost edge would leave one hanging. The clients begin, so that FIN is the last edge a
 * server sees.
 *
 * ROUSE_TORTURE_SEEDS=N runs N seeds instead of a few, ROUSE_TORTURE_SEED=S just that one.
 */
#include "config.h"

#include "net/dialer.h"

#include "base/random.h"
#include "net/listener.h"
#include "net_rig.h"

#include <stdio.h>

#define SEEDS 12
#define STEPS 4000
#define MAX_PEERS 80 /* of a side */
#define MAX_WRITE 30000

struct world;

struct side {
    struct loop loop;
    struct world *world;
    struct list peers;
    unsigned count;
};

struct peer {
    struct list link;
    struct side *side;
    struct conn conn;
    struct task serve, reap;
    uint64_t sent, got;
};

struct world {
    struct random random;
    struct side server, client;
    struct listener *listener;
    struct dialer dialer;
    struct endpoint open, closed;
    bool ending; /* read all, write nothing */
    unsigned opened, eofs, errors, moved, dialled, failed;
};

static unsigned
below(struct world *w, unsigned n)
{
    return (unsigned)random_below(&w->random, n);
}

static char
pattern(uint64_t at)
{
    return (char)(at * 7 + at / 251);
}

static void
reap_peer(struct task *t)
{
    free(container_of(t, struct peer, reap));
}

static void
drop_peer(struct peer *p, bool abort)
{
    if (!list_linked(&p->link))
        return;
    list_unlink(&p->link);
    p->side->count--;
    conn_close(&p->conn, abort);
    task_cancel(&p->serve);
    loop_queue_reap(&p->side->loop, &p->reap);
}

/* Reads at most n bytes a call, once or to the end, and drops who is finished. */
static void
read_peer(struct peer *p, size_t n, bool all)
{
    char bytes[8192];

    do {
        ssize_t got = conn_read(&p->conn, bytes, n);

        for (ssize_t i = 0; i < got; i++)
            if (bytes[i] != pattern(p->got++))
                fail_msg("byte %llu is wrong", (unsigned long long)p->got - 1);
        if (got == 0) {
            p->side->world->eofs++;
            drop_peer(p, false);
            return;
        }
        if (got == -1 && errno != EAGAIN) {
            p->side->world->errors++;
            drop_peer(p, false);
            return;
        }
    } while (all && p->conn.readable);
}

static void
write_peer(struct peer *p, size_t n)
{
    static char bytes[MAX_WRITE];
    struct iovec v[2] = {{bytes, n / 3}, {bytes + n / 3, n - n / 3}};
    ssize_t put;

    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(p->sent + i);
    put = conn_writev(&p->conn, v, 2);
    if (put > 0)
        p->sent += (uint64_t)put;
    else if (put == -1 && errno != EAGAIN)
        drop_peer(p, below(p->side->world, 2));
}

static void
serve(struct task *t)
{
    struct peer *p = container_of(t, struct peer, serve);
    struct world *w = p->side->world;

    if (w->ending)
        read_peer(p, 8192, true);
    else
        read_peer(p, 1 + below(w, 8192), below(w, 2));
}

static struct peer *
any_peer(struct side *s)
{
    unsigned at;

    if (s->count == 0)
        return NULL;
    at = below(s->world, s->count);
    list_each (n, &s->peers) {
        if (at-- == 0)
            return container_of(n, struct peer, link);
    }
    return NULL;
}

static void
on_event(struct conn *c, unsigned events)
{
    struct peer *p = container_of(c, struct peer, conn);
    struct world *w = p->side->world;

    assert_true(c->fd != -1);
    assert_true(events != 0);
    if (events & CONN_FAILED) {
        assert_int_not_equal(c->error, 0);
        w->errors++;
        drop_peer(p, false);
        return;
    }
    if (!w->ending && below(w, 12) == 0) {
        drop_peer(any_peer(p->side), below(w, 2));
        return;
    }
    if (!w->ending && below(w, 8) == 0) {
        read_peer(p, 1 + below(w, 200), false);
        return;
    }
    loop_queue_run(&p->side->loop, &p->serve);
}

static const struct conn_owner peer_owner = {"peer", on_event};

static struct peer *
new_peer(struct side *s)
{
    struct peer *p = calloc(1, sizeof(*p));

    p->side = s;
    conn_init(&p->conn);
    task_init(&p->serve, serve);
    task_init(&p->reap, reap_peer);
    list_push_back(&s->peers, &p->link);
    s->count++;
    s->world->opened++;
    return p;
}

static void
on_accept(void *ctx, struct listener *l, int fd, const struct endpoint *peer)
{
    struct world *w = ctx;
    struct peer *p;

    (void)l;
    if (w->server.count >= MAX_PEERS) {
        close(fd);
        return;
    }
    p = new_peer(&w->server);
    assert_int_equal(conn_open_accepted(&p->conn, &w->server.loop, fd, peer, &peer_owner), 0);
    if (!w->ending && below(w, 10) == 0)
        drop_peer(p, below(w, 2));
}

static const struct listener_owner listener_owner = {on_accept};

static void
on_connected(struct dialer *d, struct conn *c, usec_t took)
{
    struct world *w = container_of(d, struct world, dialer);

    assert_true(took >= 0);
    w->dialled++;
    if (w->client.count < MAX_PEERS && below(w, 4) > 0) {
        struct peer *p = new_peer(&w->client);

        assert_int_equal(conn_move(&p->conn, c, &peer_owner), 0);
        if (p->conn.readable)
            loop_queue_run(&w->client.loop, &p->serve);
    }
    if (below(w, 10) == 0)
        dialer_stop(d);
}

static void
on_failed(struct dialer *d, int error, unsigned open)
{
    struct world *w = container_of(d, struct world, dialer);

    assert_int_not_equal(error, 0);
    assert_int_equal(open, d->open);
    w->failed++;
    if (below(w, 10) == 0)
        dialer_stop(d);
}

static const struct dialer_owner dialer_owner = {on_connected, on_failed};

static void
connect_one(struct world *w)
{
    struct peer *p;

    if (w->client.count >= MAX_PEERS)
        return;
    p = new_peer(&w->client);
    if (conn_open_connect(&p->conn, &w->client.loop, below(w, 10) ? &w->open : &w->closed,
                          &peer_owner) != 0)
        drop_peer(p, false);
}

static void
dial_one(struct world *w)
{
    if (dialer_start(&w->dialer, below(w, 10) ? &w->open : &w->closed,
                     (1 + below(w, 100)) * USEC_MS) != 0)
        assert_int_equal(w->dialer.open, DIALER_MAX_PARALLEL);
}

/* Into new memory; the old one goes with the reaper. */
static void
move_one(struct peer *p)
{
    struct peer *to = new_peer(p->side);

    assert_int_equal(conn_move(&to->conn, &p->conn, &peer_owner), 0);
    to->sent = p->sent;
    to->got = p->got;
    p->side->world->moved++;
    drop_peer(p, true);
    if (to->conn.readable)
        loop_queue_run(&to->side->loop, &to->serve);
}

static void
disturb(struct world *w, struct peer *p)
{
    switch (below(w, 12)) {
    case 0:
        drop_peer(p, true);
        break;
    case 1:
        drop_peer(p, false);
        break;
    case 2:
        conn_shut_write(&p->conn);
        break;
    case 3:
        move_one(p);
        break;
    case 4:
        if (conn_is_dirty(&p->conn))
            loop_queue_again(&p->side->loop, &p->serve);
        break;
    case 5:
    case 6:
    case 7:
        read_peer(p, 1 + below(w, 3000), false);
        break;
    default:
        write_peer(p, 1 + below(w, MAX_WRITE));
        break;
    }
}

static void
step(struct world *w)
{
    struct side *s = below(w, 2) ? &w->server : &w->client;
    struct peer *p;

    switch (below(w, 8)) {
    case 0:
        connect_one(w);
        break;
    case 1:
        dial_one(w);
        break;
    case 2:
    case 3:
    case 4:
        p = any_peer(s);
        if (p && !p->conn.connecting)
            disturb(w, p);
        break;
    default:
        loop_turn(&s->loop, 0);
        break;
    }
}

static void
side_init(struct side *s, struct world *w)
{
    rig_loop(&s->loop);
    s->world = w;
    list_init(&s->peers);
}

static void
end_all(struct world *w)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    w->ending = true;
    dialer_stop(&w->dialer);
    for (int i = 0; i < 3; i++) { /* what has connected is accepted */
        rig_settle(&w->client.loop);
        rig_settle(&w->server.loop);
    }
    for (int i = 0; i < 2; i++) {
        struct side *s = i ? &w->server : &w->client;

        list_each_safe (n, tmp, &s->peers) {
            struct peer *p = container_of(n, struct peer, link);

            if (p->conn.connecting) {
                drop_peer(p, false);
            } else {
                if (s == &w->client)
                    conn_shut_write(&p->conn);
                read_peer(p, 8192, true);
            }
        }
    }
    while (w->client.count + w->server.count > 0) {
        loop_turn(&w->client.loop, USEC_MS);
        loop_turn(&w->server.loop, USEC_MS);
        if (loop_clock() > end)
            fail_msg("%u connections hang", w->client.count + w->server.count);
    }
}

static void
torture(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    unsigned fds = rig_open_fds();
    int fd;

    random_seed(&w->random, seed);
    side_init(&w->server, w);
    side_init(&w->client, w);
    dialer_init(&w->dialer, &w->client.loop, &dialer_owner);
    fd = rig_listen(&w->open, 64);
    w->closed = rig_closed_port();
    fcntl(fd, F_SETFL, O_NONBLOCK);
    w->listener = listener_new(&w->server.loop, fd, &listener_owner, w);
    for (int i = 0; i < STEPS; i++)
        step(w);
    end_all(w);
    listener_close(w->listener);
    loop_fini(&w->client.loop);
    loop_fini(&w->server.loop);
    assert_int_equal(rig_open_fds(), fds);
    assert_true(w->eofs > 0 && w->errors > 0 && w->moved > 0 && w->dialled > 0 && w->failed > 0);
    free(w);
}

static void
test_a_few_seeds(void **state)
{
    const char *one = getenv("ROUSE_TORTURE_SEED"), *many = getenv("ROUSE_TORTURE_SEEDS");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    uint64_t n = one ? 1 : many ? strtoull(many, NULL, 10) : SEEDS;

    (void)state;
    for (uint64_t seed = first; seed < first + n; seed++) {
        fprintf(stderr, "# seed %llu\n", (unsigned long long)seed);
        torture(seed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_few_seeds),
    };
    return cmocka_run_group_tests_name("net_torture", tests, NULL, NULL);
}
