/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake under conn: cut, late, given up, flooded, crowded. */
#include "config.h"

#include "tls_rig.h"

#include <netinet/tcp.h>
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

/* In the middle of the handshake, at each point. */
static void
test_moving_and_closing_early(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);

    for (unsigned turns = 0; turns < 8; turns++) {
        struct end front, back, other = {.loop = &r->loop};

        ends_open(r, &front, &back);
        assert_int_equal(conn_start_tls_server(&front.conn, s), 0);
        assert_int_equal(conn_start_tls_client(&back.conn, c, SLICE("a.example")), 0);
        for (unsigned i = 0; i < turns; i++)
            loop_turn(&r->loop, 0);
        assert_int_equal(conn_move(&other.conn, &front.conn, &end_owner), 0);
        if (front.ready)
            other.ready = true;
        ends_wait(r, &other, &back);
        assert_true(other.ready && back.ready);
        end_close(&other);
        end_close(&back);

        ends_open(r, &front, &back);
        assert_int_equal(conn_start_tls_server(&front.conn, s), 0);
        assert_int_equal(conn_start_tls_client(&back.conn, c, SLICE("a.example")), 0);
        for (unsigned i = 0; i < turns; i++)
            loop_turn(&r->loop, 0);
        end_close(turns % 2 ? &front : &back);
        rig_settle(&r->loop);
        assert_int_equal(tls_library_handshakes(r->lib), 0);
        end_close(&front);
        end_close(&back);
    }
    tls_server_free(s);
    tls_client_free(c);
}

/* RELIABILITY E14: what is said before the handshake is not taken for an answer. */
static void
test_plain_bytes_from_the_server(void **state)
{
    struct tls_rig *r = *state;
    struct tls_client *c = tls_rig_client(r, 0);
    struct end back;
    int ours, theirs;
    char text[64];

    rig_pair(&ours, &theirs);
    end_open(&back, r, ours);
    assert_int_equal(send(theirs, "HTTP/1.1 200 OK\r\n\r\n", 19, 0), 19);
    rig_settle(&r->loop);
    assert_int_equal(conn_start_tls_client(&back.conn, c, SLICE("a.example")), 0);
    assert_int_equal(conn_read(&back.conn, text, sizeof(text)), -1);
    assert_int_equal(errno, EAGAIN);
    rig_until(&r->loop, &back.failed);
    assert_int_equal(back.conn.error, EPROTO);
    assert_false(back.ready || back.conn.connecting);
    assert_int_equal(conn_read(&back.conn, text, sizeof(text)), -1);
    assert_int_equal(errno, EPROTO);
    assert_int_equal(back.conn.bytes_in, 0);
    assert_true(conn_is_dirty(&back.conn));
    end_close(&back);
    close(theirs);
    tls_client_free(c);
}

static void
test_no_tls_at_all(void **state)
{
    static const char *const said[] = {"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "", "\x16"};
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);

    for (unsigned i = 0; i < 3; i++) {
        struct end front;
        int ours, theirs;

        rig_pair(&ours, &theirs);
        end_open(&front, r, ours);
        assert_int_equal(conn_start_tls_server(&front.conn, s), 0);
        rig_settle(&r->loop);
        assert_int_equal(front.calls, 0);
        assert_int_equal(send(theirs, said[i], strlen(said[i]), 0), strlen(said[i]));
        shutdown(theirs, SHUT_WR);
        rig_until(&r->loop, &front.failed);
        assert_int_equal(front.conn.error, i == 0 ? EPROTO : ECONNRESET);
        assert_true(strlen(conn_tls_error(&front.conn)) > 0);
        assert_false(front.ready);
        end_close(&front);
        close(theirs);
        assert_int_equal(tls_library_handshakes(r->lib), 0);
    }
    tls_server_free(s);
}

