# SPDX-License-Identifier: BSD-2-Clause
# src/http: exchanges and codecs (net, base, llhttp).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_HEADERS += \
    src/http/back_pool.h \
    src/http/exchange.h \
    src/http/fetch.h \
    src/http/h1_client.h \
    src/http/h1_server.h \
    src/http/memory_end.h \
    src/http/pipe.h

noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
    src/http/field.c \
    src/http/field.def \
    src/http/field_priv.h \
    src/http/h1_agree.c \
    src/http/h1_agree_priv.h \
    src/http/h1_body.c \
    src/http/h1_body.h \
    src/http/h1_parse.c \
    src/http/h1_parse.h \
    src/http/h1_scan.c \
    src/http/h1_scan.h \
    src/http/h1_valid.c \
    src/http/h1_valid_priv.h \
    src/http/h1_write.c \
    src/http/h1_write.h \
    src/http/head.c \
    src/http/head.h \
    src/http/host.c \
    src/http/host.h \
    src/http/method.c \
    src/http/octet.c \
    src/http/octet.h
