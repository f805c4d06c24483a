# SPDX-License-Identifier: BSD-2-Clause
# src/gateway: joins everything below into a proxy.
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
    src/gateway/address_rules.h \
    src/gateway/gateway_config.h \
    src/gateway/gateway_layer.c \
    src/gateway/plugin_host.h \
    src/gateway/plugin_load.h
