# SPDX-License-Identifier: BSD-2-Clause
# src/net: bytes, timers, descriptors (base, libevent_core, OpenSSL, c-ares).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
    src/net/net_layer.c
