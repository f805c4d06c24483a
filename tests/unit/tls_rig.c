/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_rig.c: see tls_rig.h. */
#include "config.h"

#include "tls_rig.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ftw.h>
#include <stdio.h>

/* --- certificates --------------------------------------------------------------------------- */

static void
extend(X509 *x, const struct made *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer ? issuer->cert : x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

void
made_new(struct made *out, const struct make *how, const struct made *issuer)
{
    static long serial = 1;
    bool usual = how->begins == 0 && how->ends == 0;
    char san[300];
    X509 *x = X509_new();
    X509_NAME *name;

    out->key = EVP_EC_gen(how->curve ? how->curve : "P-256");
    assert_non_null(out->key);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), usual ? -3600 : how->begins);
    X509_gmtime_adj(X509_getm_notAfter(x), usual ? 365 * 86400L : how->ends);
    name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)how->name, -1, -1,
                               0);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->cert) : name);
    X509_set_pubkey(x, out->key);
    extend(x, issuer, NID_basic_constraints, how->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(x, issuer, NID_subject_key_identifier, "hash");
    if (!how->ca) {
        snprintf(san, sizeof(san), "DNS:%s", how->name);
        extend(x, issuer, NID_subject_alt_name, how->san ? how->san : san);
    }
    if (how->usage)
        extend(x, issuer, NID_ext_key_usage, how->usage);
    assert_true(X509_sign(x, issuer ? issuer->key : out->key, EVP_sha256()) > 0);
    out->cert = x;
}

void
made_free(struct made *m)
{
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
    *m = (struct made){NULL, NULL};
}

void
made_write(const struct made *m, const struct made *more, const char *cert_path,
           const char *key_path)
{
    FILE *f;

    if (cert_path) {
        f = fopen(cert_path, "w");
        assert_non_null(f);
        assert_int_equal(PEM_write_X509(f, m->cert), 1);
        if (more)
            assert_int_equal(PEM_write_X509(f, more->cert), 1);
        fclose(f);
    }
    if (key_path) {
        f = fopen(key_path, "w");
        assert_non_null(f);
        assert_int_equal(PEM_write_PKCS8PrivateKey(f, m->key, NULL, NULL, 0, NULL, NULL), 1);
        fclose(f);
    }
}

/* --- the rig -------------------------------------------------------------------------------- */

const char *
tls_rig_path(const struct tls_rig *r, const char *name)
{
    static char path[4][400];
    static unsigned at;
    char *p = path[at++ % 4];

    snprintf(p, sizeof(path[0]), "%s/%s", r->dir, name);
    return p;
}

void
tls_rig_pair(struct tls_rig *r, const char *name)
{
    char file[280];
    struct made m;

    made_new(&m, &(struct make){.name = name}, &r->ca);
    snprintf(file, sizeof(file), "%s.crt", name);
    made_write(&m, NULL, tls_rig_path(r, file), NULL);
    snprintf(file, sizeof(file), "%s.key", name);
    made_write(&m, NULL, NULL, tls_rig_path(r, file));
    made_free(&m);
}

static int64_t
rig_wall(void *ctx)
{
    const struct tls_rig *r = ctx;

    return r->opened + r->wall;
}

