/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory of certificates: what is found where, what a change does, what is said about it. */
#include "config.h"

#include "tls_rig.h"

#include "net/tls_certs_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <sys/stat.h>

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

/* Whose certificate a name gets: its subject's common name; "" when none. */
static const char *
got(struct tls_rig *r, const char *name)
{
    static char cn[80];
    const struct tls_pair *p = tls_certs_find(r->certs, slice_of(name));

    cn[0] = '\0';
    if (p)
        X509_NAME_get_text_by_NID(X509_get_subject_name(p->cert), NID_commonName, cn, sizeof(cn));
    assert_int_equal(ERR_peek_error(), 0);
    return cn;
}

/* A pair for subject cn, in the files NAME.crt and NAME.key. */
static void
put(struct tls_rig *r, const char *name, const char *cn)
{
    struct made m;
    char file[100];

    made_new(&m, &(struct make){.name = cn}, &r->ca);
    snprintf(file, sizeof(file), "%s.crt", name);
    made_write(&m, &r->ca, tls_rig_path(r, file), NULL);
    snprintf(file, sizeof(file), "%s.key", name);
    made_write(&m, NULL, NULL, tls_rig_path(r, file));
    made_free(&m);
}

static void
put_bytes(struct tls_rig *r, const char *file, const char *bytes, size_t n)
{
    FILE *f = fopen(tls_rig_path(r, file), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static size_t
get_bytes(struct tls_rig *r, const char *file, char *bytes, size_t room)
{
    FILE *f = fopen(tls_rig_path(r, file), "r");
    size_t n;

    assert_non_null(f);
    n = fread(bytes, 1, room, f);
    fclose(f);
    return n;
}

static void
test_order_of_places(void **state)
{
    static const struct {
        const char *dir, *file;
    } places[] = {
        /* From the last to the first that counts; each is told by its file's name. */
        {NULL, "tls"}, {"default", "default/tls"}, {NULL, "default"},
        {"_.d.example", "_.d.example/tls"}, {NULL, "_.d.example"},
        {"*.d.example", "*.d.example/tls"}, {NULL, "*.d.example"},
        {"x.d.example", "x.d.example/tls"}, {NULL, "x.d.example"},
    };
    struct tls_rig *r = *state;

    assert_string_equal(got(r, "x.d.example"), "");
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        if (places[i].dir)
            assert_int_equal(mkdir(tls_rig_path(r, places[i].dir), 0700), 0);
        put(r, places[i].file, places[i].file);
        assert_string_not_equal(got(r, "x.d.example"), places[i].file); /* not looked yet */
        r->wall++;
        assert_string_equal(got(r, "x.d.example"), places[i].file);
        assert_string_equal(got(r, "x.d.example"), places[i].file);
    }
    assert_string_equal(got(r, "y.d.example"), "*.d.example");
    assert_string_equal(got(r, "y.x.d.example"), "default");
    assert_string_equal(got(r, ""), "default");
}

/* What is incomplete or does not fit is as if it were not there; said once. */
static void
test_bad_pairs_are_passed_over(void **state)
{
    struct tls_rig *r = *state;
    char bytes[8192];
    const char *log;
    size_t n;

    put(r, "*.d.example", "wild");
    put(r, "no-key.d.example", "x");
    remove(tls_rig_path(r, "no-key.d.example.key"));
    put(r, "no-cert.d.example", "x");
    remove(tls_rig_path(r, "no-cert.d.example.crt"));
    put(r, "other-key.d.example", "x");
    n = get_bytes(r, "a.example.key", bytes, sizeof(bytes));
    put_bytes(r, "other-key.d.example.key", bytes, n);
    put(r, "empty.d.example", "x");
    put_bytes(r, "empty.d.example.crt", "", 0);
    put(r, "half-key.d.example", "x");
    n = get_bytes(r, "half-key.d.example.key", bytes, sizeof(bytes));
    put_bytes(r, "half-key.d.example.key", bytes, n / 2);
    put(r, "half-chain.d.example", "x");
    n = get_bytes(r, "half-chain.d.example.crt", bytes, sizeof(bytes));
    put_bytes(r, "half-chain.d.example.crt", bytes, n - 100);
    put(r, "noise.d.example", "x");
    put_bytes(r, "noise.d.example.crt", "\x00\xff\x7f-----BEGIN\n", 14);
    mkdir(tls_rig_path(r, "folder.d.example.crt"), 0700);
    put_bytes(r, "folder.d.example.key", "", 0);
    static const char *const names[] = {
        "no-key.d.example", "no-cert.d.example", "other-key.d.example", "empty.d.example",
        "half-key.d.example", "half-chain.d.example", "noise.d.example", "folder.d.example"};
    for (unsigned round = 0; round < 3; round++, r->wall++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
            assert_string_equal(got(r, names[i]), "wild");
        log = tls_rig_logged(r);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
            bool said = strstr(log, names[i]) != NULL;

            if (said != (round == 0 && i != 1)) /* a key alone is nothing */
                fail_msg("%s: %u\n%s", names[i], round, log);
        }
    }
    put(r, "half-key.d.example", "whole now");
    r->wall++;
    assert_string_equal(got(r, "half-key.d.example"), "whole now");
}

