/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a client takes for whom it wanted; and TLS through a dialer. */
#include "config.h"

#include "tls_rig.h"

#include "net/dialer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>

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

/* --- verification --------------------------------------------------------------------------- */

/* The server shows this one to everybody. */
static void
show(struct tls_rig *r, const struct make *how, const struct made *issuer)
{
    struct made m;

    made_new(&m, how, issuer);
    made_write(&m, NULL, tls_rig_path(r, "default.crt"), tls_rig_path(r, "default.key"));
    made_free(&m);
    r->wall++;
}

/* errno of the client's failure, or 0. */
static int
try(struct tls_rig *r, struct tls_server *s, struct tls_client *c, const char *name)
{
    struct end front, back;
    int error;

    ends_handshake(r, &front, s, &back, c, name);
    error = back.failed ? back.conn.error : 0;
    assert_int_equal(back.failed, error != 0);
    assert_int_equal(conn_tls(&back.conn) != NULL, back.ready);
    if (error == EKEYREJECTED)
        assert_true(strlen(conn_tls_error(&back.conn)) > 0);
    end_close(&front);
    end_close(&back);
    assert_int_equal(ERR_peek_error(), 0);
    return error;
}

static void
test_names(void **state)
{
    static const struct {
        const char *san, *wanted;
        bool fine;
    } cases[] = {
        {"DNS:back.example", "back.example", true},
        {"DNS:back.example", "BACK.example.", true},
        {"DNS:BACK.Example", "back.example", true},
        {"DNS:back.example", "back.exampl", false},
        {"DNS:back.example", "ack.example", false},
        {"DNS:back.example", "x.back.example", false},
        {"DNS:*.back.example", "x.back.example", true},
        {"DNS:*.back.example", "back.example", false},
        {"DNS:*.back.example", "x.y.back.example", false},
        {"DNS:b*.example", "back.example", false},
        {"DNS:*ck.example", "back.example", false},
        {"DNS:other,DNS:back.example", "back.example", true},
        {"DNS:*.example", "back.example", false},
        {"IP:127.0.0.1", "127.0.0.1", true},
        {"IP:127.0.0.2", "127.0.0.1", false},
        {"DNS:127.0.0.1", "127.0.0.1", false},
        {"IP:0:0:0:0:0:0:0:1", "::1", true},
        {"IP:0:0:0:0:0:0:0:1", "[::1]", true},
        {"IP:127.0.0.1", "localhost", false},
        {"email:back.example", "back.example", false},
    };
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int error;

        show(r, &(struct make){.name = "someone", .san = cases[i].san}, &r->ca);
        error = try(r, s, c, cases[i].wanted);
        if (error != (cases[i].fine ? 0 : EKEYREJECTED))
            fail_msg("%s for %s: %d", cases[i].san, cases[i].wanted, error);
    }
    tls_server_free(s);
    tls_client_free(c);
}

/* RELIABILITY E14: a SAN with a NUL in it is not the part before. */
static void
test_name_with_nul(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    struct made m;
    X509_EXTENSION *old;
    int at;

    ASN1_STRING_set(text, "back.example\0.evil.example", 26);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, name);
    made_new(&m, &(struct make){.name = "back.example"}, &r->ca);
    at = X509_get_ext_by_NID(m.cert, NID_subject_alt_name, -1);
    old = X509_delete_ext(m.cert, at);
    X509_EXTENSION_free(old);
    assert_int_equal(X509_add1_ext_i2d(m.cert, NID_subject_alt_name, names, 0, 0), 1);
    assert_true(X509_sign(m.cert, r->ca.key, EVP_sha256()) > 0);
    made_write(&m, NULL, tls_rig_path(r, "default.crt"), tls_rig_path(r, "default.key"));
    assert_int_equal(try(r, s, c, "back.example"), EKEYREJECTED);
    made_free(&m);
    GENERAL_NAMES_free(names);
    tls_server_free(s);
    tls_client_free(c);
}

