/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_conn.c: TLS under a connection, from its start to the end of the handshake, and its end.
 * The same bits and errors as a plain one has; see conn.h.
 *
 *     (tcp_connecting ->) handshake -> done, or failed (conn.error)
 *
 * A step of a handshake is made when an edge came and the turn has room for it, otherwise from
 * the library's queue. tls_stream.c is what comes afterwards. Owner: one loop's thread.
 */
#include "config.h"

#include "base/metric.h"
#include "net/conn_priv.h"
#include "net/tls_priv.h"

#include <openssl/x509.h>

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct tls_info *
conn_tls(const struct conn *c)
{
    return c->tls && c->tls->done ? &c->tls->info : NULL;
}

/* Subject and fingerprint of a certificate. 0 or -1. */
static int
describe_peer(X509 *x, struct tls_words *w)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    BIO *out = BIO_new(BIO_s_mem());
    char *subject;
    size_t length;

    if (out && X509_NAME_print_ex(out, X509_get_subject_name(x), 0,
                                  XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0 &&
        X509_digest(x, EVP_sha256(), digest, &n) == 1) {
        length = (size_t)BIO_get_mem_data(out, &subject);
        slice_copy((struct slice){subject, length}, w->subject, sizeof(w->subject));
        for (unsigned i = 0; i < 32; i++) {
            w->fingerprint[2 * i] = digits[digest[i] >> 4];
            w->fingerprint[2 * i + 1] = digits[digest[i] & 15];
        }
    }
    BIO_free(out);
    return n > 0 ? 0 : -1;
}

int
conn_tls_words(const struct conn *c, struct tls_words *w)
{
    const SSL *ssl = c->tls->ssl;
    int r = 0;

    *w = (struct tls_words){SSL_get_version(ssl), SSL_get_cipher_name(ssl), "", ""};
    if (c->tls->info.verified && !c->tls->is_client)
        r = describe_peer(SSL_get0_peer_certificate(ssl), w);
    ERR_clear_error();
    return r;
}

const char *
conn_tls_error(const struct conn *c)
{
    return c->tls && c->tls->why ? c->tls->why : "";
}

/* --- life ----------------------------------------------------------------------------------- */

/* The handshake is over, either way. */
static void
let_server_go(struct tls_conn *t)
{
    if (!t->server)
        return;
    if (t->ssl)
        t->lib->handshakes--;
    tls_server_free(t->server);
    t->server = NULL;
}

static void
reap(struct task *task)
{
    struct tls_conn *t = container_of(task, struct tls_conn, task);
    struct tls_library *lib = t->lib;

    SSL_free(t->ssl);
    let_server_go(t);
    free((void *)(uintptr_t)t->info.sni.p);
    pool_give(&lib->conns, t);
}

static struct tls_conn *
new_state(struct tls_library *lib, struct conn *c)
{
    struct tls_conn *t = pool_take(&lib->conns);

    if (!t) {
        errno = ENOMEM;
        return NULL;
    }
    *t = (struct tls_conn){.lib = lib, .conn = c};
    task_init(&t->task, reap);
    return t;
}

static void
attach_bio(struct tls_conn *t)
{
    BIO_up_ref(t->lib->bio);
    SSL_set_bio(t->ssl, t->lib->bio, t->lib->bio);
}

/* From the owner's point of view we are connecting again. */
static void
begin(struct conn *c, struct tls_conn *t)
{
    c->tls = t;
    t->tcp_connecting = c->connecting;
    c->connecting = true;
    c->readable = c->writable = false;
}

int
conn_start_tls_server(struct conn *c, struct tls_server *s)
{
    struct tls_conn *t;

    ensure(c->fd != -1 && !c->connecting && !c->tls);
    t = new_state(tls_server_library(s), c);
    if (!t)
        return -1;
    t->server = s;
    tls_server_ref(s);
    if (c->readable || c->hup) /* the edge is gone */
        tls_library_wait(t->lib, t);
    begin(c, t);
    return 0;
}

int
conn_start_tls_client(struct conn *c, struct tls_client *client, struct slice server_name)
{
    struct tls_conn *t;

    ensure(c->fd != -1 && !c->tls);
    t = new_state(tls_client_library(client), c);
    if (!t)
        return -1;
    t->is_client = true;
    t->ssl = tls_client_ssl(client, server_name);
    if (!t->ssl) {
        int error = errno;

        ERR_clear_error();
        reap(&t->task);
        errno = error;
        return -1;
    }
    attach_bio(t);
    if (!c->connecting)
        tls_library_wait(t->lib, t);
    begin(c, t);
    return 0;
}

void
tls_conn_moved(struct conn *c)
{
    c->tls->conn = c;
}

/* close_notify, if it can be said. What is pending would be cut in the middle of a record, which
 * the peer takes for what it is. */