/* RELIABILITY H9: one file after the other, and in pieces. */
static void
test_rotation_in_steps(void **state)
{
    struct tls_rig *r = *state;
    char cert[8192], key[8192];
    size_t n, m;

    put(r, "d.example", "one");
    assert_string_equal(got(r, "d.example"), "one");
    put(r, "next", "two");
    n = get_bytes(r, "next.crt", cert, sizeof(cert));
    m = get_bytes(r, "next.key", key, sizeof(key));
    for (size_t i = 0; i < n; i += n / 5) {
        put_bytes(r, "d.example.crt", cert, i);
        r->wall++;
        assert_string_equal(got(r, "d.example"), "one");
    }
    assert_non_null(strstr(tls_rig_logged(r), "the one before serves on"));
    put_bytes(r, "d.example.crt", cert, n);
    r->wall++;
    assert_string_equal(got(r, "d.example"), "one"); /* the key is still the old one */
    for (size_t i = 0; i + 5 < m; i += m / 5) {
        put_bytes(r, "d.example.key", key, i);
        r->wall++;
        assert_string_equal(got(r, "d.example"), "one");
    }
    put_bytes(r, "d.example.key", key, m);
    assert_string_equal(got(r, "d.example"), "one"); /* once a second */
    r->wall++;
    assert_string_equal(got(r, "d.example"), "two");
    assert_non_null(strstr(tls_rig_logged(r), "certificate_changed"));
}

/* As Kubernetes does it: tls.crt -> ..data/tls.crt, ..data -> a directory, renamed over. */
static void
test_symbolic_links(void **state)
{
    struct tls_rig *r = *state;
    char file[64], data[80], temp[100];

    mkdir(tls_rig_path(r, "d.example"), 0700);
    snprintf(temp, sizeof(temp), "%s", tls_rig_path(r, "d.example/..temp"));
    for (unsigned i = 0; i < 20; i++) {
        snprintf(file, sizeof(file), "d.example/..%u", i);
        mkdir(tls_rig_path(r, file), 0700);
        snprintf(data, sizeof(data), "%s/tls", file);
        put(r, data, file);
        assert_int_equal(symlink(file + 10, temp), 0);
        assert_int_equal(rename(temp, tls_rig_path(r, "d.example/..data")), 0);
        if (i == 0) {
            assert_int_equal(symlink("..data/tls.crt", tls_rig_path(r, "d.example/tls.crt")), 0);
            assert_int_equal(symlink("..data/tls.key", tls_rig_path(r, "d.example/tls.key")), 0);
        }
        r->wall++;
        assert_string_equal(got(r, "d.example"), file);
    }
}

