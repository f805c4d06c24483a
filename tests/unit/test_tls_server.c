/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server agrees to: names, protocols, versions, policies, client certificates, sessions. */
#include "config.h"

#include "tls_rig.h"

#include <openssl/err.h>

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

/* Whether the handshake of w, opened, succeeds; waits until the server knows, too. */
static bool
agrees(struct raw *w, struct tls_rig *r, struct end *front)
{
    bool done = raw_handshake(w, r) == 1;

    front->told = front->ready || front->failed;
    if (done)
        rig_until(&r->loop, &front->told);
    return done && front->ready;
}

/* --- names ---------------------------------------------------------------------------------- */

/* The name is written over one of the same length in a client's hello. */
static void
send_name(struct tls_rig *r, struct tls_server *s, struct end *front, const char *name, size_t n,
          const char **why)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    BIO *out = BIO_new(BIO_s_mem());
    char stand_in[259] = {0}, *shown = stand_in + 3, *at;
    char hello[4096];
    int ours, theirs, length;

    rig_pair(&ours, &theirs);
    end_open(front, r, ours);
    assert_int_equal(conn_start_tls_server(&front->conn, s), 0);
    stand_in[2] = (char)n; /* behind its type and length, so that it is found */
    memset(shown, 'Z', n);
    shown[n] = '\0';
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    assert_int_equal(SSL_set_tlsext_host_name(ssl, shown), 1);
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    length = BIO_read(out, hello, sizeof(hello));
    at = memmem(hello, (size_t)length, stand_in, n + 3);
    assert_non_null(at);
    memcpy(at + 3, name, n);
    assert_int_equal(send(theirs, hello, (size_t)length, 0), length);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    /* Either an answer to the hello, or a refusal. */
    while (!front->failed && recv(theirs, hello, sizeof(hello), MSG_DONTWAIT) == -1)
        loop_turn(&r->loop, USEC_MS);
    *why = front->failed ? conn_tls_error(&front->conn) : "";
    close(theirs);
}

/* RELIABILITY H4. */
static void
test_names_that_are_refused(void **state)
{
    static const struct {
        const char *name;
        size_t n;
    } bad[] = {
        {"a.example\0.b.example", 20}, {"\0", 1}, {"a.example\0", 10}, {"a.example..", 11},
        {".", 1}, {".a.example", 10}, {"a..example", 10}, {"127.0.0.1", 9}, {"::1", 3},
        {"[::1]", 5}, {"1.2.3", 5}, {"0x7f.1", 6}, {"a.0x1f", 6}, {"a.example:443", 13},
        {"a example", 9}, {"a/example", 9}, {"../../../etc/x", 14}, {"..", 2}, {"a%2eexample", 11},
        {"a.ex\xc3\xa4mple", 11}, {"*.wild.example", 14}, {"user@a.example", 14}, {"a,b", 3},
        {"a.example\n", 10}, {"a.example\t", 10}, {"\x01", 1}, {"a.example\x7f", 10},
    };
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    char longest[256];
    struct end front;
    const char *why;

    tls_rig_pair(r, "default");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        send_name(r, s, &front, bad[i].name, bad[i].n, &why);
        if (strcmp(why, "unacceptable server name") != 0)
            fail_msg("%s: %s", bad[i].name, why);
        assert_int_equal(front.conn.error, EPROTO);
        end_close(&front);
    }
    for (size_t n = 62; n <= 255; n++) {
        bool fine;

        if (n == 65)
            n = 252;
        fine = n == 62 || n == 63 || n == 252 || n == 253;
        memset(longest, 'a', sizeof(longest));
        for (size_t i = 63; n > 64 && i < sizeof(longest); i += 64)
            longest[i] = '.';
        send_name(r, s, &front, longest, n, &why);
        assert_string_equal(why, fine ? "" : "unacceptable server name");
        end_close(&front);
    }
    tls_server_free(s);
}

struct asked {
    char name[300];
    unsigned calls;
    const struct tls_policy *answer;
};

static const struct tls_policy *
on_policy(void *ctx, struct slice sni)
{
    struct asked *a = ctx;

    slice_copy(sni, a->name, sizeof(a->name));
    a->calls++;
    return a->answer;
}

/* What the client said, what the policy is asked for, whose certificate it gets. */
static const struct named {
    const char *said, *asked, *got;
} names[] = {
    {"a.example", "a.example", "a.example"},
    {"A.eXaMpLe", "a.example", "a.example"},
    {"a.example.", "a.example", "a.example"},
    {"b.example", "b.example", "b.example"},
    {"x.wild.example", "x.wild.example", "*.wild.example"},
    {"X.WILD.example.", "x.wild.example", "*.wild.example"},
    {"_x.wild.example", "_x.wild.example", "*.wild.example"},
    {"x.y.wild.example", "x.y.wild.example", "default"},
    {"wild.example", "wild.example", "default"},
    {"c.example", "c.example", "default"},
    {"localhost", "localhost", "default"},
    {NULL, "", "default"},
};
#define NAMES (sizeof(names) / sizeof(*names))