void
tls_rig_open(struct tls_rig *r)
{
    *r = (struct tls_rig){.fds = rig_open_fds(), .opened = (int64_t)time(NULL)};
    rig_loop(&r->loop);
    r->lib = tls_library_new(&r->loop);
    assert_non_null(r->lib);
    tls_library_set_clock(r->lib, rig_wall, r);
    snprintf(r->dir, sizeof(r->dir), "/tmp/rouse-tls-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    made_new(&r->ca, &(struct make){.name = "Test CA", .ca = true}, NULL);
    snprintf(r->ca_file, sizeof(r->ca_file), "%s/.ca.pem", r->dir);
    made_write(&r->ca, NULL, r->ca_file, NULL);
    tls_rig_pair(r, "a.example");
    tls_rig_pair(r, "b.example");
    tls_rig_pair(r, "*.wild.example");
    r->hub = log_hub_new(LOG_LOGFMT, LOG_INFO, false, 1 << 16);
    r->log = log_new(r->hub);
    r->certs = tls_certs_new(r->lib, &(struct tls_certs_options){.directory = r->dir,
                                                                 .log = r->log});
    r->tickets = tls_tickets_new(SLICE_NONE, 0);
    assert_true(r->log && r->certs && r->tickets);
}

static int
remove_one(const char *path, const struct stat *s, int what, struct FTW *f)
{
    (void)s;
    (void)what;
    (void)f;
    return remove(path);
}

void
tls_rig_close(struct tls_rig *r)
{
    loop_turn(&r->loop, 0);
    tls_certs_free(r->certs);
    tls_tickets_unref(r->tickets);
    tls_library_free(r->lib);
    loop_fini(&r->loop);
    log_hub_free(r->hub);
    made_free(&r->ca);
    nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(rig_open_fds(), r->fds);
}

const char *
tls_rig_logged(struct tls_rig *r)
{
    static char text[1 << 16];
    int fd[2];
    ssize_t n;

    assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
    log_hub_drain(r->hub, fd[1]);
    close(fd[1]);
    n = read(fd[0], text, sizeof(text) - 1);
    close(fd[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

struct tls_server *
tls_rig_server(struct tls_rig *r, const struct tls_server_options *o)
{
    struct tls_server_options all = o ? *o : (struct tls_server_options){.certs = NULL};
    char why[256] = "";
    struct tls_server *s;

    if (!all.certs)
        all.certs = r->certs;
    if (!o)
        all.tickets = r->tickets;
    s = tls_server_new(r->lib, &all, why, sizeof(why));
    if (!s)
        fail_msg("%s", why);
    return s;
}

struct tls_client *
tls_rig_client(struct tls_rig *r, unsigned alpn)
{
    struct tls_client_options o = {.ca_file = r->ca_file, .alpn = alpn};
    char why[256] = "";
    struct tls_client *c = tls_client_new(r->lib, &o, why, sizeof(why));

    if (!c)
        fail_msg("%s", why);
    return c;
}

/* --- ends ----------------------------------------------------------------------------------- */

static void
read_on(struct end *e)
{
    while (e->conn.readable) {
        size_t room = sizeof(e->in) - e->got;
        ssize_t n;

        if (room == 0) {
            e->got = 0;
            continue;
        }
        n = conn_read(&e->conn, e->in + e->got, room);
        if (n <= 0) {
            e->error = n == 0 || errno == EAGAIN ? 0 : errno;
            return;
        }
        for (ssize_t i = 0; i < n; i++)
            e->sum = e->sum * 31 + (unsigned char)e->in[e->got + (size_t)i];
        e->got += (size_t)n;
        e->total += (uint64_t)n;
    }
}

void
on_end(struct conn *c, unsigned events)
{
    struct end *e = container_of(c, struct end, conn);

    e->events |= events;
    e->calls++;
    e->told = true;
    if (events & CONN_WRITABLE)
        e->ready = true;
    if (events & CONN_FAILED)
        e->failed = true;
    else if (e->read_all)
        read_on(e);
}

const struct conn_owner end_owner = {"end", on_end};

void
end_open(struct end *e, struct tls_rig *r, int fd)
{
    *e = (struct end){.loop = &r->loop};
    assert_int_equal(conn_open_accepted(&e->conn, &r->loop, fd, NULL, &end_owner), 0);
}

void
end_close(struct end *e)
{
    conn_close(&e->conn, false);
}

void
ends_open(struct tls_rig *r, struct end *front, struct end *back)
{
    int ours, theirs;

    rig_pair(&ours, &theirs);
    fcntl(theirs, F_SETFL, O_NONBLOCK);
    end_open(front, r, ours);
    end_open(back, r, theirs);
}

void
ends_wait(struct tls_rig *r, struct end *front, struct end *back)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    while (!((front->ready || front->failed) && (back->ready || back->failed))) {
        loop_turn(&r->loop, 100 * USEC_MS);
        assert_true(loop_clock() < end);
    }
}

void
ends_handshake(struct tls_rig *r, struct end *front, struct tls_server *s, struct end *back,
               struct tls_client *c, const char *name)
{
    ends_open(r, front, back);
    assert_int_equal(conn_start_tls_server(&front->conn, s), 0);
    assert_int_equal(conn_start_tls_client(&back->conn, c, slice_of(name)), 0);
    assert_true(front->conn.connecting && back->conn.connecting);
    assert_null(conn_tls(&front->conn));
    ends_wait(r, front, back);
}

ssize_t
end_write(struct end *e, const char *text)
{
    struct iovec v = {(char *)(uintptr_t)text, strlen(text)};

    return conn_writev(&e->conn, &v, 1);
}

void
end_expect(struct tls_rig *r, struct end *e, const char *text)
{
    usec_t end = loop_clock() + RIG_PATIENCE;
    size_t n = strlen(text);

    e->read_all = true;
    for (read_on(e); e->got < n; read_on(e)) {
        loop_turn(&r->loop, 100 * USEC_MS);
        assert_true(loop_clock() < end);
    }
    assert_int_equal(e->got, n);
    assert_memory_equal(e->in, text, n);
    e->got = 0;
}

/* --- a raw client --------------------------------------------------------------------------- */

static void
on_info(const SSL *ssl, int where, int value)
{
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        SSL_set_app_data((SSL *)(uintptr_t)ssl, (char *)(uintptr_t)(value & 0xff));
}

void
raw_open(struct raw *w, struct tls_rig *r, struct end *front, struct tls_server *s, int max)
{
    int ours, theirs;

    rig_pair(&ours, &theirs);
    fcntl(theirs, F_SETFL, O_NONBLOCK);
    end_open(front, r, ours);
    assert_int_equal(conn_start_tls_server(&front->conn, s), 0);
    w->fd = theirs;
    if (!w->ctx)
        w->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_info_callback(w->ctx, on_info);
    SSL_CTX_set_session_cache_mode(w->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    w->ssl = SSL_new(w->ctx);
    SSL_set_max_proto_version(w->ssl, max);
    SSL_set_fd(w->ssl, theirs);
    SSL_set_connect_state(w->ssl);
}

int
raw_handshake(struct raw *w, struct tls_rig *r)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    for (;;) {
        int got = SSL_do_handshake(w->ssl);

        if (got == 1)
            return 1;
        got = SSL_get_error(w->ssl, got);
        if (got != SSL_ERROR_WANT_READ && got != SSL_ERROR_WANT_WRITE)
            return 0;
        loop_turn(&r->loop, USEC_MS);
        assert_true(loop_clock() < end);
    }
}

int
raw_read(struct raw *w, struct tls_rig *r, char *p, size_t n, size_t *got)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    for (;;) {
        int error, code = SSL_read_ex(w->ssl, p, n, got);

        if (code == 1)
            return 1;
        error = SSL_get_error(w->ssl, code);
        if (error != SSL_ERROR_WANT_READ)
            return -error;
        loop_turn(&r->loop, USEC_MS);
        assert_true(loop_clock() < end);
    }
}

int
raw_alert(const struct raw *w)
{
    return (int)(uintptr_t)SSL_get_app_data(w->ssl);
}

void
raw_close(struct raw *w)
{
    SSL_free(w->ssl);
    close(w->fd);
    SSL_CTX_free(w->ctx);
    w->ssl = NULL;
    w->ctx = NULL;
    ERR_clear_error();
}