static void
say_goodbye(struct conn *c)
{
    struct tls_conn *t = c->tls;

    if (t->done && c->error == 0 && t->broken == 0 && t->late == 0 && t->pending == 0 &&
        !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
        SSL_shutdown(tls_enter(t));
    ERR_clear_error();
}

void
tls_conn_shut_write(struct conn *c)
{
    say_goodbye(c);
}

void
tls_conn_close(struct conn *c, bool abort)
{
    struct tls_conn *t = c->tls;

    if (!abort)
        say_goodbye(c);
    task_cancel(&t->task);
    loop_queue_reap(t->lib->loop, &t->task);
    let_server_go(t);
    t->conn = NULL;
    c->tls = NULL;
}

/* --- the handshake -------------------------------------------------------------------------- */

static unsigned
fail(struct tls_conn *t, int error, const char *why)
{
    struct conn *c = t->conn;

    if (!t->is_client)
        metric_add(t->lib->loop->metrics, METRIC_TLS_FAILED, 1);
    if (!t->why)
        t->why = why;
    c->error = error;
    c->connecting = c->readable = c->writable = false;
    let_server_go(t);
    ERR_clear_error();
    return CONN_FAILED;
}

static unsigned
fail_by_openssl(struct tls_conn *t)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    long verdict = X509_V_OK;

    if (t->is_client && SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE)
        verdict = SSL_get_verify_result(t->ssl);
    if (t->flood)
        return fail(t, EPROTO, "too many records");
    if (t->broken != 0)
        return fail(t, t->broken, "connection broken");
    if (t->ended)
        return fail(t, ECONNRESET, "the peer closed the connection");
    if (verdict != X509_V_OK)
        return fail(t, EKEYREJECTED, X509_verify_cert_error_string(verdict));
    return fail(t, EPROTO, why ? why : "handshake failed");
}

static void
describe(struct tls_conn *t)
{
    struct tls_info *info = &t->info;
    const unsigned char *proto;
    unsigned n;

    info->resumed = SSL_session_reused(t->ssl);
    SSL_get0_alpn_selected(t->ssl, &proto, &n);
    info->h2 = n == 2 && memcmp(proto, "h2", 2) == 0;
    info->verified = SSL_get0_peer_certificate(t->ssl) &&
                     SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE &&
                     SSL_get_verify_result(t->ssl) == X509_V_OK;
}

/* The key exchange is over, but OpenSSL would keep its keys as long as the connection: 430 bytes,
 * and what opens everything that was said here. EVP_PKEY_set_type clears a key. */
static void
forget_keys(SSL *ssl)
{
    EVP_PKEY *key;

    if (SSL_get_tmp_key(ssl, &key) == 1) {
        EVP_PKEY_set_type(key, EVP_PKEY_get_id(key));
        EVP_PKEY_free(key);
    }
    if (SSL_get_peer_tmp_key(ssl, &key) == 1) {
        EVP_PKEY_set_type(key, EVP_PKEY_get_id(key));
        EVP_PKEY_free(key);
    }
}

static unsigned
finish(struct tls_conn *t)
{
    struct conn *c = t->conn;
    unsigned events = CONN_WRITABLE;

    describe(t);
    t->done = true;
    t->quiet = 0;
    let_server_go(t);
    if (!t->is_client) {
        SSL_certs_clear(t->ssl); /* references to what the directory holds */
        metric_add(t->lib->loop->metrics, METRIC_TLS_RESUMED, t->info.resumed);
    }
    forget_keys(t->ssl);
    ERR_clear_error();
    c->connecting = false;
    c->writable = true;
    c->readable = SSL_has_pending(t->ssl) || !t->drained;
    if (c->readable)
        events |= CONN_READABLE;
    else
        conn_suspect(c);
    return c->hup ? events | CONN_HUP : events;
}

static int
first_byte(struct tls_conn *t)
{
    t->ssl = tls_server_ssl(t->server);
    if (!t->ssl)
        return -1;
    t->lib->handshakes++;
    attach_bio(t);
    return 0;
}

/* Does what can be done now; returns what the owner is to be told. */
static unsigned
step(struct tls_conn *t)
{
    usec_t began = loop_clock();
    int r;

    if (!t->ssl && first_byte(t) != 0)
        return fail(t, ENOMEM, "out of memory");
    r = SSL_do_handshake(tls_enter(t));
    tls_library_stepped(t->lib, began);
    if (r == 1)
        return finish(t);
    r = SSL_get_error(t->ssl, r);
    t->handshake_wants_write = r == SSL_ERROR_WANT_WRITE;
    if (r == SSL_ERROR_WANT_READ)
        conn_suspect(t->conn); /* an RST in the edge of what was read does not tell of itself */
    if (r == SSL_ERROR_WANT_WRITE || r == SSL_ERROR_WANT_READ)
        return 0;
    return fail_by_openssl(t);
}

void
tls_conn_step(struct tls_conn *t)
{
    unsigned events = step(t);

    if (events != 0)
        conn_tell(t->conn, events);
}

unsigned
tls_conn_handshake(struct conn *c, short what)
{
    struct tls_conn *t = c->tls;

    if (t->tcp_connecting) {
        unsigned events = conn_connect_events(c, what);

        if (events == 0 || events & CONN_FAILED)
            return events;
        t->tcp_connecting = false;
        c->connecting = true;
        c->readable = c->writable = false;
    } else if (what & EV_CLOSED) {
        c->hup = true;
    }
    if (!(what & (EV_READ | EV_CLOSED)) && !t->handshake_wants_write &&
        (!t->is_client || !SSL_in_before(t->ssl)))
        return 0;
    if (!list_empty(&t->lib->waiting) || !tls_library_may_step(t->lib)) {
        tls_library_wait(t->lib, t);
        return 0;
    }
    return step(t);
}
