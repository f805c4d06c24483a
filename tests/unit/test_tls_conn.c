/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS under conn: both roles on one loop; bytes in all sizes, back-pressure, ends of all kinds. */
#include "config.h"

#include "tls_rig.h"

#include <poll.h>

static int
set_up(void **state)
{
    struct tls_rig *r = malloc(sizeof(*r));

    tls_rig_open(r);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    tls_rig_close(*state);
    free(*state);
    return 0;
}

/* A server, a client, and a connection between them that is open. */
struct link {
    struct tls_server *server;
    struct tls_client *client;
    struct end front, back;
};

static struct link *
link_open(struct tls_rig *r)
{
    struct link *l = calloc(1, sizeof(*l));

    l->server = tls_rig_server(r, NULL);
    l->client = tls_rig_client(r, 0);
    ends_handshake(r, &l->front, l->server, &l->back, l->client, "a.example");
    if (l->front.failed || l->back.failed)
        fail_msg("%s / %s", conn_tls_error(&l->front.conn), conn_tls_error(&l->back.conn));
    /* Behind this the ticket has been read, so that no close becomes a reset. */
    assert_int_equal(end_write(&l->front, "!"), 1);
    end_expect(r, &l->back, "!");
    l->back.total = l->back.sum = 0;
    l->back.read_all = false;
    l->back.events = 0;
    return l;
}

static void
link_close(struct link *l)
{
    end_close(&l->front);
    end_close(&l->back);
    tls_server_free(l->server);
    tls_client_free(l->client);
    free(l);
}

static void
test_bytes_go_both_ways(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    const struct tls_info *info = conn_tls(&l->front.conn);
    struct tls_words words;

    assert_false(l->front.conn.connecting);
    assert_true(l->front.conn.writable);
    assert_non_null(info);
    assert_int_equal(conn_tls_words(&l->front.conn, &words), 0);
    assert_string_equal(words.version, "TLSv1.3");
    assert_string_equal(words.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(words.subject, "");
    assert_string_equal(words.fingerprint, "");
    assert_int_equal(info->sni.n, 9);
    assert_memory_equal(info->sni.p, "a.example", 9);
    assert_false(info->resumed || info->verified || info->h2);
    assert_true(conn_tls(&l->back.conn)->verified);
    assert_int_equal(end_write(&l->back, "hello"), 5);
    end_expect(r, &l->front, "hello");
    assert_int_equal(end_write(&l->front, "answer"), 6);
    end_expect(r, &l->back, "answer");
    assert_int_equal(l->front.conn.bytes_in, 5);
    assert_int_equal(l->front.conn.bytes_out, 7);
    assert_int_equal(tls_library_handshakes(r->lib), 0);
    link_close(l);
}

/* Lengths around a record's, in one slice and in many. */
static void
test_odd_sizes(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 17, 1000, 4095, 16383, 16384, 16385, 32768, 50001};
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    static char text[50001];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        for (size_t cut = 0; cut < 3; cut++) {
            struct iovec v[4];
            size_t part = cut == 0 ? sizes[i] : cut == 1 ? 1 : sizes[i] / 3;

            v[0] = (struct iovec){text, part};
            v[1] = (struct iovec){text, 0};
            v[2] = (struct iovec){text + part, (sizes[i] - part) / 2};
            v[3] = (struct iovec){text + part + v[2].iov_len, sizes[i] - part - v[2].iov_len};
            l->front.got = 0;
            assert_int_equal(conn_writev(&l->back.conn, v, 4), sizes[i]);
            l->front.read_all = true;
            for (unsigned turn = 0; l->front.got < sizes[i] && turn < 1000; turn++)
                loop_turn(&r->loop, USEC_MS);
            assert_int_equal(l->front.got, sizes[i]);
            assert_memory_equal(l->front.in, text, sizes[i]);
            assert_false(l->front.conn.readable);
        }
    }
    link_close(l);
}

/* One byte in, one byte out: each a record; and reading one byte at a time. */
static void
test_single_bytes(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    char c;

    for (unsigned i = 0; i < 300; i++) {
        struct iovec v = {&c, 1};

        c = (char)i;
        assert_int_equal(conn_writev(&l->front.conn, &v, 1), 1);
    }
    for (unsigned i = 0; i < 300; i++) {
        l->back.told = l->back.conn.readable;
        rig_until(&r->loop, &l->back.told);
        assert_int_equal(conn_read(&l->back.conn, &c, 1), 1);
        assert_int_equal((unsigned char)c, i & 255);
    }
    assert_int_equal(conn_read(&l->back.conn, &c, 1), -1);
    assert_int_equal(errno, EAGAIN);
    assert_false(l->back.conn.readable);
    assert_int_equal(l->back.conn.error, 0);
    link_close(l);
}

