/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_stream.c: bytes through a connection whose handshake is over. Reading goes on as long as
 * there is room and OpenSSL or the kernel has bytes; the kernel is known to be dry after a short
 * recv, so that nothing is asked twice.
 *
 * Writing: what is small becomes one record together, a slice of a whole record's length goes in
 * place. A record that the kernel did not take whole must be offered again with the same length:
 * `pending`. Owner: one loop's thread.
 */
#include "config.h"

#include "net/conn_priv.h"
#include "net/tls_priv.h"

#include <event2/event.h>

#include <errno.h>
#include <string.h>

/* The errno of a failure after the handshake. */
static int
open_error(struct tls_conn *t)
{
    if (t->broken != 0)
        return t->broken;
    if (t->ended && !t->flood) {
        t->why = "ended without close_notify";
        return ECONNRESET;
    }
    t->why = t->flood ? "too many records" : ERR_reason_error_string(ERR_peek_last_error());
    return EPROTO;
}

/* Is there anything for the owner? 1, 0, or -1: an end or an error, for the next read to tell. */
static int
peek(struct tls_conn *t)
{
    char byte;
    size_t n;
    SSL *ssl = tls_enter(t);
    int r;

    if (t->late != 0)
        return -1;
    r = SSL_peek_ex(ssl, &byte, 1, &n);
    if (r == 1) {
        t->quiet = 0;
        return 1;
    }
    r = SSL_get_error(ssl, r);
    if (r == SSL_ERROR_WANT_READ && !t->flood)
        return 0;
    if (r != SSL_ERROR_ZERO_RETURN || t->flood)
        t->late = open_error(t); /* OpenSSL gives the reason once */
    return -1;
}

unsigned
tls_conn_events(struct conn *c, short what)
{
    struct tls_conn *t = c->tls;
    unsigned events;

    if (what & (EV_READ | EV_CLOSED))
        t->drained = false;
    if (c->connecting)
        return tls_conn_handshake(c, what);
    if (c->error != 0 && !t->done)
        return 0;
    events = conn_open_events(c, what);
    if (t->read_wants_write && what & EV_WRITE && !c->eof) {
        c->readable = true;
        events |= CONN_READABLE;
    }
    if (t->write_wants_read && what & EV_READ) {
        c->writable = true;
        events |= CONN_WRITABLE;
    }
    /* A server's tickets are no news to the owner. */
    if (t->is_client && events & CONN_READABLE && !c->hup && peek(t) == 0) {
        c->readable = false;
        events &= ~(unsigned)CONN_READABLE;
    }
    return events;
}

bool
tls_conn_is_dirty(struct conn *c)
{
    struct tls_conn *t = c->tls;

    if (!t->done)
        return true;
    t->drained = false;
    c->readable = peek(t) != 0; /* no edge tells what was taken from the kernel */
    return c->readable;
}

static ssize_t
broken(struct conn *c, int error)
{
    ERR_clear_error();
    c->readable = c->writable = false;
    c->error = error;
    errno = error;
    return -1;
}

/* No byte could be read, and the reason is not an error. */
static ssize_t
at_end(struct conn *c)
{
    c->readable = false;
    c->eof = c->hup = true;
    conn_suspect(c);
    return 0;
}

/* After SSL_read gave nothing, and `got` before that. */
static ssize_t
read_stopped(struct conn *c, int r, size_t got)
{
    struct tls_conn *t = c->tls;
    int what = SSL_get_error(t->ssl, r);

    if ((what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) && !t->flood) {
        c->readable = false;
        t->read_wants_write = what == SSL_ERROR_WANT_WRITE;
        if (got > 0) {
            conn_suspect(c);
            return (ssize_t)got;
        }
        errno = EAGAIN;
        return -1;
    }
    if (what == SSL_ERROR_ZERO_RETURN && !t->flood)
        return got > 0 ? (ssize_t)got : at_end(c);
    r = open_error(t);
    if (got == 0)
        return broken(c, r);
    t->late = r; /* readable stays: the next read tells */
    ERR_clear_error();
    return (ssize_t)got;
}

