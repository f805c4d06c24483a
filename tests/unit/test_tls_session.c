/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions and clients' certificates: who may resume what where, and who is let in at all. */
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

/* One visit of a raw client, with a session (may be NULL) and its own certificate (likewise). */
struct visit {
    int version;
    const char *name;
    SSL_SESSION *with;
    const struct made *cert, *chain;
    /* What came of it. */
    bool open, resumed, answered;
    SSL_SESSION *given; /* the caller's */
    int alert;
    unsigned policy;
    bool verified;
    struct tls_words words;
};

/* The handshake, and a byte each way, so that tickets and late refusals have come. */
static void
visit(struct tls_rig *r, struct tls_server *s, struct visit *v)
{
    struct raw w = {.ctx = NULL};
    struct end front;
    char byte;
    size_t n;

    v->open = v->resumed = v->answered = v->verified = false;
    v->given = NULL;
    raw_open(&w, r, &front, s, v->version);
    SSL_set_tlsext_host_name(w.ssl, (char *)(uintptr_t)(v->name ? v->name : "a.example"));
    if (v->cert) {
        SSL_use_certificate(w.ssl, v->cert->cert);
        SSL_use_PrivateKey(w.ssl, v->cert->key);
    }
    if (v->chain)
        SSL_add1_chain_cert(w.ssl, v->chain->cert);
    if (v->with)
        SSL_set_session(w.ssl, v->with);
    if (raw_handshake(&w, r) == 1) {
        front.told = front.ready || front.failed;
        rig_until(&r->loop, &front.told);
        if (front.ready)
            assert_int_equal(end_write(&front, "!"), 1);
        v->answered = raw_read(&w, r, &byte, 1, &n) == 1;
    }
    front.told = front.ready || front.failed;
    rig_until(&r->loop, &front.told);
    v->open = front.ready;
    v->alert = raw_alert(&w);
    if (v->open) {
        const struct tls_info *info = conn_tls(&front.conn);

        v->resumed = info->resumed;
        v->verified = info->verified;
        v->policy = info->policy;
        assert_int_equal(conn_tls_words(&front.conn, &v->words), 0);
        assert_int_equal(SSL_session_reused(w.ssl), info->resumed);
        if (v->answered && SSL_SESSION_is_resumable(SSL_get0_session(w.ssl)))
            v->given = SSL_get1_session(w.ssl);
    }
    end_close(&front);
    SSL_shutdown(w.ssl); /* what is not shut down well is not resumed */
    raw_close(&w);
}

static SSL_SESSION *
first_visit(struct tls_rig *r, struct tls_server *s, int version)
{
    struct visit v = {.version = version};

    visit(r, s, &v);
    assert_true(v.open && !v.resumed);
    return v.given;
}

static struct tls_server *
server_with(struct tls_rig *r, struct tls_tickets *t)
{
    return tls_rig_server(r, &(struct tls_server_options){.tickets = t});
}

static void
test_resumption(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct visit v = {.version = version, .with = first_visit(r, s, version)};
        SSL_SESSION *old = v.with;

        assert_non_null(v.with);
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(old), TLS_TICKETS_LIFETIME);
        assert_int_equal(SSL_SESSION_get_max_early_data(old), 0);
        visit(r, s, &v);
        assert_true(v.resumed);
        /* 1.3: a new one each time. */
        assert_non_null(v.given);
        v.with = v.given;
        visit(r, s, &v);
        assert_true(v.resumed);
        SSL_SESSION_free(v.given);
        SSL_SESSION_free(v.with);
        SSL_SESSION_free(old);
    }
    tls_server_free(s);
}

static void
test_without_tickets(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = server_with(r, NULL);

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct visit v = {.version = version, .with = first_visit(r, s, version)};

        if (v.with) {
            visit(r, s, &v);
            assert_true(v.open && !v.resumed);
            SSL_SESSION_free(v.given);
            SSL_SESSION_free(v.with);
        }
    }
    tls_server_free(s);
}

