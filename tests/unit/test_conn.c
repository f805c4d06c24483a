/* SPDX-License-Identifier: BSD-2-Clause */
/* conn over real sockets: readiness bits, FIN, RST, connecting, moving, closing inside
 * callbacks. */
#include "config.h"

#include "net/conn.h"

#include "net_rig.h"

struct rig {
    struct loop loop;
    unsigned fds;
};

/* An owner that writes down what it is told. */
struct end {
    struct conn conn;
    unsigned events, calls;
    bool told;
    struct conn *close_also; /* closed in the callback, with ourselves */
};

static void
on_told(struct conn *c, unsigned events)
{
    struct end *e = container_of(c, struct end, conn);

    e->events |= events;
    e->calls++;
    e->told = true;
    if (e->close_also) {
        conn_close(e->close_also, false);
        conn_close(c, false);
        conn_close(c, true);
    }
}

static void
on_nothing(struct conn *c, unsigned events)
{
    (void)c;
    fail_msg("events %#x for one that has let go", events);
}

static const struct conn_owner end_owner = {"end", on_told};
static const struct conn_owner no_owner = {"none", on_nothing};

static int
set_up(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    r->fds = rig_open_fds();
    rig_loop(&r->loop);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *r = *state;

    loop_fini(&r->loop);
    assert_int_equal(rig_open_fds(), r->fds);
    free(r);
    return 0;
}

static int
open_end(struct rig *r, struct end *e)
{
    int ours, theirs;

    *e = (struct end){.told = false};
    rig_pair(&ours, &theirs);
    assert_int_equal(conn_open_accepted(&e->conn, &r->loop, ours, NULL, &end_owner), 0);
    return theirs;
}

static void
wait_told(struct rig *r, struct end *e)
{
    e->told = false;
    e->events = 0;
    rig_until(&r->loop, &e->told);
}

static ssize_t
write_all(struct conn *c, const char *text)
{
    char *p = (char *)(uintptr_t)text;
    struct iovec v[2] = {{p, 1}, {p + 1, strlen(text) - 1}};

    return conn_writev(c, v, 2);
}

static void
test_bytes_come_and_go(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    assert_true(e.conn.writable);
    assert_false(e.conn.readable);
    rig_settle(&r->loop);
    assert_int_equal(e.calls, 0); /* being writable from the start is no news */
    assert_int_equal(send(peer, "hello", 5, 0), 5);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_READABLE);
    assert_int_equal(conn_read(&e.conn, text, 2), 2);
    assert_true(e.conn.readable); /* a full read: maybe more */
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 3);
    assert_false(e.conn.readable); /* a short one: no more */
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(e.conn.error, 0);
    assert_int_equal(write_all(&e.conn, "answer"), 6);
    assert_int_equal(recv(peer, text, sizeof(text), 0), 6);
    assert_memory_equal(text, "answer", 6);
    assert_int_equal(e.conn.bytes_in, 5);
    assert_int_equal(e.conn.bytes_out, 6);
    conn_close(&e.conn, false);
    assert_int_equal(recv(peer, text, sizeof(text), 0), 0);
    close(peer);
}

static void
test_fin_in_the_same_edge_as_the_bytes(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    assert_int_equal(send(peer, "bye", 3, 0), 3);
    shutdown(peer, SHUT_WR);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_READABLE | CONN_HUP);
    assert_true(e.conn.hup);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 3);
    assert_true(e.conn.readable); /* the end of file is still to be read, no edge will say so */
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 0);
    assert_true(e.conn.eof);
    assert_false(e.conn.readable);
    assert_int_equal(write_all(&e.conn, "still"), 5); /* half-closed only */
    assert_int_equal(recv(peer, text, sizeof(text), 0), 5);
    conn_close(&e.conn, false);
    close(peer);
}

static void
test_fin_after_a_short_read_is_a_new_edge(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    assert_int_equal(send(peer, "a", 1, 0), 1);
    wait_told(r, &e);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 1);
    assert_false(e.conn.readable);
    close(peer);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_READABLE | CONN_HUP);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 0);
    conn_close(&e.conn, false);
}