/* Bytes that were read before, and the hello that is there already: no new edge comes. */
static void
test_started_late(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);
    struct end front, back;
    char text[8];

    ends_open(r, &front, &back);
    assert_int_equal(end_write(&back, "PROXY"), 5);
    assert_int_equal(conn_start_tls_client(&back.conn, c, SLICE("a.example")), 0);
    rig_settle(&r->loop);
    assert_int_equal(conn_read(&front.conn, text, 5), 5);
    assert_true(front.conn.readable);
    assert_int_equal(conn_start_tls_server(&front.conn, s), 0);
    assert_true(front.conn.connecting);
    ends_wait(r, &front, &back);
    assert_true(front.ready && back.ready);
    end_close(&front);
    end_close(&back);
    tls_server_free(s);
    tls_client_free(c);
}

/* What the client sent with the end of its handshake is told with the outcome. */
static void
test_request_right_behind_the_handshake(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct raw w = {.ctx = NULL};
    struct end front;
    char text[16];
    size_t got;
    int cork = 1;

    raw_open(&w, r, &front, s, TLS1_3_VERSION);
    SSL_set_tlsext_host_name(w.ssl, "a.example");
    assert_int_equal(SSL_do_handshake(w.ssl), -1);
    setsockopt(w.fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof(cork)); /* one segment for all */
    assert_int_equal(raw_handshake(&w, r), 1);
    assert_int_equal(SSL_write_ex(w.ssl, "request", 7, &got), 1);
    cork = 0;
    setsockopt(w.fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof(cork));
    assert_false(front.ready);
    rig_until(&r->loop, &front.ready);
    assert_int_equal(front.events, CONN_READABLE | CONN_WRITABLE);
    assert_int_equal(conn_read(&front.conn, text, sizeof(text)), 7);
    assert_memory_equal(text, "request", 7);
    end_close(&front);
    raw_close(&w);
    tls_server_free(s);
}

/* RELIABILITY H2: a crowd waits its turn, in order. */
static void
test_a_crowd_takes_turns(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);
    struct end *e = calloc(80, sizeof(*e));
    unsigned done = 0, before = 0;

    assert_non_null(e);
    for (unsigned i = 0; i < 40; i++) {
        ends_open(r, &e[2 * i], &e[2 * i + 1]);
        assert_int_equal(conn_start_tls_server(&e[2 * i].conn, s), 0);
        assert_int_equal(conn_start_tls_client(&e[2 * i + 1].conn, c, SLICE("a.example")), 0);
    }
    for (unsigned turn = 0; done < 80; turn++, before = done) {
        loop_turn(&r->loop, USEC_MS);
        assert_true(turn < 10000);
        done = 0;
        for (unsigned i = 0; i < 80; i++) {
            assert_false(e[i].failed);
            done += e[i].ready;
        }
        assert_true(done - before <= TLS_STEPS_A_TURN);
        assert_true(tls_library_handshakes(r->lib) <= 40);
    }
    assert_int_equal(tls_library_handshakes(r->lib), 0);
    for (unsigned i = 0; i < 80; i++)
        end_close(&e[i]);
    free(e);
    tls_server_free(s);
    tls_client_free(c);
}

/* A client's socket by hand; the hello that OpenSSL would send is in `hello`. */
struct hand {
    struct end front;
    int fd;
    unsigned char hello[2048];
    int n;
};

static void
hand_open(struct hand *h, struct tls_rig *r, struct tls_server *s)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    BIO *out = BIO_new(BIO_s_mem());
    int ours;

    rig_pair(&ours, &h->fd);
    end_open(&h->front, r, ours);
    assert_int_equal(conn_start_tls_server(&h->front.conn, s), 0);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_set_tlsext_host_name(ssl, "a.example");
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    h->n = BIO_read(out, h->hello, sizeof(h->hello));
    assert_true(h->n > 100);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void
hand_close(struct hand *h)
{
    end_close(&h->front);
    close(h->fd);
}