/* Before the handshake is over, or after it failed. */
static ssize_t
refuse(const struct conn *c)
{
    errno = c->error != 0 ? c->error : EAGAIN;
    return -1;
}

ssize_t
tls_conn_read(struct conn *c, void *p, size_t n)
{
    struct tls_conn *t = c->tls;
    size_t got = 0;

    if (!t->done)
        return refuse(c);
    if (t->late != 0)
        return broken(c, t->late);
    if (c->error != 0)
        t->drained = false; /* a suspect's error came without an edge: what is left, and the end */
    while (got < n) {
        SSL *ssl = tls_enter(t);
        size_t more = 0;
        int r = SSL_read_ex(ssl, (char *)p + got, n - got, &more);

        if (r != 1) {
            ssize_t total = read_stopped(c, r, got);

            if (total > 0)
                c->bytes_in += (uint64_t)total;
            return total;
        }
        got += more;
        t->quiet = 0;
        c->readable = !t->drained || SSL_has_pending(ssl);
        if (!c->readable) {
            conn_suspect(c);
            break;
        }
    }
    c->bytes_in += (uint64_t)got;
    return (ssize_t)got;
}

/* --- writing -------------------------------------------------------------------------------- */

struct source {
    const struct iovec *v;
    int n;
    size_t at; /* within v[0] */
};

static void
advance(struct source *s, size_t n)
{
    while (s->n > 0 && n >= s->v->iov_len - s->at) {
        n -= s->v->iov_len - s->at;
        s->at = 0;
        s->v++;
        s->n--;
    }
    s->at += n;
}

/* The next record's bytes: exactly `most` of them, or as many as there are. */
static struct slice
next_record(const struct source *s, size_t most, char scratch[TLS_RECORD])
{
    size_t n = s->v->iov_len - s->at, length = 0, at = s->at;

    if (n >= most || s->n == 1)
        return (struct slice){(const char *)s->v->iov_base + s->at, n < most ? n : most};
    for (int i = 0; i < s->n && length < most; i++, at = 0) {
        n = s->v[i].iov_len - at;
        if (n > most - length)
            n = most - length;
        if (n > 0)
            memcpy(scratch + length, (const char *)s->v[i].iov_base + at, n);
        length += n;
    }
    return (struct slice){scratch, length};
}

/* After SSL_write took nothing of n, and `put` before that. */
static ssize_t
write_stopped(struct conn *c, int r, size_t n, size_t put)
{
    struct tls_conn *t = c->tls;
    int what = SSL_get_error(t->ssl, r);

    c->writable = false;
    if (what == SSL_ERROR_WANT_WRITE || what == SSL_ERROR_WANT_READ) {
        t->pending = (uint16_t)n;
        t->write_wants_read = what == SSL_ERROR_WANT_READ;
        if (put > 0)
            return (ssize_t)put;
        errno = EAGAIN;
        return -1;
    }
    c->error = open_error(t);
    ERR_clear_error();
    errno = c->error;
    return put > 0 ? (ssize_t)put : -1;
}

ssize_t
tls_conn_writev(struct conn *c, const struct iovec *iov, int n)
{
    struct tls_conn *t = c->tls;
    struct source s = {.v = iov, .n = n};
    size_t put = 0;

    if (!t->done || c->error != 0)
        return refuse(c);
    conn_trust(c);
    advance(&s, 0); /* past empty slices */
    while (s.n > 0) {
        struct slice record = next_record(&s, t->pending > 0 ? t->pending : TLS_RECORD,
                                          t->lib->scratch);
        size_t taken = 0;
        int r;

        if (record.n < t->pending) { /* fewer bytes than were refused: not the same stream */
            t->why = "a write that was not repeated";
            return broken(c, EPROTO);
        }
        r = SSL_write_ex(tls_enter(t), record.p, record.n, &taken);
        if (r != 1) {
            ssize_t total = write_stopped(c, r, record.n, put);

            if (total > 0)
                c->bytes_out += (uint64_t)total;
            return total;
        }
        t->pending = 0;
        put += taken;
        advance(&s, taken);
    }
    c->bytes_out += (uint64_t)put;
    return (ssize_t)put;
}
