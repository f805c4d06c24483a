/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From accept to a session: what a connection turns out to speak, wherever its bytes are cut, whose
 * it is, and how those end that become nothing.
 */
#include "config.h"

#include "net/arrival.h"

#include "net_rig.h"

#include <sys/socket.h>

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define LINE "PROXY TCP4 10.1.2.3 10.1.2.4 5678 80\r\n"

struct rig {
    struct loop loop;
    struct arrival_hall hall;
    struct arrival_options o;
    struct arrival *arrival;
    struct conn conn; /* moved here when ready */
    struct task look;
    int theirs;
    unsigned fds, announced;
    bool done, ready, refuse, close_on_announce, leave;
    enum arrival_protocol protocol;
    enum reason why;
    struct slice early; /* as long as it lasts */
    usec_t first;
    char got[512];
    size_t n;
};

/* --- the owner --- */

static void
on_session_event(struct conn *c, unsigned events)
{
    (void)c;
    (void)events;
}

static const struct conn_owner session_owner = {"session", on_session_event};

static bool
on_announced(void *ctx, struct arrival *a)
{
    struct rig *r = ctx;

    assert_false(a->known);
    r->announced++;
    if (r->close_on_announce)
        arrival_close(a, REASON_SHUTDOWN);
    return !r->refuse;
}

/* In the run phase early is still there. */
static void
on_look(struct task *t)
{
    struct rig *r = container_of(t, struct rig, look);

    assert_true(r->early.n < sizeof r->got);
    if (r->early.n > 0)
        memcpy(r->got, r->early.p, r->early.n);
    r->n = r->early.n;
    r->done = true;
}

static void
on_ready(void *ctx, struct arrival *a, struct conn *c, enum arrival_protocol protocol,
         struct slice early)
{
    struct rig *r = ctx;

    assert_ptr_equal(a, r->arrival);
    r->arrival = NULL;
    r->ready = true;
    r->protocol = protocol;
    r->early = early;
    r->first = a->first;
    if (!r->leave)
        assert_int_equal(conn_move(&r->conn, c, &session_owner), 0);
    arrival_close(a, REASON_SHUTDOWN); /* nobody is told twice */
    loop_queue_run(&r->loop, &r->look);
}

static void
on_gone(void *ctx, struct arrival *a, enum reason why, const char *detail)
{
    struct rig *r = ctx;

    assert_ptr_equal(a, r->arrival);
    assert_non_null(detail);
    r->arrival = NULL;
    r->why = why;
    r->done = true;
}

static const struct arrival_owner owner = {on_announced, on_ready, on_gone};

/* --- set-up --- */

static int
set_up(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->fds = rig_open_fds();
    rig_loop(&r->loop);
    arrival_hall_init(&r->hall, &r->loop);
    arrival_options_init(&r->o);
    r->o.h2 = true;
    r->theirs = -1;
    conn_init(&r->conn);
    task_init(&r->look, on_look);
    *state = r;
    return 0;
}

static void
hang_up(struct rig *r)
{
    if (r->arrival)
        arrival_close(r->arrival, REASON_SHUTDOWN);
    conn_close(&r->conn, false);
    if (r->theirs != -1)
        close(r->theirs);
    r->theirs = -1;
    loop_turn(&r->loop, 0);
}

static int
tear_down(void **state)
{
    struct rig *r = *state;

    hang_up(r);
    assert_int_equal(r->loop.small_reads.out, 0);
    arrival_hall_fini(&r->hall);
    loop_fini(&r->loop);
    assert_int_equal(rig_open_fds(), r->fds);
    free(r);
    return 0;
}

static void
come(struct rig *r)
{
    static const struct endpoint peer = {.family = 4, .ip = {192, 0, 2, 1}, .port = 1};
    int ours;

    hang_up(r);
    r->done = r->ready = false;
    r->why = REASON_COUNT;
    r->announced = 0;
    r->n = 0;
    rig_pair(&ours, &r->theirs);
    r->arrival = arrival_open(&r->hall, ours, &peer, &r->o, &owner, r);
    assert_non_null(r->arrival);
}