/* Writes n bytes of a known stream as far as it goes; returns what was taken in all. */
static size_t
pump(struct end *e, size_t done, size_t n, unsigned slices)
{
    static char pattern[1 << 17];
    struct iovec v[8];

    if (pattern[1] == '\0') {
        for (size_t i = 0; i < sizeof(pattern); i++)
            pattern[i] = (char)(i % 251);
    }
    while (e->conn.writable && done < n) {
        size_t left = n - done < 100000 ? n - done : 100000, at = done % 251;
        ssize_t put;

        for (unsigned i = 0; i < slices; i++) {
            size_t part = i + 1 < slices ? left / (slices * 2) : left;

            v[i] = (struct iovec){pattern + at, part};
            at = (at + part) % 251;
            left -= part;
        }
        put = conn_writev(&e->conn, v, (int)slices);
        if (put < 0) {
            assert_int_equal(errno, EAGAIN);
            break;
        }
        done += (size_t)put;
    }
    return done;
}

static uint64_t
pattern_sum(size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + i % 251;
    return sum;
}

/* Both directions at once, the readers slow: the retried record comes from another place, and
 * with more behind it. */
static void
test_back_pressure(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    size_t n = 12 * 1000 * 1000 + 1, there = 0, back = 0;
    uint64_t sum = pattern_sum(n);

    for (unsigned turn = 0; l->front.total < n || l->back.total < n; turn++) {
        there = pump(&l->back, there, n, 1 + turn % 8);
        back = pump(&l->front, back, n, 1 + turn / 2 % 8);
        if (turn == 20)
            assert_false(l->back.conn.writable || l->front.conn.writable);
        if (turn > 20)
            l->front.read_all = l->back.read_all = true;
        if (turn == 21) { /* no new edge may come for what waits already */
            on_end(&l->front.conn, 0);
            on_end(&l->back.conn, 0);
        }
        loop_turn(&r->loop, USEC_MS);
        assert_true(turn < 100000);
    }
    assert_int_equal(l->front.total, n);
    assert_int_equal(l->back.total, n);
    assert_true(l->front.sum == sum && l->back.sum == sum);
    link_close(l);
}

static void
test_fewer_bytes_than_were_refused(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    size_t put = 0;
    struct iovec v = {l->front.in, 1};

    while (l->back.conn.writable)
        put = pump(&l->back, put, SIZE_MAX, 1);
    assert_int_equal(conn_writev(&l->back.conn, &v, 1), -1);
    assert_int_equal(errno, EPROTO);
    assert_int_equal(l->back.conn.error, EPROTO);
    link_close(l);
}

static void
test_end_with_close_notify(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    char text[16];

    assert_int_equal(end_write(&l->back, "last"), 4);
    conn_shut_write(&l->back.conn);
    rig_until(&r->loop, &l->front.conn.hup);
    assert_true(l->front.events & CONN_HUP);
    assert_true(l->front.conn.hup);
    assert_int_equal(conn_read(&l->front.conn, text, sizeof(text)), 4);
    assert_true(l->front.conn.readable); /* the end is still to be read */
    assert_int_equal(conn_read(&l->front.conn, text, sizeof(text)), 0);
    assert_true(l->front.conn.eof);
    assert_false(l->front.conn.readable);
    assert_int_equal(l->front.conn.error, 0);
    /* The other half is open. */
    assert_int_equal(end_write(&l->front, "answer"), 6);
    end_expect(r, &l->back, "answer");
    l->back.told = false;
    end_close(&l->front);
    rig_until(&r->loop, &l->back.told);
    assert_int_equal(conn_read(&l->back.conn, text, sizeof(text)), 0);
    assert_int_equal(l->back.conn.error, 0);
    link_close(l);
}