/* RELIABILITY H7: epochs. A ticket of the one before is good, of the one after, too; farther away
 * it is not. */
static void
test_rotation(void **state)
{
    static const struct {
        int64_t made, used;
        bool fine;
    } cases[] = {{0, 0, true}, {0, 1, true}, {0, 2, false}, {1, 0, true}, {2, 0, false},
                 {0, 3, false}, {3, 3, true}};
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    int64_t second = (int64_t)time(NULL) % TLS_TICKETS_ROTATION;

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            struct visit v = {.version = version};

            /* From the middle of an epoch. */
            r->wall = TLS_TICKETS_ROTATION / 2 - second + cases[i].made * TLS_TICKETS_ROTATION;
            v.with = first_visit(r, s, version);
            assert_non_null(v.with);
            r->wall += (cases[i].used - cases[i].made) * TLS_TICKETS_ROTATION;
            visit(r, s, &v);
            assert_true(v.open);
            assert_int_equal(v.resumed, cases[i].fine);
            if (v.resumed && cases[i].used != cases[i].made)
                assert_non_null(v.given); /* renewed */
            SSL_SESSION_free(v.given);
            SSL_SESSION_free(v.with);
        }
    }
    r->wall = 0;
    tls_server_free(s);
}

/* Two threads' libraries, or two replicas, with the same secret; then with another. */
static void
test_shared_secret(void **state)
{
    struct tls_rig *r = *state;
    struct tls_library *lib = r->lib;
    char secret[2][40];

    memset(secret[0], 'a', 40);
    memset(secret[1], 'a', 40);
    secret[1][39] = 'b';
    assert_null(tls_tickets_new((struct slice){secret[0], 31}, 0));
    assert_int_equal(errno, EINVAL);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (unsigned same = 0; same < 2; same++) {
            struct tls_library *other = tls_library_new(&r->loop);
            struct tls_tickets *one = tls_tickets_new((struct slice){secret[0], 40}, 0);
            struct tls_tickets *two = tls_tickets_new((struct slice){secret[!same], 40}, 0);
            struct tls_certs *certs = tls_certs_new(
                other, &(struct tls_certs_options){.directory = r->dir});
            struct tls_server *a = server_with(r, one), *b;
            struct visit v = {.version = version};

            r->lib = other;
            b = tls_rig_server(r, &(struct tls_server_options){.tickets = two, .certs = certs});
            r->lib = lib;
            tls_tickets_unref(one);
            tls_tickets_unref(two);
            v.with = first_visit(r, a, version);
            visit(r, b, &v);
            assert_true(v.open);
            assert_int_equal(v.resumed, same);
            tls_server_free(a);
            tls_server_free(b);
            tls_certs_free(certs);
            SSL_SESSION_free(v.with);
            SSL_SESSION_free(v.given);
            loop_turn(&r->loop, 0);
            tls_library_free(other);
        }
    }
}

/* --- policies ------------------------------------------------------------------------------- */

enum { OPEN, OTHER, PRIVATE, SECRET, POLICIES };
struct sites {
    struct tls_policy *policy[POLICIES];
    struct made other_ca;
};
static const char *const site_name[POLICIES] = {"open", "other", "private", "secret"};

/* open.wild.example is of the policy "open", and so on. */
static const struct tls_policy *
on_policy(void *ctx, struct slice sni)
{
    struct sites *s = ctx;

    for (unsigned i = 0; i < POLICIES; i++) {
        if (slice_starts(sni, slice_of(site_name[i])))
            return s->policy[i];
    }
    return NULL;
}