static void
say(struct rig *r, const char *p, size_t n)
{
    assert_int_equal(send(r->theirs, p, n, MSG_NOSIGNAL), n);
}

static void
settle(struct rig *r)
{
    loop_turn(&r->loop, USEC_MS);
    loop_turn(&r->loop, 0);
}

/* Somebody comes and says the first `cut` bytes, then the rest, until it is decided. */
static void
say_cut(struct rig *r, const char *p, size_t n, size_t cut)
{
    come(r);
    if (cut > 0) {
        say(r, p, cut);
        settle(r);
    }
    if (cut < n && r->theirs != -1 && !r->done)
        say(r, p + cut, n - cut);
    rig_until(&r->loop, &r->done);
}

static void
assert_early(struct rig *r, const char *p, size_t n)
{
    assert_true(r->ready);
    assert_int_equal(r->n, n);
    assert_memory_equal(r->got, p, n);
}

/* --- what it speaks --- */

static void
test_first_byte_decides(void **state)
{
    struct rig *r = *state;
    static const char first[] = "GOADHpX\r\n\0\x16\xff";

    for (size_t i = 0; i < sizeof first - 1; i++) {
        come(r);
        say(r, first + i, 1);
        rig_until(&r->loop, &r->done);
        assert_early(r, first + i, 1);
        assert_int_equal(r->protocol, ARRIVAL_H1);
        assert_true(r->conn.fd != -1);
        assert_int_equal(r->conn.peer.port, 1);
    }
}

static void
test_preface_wherever_it_is_cut(void **state)
{
    struct rig *r = *state;
    static const char text[] = PREFACE "\0\0\0\4\0\0\0\0\0";
    size_t n = sizeof text - 1;

    for (size_t cut = 0; cut <= n; cut++) {
        say_cut(r, text, n, cut);
        assert_int_equal(r->protocol, ARRIVAL_H2);
        assert_early(r, text, cut >= ARRIVAL_PREFACE ? cut : n);
        assert_false(r->conn.readable);
    }
}

static void
test_what_is_not_quite_a_preface(void **state)
{
    struct rig *r = *state;

    for (size_t at = 1; at < ARRIVAL_PREFACE; at++) {
        char text[] = PREFACE;

        text[at] = (char)(text[at] ^ 1);
        say_cut(r, text, at + 1, at);
        assert_int_equal(r->protocol, ARRIVAL_H1);
        assert_early(r, text, at + 1);
    }
    say_cut(r, "POST / HTTP/1.1\r\n", 17, 1);
    assert_int_equal(r->protocol, ARRIVAL_H1);
    assert_early(r, "POST / HTTP/1.1\r\n", 17);
}

static void
test_byte_by_byte(void **state)
{
    struct rig *r = *state;

    come(r);
    for (size_t i = 0; i < ARRIVAL_PREFACE; i++) {
        assert_false(r->done);
        assert_int_equal(r->arrival->state, i == 0 ? ARRIVAL_IS_FIRST : ARRIVAL_IS_PREFACE);
        say(r, &PREFACE[i], 1);
        settle(r);
    }
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->protocol, ARRIVAL_H2);
    assert_early(r, PREFACE, ARRIVAL_PREFACE);
}

static void
test_no_h2_without_being_told(void **state)
{
    struct rig *r = *state;

    r->o.h2 = false;
    say_cut(r, PREFACE, ARRIVAL_PREFACE, 1);
    assert_int_equal(r->protocol, ARRIVAL_H1);
    assert_early(r, PREFACE, 1);
}

static void
test_preface_that_stops_is_http1s(void **state)
{
    struct rig *r = *state;
    usec_t before;

    r->o.head_time = 20 * USEC_MS;
    come(r);
    say(r, "PRI ", 4);
    settle(r);
    before = r->loop.now;
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->protocol, ARRIVAL_H1);
    assert_early(r, "PRI ", 4);
    assert_true(r->first <= before);
}

/* --- how it ends otherwise --- */

static void
test_silence(void **state)
{
    struct rig *r = *state;

    r->o.idle = 20 * USEC_MS;
    come(r);
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->why, REASON_IDLE);
}