static void
test_end_without_close_notify(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    char text[16];

    assert_int_equal(end_write(&l->back, "last"), 4);
    shutdown(l->back.conn.fd, SHUT_WR);
    rig_until(&r->loop, &l->front.conn.hup);
    assert_true(l->front.conn.hup);
    assert_int_equal(conn_read(&l->front.conn, text, sizeof(text)), 4);
    assert_true(l->front.conn.readable);
    assert_int_equal(l->front.conn.error, 0); /* not before its turn */
    assert_int_equal(conn_read(&l->front.conn, text, sizeof(text)), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(l->front.conn.error, ECONNRESET);
    assert_false(l->front.conn.eof);
    assert_string_equal(conn_tls_error(&l->front.conn), "ended without close_notify");
    link_close(l);
}

static void
test_reset(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    char text[16];

    conn_close(&l->back.conn, true);
    l->front.told = false;
    rig_until(&r->loop, &l->front.told);
    assert_int_equal(conn_check_error(&l->front.conn), ECONNRESET);
    assert_int_equal(conn_read(&l->front.conn, text, sizeof(text)), -1);
    assert_true(errno == ECONNRESET);
    link_close(l);
}

/* A closing side says goodbye; an aborting one does not. */
static void
test_abort_is_no_clean_end(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    char text[16];

    conn_close(&l->back.conn, false);
    rig_until(&r->loop, &l->front.conn.hup);
    assert_int_equal(conn_read(&l->front.conn, text, sizeof(text)), 0);
    link_close(l);
}

/* Until the kernel has something for it; no event is taken. */
static void
wait_for_bytes(const struct end *e)
{
    struct pollfd p = {.fd = e->conn.fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, (int)(RIG_PATIENCE / USEC_MS)), 1);
}

static void
test_dirty(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    char text[16];

    rig_settle(&r->loop); /* the server's ticket has come */
    assert_false(l->back.conn.readable);
    assert_int_equal(l->back.events & CONN_READABLE, 0);
    assert_false(conn_is_dirty(&l->back.conn));
    assert_int_equal(end_write(&l->front, "unasked"), 7);
    wait_for_bytes(&l->back);
    assert_true(conn_is_dirty(&l->back.conn)); /* before any event */
    assert_true(l->back.conn.readable);
    assert_int_equal(conn_read(&l->back.conn, text, sizeof(text)), 7);
    assert_false(conn_is_dirty(&l->back.conn));
    end_close(&l->front);
    wait_for_bytes(&l->back);
    assert_true(conn_is_dirty(&l->back.conn));
    assert_int_equal(conn_unacked(&l->back.conn), 0);
    link_close(l);
}

static void
test_moving(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    struct end other = {.loop = &r->loop};

    assert_int_equal(end_write(&l->front, "one"), 3);
    rig_until(&r->loop, &l->back.conn.readable);
    assert_int_equal(conn_move(&other.conn, &l->back.conn, &end_owner), 0);
    assert_null(conn_tls(&l->back.conn));
    assert_non_null(conn_tls(&other.conn));
    assert_true(other.conn.readable);
    end_expect(r, &other, "one");
    assert_int_equal(end_write(&other, "two"), 3);
    end_expect(r, &l->front, "two");
    end_close(&other);
    link_close(l);
}

/* Head and first body bytes in slices of any size: one record. */
static void
test_small_slices_are_one_record(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct raw w = {.ctx = NULL};
    struct end front;
    struct iovec v[3] = {{(char[]){"head"}, 4}, {(char[]){"er"}, 2}, {(char[]){"body"}, 4}};
    char text[64];
    size_t got;

    raw_open(&w, r, &front, s, TLS1_3_VERSION);
    SSL_set_tlsext_host_name(w.ssl, "a.example");
    assert_int_equal(raw_handshake(&w, r), 1);
    rig_until(&r->loop, &front.ready);
    assert_int_equal(conn_writev(&front.conn, v, 3), 10);
    assert_int_equal(raw_read(&w, r, text, sizeof(text), &got), 1);
    assert_int_equal(got, 10); /* SSL_read gives one record at most */
    assert_memory_equal(text, "headerbody", 10);
    end_close(&front);
    raw_close(&w);
    tls_server_free(s);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_bytes_go_both_ways),
        CASE(test_odd_sizes),
        CASE(test_single_bytes),
        CASE(test_back_pressure),
        CASE(test_fewer_bytes_than_were_refused),
        CASE(test_end_with_close_notify),
        CASE(test_end_without_close_notify),
        CASE(test_reset),
        CASE(test_abort_is_no_clean_end),
        CASE(test_dirty),
        CASE(test_moving),
        CASE(test_small_slices_are_one_record),
    };

    return cmocka_run_group_tests_name("tls_conn", tests, NULL, NULL);
}
