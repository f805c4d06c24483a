# SPDX-License-Identifier: BSD-2-Clause
# src/gateway: joins everything below into a proxy.
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
    src/gateway/access_log.c \
    src/gateway/access_log.h \
    src/gateway/address_rules.c \
    src/gateway/address_rules.h \
    src/gateway/admin.c \
    src/gateway/admin.h \
    src/gateway/admin_priv.h \
    src/gateway/admin_show.c \
    src/gateway/answer.c \
    src/gateway/answer.h \
    src/gateway/answer_connect.c \
    src/gateway/answer_fit.c \
    src/gateway/answer_grpc.c \
    src/gateway/answer_priv.h \
    src/gateway/answer_status.c \
    src/gateway/answer_words.c \
    src/gateway/caller.c \
    src/gateway/caller.h \
    src/gateway/classify.c \
    src/gateway/classify.h \
    src/gateway/control.c \
    src/gateway/control.h \
    src/gateway/doors.c \
    src/gateway/doors.h \
    src/gateway/foreign.c \
    src/gateway/foreign.h \
    src/gateway/forward.c \
    src/gateway/forward.h \
    src/gateway/forwarded.c \
    src/gateway/forwarded.h \
    src/gateway/gateway.c \
    src/gateway/gateway.h \
    src/gateway/gateway_bind.c \
    src/gateway/gateway_config.c \
    src/gateway/gateway_config.h \
    src/gateway/gateway_priv.h \
    src/gateway/page.c \
    src/gateway/page.h \
    src/gateway/plugin_crypto.c \
    src/gateway/plugin_crypto.h \
    src/gateway/plugin_host.c \
    src/gateway/plugin_host.h \
    src/gateway/plugin_intake.c \
    src/gateway/plugin_json.c \
    src/gateway/plugin_load.c \
    src/gateway/plugin_load.h \
    src/gateway/plugin_priv.h \
    src/gateway/plugin_services.c \
    src/gateway/proxy.c \
    src/gateway/proxy.h \
    src/gateway/proxy_connect.c \
    src/gateway/proxy_priv.h \
    src/gateway/proxy_stream.c \
    src/gateway/proxy_stream.h \
    src/gateway/record_json.c \
    src/gateway/record_json.h \
    src/gateway/route.c \
    src/gateway/route.h \
    src/gateway/sources.c \
    src/gateway/sources.h \
    src/gateway/speak.c \
    src/gateway/speak.h \
    src/gateway/subprotocol.c \
    src/gateway/subprotocol.h \
    src/gateway/worker.c \
    src/gateway/worker.h \
    src/gateway/worker_door.c \
    src/gateway/worker_door.h \
    src/gateway/worker_drain.c