static void
test_gone_files(void **state)
{
    struct tls_rig *r = *state;

    put(r, "default", "default");
    put(r, "d.example", "own");
    assert_string_equal(got(r, "d.example"), "own");
    remove(tls_rig_path(r, "d.example.key"));
    r->wall += 1000; /* half of it is no pair, but no farewell either */
    assert_string_equal(got(r, "d.example"), "own");
    remove(tls_rig_path(r, "d.example.crt"));
    r->wall++;
    assert_string_equal(got(r, "d.example"), "own");
    r->wall += 59;
    assert_string_equal(got(r, "d.example"), "own");
    r->wall++;
    assert_string_equal(got(r, "d.example"), "default");
    put(r, "d.example", "back");
    r->wall++;
    assert_string_equal(got(r, "d.example"), "back");
}

/* Two tables, both small: names and pairs push each other out and are found again. */
static void
test_bounds(void **state)
{
    struct tls_rig *r = *state;
    struct tls_certs_options o = {.directory = r->dir, .max_pairs = 3, .max_names = 5};
    struct tls_certs *all = r->certs;
    char name[40];

    r->certs = tls_certs_new(r->lib, &o);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "n%u.example", i);
        put(r, name, name);
    }
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%u.example", (i * 7 + i / 13) % 8);
        assert_string_equal(got(r, name), name);
        snprintf(name, sizeof(name), "x%u.wild.example", i);
        assert_string_equal(got(r, name), "*.wild.example");
        snprintf(name, sizeof(name), "x%u.none.example", i);
        assert_string_equal(got(r, name), "");
        r->wall += i % 3 == 0;
    }
    tls_certs_free(r->certs);
    r->certs = all;
}

static void
test_alarm(void **state)
{
    struct tls_rig *r = *state;
    struct made m;

    made_new(&m, &(struct make){.name = "d.example", .begins = -10, .ends = 13 * 86400}, &r->ca);
    made_write(&m, NULL, tls_rig_path(r, "d.example.crt"), tls_rig_path(r, "d.example.key"));
    made_free(&m);
    tls_rig_logged(r);
    got(r, "a.example");
    assert_string_equal(tls_rig_logged(r), "");
    got(r, "d.example");
    assert_non_null(strstr(tls_rig_logged(r), "certificate_expires"));
    for (unsigned hour = 0, said = 0; hour < 48; hour++) {
        r->wall += 3600;
        assert_string_equal(got(r, "d.example"), "d.example");
        said += strstr(tls_rig_logged(r), "d.example.crt ends in 1") != NULL;
        if (hour == 47)
            assert_int_equal(said, 2); /* once a day */
    }
    r->wall += 12 * 86400;
    assert_string_equal(got(r, "d.example"), "d.example"); /* better than nothing */
    assert_non_null(strstr(tls_rig_logged(r), "certificate_expired"));
}

/* RELIABILITY H9, under load: handshakes while the files change, whole pairs and wrong ones. */
static void
test_rotation_under_handshakes(void **state)
{
    struct tls_rig *r = *state;
    struct tls_server *s = tls_rig_server(r, NULL);
    struct tls_client *c = tls_rig_client(r, 0);

    for (unsigned i = 0; i < 60; i++) {
        struct end front, back;

        tls_rig_pair(r, i % 3 == 1 ? "b.example" : "a.example");
        if (i % 3 == 1)
            put_bytes(r, "a.example.key", "half", 4);
        r->wall++;
        ends_handshake(r, &front, s, &back, c, "a.example");
        assert_true(front.ready && back.ready);
        end_close(&front);
        end_close(&back);
    }
    tls_server_free(s);
    tls_client_free(c);
}

/* --- the check ------------------------------------------------------------------------------ */

struct said {
    char text[4096];
    unsigned errors, notes;
};