static void
test_nothing_then_fin(void **state)
{
    struct rig *r = *state;

    come(r);
    shutdown(r->theirs, SHUT_WR);
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->why, REASON_NONE);
}

static void
test_part_then_fin(void **state)
{
    struct rig *r = *state;

    for (int together = 0; together < 2; together++) {
        come(r);
        say(r, "PRI", 3);
        if (!together)
            settle(r);
        shutdown(r->theirs, SHUT_WR);
        rig_until(&r->loop, &r->done);
        assert_int_equal(r->why, REASON_CLIENT_TRUNCATED);
    }
}

static void
test_request_and_fin(void **state)
{
    struct rig *r = *state;

    come(r);
    say(r, "GET", 3);
    shutdown(r->theirs, SHUT_WR);
    rig_until(&r->loop, &r->done);
    assert_early(r, "GET", 3);
    assert_true(r->conn.hup && r->conn.readable);
}

static void
test_reset(void **state)
{
    struct rig *r = *state;

    for (int part = 0; part < 2; part++) {
        come(r);
        if (part) {
            say(r, "P", 1);
            settle(r);
        }
        rig_reset(r->theirs);
        r->theirs = -1;
        rig_until(&r->loop, &r->done);
        assert_int_equal(r->why, REASON_CLIENT_LEFT);
    }
}

static void
test_close(void **state)
{
    struct rig *r = *state;

    come(r);
    arrival_close(r->arrival, REASON_SHUTDOWN);
    assert_true(r->done);
    assert_int_equal(r->why, REASON_SHUTDOWN);
}

static void
test_who_does_not_take_the_connection(void **state)
{
    struct rig *r = *state;
    char byte;

    r->leave = true;
    say_cut(r, "GET", 3, 3);
    assert_true(r->ready);
    assert_true(recv(r->theirs, &byte, 1, 0) <= 0); /* it is closed */
}

static void
test_drain(void **state)
{
    struct rig *r = *state;
    usec_t began;

    come(r); /* who comes in time is served */
    arrival_drain(r->arrival);
    say(r, "GET", 3);
    rig_until(&r->loop, &r->done);
    assert_early(r, "GET", 3);
    come(r);
    arrival_drain(r->arrival);
    began = r->loop.now;
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->why, REASON_SHUTDOWN);
    assert_in_range(r->loop.now - began, USEC_SEC - 50 * USEC_MS, 10 * USEC_SEC);
}

static void
test_out_of_buffers(void **state)
{
    struct rig *r = *state;

    r->loop.small_reads.max_out = 1;
    come(r);
    void *only = pool_take(&r->loop.small_reads);
    say(r, "GET", 3);
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->why, REASON_OUT_OF_MEMORY);
    pool_give(&r->loop.small_reads, only);
}

static void
test_no_room_for_another(void **state)
{
    struct rig *r = *state;
    int ours, theirs;
    char byte;

    come(r);
    r->hall.pool.max_out = 1;
    rig_pair(&ours, &theirs);
    assert_null(arrival_open(&r->hall, ours, NULL, &r->o, &owner, r));
    assert_int_equal(recv(theirs, &byte, 1, 0), 0); /* it is closed */
    close(theirs);
    say(r, "GET", 3);
    rig_until(&r->loop, &r->done);
    assert_early(r, "GET", 3);
}

/* --- whose it is --- */

static void
test_header_wherever_it_is_cut(void **state)
{
    struct rig *r = *state;
    static const char text[] = LINE "GET / HTTP/1.1\r\n";
    size_t n = sizeof text - 1, header = sizeof LINE - 1;

    r->o.proxy_header = true;
    for (size_t cut = 0; cut <= n; cut++) {
        say_cut(r, text, n, cut);
        assert_int_equal(r->announced, 1);
        assert_int_equal(r->conn.peer.port, 5678);
        assert_memory_equal(r->conn.peer.ip, "\x0a\x01\x02\x03", 4);
        assert_memory_equal(conn_socket_peer(&r->conn).ip, "\x7f\0\0\1", 4);
        assert_int_equal(r->protocol, ARRIVAL_H1);
        assert_early(r, text + header, cut > header ? cut - header : n - header);
    }
}