static void
check_name(struct tls_rig *r, struct tls_server *s, const struct named *named, bool known,
           const struct asked *a)
{
    struct raw w = {.ctx = NULL};
    struct end front;
    char cn[64] = "";

    raw_open(&w, r, &front, s, TLS1_3_VERSION);
    if (named->said)
        SSL_set_tlsext_host_name(w.ssl, (char *)(uintptr_t)named->said);
    if (agrees(&w, r, &front) != known)
        fail_msg("%s: %s", named->said, conn_tls_error(&front.conn));
    assert_string_equal(a->name, named->asked);
    if (known) {
        X509 *x = SSL_get0_peer_certificate(w.ssl);

        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, 64);
        assert_string_equal(cn, named->got);
        assert_int_equal(conn_tls(&front.conn)->policy, 7);
        assert_int_equal(conn_tls(&front.conn)->sni.n, strlen(named->asked));
    } else {
        assert_int_equal(raw_alert(&w), SSL_AD_UNRECOGNIZED_NAME);
        assert_int_equal(front.conn.error, EPROTO);
    }
    end_close(&front);
    raw_close(&w);
}

static void
test_names_and_certificates(void **state)
{
    struct tls_rig *r = *state;
    struct asked a = {.calls = 0};
    struct tls_policy_options o = {.id = 7, .name = SLICE("site")};
    struct tls_policy *p;
    struct tls_server *s;
    char why[256];

    p = tls_policy_new(r->lib, &o, why, sizeof(why));
    assert_non_null(p);
    a.answer = p;
    s = tls_rig_server(r, &(struct tls_server_options){.policy = on_policy, .ctx = &a});
    for (size_t i = 0; i < NAMES; i++)
        check_name(r, s, &names[i], strcmp(names[i].got, "default") != 0, &a);
    tls_rig_pair(r, "default");
    r->wall += 2; /* what was not there is looked for again */
    for (size_t i = 0; i < NAMES; i++)
        check_name(r, s, &names[i], true, &a);
    assert_int_equal(a.calls, 2 * NAMES);
    tls_server_free(s);
    tls_policy_free(p);
}

static void
test_policy_refuses(void **state)
{
    struct tls_rig *r = *state;
    struct asked a = {.calls = 0};
    struct tls_server *s = tls_rig_server(
        r, &(struct tls_server_options){.policy = on_policy, .ctx = &a});
    struct raw w = {.ctx = NULL};
    struct end front;

    raw_open(&w, r, &front, s, TLS1_3_VERSION);
    SSL_set_tlsext_host_name(w.ssl, "a.example");
    assert_false(agrees(&w, r, &front));
    assert_int_equal(raw_alert(&w), SSL_AD_UNRECOGNIZED_NAME);
    assert_string_equal(conn_tls_error(&front.conn), "unknown server name");
    end_close(&front);
    raw_close(&w);
    tls_server_free(s);
}

/* --- protocols and versions ----------------------------------------------------------------- */

static void
test_alpn(void **state)
{
    static const struct {
        const char *offer; /* NULL: the extension is not sent */
        bool h1_only;
        const char *chosen; /* NULL: refused */
    } cases[] = {
        {"\2h2\10http/1.1", false, "h2"},       {"\10http/1.1\2h2", false, "h2"},
        {"\10http/1.1", false, "http/1.1"},     {"\2h2", false, "h2"},
        {"\2h2\10http/1.1", true, "http/1.1"},  {"\2h2", true, NULL},
        {"\3foo", false, NULL},                 {"\2H2", false, NULL},
        {"\3h2c\6spdy/3", false, NULL},         {NULL, false, ""},
        {"\3foo\10http/1.1", false, "http/1.1"}, {"\1h\0012\10http/1.0", false, NULL},
    };
    struct tls_rig *r = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct tls_server *s = tls_rig_server(
                r, &(struct tls_server_options){.h1_only = cases[i].h1_only});
            struct raw w = {.ctx = NULL};
            const unsigned char *p;
            struct end front;
            unsigned n;

            raw_open(&w, r, &front, s, version);
            SSL_set_tlsext_host_name(w.ssl, "a.example");
            if (cases[i].offer)
                SSL_set_alpn_protos(w.ssl, (const unsigned char *)cases[i].offer,
                                    (unsigned)strlen(cases[i].offer));
            assert_int_equal(agrees(&w, r, &front), cases[i].chosen != NULL);
            if (cases[i].chosen) {
                SSL_get0_alpn_selected(w.ssl, &p, &n);
                assert_int_equal(n, strlen(cases[i].chosen));
                assert_memory_equal(p, cases[i].chosen, n);
                assert_int_equal(conn_tls(&front.conn)->h2, strcmp(cases[i].chosen, "h2") == 0);
            } else {
                assert_int_equal(raw_alert(&w), SSL_AD_NO_APPLICATION_PROTOCOL);
            }
            end_close(&front);
            raw_close(&w);
            tls_server_free(s);
        }
    }
}