static void
test_trust(void **state)
{
    struct tls_rig *r = *state;
    struct tls_client_options insecure = {.insecure = true}, system = {.ca_file = NULL};
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);
    struct tls_client *any, *sys;
    struct made other;
    char why[256];

    any = tls_client_new(r->lib, &insecure, why, sizeof(why));
    sys = tls_client_new(r->lib, &system, why, sizeof(why));
    assert_true(any && sys);
    made_new(&other, &(struct make){.name = "Other CA", .ca = true}, NULL);
    show(r, &(struct make){.name = "back.example"}, &other);
    assert_int_equal(try(r, s, c, "back.example"), EKEYREJECTED);
    assert_int_equal(try(r, s, sys, "back.example"), EKEYREJECTED);
    assert_int_equal(try(r, s, any, "back.example"), 0);
    assert_int_equal(try(r, s, any, ""), 0);
    assert_int_equal(try(r, s, any, "127.0.0.1"), 0);
    show(r, &(struct make){.name = "back.example"}, NULL);
    assert_int_equal(try(r, s, c, "back.example"), EKEYREJECTED);
    show(r, &(struct make){.name = "back.example", .begins = -7200, .ends = -3600}, &r->ca);
    assert_int_equal(try(r, s, c, "back.example"), EKEYREJECTED);
    show(r, &(struct make){.name = "back.example", .begins = 3600, .ends = 7200}, &r->ca);
    assert_int_equal(try(r, s, c, "back.example"), EKEYREJECTED);
    show(r, &(struct make){.name = "back.example", .usage = "clientAuth"}, &r->ca);
    assert_int_equal(try(r, s, c, "back.example"), EKEYREJECTED);
    show(r, &(struct make){.name = "back.example", .usage = "serverAuth"}, &r->ca);
    assert_int_equal(try(r, s, c, "back.example"), 0);
    made_free(&other);
    tls_server_free(s);
    tls_client_free(c);
    tls_client_free(any);
    tls_client_free(sys);
}

static void
test_bad_names_and_files(void **state)
{
    static const char *const bad[] = {"", "a b", "-\xff", "a..b", ".", "1.2.3", "a/b"};
    struct tls_rig *r = *state;
    struct tls_client *c = tls_rig_client(r, 0);
    struct tls_client_options o = {.ca_file = "/nonexistent/ca.pem"};
    struct end front, back;
    char why[256];

    ends_open(r, &front, &back);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(conn_start_tls_client(&back.conn, c, slice_of(bad[i])), -1);
        assert_int_equal(errno, EINVAL);
        assert_false(back.conn.connecting);
    }
    assert_int_equal(conn_start_tls_client(&back.conn, c, SLICE("a.example\0.b")), -1);
    end_close(&front);
    end_close(&back);
    tls_client_free(c);
    assert_null(tls_client_new(r->lib, &o, why, sizeof(why)));
    assert_non_null(strstr(why, "/nonexistent/ca.pem: "));
    o = (struct tls_client_options){.insecure = true,
                                    .cert_file = tls_rig_path(r, "a.example.crt"),
                                    .key_file = tls_rig_path(r, "b.example.key")};
    assert_null(tls_client_new(r->lib, &o, why, sizeof(why)));
    assert_non_null(strstr(why, "b.example.key: "));
}

/* A client with a certificate of its own, and the protocols. */
static void
test_own_certificate_and_alpn(void **state)
{
    struct tls_rig *r = *state;
    struct tls_client_options o = {.ca_file = r->ca_file, .alpn = TLS_ALPN_H2 | TLS_ALPN_H1};
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c;
    struct end front, back;
    char why[256];

    o.cert_file = tls_rig_path(r, "b.example.crt");
    o.key_file = tls_rig_path(r, "b.example.key");
    c = tls_client_new(r->lib, &o, why, sizeof(why));
    assert_non_null(c);
    ends_handshake(r, &front, s, &back, c, "a.example");
    assert_true(front.ready && back.ready);
    assert_true(conn_tls(&back.conn)->h2);
    assert_false(conn_tls(&back.conn)->resumed);
    end_close(&front);
    end_close(&back);
    tls_client_free(c);
    c = tls_rig_client(r, TLS_ALPN_H1);
    ends_handshake(r, &front, s, &back, c, "a.example");
    assert_true(back.ready && !conn_tls(&back.conn)->h2);
    end_close(&front);
    end_close(&back);
    tls_client_free(c);
    tls_server_free(s);
}

/* A server that breaks off or talks nonsense behind the handshake: told by the next read, also
 * when somebody had a look before. */
static void
test_nonsense_from_the_server(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);

    for (unsigned i = 0; i < 4; i++) {
        struct end front, back;
        char text[8];

        ends_handshake(r, &front, s, &back, c, "a.example");
        assert_true(back.ready);
        rig_settle(&r->loop);
        assert_int_equal(send(front.conn.fd, "HTTP/1.1 200 OK", i < 2 ? 15 : 0, 0), i < 2 ? 15 : 0);
        if (i >= 2)
            shutdown(front.conn.fd, SHUT_WR);
        rig_until(&r->loop, &back.conn.readable);
        if (i % 2)
            assert_true(conn_is_dirty(&back.conn));
        assert_int_equal(conn_read(&back.conn, text, sizeof(text)), -1);
        assert_int_equal(errno, i < 2 ? EPROTO : ECONNRESET);
        assert_int_equal(back.conn.error, errno);
        if (conn_tls_error(&back.conn)[0] == '\0')
            fail_msg("%u: %d without a reason", i, errno);
        end_close(&front);
        end_close(&back);
    }
    tls_server_free(s);
    tls_client_free(c);
}

