# SPDX-License-Identifier: BSD-2-Clause
# src/net: bytes, timers, descriptors (base, libevent_core, OpenSSL, c-ares).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
    src/net/address.c \
    src/net/address.h \
    src/net/arrival.c \
    src/net/arrival.h \
    src/net/bind.c \
    src/net/child.c \
    src/net/child.h \
    src/net/conn.c \
    src/net/conn.h \
    src/net/conn_priv.h \
    src/net/dialer.c \
    src/net/dialer.h \
    src/net/digest.c \
    src/net/digest.h \
    src/net/dns.c \
    src/net/dns.h \
    src/net/listener.c \
    src/net/listener.h \
    src/net/loop.c \
    src/net/loop.h \
    src/net/mailbox.c \
    src/net/mailbox.h \
    src/net/probe.c \
    src/net/probe.h \
    src/net/proxy_header.c \
    src/net/proxy_header.h \
    src/net/resolver.c \
    src/net/resolver.h \
    src/net/self_signed.c \
    src/net/self_signed.h \
    src/net/signals.c \
    src/net/signals.h \
    src/net/spawn.c \
    src/net/spawn.h \
    src/net/tls_bio.c \
    src/net/tls_certs.c \
    src/net/tls_certs.h \
    src/net/tls_certs_priv.h \
    src/net/tls_check.c \
    src/net/tls_client.c \
    src/net/tls_client.h \
    src/net/tls_conn.c \
    src/net/tls_info.h \
    src/net/tls_library.c \
    src/net/tls_library.h \
    src/net/tls_name.c \
    src/net/tls_name.h \
    src/net/tls_pair.c \
    src/net/tls_policy.c \
    src/net/tls_priv.h \
    src/net/tls_server.c \
    src/net/tls_server.h \
    src/net/tls_stream.c \
    src/net/tls_tickets.c \
    src/net/tls_tickets.h \
    src/net/watch.c \
    src/net/watch.h