static void
test_reset_shows_in_the_error(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    assert_int_equal(conn_check_error(&e.conn), 0);
    rig_reset(peer);
    wait_told(r, &e);
    assert_true(e.events & CONN_READABLE);
    assert_false(e.conn.hup);
    assert_int_equal(conn_check_error(&e.conn), ECONNRESET);
    assert_int_equal(e.conn.error, ECONNRESET);
    assert_true(conn_is_dirty(&e.conn));
    conn_close(&e.conn, false);

    peer = open_end(r, &e);
    rig_reset(peer);
    wait_told(r, &e);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(e.conn.error, ECONNRESET);
    conn_close(&e.conn, false);
}

static void
test_reset_after_fin_is_a_failure(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    shutdown(peer, SHUT_WR);
    wait_told(r, &e);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 0);
    rig_reset(peer);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_FAILED);
    assert_true(e.conn.error == ECONNRESET || e.conn.error == EPIPE);
    conn_close(&e.conn, false);
}

/* What came before the reset is not lost to a reader who was slow. */
static void
test_reset_after_fin_before_reading(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    assert_int_equal(send(peer, "answer", 6, 0), 6);
    shutdown(peer, SHUT_WR);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_READABLE | CONN_HUP);
    rig_reset(peer);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_READABLE);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 6);
    assert_true(e.conn.readable);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 0); /* it was all there */
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_FAILED);
    conn_close(&e.conn, false);
}

/* The short read takes the bytes; the reset has no edge of its own left. */
static void
test_bytes_and_reset_in_one_edge(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[16];
    int peer = open_end(r, &e);

    assert_int_equal(send(peer, "part", 4, 0), 4);
    rig_reset(peer);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_READABLE);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 4);
    assert_false(e.conn.readable);
    wait_told(r, &e);
    assert_int_equal(e.events, CONN_FAILED);
    assert_int_equal(e.conn.error, ECONNRESET);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), -1); /* not a clean end */
    assert_int_equal(errno, ECONNRESET);
    conn_close(&e.conn, false);
}

/* Suspects that are closed, or proved innocent, are not asked, and those asked are not told. */
static void
test_suspicion_ends(void **state)
{
    struct rig *r = *state;
    struct end e[3];
    char text[16];
    int peer[3];

    for (int i = 0; i < 3; i++) {
        peer[i] = open_end(r, &e[i]);
        assert_int_equal(send(peer[i], "x", 1, 0), 1);
        wait_told(r, &e[i]);
        assert_int_equal(conn_read(&e[i].conn, text, sizeof(text)), 1);
    }
    assert_int_equal(write_all(&e[0].conn, "yy"), 2);
    conn_close(&e[1].conn, false);
    for (int i = 0; i < 3; i++)
        e[i].calls = 0;
    loop_turn(&r->loop, 20 * USEC_MS);
    loop_turn(&r->loop, 20 * USEC_MS);
    assert_true(list_empty(&r->loop.suspects));
    assert_int_equal(r->loop.wheel.armed, 0);
    assert_int_equal(e[0].calls + e[1].calls + e[2].calls, 0);
    for (int i = 0; i < 3; i++) {
        conn_close(&e[i].conn, false);
        close(peer[i]);
    }
}

static void
test_a_full_socket_and_its_return(void **state)
{
    struct rig *r = *state;
    struct end e;
    static char bulk[256 * 1024];
    struct iovec v = {bulk, sizeof(bulk)};
    int peer = open_end(r, &e);
    uint64_t sent = 0, got = 0;
    ssize_t n;

    while (e.conn.writable) {
        n = conn_writev(&e.conn, &v, 1);
        if (n > 0)
            sent += (uint64_t)n;
        else
            assert_int_equal(errno, EAGAIN);
    }
    assert_int_equal(e.conn.bytes_out, sent);
    assert_true(conn_unacked(&e.conn) > 0);
    rig_settle(&r->loop);
    assert_int_equal(e.events & CONN_WRITABLE, 0);
    while (got < sent) {
        n = recv(peer, bulk, sizeof(bulk), MSG_DONTWAIT);
        if (n > 0)
            got += (uint64_t)n;
        loop_turn(&r->loop, 0);
    }
    rig_until(&r->loop, &e.conn.writable);
    assert_true(e.events & CONN_WRITABLE);
    conn_close(&e.conn, false);
    close(peer);
}

