/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_library.c: see tls_library.h. Owner: one loop's thread. */
#include "config.h"

#include "net/tls_library.h"

#include "net/tls_priv.h"

#include <openssl/err.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A crowd of handshakes may leave so many states behind for the next. */
#define SPARE_CONNS 1024
/* Steps that a turn has in any case: a whole handshake. */
#define FREE_STEPS 2u

static int64_t
system_wall(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

int64_t
tls_library_wall(const struct tls_library *lib)
{
    return lib->wall(lib->wall_ctx);
}

void
tls_library_set_clock(struct tls_library *lib, int64_t (*wall)(void *ctx), void *ctx)
{
    lib->wall = wall ? wall : system_wall;
    lib->wall_ctx = ctx;
}

unsigned
tls_library_handshakes(const struct tls_library *lib)
{
    return lib->handshakes;
}

bool
tls_library_may_step(struct tls_library *lib)
{
    usec_t now = lib->loop->now;

    if (lib->counted_at != now) {
        lib->counted_at = now;
        lib->steps = 0;
        lib->spent = 0;
        lib->others = now - lib->stepped;
    }
    if (lib->steps >= TLS_STEPS_A_TURN || (lib->steps >= FREE_STEPS && lib->spent >= lib->others))
        return false;
    lib->steps++;
    return true;
}

void
tls_library_stepped(struct tls_library *lib, usec_t began)
{
    lib->stepped = loop_clock();
    lib->spent += lib->stepped - began;
}

void
tls_library_wait(struct tls_library *lib, struct tls_conn *t)
{
    if (!list_linked(&t->task.link))
        list_push_back(&lib->waiting, &t->task.link);
    loop_queue_again(lib->loop, &lib->turn);
}

static void
on_turn(struct task *task)
{
    struct tls_library *lib = container_of(task, struct tls_library, turn);
    struct list *n;

    while (!list_empty(&lib->waiting) && tls_library_may_step(lib)) {
        n = list_pop_front(&lib->waiting);
        tls_conn_step(container_of(n, struct tls_conn, task.link));
    }
    if (!list_empty(&lib->waiting))
        loop_queue_again(lib->loop, &lib->turn);
}

struct tls_library *
tls_library_new(struct loop *l)
{
    struct tls_library *lib = calloc(1, sizeof(*lib));

    if (!lib)
        return NULL;
    lib->loop = l;
    lib->wall = system_wall;
    lib->counted_at = -1;
    list_init(&lib->waiting);
    task_init(&lib->turn, on_turn);
    pool_init(&lib->conns, sizeof(struct tls_conn), SPARE_CONNS, 0);
    lib->ctx = OSSL_LIB_CTX_new();
    if (!lib->ctx)
        goto fail;
    lib->method = tls_bio_method();
    lib->ticket_cipher = EVP_CIPHER_fetch(lib->ctx, "AES-256-CBC", NULL);
    if (!lib->method || !lib->ticket_cipher)
        goto fail;
    lib->bio = BIO_new(lib->method);
    if (!lib->bio)
        goto fail;
    BIO_set_data(lib->bio, lib);
    return lib;
fail:
    ERR_clear_error();
    tls_library_free(lib);
    return NULL;
}

void
tls_library_free(struct tls_library *lib)
{
    if (!lib)
        return;
    ensure(lib->users == 0 && lib->handshakes == 0 && list_empty(&lib->waiting));
    task_cancel(&lib->turn);
    pool_fini(&lib->conns);
    BIO_free(lib->bio);
    BIO_meth_free(lib->method);
    EVP_CIPHER_free(lib->ticket_cipher);
    OSSL_LIB_CTX_free(lib->ctx);
    free(lib);
}

/* Called for each record and handshake message; counts the records that came in. A record with
 * bytes for us is progress, which the reader notes by setting the count back. */
static void
on_message(int out, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
    struct tls_library *lib = arg;
    struct tls_conn *t = lib->current;
    unsigned most = t->done ? TLS_QUIET_OPEN
                    : t->hello || t->is_client ? TLS_QUIET_HANDSHAKE : TLS_QUIET_HELLO;

    (void)version;
    (void)p;
    (void)n;
    if (out || (type != SSL3_RT_HEADER && type != SSL3_RT_HANDSHAKE) || ++t->quiet <= most)
        return;
    t->flood = true;
    SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN); /* ends its loop */
}

SSL_CTX *
tls_library_ssl_ctx(struct tls_library *lib, const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(lib->ctx, NULL, method);

    if (!ctx)
        return NULL;
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_max_cert_list(ctx, 64 * 1024);
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_msg_callback_arg(ctx, lib);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

void
tls_error_text(char *text, size_t room, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *why = ERR_reason_error_string(e);

    if (ERR_SYSTEM_ERROR(e))
        why = strerror(ERR_GET_REASON(e));
    snprintf(text, room, "%s: %s", what, e == 0 ? "out of memory" : why ? why : "unknown error");
    ERR_clear_error();
}