/* --- a dialer ------------------------------------------------------------------------------- */

struct dial {
    struct dialer dialer;
    struct end back;
    bool over;
    int error;
};

static void
on_connected(struct dialer *d, struct conn *c, usec_t took)
{
    struct dial *x = container_of(d, struct dial, dialer);

    assert_true(took >= 0 && conn_tls(c) != NULL && !c->connecting);
    x->over = true;
    assert_int_equal(conn_move(&x->back.conn, c, &end_owner), 0);
}

static void
on_failed(struct dialer *d, int error, unsigned open)
{
    struct dial *x = container_of(d, struct dial, dialer);

    assert_int_equal(open, 0);
    assert_int_equal(strlen(d->why) > 0, error == EPROTO || error == EKEYREJECTED);
    x->over = true;
    x->error = error;
}

static const struct dialer_owner dial_owner = {on_connected, on_failed};

/* Dials; accepts once, as server s or as somebody who says `plain`. The outcome. */
static int
dial(struct tls_rig *r, struct tls_client *c, struct slice name, struct tls_server *s,
     const char *plain, usec_t ttl)
{
    struct dialer_tls tls = {c, name};
    struct dial x = {.back = {.loop = &r->loop}};
    struct endpoint at;
    int listening = rig_listen(&at, 4), fd;
    struct end front;

    dialer_init(&x.dialer, &r->loop, &dial_owner);
    conn_init(&x.back.conn);
    x.dialer.tls = &tls;
    assert_int_equal(dialer_start(&x.dialer, &at, ttl), 0);
    fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    end_open(&front, r, fd);
    if (s)
        assert_int_equal(conn_start_tls_server(&front.conn, s), 0);
    else if (plain)
        assert_int_equal(end_write(&front, plain), strlen(plain));
    rig_until(&r->loop, &x.over);
    if (x.error == 0) {
        rig_until(&r->loop, &front.ready);
        assert_int_equal(end_write(&x.back, "request"), 7);
        end_expect(r, &front, "request");
        assert_int_equal(end_write(&front, "answer"), 6);
        end_expect(r, &x.back, "answer");
    }
    dialer_stop(&x.dialer);
    end_close(&x.back);
    end_close(&front);
    close(listening);
    return x.error;
}

static void
test_dialing(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);
    usec_t before = loop_clock();

    assert_int_equal(dial(r, c, SLICE("a.example"), s, NULL, USEC_SEC * 10), 0);
    assert_int_equal(dial(r, c, SLICE("c.example"), s, NULL, USEC_SEC * 10), EPROTO);
    show(r, &(struct make){.name = "c.example"}, NULL);
    assert_int_equal(dial(r, c, SLICE("c.example"), s, NULL, USEC_SEC * 10), EKEYREJECTED);
    assert_int_equal(dial(r, c, SLICE("a.example"), NULL, "HTTP/1.1 200 OK\r\n\r\n",
                          USEC_SEC * 10), EPROTO);
    assert_int_equal(dial(r, c, SLICE("no name"), s, NULL, USEC_SEC * 10), EINVAL);
    assert_true(loop_clock() - before < 10 * USEC_SEC);
    /* The time to live covers the handshake: nobody answers the hello. */
    assert_int_equal(dial(r, c, SLICE("a.example"), NULL, NULL, 20 * USEC_MS), ETIMEDOUT);
    tls_server_free(s);
    tls_client_free(c);
}

static void
test_dialing_nobody(void **state)
{
    struct tls_rig *r = *state;
    struct tls_client *c = tls_rig_client(r, 0);
    struct dialer_tls tls = {c, SLICE("a.example")};
    struct endpoint at = rig_closed_port();
    struct dial x = {.error = 0};

    dialer_init(&x.dialer, &r->loop, &dial_owner);
    x.dialer.tls = &tls;
    assert_int_equal(dialer_start(&x.dialer, &at, USEC_SEC), 0);
    rig_until(&r->loop, &x.over);
    assert_int_equal(x.error, ECONNREFUSED);
    for (unsigned turns = 0; turns < 4; turns++) { /* given up at each stage */
        int listening = rig_listen(&at, 4);

        assert_int_equal(dialer_start(&x.dialer, &at, USEC_SEC), 0);
        for (unsigned i = 0; i < turns; i++)
            loop_turn(&r->loop, USEC_MS);
        dialer_stop(&x.dialer);
        loop_turn(&r->loop, 0);
        close(listening);
    }
    tls_client_free(c);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_names),
        CASE(test_name_with_nul),
        CASE(test_trust),
        CASE(test_bad_names_and_files),
        CASE(test_own_certificate_and_alpn),
        CASE(test_nonsense_from_the_server),
        CASE(test_dialing),
        CASE(test_dialing_nobody),
    };

    return cmocka_run_group_tests_name("tls_client", tests, NULL, NULL);
}