/* RELIABILITY H10. */
static void
test_versions_and_ciphers(void **state)
{
    static const struct {
        int version;
        const char *ciphers; /* of TLS 1.2 */
        bool fine;
    } cases[] = {
        {TLS1_3_VERSION, "ALL", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", false},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA", false},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM", false},
        {TLS1_2_VERSION, "AES128-GCM-SHA256", false},
        {TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", false},
        {TLS1_1_VERSION, "ALL:@SECLEVEL=0", false},
        {TLS1_VERSION, "ALL:@SECLEVEL=0", false},
    };
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct raw w = {.ctx = NULL};
        struct end front;

        raw_open(&w, r, &front, s, cases[i].version);
        SSL_set_min_proto_version(w.ssl, cases[i].version);
        SSL_set_cipher_list(w.ssl, cases[i].ciphers);
        SSL_set_tlsext_host_name(w.ssl, "a.example");
        assert_int_equal(agrees(&w, r, &front), cases[i].fine);
        assert_false(SSL_get_current_compression(w.ssl) != NULL);
        end_close(&front);
        raw_close(&w);
    }
    tls_server_free(s);
}

/* The server's order counts; a P-384 certificate brings its curve. */
static void
test_preference_and_curves(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct made m;

    made_new(&m, &(struct make){.name = "p384.example", .curve = "P-384"}, &r->ca);
    made_write(&m, NULL, tls_rig_path(r, "p384.example.crt"), tls_rig_path(r, "p384.example.key"));
    made_free(&m);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct raw w = {.ctx = NULL};
        struct end front;
        struct tls_words words;

        raw_open(&w, r, &front, s, version);
        SSL_set_tlsext_host_name(w.ssl, "p384.example");
        assert_true(agrees(&w, r, &front));
        end_close(&front);
        raw_close(&w);
        raw_open(&w, r, &front, s, version);
        SSL_set_tlsext_host_name(w.ssl, "a.example");
        SSL_set_ciphersuites(w.ssl, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
        SSL_set_cipher_list(w.ssl,
                            "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
        assert_true(agrees(&w, r, &front));
        assert_int_equal(conn_tls_words(&front.conn, &words), 0);
        assert_non_null(strstr(words.cipher, "128"));
        end_close(&front);
        raw_close(&w);
        raw_open(&w, r, &front, s, version); /* no common group */
        SSL_set_tlsext_host_name(w.ssl, "a.example");
        SSL_set1_groups_list(w.ssl, "P-521");
        assert_false(agrees(&w, r, &front));
        end_close(&front);
        raw_close(&w);
    }
    tls_server_free(s);
}

/* The post-quantum group where OpenSSL has it; without it all is as before. */
static void
test_hybrid_groups(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server_options o = {.hybrid_groups = true, .tickets = r->tickets};
    struct tls_server *s = tls_rig_server(r, &o);
    bool known;

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct raw w = {.ctx = NULL};
        struct end front;

        raw_open(&w, r, &front, s, version);
        known = SSL_set1_groups_list(w.ssl, "X25519MLKEM768:X25519:P-256") == 1;
        ERR_clear_error();
        SSL_set_tlsext_host_name(w.ssl, "a.example");
        assert_true(agrees(&w, r, &front));
        if (known && version == TLS1_3_VERSION)
            assert_int_equal(SSL_get_negotiated_group(w.ssl) & 0xffff, 0x11ec);
        assert_int_equal(end_write(&front, "!"), 1);
        end_close(&front);
        raw_close(&w);
    }
    tls_server_free(s);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_names_that_are_refused),
        CASE(test_names_and_certificates),
        CASE(test_policy_refuses),
        CASE(test_alpn),
        CASE(test_versions_and_ciphers),
        CASE(test_preference_and_curves),
        CASE(test_hybrid_groups),
    };

    return cmocka_run_group_tests_name("tls_server", tests, NULL, NULL);
}
