/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_priv.h: what conn.c and tls_conn.c need of each other. */
#ifndef ROUSE_NET_CONN_PRIV_H
#define ROUSE_NET_CONN_PRIV_H

#include "net/conn.h"

/* Nothing is left to be read, as far as we know: ask for an error in a while (see conn.c). */
void conn_suspect(struct conn *c);
void conn_trust(struct conn *c);
/* The events of an edge of libevent, for a plain connection; the readiness bits follow. */
unsigned conn_connect_events(struct conn *c, short what);
unsigned conn_open_events(struct conn *c, short what);
void conn_tell(struct conn *c, unsigned events);

/* The same functions as in conn.h, for a connection that has tls. */
unsigned tls_conn_events(struct conn *c, short what);
ssize_t tls_conn_read(struct conn *c, void *p, size_t n);
ssize_t tls_conn_writev(struct conn *c, const struct iovec *iov, int n);
void tls_conn_shut_write(struct conn *c);
bool tls_conn_is_dirty(struct conn *c);
void tls_conn_moved(struct conn *c);
/* Says goodbye and takes the state off the connection; the reaper frees it. */
void tls_conn_close(struct conn *c, bool abort);

#endif