static void
test_writing_to_one_who_left(void **state)
{
    struct rig *r = *state;
    struct end e;
    int peer = open_end(r, &e);

    rig_reset(peer);
    assert_int_equal(write_all(&e.conn, "into the void"), -1); /* no SIGPIPE */
    assert_true(errno == ECONNRESET || errno == EPIPE);
    assert_int_equal(write_all(&e.conn, "into the void"), -1);
    assert_int_equal(errno, EPIPE);
    conn_close(&e.conn, false);
}

static void
test_connecting(void **state)
{
    struct rig *r = *state;
    struct end e = {.told = false};
    struct endpoint at;
    int listening = rig_listen(&at, 4), peer;
    char text[8];

    assert_int_equal(conn_open_connect(&e.conn, &r->loop, &at, &end_owner), 0);
    assert_false(e.told);
    assert_true(e.conn.connecting);
    rig_until(&r->loop, &e.told);
    assert_true(e.events & CONN_WRITABLE);
    assert_false(e.conn.connecting);
    assert_true(endpoint_eq(&e.conn.peer, &at));
    peer = accept(listening, NULL, NULL);
    assert_int_equal(write_all(&e.conn, "first"), 5);
    assert_int_equal(recv(peer, text, sizeof(text), 0), 5);
    conn_keep_alive(&e.conn, 15, 5, 3, 10 * USEC_SEC);
    conn_close(&e.conn, true);
    assert_int_equal(recv(peer, text, sizeof(text), 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(peer);
    close(listening);
}

static void
test_connecting_where_nobody_listens(void **state)
{
    struct rig *r = *state;
    struct end e = {.told = false};
    struct endpoint nowhere = {.family = 0}, at = rig_closed_port();

    if (conn_open_connect(&e.conn, &r->loop, &at, &end_owner) == 0) {
        assert_false(e.told);
        rig_until(&r->loop, &e.told);
        assert_int_equal(e.events, CONN_FAILED);
        assert_int_equal(e.conn.error, ECONNREFUSED);
        conn_close(&e.conn, false);
    } else {
        assert_int_equal(errno, ECONNREFUSED);
        assert_int_equal(e.conn.fd, -1);
    }
    assert_int_equal(conn_open_connect(&e.conn, &r->loop, &nowhere, &end_owner), -1);
    assert_int_equal(e.conn.fd, -1);
    conn_close(&e.conn, false);
}

static void
test_connecting_into_silence_and_giving_up(void **state)
{
    struct rig *r = *state;
    struct end e = {.told = false};
    struct rig_silent s;

    rig_silent(&s);
    assert_int_equal(conn_open_connect(&e.conn, &r->loop, &s.at, &end_owner), 0);
    rig_settle(&r->loop);
    assert_false(e.told);
    assert_true(e.conn.connecting);
    conn_close(&e.conn, false);
    rig_silent_end(&s);
    rig_settle(&r->loop);
    assert_false(e.told);
}

static void
test_changing_hands(void **state)
{
    struct rig *r = *state;
    struct end a, b = {.told = false};
    char text[8];
    int peer = open_end(r, &a);

    a.conn.owner = &no_owner;
    assert_int_equal(send(peer, "x", 1, 0), 1);
    assert_int_equal(conn_move(&b.conn, &a.conn, &end_owner), 0); /* the event is for b */
    assert_int_equal(a.conn.fd, -1);
    conn_close(&a.conn, true); /* harmless */
    rig_until(&r->loop, &b.told);
    assert_int_equal(b.events, CONN_READABLE);
    assert_int_equal(conn_move(&a.conn, &b.conn, &end_owner), 0);
    assert_true(a.conn.readable); /* travels along */
    assert_int_equal(conn_read(&a.conn, text, sizeof(text)), 1);
    conn_close(&a.conn, false);
    assert_int_equal(conn_move(&b.conn, &a.conn, &end_owner), -1);
    assert_int_equal(b.conn.fd, -1);
    close(peer);
}

/* Both have an event in the same batch; whoever is called first closes both. */
static void
test_closing_another_in_a_callback(void **state)
{
    struct rig *r = *state;
    struct end a, b;
    int pa = open_end(r, &a), pb = open_end(r, &b);

    a.close_also = &b.conn;
    b.close_also = &a.conn;
    assert_int_equal(send(pa, "x", 1, 0), 1);
    assert_int_equal(send(pb, "x", 1, 0), 1);
    loop_turn(&r->loop, USEC_SEC);
    rig_settle(&r->loop);
    assert_int_equal(a.calls + b.calls, 1);
    assert_int_equal(a.conn.fd, -1);
    assert_int_equal(b.conn.fd, -1);
    close(pa);
    close(pb);
}

static void
test_a_pooled_connection_is_looked_at(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[8];
    int peer = open_end(r, &e);

    assert_false(conn_is_dirty(&e.conn));
    assert_int_equal(send(peer, "?", 1, 0), 1);
    rig_until(&r->loop, &e.told);
    assert_true(conn_is_dirty(&e.conn));
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 1);
    assert_false(conn_is_dirty(&e.conn));
    close(peer);
    assert_true(conn_is_dirty(&e.conn)); /* without a turn in between */
    conn_close(&e.conn, false);
    assert_true(conn_is_dirty(&e.conn));
    assert_int_equal(conn_unacked(&e.conn), 0);
}

static void
test_no_more_output(void **state)
{
    struct rig *r = *state;
    struct end e;
    char text[8];
    int peer = open_end(r, &e);

    conn_shut_write(&e.conn);
    assert_int_equal(recv(peer, text, sizeof(text), 0), 0);
    assert_int_equal(send(peer, "last", 4, 0), 4);
    wait_told(r, &e);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 4);
    conn_close(&e.conn, false);
    conn_shut_write(&e.conn);
    close(peer);
}

