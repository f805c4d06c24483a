/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_priv.h: what the files of TLS share. While a function of OpenSSL runs, library.current is
 * the connection it works for: the one BIO that all connections share, and the callbacks, find
 * it there.
 */
#ifndef ROUSE_NET_TLS_PRIV_H
#define ROUSE_NET_TLS_PRIV_H

#include "net/conn.h"
#include "net/tls_client.h"
#include "net/tls_info.h"
#include "net/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* The most that one record carries (RFC 8446 section 5.1). */
#define TLS_RECORD 16384u
/* Records that a peer may send without any progress: before its ClientHello is whole, in the
 * rest of the handshake (a chain of certificates), and afterwards (RELIABILITY H3). */
#define TLS_QUIET_HELLO 32u
#define TLS_QUIET_HANDSHAKE 128u
#define TLS_QUIET_OPEN 32u
/* Room for a reason in words. */
#define TLS_TEXT 256u

struct tls_conn {
    SSL *ssl; /* NULL: server, and no byte has come yet */
    struct tls_library *lib;
    struct conn *conn;         /* follows conn_move */
    struct tls_server *server; /* until the handshake is over; a reference */
    struct task task;          /* its link is in lib.waiting, in the end it reaps */
    struct tls_info info;      /* its sni is ours to free */
    const char *why;           /* of a failure */
    int late;          /* errno to be told by the next read; what came before it was given up */
    int broken;        /* errno of the last recv or send that failed */
    uint16_t pending;  /* length of the write that must be repeated */
    uint16_t quiet;    /* records without progress */
    bool is_client : 1;
    bool tcp_connecting : 1;
    bool done : 1;     /* the handshake is over, and good */
    bool hello : 1;    /* server: the ClientHello was whole */
    bool drained : 1;  /* the kernel has no more bytes, until the next edge */
    bool ended : 1;    /* FIN was read */
    bool flood : 1;    /* too many records without progress */
    bool handshake_wants_write : 1, read_wants_write : 1, write_wants_read : 1;
};

struct tls_library {
    struct loop *loop;
    OSSL_LIB_CTX *ctx;
    BIO_METHOD *method;
    BIO *bio;
    struct tls_conn *current;
    struct pool conns;
    struct list waiting; /* handshakes that want a step */
    struct task turn;    /* serves them */
    usec_t counted_at;   /* loop.now of the turn whose steps are counted */
    unsigned steps;
    usec_t spent, others; /* time of these steps; of all else since the steps before */
    usec_t stepped;       /* end of the last step */
    unsigned handshakes; /* as server, under way */
    unsigned users;      /* servers, clients, policies, directories */
    int64_t (*wall)(void *ctx);
    void *wall_ctx;
    EVP_CIPHER *ticket_cipher;
    char scratch[TLS_RECORD]; /* small slices become one record here */
};

/* Seconds since 1970. */
int64_t tls_library_wall(const struct tls_library *lib);
/* May a step be made in this turn? If so it is counted. */
bool tls_library_may_step(struct tls_library *lib);
/* A step was made, since began. */
void tls_library_stepped(struct tls_library *lib, usec_t began);
/* Asks for a step later; tls_conn_step is called then. */
void tls_library_wait(struct tls_library *lib, struct tls_conn *t);
void tls_conn_step(struct tls_conn *t);
/* What every SSL_CTX of ours has; NULL: out of memory. */
SSL_CTX *tls_library_ssl_ctx(struct tls_library *lib, const SSL_METHOD *method);
/* "what: why", why from OpenSSL's queue, which is emptied. */
void tls_error_text(char *text, size_t room, const char *what);

/* Before each call of OpenSSL. */
static inline SSL *
tls_enter(struct tls_conn *t)
{
    t->lib->current = t;
    ERR_clear_error();
    return t->ssl;
}

/* tls_conn.c: an edge while the handshake is under way; what the owner is to be told. */
unsigned tls_conn_handshake(struct conn *c, short what);

/* tls_bio.c */
BIO_METHOD *tls_bio_method(void);

/* tls_server.c */
SSL *tls_server_ssl(struct tls_server *s);
void tls_server_ref(struct tls_server *s);
struct tls_library *tls_server_library(const struct tls_server *s);

/* tls_client.c */
struct tls_library *tls_client_library(const struct tls_client *c);
/* For a connection to that name; NULL: out of memory, or EINVAL. */
SSL *tls_client_ssl(struct tls_client *c, struct slice name);

/* tls_policy.c: what the policy asks is asked. 0 or -1. */
int tls_policy_apply(const struct tls_policy *p, SSL *ssl);

/* tls_tickets.c: the keys of one epoch: name 16, cipher 32, MAC 32 bytes. 0 or -1. */
struct tls_ticket_key {
    int64_t epoch; /* -1: none */
    unsigned char name[16], cipher[32], mac[32];
};
int64_t tls_tickets_epoch(const struct tls_tickets *t, int64_t wall);
int tls_tickets_key(const struct tls_tickets *t, struct tls_library *lib, int64_t epoch,
                    struct tls_ticket_key *key) must_check;

#endif