static struct tls_server *
sites_open(struct tls_rig *r, struct sites *s)
{
    char why[256];

    made_new(&s->other_ca, &(struct make){.name = "Other CA", .ca = true}, NULL);
    made_write(&s->other_ca, NULL, tls_rig_path(r, ".other.pem"), NULL);
    for (unsigned i = 0; i < POLICIES; i++) {
        struct tls_policy_options o = {.id = 10 + i, .name = slice_of(site_name[i])};

        if (i >= PRIVATE)
            o.ca_file = i == PRIVATE ? r->ca_file : tls_rig_path(r, ".other.pem");
        s->policy[i] = tls_policy_new(r->lib, &o, why, sizeof(why));
        if (!s->policy[i])
            fail_msg("%s", why);
    }
    return tls_rig_server(r, &(struct tls_server_options){.tickets = r->tickets,
                                                          .policy = on_policy, .ctx = s});
}

static void
sites_close(struct sites *s, struct tls_server *server)
{
    tls_server_free(server);
    for (unsigned i = 0; i < POLICIES; i++)
        tls_policy_free(s->policy[i]);
    made_free(&s->other_ca);
}

/* RELIABILITY H6: a session of each policy, shown to each other. */
static void
test_cross_site_resumption(void **state)
{
    struct tls_rig *r = *state;
    struct sites sites;
    struct tls_server *s = sites_open(r, &sites);
    struct made mine, theirs;
    const struct made *cert[POLICIES] = {NULL, NULL, &mine, &theirs};

    made_new(&mine, &(struct make){.name = "client", .usage = "clientAuth"}, &r->ca);
    made_new(&theirs, &(struct make){.name = "client", .usage = "clientAuth"}, &sites.other_ca);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (unsigned from = 0; from < POLICIES; from++) {
            for (unsigned to = 0; to < POLICIES; to++) {
                char name[2][64];
                struct visit a = {.version = version, .name = name[0], .cert = cert[from]};
                struct visit b = {.version = version, .name = name[1]};

                snprintf(name[0], 64, "%s.wild.example", site_name[from]);
                snprintf(name[1], 64, "%s.wild.example", site_name[to]);
                visit(r, s, &a);
                assert_true(a.open);
                assert_int_equal(a.policy, 10 + from);
                b.with = a.given; /* none behind a client's certificate */
                assert_int_equal(a.given != NULL, from < PRIVATE);
                visit(r, s, &b);
                assert_int_equal(b.open, to < PRIVATE); /* no certificate shown this time */
                assert_int_equal(b.resumed, from == to && to < PRIVATE);
                if (b.open)
                    assert_int_equal(b.policy, 10 + to);
                SSL_SESSION_free(a.given);
                SSL_SESSION_free(b.given);
            }
        }
    }
    made_free(&mine);
    made_free(&theirs);
    sites_close(&sites, s);
}

/* RELIABILITY H8. */
static void
test_client_certificates(void **state)
{
    static const struct {
        const char *what;
        struct make how;
        bool other_ca, self_signed, fine;
    } cases[] = {
        {"good", {.name = "client one", .usage = "clientAuth"}, .fine = true},
        {"any purpose", {.name = "client two"}, .fine = true},
        {"expired", {.name = "c", .usage = "clientAuth", .begins = -7200, .ends = -60},
         .fine = false},
        {"not yet", {.name = "c", .usage = "clientAuth", .begins = 3600, .ends = 7200},
         .fine = false},
        {"a server's", {.name = "c", .usage = "serverAuth"}, .fine = false},
        {"other CA", {.name = "c", .usage = "clientAuth"}, .other_ca = true},
        {"nobody's", {.name = "c", .usage = "clientAuth"}, .self_signed = true},
    };
    struct tls_rig *r = *state;
    struct sites sites;
    struct tls_server *s = sites_open(r, &sites);

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct visit none = {.version = version, .name = "private.wild.example"};

        visit(r, s, &none);
        assert_false(none.open || none.answered);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            struct visit v = {.version = version, .name = "private.wild.example"};
            struct made m;
            char subject[64];

            made_new(&m, &cases[i].how,
                     cases[i].self_signed ? NULL : cases[i].other_ca ? &sites.other_ca : &r->ca);
            v.cert = &m;
            visit(r, s, &v);
            if (v.open != cases[i].fine || v.answered != cases[i].fine)
                fail_msg("%s: %d", cases[i].what, v.open);
            if (v.open) {
                assert_true(v.verified);
                snprintf(subject, sizeof(subject), "CN=%s", cases[i].how.name);
                assert_string_equal(v.words.subject, subject);
                assert_int_equal(strlen(v.words.fingerprint), 64);
                assert_null(v.given);
            } else {
                assert_true(v.alert != 0);
            }
            /* A site that does not ask does not look. */
            v.name = "open.wild.example";
            visit(r, s, &v);
            assert_true(v.open && !v.verified && v.words.fingerprint[0] == '\0');
            SSL_SESSION_free(v.given);
            made_free(&m);
        }
    }
    sites_close(&sites, s);
}