static void
test_a_unix_socket_is_a_conn_too(void **state)
{
    struct rig *r = *state;
    struct end e = {.told = false};
    int fd[2];
    char text[8];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(conn_open_accepted(&e.conn, &r->loop, fd[0], NULL, &end_owner), 0);
    assert_int_equal(send(fd[1], "hi", 2, 0), 2);
    close(fd[1]);
    rig_until(&r->loop, &e.conn.hup);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 2);
    assert_int_equal(conn_read(&e.conn, text, sizeof(text)), 0);
    conn_close(&e.conn, false);
}

static void
test_a_closed_conn_refuses(void **state)
{
    struct conn c;
    char byte;
    struct iovec v = {&byte, 1};

    (void)state;
    conn_init(&c);
    assert_int_equal(conn_read(&c, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(conn_writev(&c, &v, 1), -1);
    assert_int_equal(errno, EBADF);
    conn_close(&c, true);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_come_and_go),
        TEST(test_fin_in_the_same_edge_as_the_bytes),
        TEST(test_fin_after_a_short_read_is_a_new_edge),
        TEST(test_reset_shows_in_the_error),
        TEST(test_reset_after_fin_is_a_failure),
        TEST(test_reset_after_fin_before_reading),
        TEST(test_bytes_and_reset_in_one_edge),
        TEST(test_suspicion_ends),
        TEST(test_a_full_socket_and_its_return),
        TEST(test_writing_to_one_who_left),
        TEST(test_connecting),
        TEST(test_connecting_where_nobody_listens),
        TEST(test_connecting_into_silence_and_giving_up),
        TEST(test_changing_hands),
        TEST(test_closing_another_in_a_callback),
        TEST(test_a_pooled_connection_is_looked_at),
        TEST(test_no_more_output),
        TEST(test_a_unix_socket_is_a_conn_too),
        TEST(test_a_closed_conn_refuses),
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
