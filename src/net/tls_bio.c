/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_bio.c: OpenSSL's way to a descriptor: recv and send on the connection that is current. One
 * BIO serves all connections of a library: it keeps nothing but the retry flags of the last call.
 *
 * It remembers that the kernel has run dry, so that OpenSSL's wish for more bytes costs no system
 * call before the next edge; and it tells an end of file from a failure.
 */
#include "config.h"

#include "net/conn_priv.h"
#include "net/tls_priv.h"

#include <openssl/bio.h>

#include <errno.h>
#include <sys/socket.h>

static int
on_read(BIO *bio, char *p, size_t n, size_t *got)
{
    struct tls_library *lib = BIO_get_data(bio);
    struct tls_conn *t = lib->current;
    ssize_t r;

    BIO_clear_retry_flags(bio);
    *got = 0;
    if (t->drained || t->flood) {
        if (!t->flood)
            BIO_set_retry_read(bio);
        return -1;
    }
    do
        r = recv(t->conn->fd, p, n, 0);
    while (r == -1 && errno == EINTR);
    if (r > 0) {
        *got = (size_t)r;
        t->drained = (size_t)r < n && !t->conn->hup;
        if (t->drained)
            conn_suspect(t->conn); /* an RST in the same edge does not tell of itself */
        return 1;
    }
    if (r == 0) {
        t->ended = true;
        return 0;
    }
    if (errno == EAGAIN) {
        t->drained = true;
        conn_trust(t->conn);
        BIO_set_retry_read(bio);
    } else {
        t->broken = errno;
    }
    return -1;
}

static int
on_write(BIO *bio, const char *p, size_t n, size_t *put)
{
    struct tls_library *lib = BIO_get_data(bio);
    struct tls_conn *t = lib->current;
    ssize_t r;

    BIO_clear_retry_flags(bio);
    *put = 0;
    do
        r = send(t->conn->fd, p, n, MSG_NOSIGNAL);
    while (r == -1 && errno == EINTR);
    if (r >= 0) {
        *put = (size_t)r;
        return 1;
    }
    if (errno == EAGAIN)
        BIO_set_retry_write(bio);
    else
        t->broken = errno;
    return -1;
}

static long
on_ctrl(BIO *bio, int what, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH || what == BIO_CTRL_DUP ? 1 : 0;
}

static int
on_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *
tls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_START | BIO_TYPE_SOURCE_SINK, "conn");

    if (m && BIO_meth_set_read_ex(m, on_read) && BIO_meth_set_write_ex(m, on_write) &&
        BIO_meth_set_ctrl(m, on_ctrl) && BIO_meth_set_create(m, on_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}
