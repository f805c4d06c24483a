# SPDX-License-Identifier: BSD-2-Clause
# src/http: exchanges and codecs (net, base, llhttp).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
    src/http/back.h \
    src/http/back_pool.c \
    src/http/back_pool.h \
    src/http/exchange.c \
    src/http/exchange.h \
    src/http/fetch.c \
    src/http/fetch.h \
    src/http/fetch_trust.c \
    src/http/fetch_trust.h \
    src/http/field.c \
    src/http/field.def \
    src/http/field_priv.h \
    src/http/h1_agree.c \
    src/http/h1_agree_priv.h \
    src/http/h1_body.c \
    src/http/h1_body.h \
    src/http/h1_client.c \
    src/http/h1_client.h \
    src/http/h1_client_answer.c \
    src/http/h1_client_priv.h \
    src/http/h1_client_tunnel.c \
    src/http/h1_input.c \
    src/http/h1_input.h \
    src/http/h1_output.c \
    src/http/h1_output.h \
    src/http/h1_parse.c \
    src/http/h1_parse.h \
    src/http/h1_scan.c \
    src/http/h1_scan.h \
    src/http/h1_server.c \
    src/http/h1_server.h \
    src/http/h1_server_answer.c \
    src/http/h1_server_priv.h \
    src/http/h1_server_request.c \
    src/http/h1_server_tunnel.c \
    src/http/h1_valid.c \
    src/http/h1_valid_priv.h \
    src/http/h1_write.c \
    src/http/h1_write.h \
    src/http/h2.c \
    src/http/h2.h \
    src/http/h2_block.c \
    src/http/h2_budget.c \
    src/http/h2_client.h \
    src/http/h2_flow.c \
    src/http/h2_frame.c \
    src/http/h2_head.c \
    src/http/h2_head_priv.h \
    src/http/h2_options.c \
    src/http/h2_output.c \
    src/http/h2_priv.h \
    src/http/h2_server.h \
    src/http/head.c \
    src/http/head.h \
    src/http/host.c \
    src/http/host.h \
    src/http/memory_end.c \
    src/http/memory_end.h \
    src/http/method.c \
    src/http/octet.c \
    src/http/octet.h \
    src/http/octet_priv.h \
    src/http/pace.h \
    src/http/phrase.c \
    src/http/phrase.h \
    src/http/pipe.c \
    src/http/pipe.h \
    src/http/session.h \
    src/http/tunnel.c \
    src/http/tunnel.h \
    src/http/websocket.c \
    src/http/websocket.h