static void
on_report(void *ctx, const char *file, const char *why, bool is_error)
{
    struct said *s = ctx;
    size_t n = strlen(s->text);

    snprintf(s->text + n, sizeof(s->text) - n, "%s: %s\n", file, why);
    s->errors += is_error;
    s->notes += !is_error;
}

static int
check(struct tls_rig *r, struct said *s, unsigned max)
{
    *s = (struct said){.errors = 0};
    return tls_certs_check(r->lib, r->dir, max, on_report, s);
}

static void
test_check(void **state)
{
    struct tls_rig *r = *state;
    struct tls_library *alone = tls_library_new(NULL);
    struct said s;
    struct made m;

    assert_int_equal(check(r, &s, 0), 3);
    assert_int_equal(s.errors + s.notes, 0);
    assert_int_equal(check(r, &s, 2), 2);
    assert_int_equal(tls_certs_check(alone, r->dir, 0, on_report, &s), 3);
    tls_library_free(alone);
    mkdir(tls_rig_path(r, "..data"), 0700);
    mkdir(tls_rig_path(r, "folder"), 0700);
    put(r, "folder/tls", "folder");
    put(r, "UPPER.example", "upper");
    assert_int_equal(check(r, &s, 0), 5);
    assert_int_equal(s.notes, 1);
    assert_non_null(strstr(s.text, "UPPER.example.crt: never chosen"));
    made_new(&m, &(struct make){.name = "d", .begins = -10, .ends = 3 * 86400 + 60}, &r->ca);
    made_write(&m, NULL, tls_rig_path(r, "d.crt"), tls_rig_path(r, "d.key"));
    assert_int_equal(check(r, &s, 0), 6);
    assert_non_null(strstr(s.text, "/d.crt: ends in 3 days"));
    made_write(&m, NULL, NULL, tls_rig_path(r, "a.example.key"));
    made_free(&m);
    assert_int_equal(check(r, &s, 0), -1);
    assert_int_equal(s.errors, 1);
    assert_non_null(strstr(s.text, "/a.example.key: key values mismatch"));
    remove(tls_rig_path(r, "a.example.key"));
    assert_int_equal(check(r, &s, 0), -1);
    assert_non_null(strstr(s.text, "/a.example.key: No such file or directory"));
    assert_int_equal(tls_certs_check(r->lib, tls_rig_path(r, "none"), 0, on_report, &s), -1);
    assert_non_null(strstr(s.text, "/none: No such file or directory"));
    assert_int_equal(tls_certs_check(r->lib, tls_rig_path(r, "..data"), 0, on_report, &s), -1);
    assert_non_null(strstr(s.text, "/..data: holds no certificate"));
}

/* A key that wants a password does not make anybody wait for one. */
static void
test_encrypted_key(void **state)
{
    struct tls_rig *r = *state;
    char password[] = "secret";
    struct said s;
    struct made m;
    FILE *f;

    made_new(&m, &(struct make){.name = "d.example"}, &r->ca);
    made_write(&m, NULL, tls_rig_path(r, "d.example.crt"), NULL);
    f = fopen(tls_rig_path(r, "d.example.key"), "w");
    assert_int_equal(PEM_write_PKCS8PrivateKey(f, m.key, EVP_aes_128_cbc(), password, 6, NULL,
                                               NULL), 1);
    fclose(f);
    made_free(&m);
    assert_int_equal(check(r, &s, 0), -1);
    assert_non_null(strstr(s.text, "/d.example.key: "));
    assert_string_equal(got(r, "d.example"), "");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_order_of_places),
        CASE(test_bad_pairs_are_passed_over),
        CASE(test_rotation_in_steps),
        CASE(test_symbolic_links),
        CASE(test_gone_files),
        CASE(test_bounds),
        CASE(test_alarm),
        CASE(test_rotation_under_handshakes),
        CASE(test_check),
        CASE(test_encrypted_key),
    };

    return cmocka_run_group_tests_name("tls_certs", tests, NULL, NULL);
}
