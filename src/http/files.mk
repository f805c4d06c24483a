# SPDX-License-Identifier: BSD-2-Clause
# src/http: exchanges and codecs (net, base, llhttp).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
    src/http/http_layer.c