static void
test_binary_header_before_a_preface(void **state)
{
    struct rig *r = *state;
    static const char text[] =
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\1\2\3\x0a\1\2\4\x16\x2e\0\x50" PREFACE;
    size_t n = sizeof text - 1;

    r->o.proxy_header = true;
    for (size_t cut = 0; cut < n; cut++) {
        say_cut(r, text, n, cut);
        assert_int_equal(r->conn.peer.port, 5678);
        assert_int_equal(r->protocol, ARRIVAL_H2);
        assert_early(r, PREFACE, ARRIVAL_PREFACE);
    }
}

static void
test_header_of_nobody(void **state)
{
    struct rig *r = *state;

    r->o.proxy_header = true;
    say_cut(r, "PROXY UNKNOWN\r\nGET", 18, 0);
    assert_int_equal(r->announced, 1);
    assert_int_equal(r->conn.peer.port, 1); /* the socket's */
    assert_early(r, "GET", 3);
}

static void
test_no_header_where_one_is_demanded(void **state)
{
    static const char *rows[] = {
        "GET / HTTP/1.1\r\n", PREFACE, "PROXY TCP4 1.2.3.4\r\n", "\r\n\r\nG", "PROXY UNKNOWN\n",
        "PROXY UNKNOWN\rX", "Q",
    };
    struct rig *r = *state;

    r->o.proxy_header = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t cut = 0; cut < strlen(rows[i]); cut++) {
            say_cut(r, rows[i], strlen(rows[i]), cut);
            assert_int_equal(r->why, REASON_PROXY_HEADER);
        }
}

static void
test_slow_header(void **state)
{
    struct rig *r = *state;

    r->o.proxy_header = true;
    r->o.header_time = 20 * USEC_MS;
    for (int part = 0; part < 2; part++) {
        come(r);
        if (part)
            say(r, LINE, 10);
        rig_until(&r->loop, &r->done);
        assert_int_equal(r->why, REASON_PROXY_HEADER);
    }
}

static void
test_header_then_fin(void **state)
{
    struct rig *r = *state;

    r->o.proxy_header = true;
    for (size_t n = 0; n < sizeof LINE; n++)
        for (int together = 0; together < 2; together++) {
            come(r);
            if (n > 0)
                say(r, LINE, n);
            if (!together)
                settle(r);
            shutdown(r->theirs, SHUT_WR);
            rig_until(&r->loop, &r->done);
            bool part = n > 0 && n < sizeof LINE - 1;
            assert_int_equal(r->why, part ? REASON_CLIENT_TRUNCATED : REASON_NONE);
        }
}

static void
test_announced_client_is_refused(void **state)
{
    struct rig *r = *state;

    r->o.proxy_header = true;
    r->refuse = true;
    say_cut(r, LINE "GET", sizeof LINE + 2, 0);
    assert_int_equal(r->why, REASON_CONNECTION_LIMIT);
    assert_int_equal(r->announced, 1);
    r->refuse = false;
    r->close_on_announce = true;
    say_cut(r, LINE "GET", sizeof LINE + 2, 0);
    assert_int_equal(r->why, REASON_SHUTDOWN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_byte_decides),
        TEST(test_preface_wherever_it_is_cut),
        TEST(test_what_is_not_quite_a_preface),
        TEST(test_byte_by_byte),
        TEST(test_no_h2_without_being_told),
        TEST(test_preface_that_stops_is_http1s),
        TEST(test_silence),
        TEST(test_nothing_then_fin),
        TEST(test_part_then_fin),
        TEST(test_request_and_fin),
        TEST(test_reset),
        TEST(test_close),
        TEST(test_who_does_not_take_the_connection),
        TEST(test_drain),
        TEST(test_out_of_buffers),
        TEST(test_no_room_for_another),
        TEST(test_header_wherever_it_is_cut),
        TEST(test_binary_header_before_a_preface),
        TEST(test_header_of_nobody),
        TEST(test_no_header_where_one_is_demanded),
        TEST(test_slow_header),
        TEST(test_header_then_fin),
        TEST(test_announced_client_is_refused),
    };

    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