/* RELIABILITY H1: any cut of the hello waits for the rest, and an end of file there is an end. */
static void
test_hello_cut_anywhere(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct hand h;

    for (int cut = 1; cut < 200; cut += 7) {
        hand_open(&h, r, s);
        assert_true(cut < h.n);
        assert_int_equal(send(h.fd, h.hello, (size_t)cut, 0), cut);
        rig_settle(&r->loop);
        assert_true(h.front.conn.connecting && h.front.calls == 0);
        shutdown(h.fd, SHUT_WR);
        rig_until(&r->loop, &h.front.failed);
        assert_int_equal(h.front.conn.error, ECONNRESET);
        hand_close(&h);
    }
    tls_server_free(s);
}

/* A whole handshake through a relay that passes one byte at a time. */
static void
test_one_byte_at_a_time(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, TLS_ALPN_H2);
    struct end front, back;
    int ours[2], theirs[2];
    char byte;

    for (unsigned i = 0; i < 2; i++) {
        rig_pair(&ours[i], &theirs[i]);
        fcntl(theirs[i], F_SETFL, O_NONBLOCK);
    }
    end_open(&front, r, ours[0]);
    end_open(&back, r, ours[1]);
    assert_int_equal(conn_start_tls_server(&front.conn, s), 0);
    assert_int_equal(conn_start_tls_client(&back.conn, c, SLICE("a.example")), 0);
    for (unsigned turn = 0; !(front.ready && back.ready); turn++) {
        assert_true(turn < 200000 && !front.failed && !back.failed);
        for (unsigned i = 0; i < 2; i++) {
            if (recv(theirs[i], &byte, 1, 0) == 1)
                assert_int_equal(send(theirs[1 - i], &byte, 1, 0), 1);
        }
        loop_turn(&r->loop, 0);
    }
    assert_true(conn_tls(&front.conn)->h2 && conn_tls(&back.conn)->h2);
    end_close(&front);
    end_close(&back);
    close(theirs[0]);
    close(theirs[1]);
    tls_server_free(s);
    tls_client_free(c);
}

/* RELIABILITY H3: a hello in records of one byte each. */
static void
test_hello_in_crumbs(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    unsigned char crumbs[6 * 2048];
    struct hand h;
    size_t n = 0;

    for (int pieces = 20; pieces <= 300; pieces += 280) {
        int at = 5, part;

        hand_open(&h, r, s);
        n = 0;
        part = (h.n - 5) / pieces + 1;
        while (at < h.n) {
            int m = part < h.n - at ? part : h.n - at;

            crumbs[n++] = 0x16;
            crumbs[n++] = 3;
            crumbs[n++] = 1;
            crumbs[n++] = 0;
            crumbs[n++] = (unsigned char)m;
            memcpy(crumbs + n, h.hello + at, (size_t)m);
            n += (size_t)m;
            at += m;
        }
        assert_int_equal(send(h.fd, crumbs, n, 0), n);
        if (pieces == 20) {
            struct pollfd p = {.fd = h.fd, .events = POLLIN};

            while (poll(&p, 1, 0) == 0)
                loop_turn(&r->loop, USEC_MS);
            assert_false(h.front.failed); /* it was answered */
        } else {
            rig_until(&r->loop, &h.front.failed);
            assert_int_equal(h.front.conn.error, EPROTO);
            assert_string_equal(conn_tls_error(&h.front.conn), "too many records");
        }
        hand_close(&h);
    }
    tls_server_free(s);
}

/* Until front has an outcome. */
static void
raw_front(struct raw *w, struct tls_rig *r, struct end *front, struct tls_server *s, int max)
{
    raw_open(w, r, front, s, max);
    SSL_set_tlsext_host_name(w->ssl, "a.example");
    assert_int_equal(raw_handshake(w, r), 1);
    rig_until(&r->loop, &front->ready);
    front->read_all = true;
}