/* RELIABILITY H8: depth, and size. */
static void
test_client_chains(void **state)
{
    struct tls_rig *r = *state;
    struct sites sites;
    struct tls_server *s = sites_open(r, &sites);
    struct made chain[8], leaf, heavy;
    char *san = malloc(100000);

    for (unsigned depth = 0; depth < 8; depth++) {
        char name[] = {'C', 'A', (char)('0' + depth), '\0'};
        struct raw w = {.ctx = NULL};
        struct end front;

        made_new(&chain[depth], &(struct make){.name = name, .ca = true},
                 depth == 0 ? &r->ca : &chain[depth - 1]);
        made_new(&leaf, &(struct make){.name = "client"}, &chain[depth]);
        raw_open(&w, r, &front, s, TLS1_3_VERSION);
        SSL_set_tlsext_host_name(w.ssl, "private.wild.example");
        SSL_use_certificate(w.ssl, leaf.cert);
        SSL_use_PrivateKey(w.ssl, leaf.key);
        for (unsigned i = 0; i <= depth; i++)
            SSL_add1_chain_cert(w.ssl, chain[i].cert);
        raw_handshake(&w, r);
        front.told = front.ready || front.failed;
        rig_until(&r->loop, &front.told);
        assert_int_equal(front.ready, depth + 1 <= 4);
        end_close(&front);
        raw_close(&w);
        made_free(&leaf);
    }
    for (unsigned i = 0; i < 8; i++)
        made_free(&chain[i]);
    slice_copy(SLICE("DNS:a"), san, 100000);
    for (size_t n = 5; n < 99000; n += 24)
        snprintf(san + n, 100000 - n, ",DNS:%08zu.a.example1", n);
    made_new(&heavy, &(struct make){.name = "client", .san = san}, &r->ca);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct visit v = {.version = version, .name = "private.wild.example", .cert = &heavy};

        visit(r, s, &v);
        assert_false(v.open);
    }
    made_free(&heavy);
    free(san);
    sites_close(&sites, s);
}

static void
test_bad_policies(void **state)
{
    struct tls_rig *r = *state;
    struct tls_policy_options o = {.name = SLICE("site")};
    char why[256] = "";
    FILE *f;

    o.ca_file = tls_rig_path(r, "absent.pem");
    assert_null(tls_policy_new(r->lib, &o, why, sizeof(why)));
    if (!strstr(why, "absent.pem: no such file"))
        fail_msg("%s", why);
    o.ca_file = tls_rig_path(r, "a.example.key");
    assert_null(tls_policy_new(r->lib, &o, why, sizeof(why)));
    o.ca_file = tls_rig_path(r, "broken.pem");
    made_write(&r->ca, NULL, o.ca_file, NULL);
    f = fopen(o.ca_file, "a");
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
    fclose(f);
    assert_null(tls_policy_new(r->lib, &o, why, sizeof(why)));
    assert_int_equal(ERR_peek_error(), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_resumption),
        CASE(test_without_tickets),
        CASE(test_rotation),
        CASE(test_shared_secret),
        CASE(test_cross_site_resumption),
        CASE(test_client_certificates),
        CASE(test_client_chains),
        CASE(test_bad_policies),
    };

    return cmocka_run_group_tests_name("tls_session", tests, NULL, NULL);
}
