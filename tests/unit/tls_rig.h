/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_rig.h: what the tests of TLS share: certificates made on the spot, a server and clients on
 * one loop, and a raw OpenSSL client that does what ours never would.
 */
#ifndef ROUSE_TESTS_TLS_RIG_H
#define ROUSE_TESTS_TLS_RIG_H

#include "net_rig.h"

#include "net/conn.h"
#include "net/tls_client.h"
#include "net/tls_info.h"
#include "net/tls_server.h"

#include <openssl/ssl.h>

/* A certificate with its key. */
struct made {
    X509 *cert;
    EVP_PKEY *key;
};
struct make {
    const char *name;     /* the subject's CN, and the SAN unless that is given */
    const char *san;      /* as OpenSSL writes it: "DNS:a.example,IP:127.0.0.1" */
    const char *usage;    /* extendedKeyUsage: "clientAuth" */
    const char *curve;    /* "P-256" */
    long begins, ends; /* seconds from now; both 0: an hour ago, in a year */
    bool ca;
};
void made_new(struct made *out, const struct make *how, const struct made *issuer);
void made_free(struct made *m);
/* PEM files in the rig's directory. more: one of the chain, or NULL. */
void made_write(const struct made *m, const struct made *more, const char *cert_path,
                const char *key_path);

struct tls_rig {
    struct loop loop;
    struct tls_library *lib;
    struct tls_certs *certs;
    struct tls_tickets *tickets;
    struct made ca;
    char dir[64], ca_file[96];
    unsigned fds;
    int64_t opened, wall; /* the wall clock stands still at their sum */
    struct log_hub *hub;
    struct log *log;
};

/* A loop, a library, a CA, and a directory with certificates for a.example, *.wild.example and
 * b.example. */
void tls_rig_open(struct tls_rig *r);
/* Everything that uses the rig is closed. */
void tls_rig_close(struct tls_rig *r);
/* NAME.crt and NAME.key in the directory, signed by the CA, for NAME. */
void tls_rig_pair(struct tls_rig *r, const char *name);
/* PATH in the directory. Four results live at once. */
const char *tls_rig_path(const struct tls_rig *r, const char *name);
/* What was logged since the last call. */
const char *tls_rig_logged(struct tls_rig *r);

struct tls_server *tls_rig_server(struct tls_rig *r, const struct tls_server_options *o);
/* Trusts the CA. */
struct tls_client *tls_rig_client(struct tls_rig *r, unsigned alpn);

/* One side of a connection. */
struct end {
    struct conn conn;
    struct loop *loop;
    unsigned events; /* since cleared */
    unsigned calls;
    bool told, ready, failed;
    char in[1 << 16];
    size_t got;
    bool read_all; /* reads whatever comes into `in`, again from its start when full */
    uint64_t total, sum;
    int error;
};

extern const struct conn_owner end_owner;
void on_end(struct conn *c, unsigned events);
void end_open(struct end *e, struct tls_rig *r, int fd);
void end_close(struct end *e);
/* Two ends of one TCP connection; nothing started. */
void ends_open(struct tls_rig *r, struct end *front, struct end *back);
/* Starts TLS on both and waits until both know the outcome. */
void ends_handshake(struct tls_rig *r, struct end *front, struct tls_server *s, struct end *back,
                    struct tls_client *c, const char *name);
void ends_wait(struct tls_rig *r, struct end *front, struct end *back);
ssize_t end_write(struct end *e, const char *text);
/* Turns until n bytes are in, and compares them. */
void end_expect(struct tls_rig *r, struct end *e, const char *text);

/* A client of OpenSSL's own, non-blocking, on the other end of a socket pair. */
struct raw {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};
/* max: the highest version. front gets the server's side, with TLS started. */
void raw_open(struct raw *w, struct tls_rig *r, struct end *front, struct tls_server *s, int max);
/* 1: done; 0: the server refused. */
int raw_handshake(struct raw *w, struct tls_rig *r);
/* Until a byte came: 1; end or error: the answer of SSL_get_error. */
int raw_read(struct raw *w, struct tls_rig *r, char *p, size_t n, size_t *got);
void raw_close(struct raw *w);
/* The alert that the server sent last. */
int raw_alert(const struct raw *w);

#endif