/* RELIABILITY H3: key updates without a byte of data, until we hang up. */
static void
test_key_update_flood(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct raw w = {.ctx = NULL};
    struct end front;
    char byte = 'x';
    size_t n;

    raw_front(&w, r, &front, s, TLS1_3_VERSION);
    for (unsigned i = 0; i < 100; i++) { /* with data between them they are fine */
        assert_int_equal(SSL_key_update(w.ssl, i % 2 ? SSL_KEY_UPDATE_REQUESTED
                                                     : SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_write_ex(w.ssl, &byte, 1, &n), 1);
        front.told = false;
        while (front.total <= i)
            loop_turn(&r->loop, 100 * USEC_MS);
    }
    assert_int_equal(front.error, 0);
    assert_int_equal(end_write(&front, "answer"), 6); /* with our own new key */
    assert_int_equal(raw_read(&w, r, (char[16]){""}, 16, &n), 1);
    assert_int_equal(n, 6);
    for (unsigned i = 0; i < 40; i++) {
        if (SSL_key_update(w.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
            SSL_do_handshake(w.ssl) != 1)
            break;
    }
    while (front.error == 0)
        loop_turn(&r->loop, 100 * USEC_MS);
    assert_int_equal(front.error, EPROTO);
    assert_string_equal(conn_tls_error(&front.conn), "too many records");
    end_close(&front);
    raw_close(&w);
    tls_server_free(s);
}

/* A record that was tampered with ends it, with what came before delivered. */
static void
test_broken_record(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    static const char record[] = "\x17\x03\x03\x00 67ghijghijklmnopqrstuvwxyz012345";
    struct raw w = {.ctx = NULL};
    struct end front;
    size_t n;

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        raw_front(&w, r, &front, s, version);
        assert_int_equal(SSL_write_ex(w.ssl, "good", 4, &n), 1);
        assert_int_equal(send(w.fd, record, sizeof(record) - 1, 0), sizeof(record) - 1);
        while (front.error == 0)
            loop_turn(&r->loop, 100 * USEC_MS);
        assert_int_equal(front.error, EPROTO);
        assert_int_equal(front.total, 4);
        assert_int_equal(front.conn.error, EPROTO);
        assert_true(strlen(conn_tls_error(&front.conn)) > 0);
        assert_int_equal(end_write(&front, "no"), -1);
        end_close(&front);
        raw_close(&w);
    }
    tls_server_free(s);
}

/* Renegotiation is refused, in words, and data goes on. */
static void
test_no_renegotiation(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct raw w = {.ctx = NULL};
    struct end front;
    struct tls_words words;
    size_t n;
    char text[8];

    raw_front(&w, r, &front, s, TLS1_2_VERSION);
    assert_int_equal(conn_tls_words(&front.conn, &words), 0);
    assert_string_equal(words.version, "TLSv1.2");
    assert_int_equal(SSL_renegotiate(w.ssl), 1);
    SSL_do_handshake(w.ssl);
    assert_true(raw_read(&w, r, text, sizeof(text), &n) < 0);
    assert_int_equal(raw_alert(&w), SSL_AD_NO_RENEGOTIATION);
    assert_int_equal(front.total, 0);
    end_close(&front);
    raw_close(&w);
    tls_server_free(s);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_moving_and_closing_early),
        CASE(test_plain_bytes_from_the_server),
        CASE(test_no_tls_at_all),
        CASE(test_started_late),
        CASE(test_request_right_behind_the_handshake),
        CASE(test_a_crowd_takes_turns),
        CASE(test_hello_cut_anywhere),
        CASE(test_one_byte_at_a_time),
        CASE(test_hello_in_crumbs),
        CASE(test_key_update_flood),
        CASE(test_broken_record),
        CASE(test_no_renegotiation),
    };

    return cmocka_run_group_tests_name("tls_handshake", tests, NULL, NULL);
}
