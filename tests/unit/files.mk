# SPDX-License-Identifier: BSD-2-Clause
# Unit tests (cmocka), one program each, linked to its own layer and those below.
# To add tests/unit/test_foo.c of layer http: two lines, at the end of its layer's block:
#   unit_tests += tests/unit/test_foo
#   tests_unit_test_foo_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
# A program with more than one source also says tests_unit_test_foo_SOURCES = ...
# One cmocka group a program (TAP allows one plan).
# A program whose allocations must fail when told to: the SOURCES and LDFLAGS of test_map.

UNIT_LIBS = $(CMOCKA_LIBS)
FAILALLOC = tests/unit/failalloc.c tests/unit/failalloc.h
FAILALLOC_WRAP = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
    -Wl,--wrap=posix_memalign
noinst_HEADERS += tests/unit/unit.h
unit_tests =

# base
unit_tests += tests/unit/test_bucket
tests_unit_test_bucket_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_buf
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c $(FAILALLOC)
tests_unit_test_buf_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_buf_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_decimal
tests_unit_test_decimal_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_endpoint
tests_unit_test_endpoint_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_ensure
tests_unit_test_ensure_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_heap
tests_unit_test_heap_SOURCES = tests/unit/test_heap.c $(FAILALLOC)
tests_unit_test_heap_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_heap_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_idtable
tests_unit_test_idtable_SOURCES = tests/unit/test_idtable.c $(FAILALLOC)
tests_unit_test_idtable_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_idtable_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_jsonw
tests_unit_test_jsonw_SOURCES = tests/unit/test_jsonw.c $(FAILALLOC)
tests_unit_test_jsonw_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_jsonw_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_list
tests_unit_test_list_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c $(FAILALLOC)
tests_unit_test_log_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_log_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_map
tests_unit_test_map_SOURCES = tests/unit/test_map.c $(FAILALLOC)
tests_unit_test_map_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_map_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_metric
tests_unit_test_metric_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_pool
tests_unit_test_pool_SOURCES = tests/unit/test_pool.c $(FAILALLOC)
tests_unit_test_pool_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_pool_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_random
tests_unit_test_random_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_reason
tests_unit_test_reason_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_slice
tests_unit_test_slice_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_units
tests_unit_test_units_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_version
tests_unit_test_version_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_wheel
tests_unit_test_wheel_LDADD = $(BASE_LINK) $(UNIT_LIBS)

# sandbox
unit_tests += tests/unit/test_attempt
tests_unit_test_attempt_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_hold
tests_unit_test_hold_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_states
tests_unit_test_states_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_keeper
tests_unit_test_keeper_SOURCES = tests/unit/test_keeper.c tests/unit/keeper_rig.c \
    tests/unit/keeper_rig.h
tests_unit_test_keeper_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_keeper_idle
tests_unit_test_keeper_idle_SOURCES = tests/unit/test_keeper_idle.c tests/unit/keeper_rig.c \
    tests/unit/keeper_rig.h
tests_unit_test_keeper_idle_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_keeper_slow
tests_unit_test_keeper_slow_SOURCES = tests/unit/test_keeper_slow.c tests/unit/keeper_rig.c
tests_unit_test_keeper_slow_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_keeper_streams
tests_unit_test_keeper_streams_SOURCES = tests/unit/test_keeper_streams.c tests/unit/keeper_rig.c
tests_unit_test_keeper_streams_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_mail
tests_unit_test_mail_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_view
tests_unit_test_view_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)

# net
noinst_HEADERS += tests/unit/net_rig.h
unit_tests += tests/unit/test_loop
tests_unit_test_loop_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_conn
tests_unit_test_conn_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_listener
tests_unit_test_listener_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_mailbox
tests_unit_test_mailbox_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_dialer
tests_unit_test_dialer_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_child
tests_unit_test_child_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_resolver
tests_unit_test_resolver_LDADD = $(NET_LINK) $(UNIT_LIBS)
TLS_RIG = tests/unit/tls_rig.c tests/unit/tls_rig.h
unit_tests += tests/unit/test_tls_conn
tests_unit_test_tls_conn_SOURCES = tests/unit/test_tls_conn.c $(TLS_RIG)
tests_unit_test_tls_conn_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_handshake
tests_unit_test_tls_handshake_SOURCES = tests/unit/test_tls_handshake.c $(TLS_RIG)
tests_unit_test_tls_handshake_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_server
tests_unit_test_tls_server_SOURCES = tests/unit/test_tls_server.c $(TLS_RIG)
tests_unit_test_tls_server_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_session
tests_unit_test_tls_session_SOURCES = tests/unit/test_tls_session.c $(TLS_RIG)
tests_unit_test_tls_session_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_certs
tests_unit_test_tls_certs_SOURCES = tests/unit/test_tls_certs.c $(TLS_RIG)
tests_unit_test_tls_certs_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_client
tests_unit_test_tls_client_SOURCES = tests/unit/test_tls_client.c $(TLS_RIG)
tests_unit_test_tls_client_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_torture
tests_unit_test_tls_torture_SOURCES = tests/unit/test_tls_torture.c $(TLS_RIG) $(FAILALLOC)
tests_unit_test_tls_torture_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_tls_torture_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_net_torture
tests_unit_test_net_torture_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_arrival
tests_unit_test_arrival_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_proxy_header
tests_unit_test_proxy_header_LDADD = $(NET_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_digest
tests_unit_test_digest_LDADD = $(NET_LINK) $(UNIT_LIBS)

# http
unit_tests += tests/unit/test_pipe
tests_unit_test_pipe_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_back_pool
tests_unit_test_back_pool_SOURCES = tests/unit/test_back_pool.c tests/unit/http_rig.c \
    tests/unit/http_rig.h
tests_unit_test_back_pool_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_back_pool_h2
tests_unit_test_back_pool_h2_SOURCES = tests/unit/test_back_pool_h2.c tests/unit/h2_back_rig.c \
    tests/unit/h2_back_rig.h
tests_unit_test_back_pool_h2_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_fetch
tests_unit_test_fetch_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_fetch_tls
tests_unit_test_fetch_tls_SOURCES = tests/unit/test_fetch_tls.c $(TLS_RIG)
tests_unit_test_fetch_tls_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_random
tests_unit_test_h1_random_SOURCES = tests/unit/test_h1_random.c tests/unit/http_rig.c \
    tests/unit/http_rig.h
tests_unit_test_h1_random_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_client
tests_unit_test_h2_client_SOURCES = tests/unit/test_h2_client.c tests/unit/h2_back_rig.c \
    tests/unit/h2_back_rig.h
tests_unit_test_h2_client_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_client_hostile
tests_unit_test_h2_client_hostile_SOURCES = tests/unit/test_h2_client_hostile.c \
    tests/unit/h2_back_rig.c tests/unit/h2_back_rig.h
tests_unit_test_h2_client_hostile_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_client_torture
tests_unit_test_h2_client_torture_SOURCES = tests/unit/test_h2_client_torture.c \
    tests/unit/h2_back_rig.c tests/unit/h2_back_rig.h $(FAILALLOC)
tests_unit_test_h2_client_torture_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_h2_client_torture_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_client
tests_unit_test_h1_client_SOURCES = tests/unit/test_h1_client.c tests/unit/http_rig.c \
    tests/unit/http_rig.h
tests_unit_test_h1_client_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_server_life
tests_unit_test_h1_server_life_SOURCES = tests/unit/test_h1_server_life.c \
    tests/unit/http_rig.c tests/unit/http_rig.h
tests_unit_test_h1_server_life_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_server
tests_unit_test_h1_server_SOURCES = tests/unit/test_h1_server.c tests/unit/http_rig.c \
    tests/unit/http_rig.h
tests_unit_test_h1_server_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
# The same with clients that come through an arrival.
ARRIVES = $(AM_CPPFLAGS) -DRIG_ARRIVES=1
unit_tests += tests/unit/test_h1_server_arrived
tests_unit_test_h1_server_arrived_SOURCES = tests/unit/test_h1_server.c tests/unit/http_rig.c
tests_unit_test_h1_server_arrived_CPPFLAGS = $(ARRIVES)
tests_unit_test_h1_server_arrived_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_server_life_arrived
tests_unit_test_h1_server_life_arrived_SOURCES = tests/unit/test_h1_server_life.c \
    tests/unit/http_rig.c
tests_unit_test_h1_server_life_arrived_CPPFLAGS = $(ARRIVES)
tests_unit_test_h1_server_life_arrived_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_random_arrived
tests_unit_test_h1_random_arrived_SOURCES = tests/unit/test_h1_random.c tests/unit/http_rig.c
tests_unit_test_h1_random_arrived_CPPFLAGS = $(ARRIVES)
tests_unit_test_h1_random_arrived_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tunnel
tests_unit_test_tunnel_SOURCES = tests/unit/test_tunnel.c tests/unit/http_rig.c \
    tests/unit/http_rig.h tests/unit/tunnel_rig.h
tests_unit_test_tunnel_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tunnel_random
tests_unit_test_tunnel_random_SOURCES = tests/unit/test_tunnel_random.c tests/unit/http_rig.c \
    tests/unit/http_rig.h tests/unit/tunnel_rig.h $(FAILALLOC)
tests_unit_test_tunnel_random_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_tunnel_random_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tunnel_refused
tests_unit_test_tunnel_refused_SOURCES = tests/unit/test_tunnel_refused.c tests/unit/http_rig.c \
    tests/unit/http_rig.h tests/unit/tunnel_rig.h
tests_unit_test_tunnel_refused_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_exchange
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c tests/unit/exchange_rig.c \
    tests/unit/exchange_rig.h
tests_unit_test_exchange_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_exchange_random
tests_unit_test_exchange_random_SOURCES = tests/unit/test_exchange_random.c \
    tests/unit/exchange_rig.c tests/unit/exchange_rig.h
tests_unit_test_exchange_random_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
H1_LAB = tests/unit/h1_lab.c tests/unit/h1_lab.h
unit_tests += tests/unit/test_field
tests_unit_test_field_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_head
tests_unit_test_head_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_host
tests_unit_test_host_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_tls_name
tests_unit_test_tls_name_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_octet
tests_unit_test_octet_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_octet_portable
tests_unit_test_octet_portable_SOURCES = tests/unit/test_octet.c src/http/octet.c
tests_unit_test_octet_portable_CPPFLAGS = $(AM_CPPFLAGS) -DOCTET_PORTABLE
tests_unit_test_octet_portable_LDADD = $(BASE_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_answer
tests_unit_test_h1_answer_SOURCES = tests/unit/test_h1_answer.c $(H1_LAB)
tests_unit_test_h1_answer_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_body
tests_unit_test_h1_body_SOURCES = tests/unit/test_h1_body.c $(H1_LAB)
tests_unit_test_h1_body_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_gadgets
tests_unit_test_h1_gadgets_SOURCES = tests/unit/test_h1_gadgets.c $(H1_LAB)
tests_unit_test_h1_gadgets_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_request
tests_unit_test_h1_request_SOURCES = tests/unit/test_h1_request.c $(H1_LAB)
tests_unit_test_h1_request_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_scan
tests_unit_test_h1_scan_SOURCES = tests/unit/test_h1_scan.c $(H1_LAB)
tests_unit_test_h1_scan_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_target
tests_unit_test_h1_target_SOURCES = tests/unit/test_h1_target.c $(H1_LAB)
tests_unit_test_h1_target_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_llhttp
tests_unit_test_h1_llhttp_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h1_write
tests_unit_test_h1_write_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_websocket
tests_unit_test_websocket_SOURCES = tests/unit/test_websocket.c tests/unit/websocket_reference.h
tests_unit_test_websocket_LDADD = $(HTTP_LINK) $(UNIT_LIBS)

H2_SERVER_RIG = tests/unit/h2_server_rig.c tests/unit/h2_server_rig.h
unit_tests += tests/unit/test_h2_server
tests_unit_test_h2_server_SOURCES = tests/unit/test_h2_server.c $(H2_SERVER_RIG)
tests_unit_test_h2_server_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_refusals
tests_unit_test_h2_refusals_SOURCES = tests/unit/test_h2_refusals.c $(H2_SERVER_RIG)
tests_unit_test_h2_refusals_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_budgets
tests_unit_test_h2_budgets_SOURCES = tests/unit/test_h2_budgets.c $(H2_SERVER_RIG)
tests_unit_test_h2_budgets_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_deadlines
tests_unit_test_h2_deadlines_SOURCES = tests/unit/test_h2_deadlines.c $(H2_SERVER_RIG)
tests_unit_test_h2_deadlines_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_flow
tests_unit_test_h2_flow_SOURCES = tests/unit/test_h2_flow.c $(H2_SERVER_RIG)
tests_unit_test_h2_flow_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_h2_server_random
tests_unit_test_h2_server_random_SOURCES = tests/unit/test_h2_server_random.c $(H2_SERVER_RIG) \
    $(FAILALLOC)
tests_unit_test_h2_server_random_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_h2_server_random_LDADD = $(HTTP_LINK) $(UNIT_LIBS)

# store
unit_tests += tests/unit/test_memory_store
tests_unit_test_memory_store_SOURCES = tests/unit/test_memory_store.c $(FAILALLOC)
tests_unit_test_memory_store_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_memory_store_LDADD = $(STORE_LINK) $(UNIT_LIBS)

# gateway
unit_tests += tests/unit/test_address_rules
tests_unit_test_address_rules_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_plugin_json
tests_unit_test_plugin_json_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
noinst_HEADERS += tests/unit/gatewaykit.h
unit_tests += tests/unit/test_answer
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c tests/unit/gatewaykit.c
tests_unit_test_answer_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_caller
tests_unit_test_caller_SOURCES = tests/unit/test_caller.c tests/unit/gatewaykit.c
tests_unit_test_caller_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_classify
tests_unit_test_classify_SOURCES = tests/unit/test_classify.c tests/unit/gatewaykit.c
tests_unit_test_classify_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_speak
tests_unit_test_speak_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_subprotocol
tests_unit_test_subprotocol_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_forward
tests_unit_test_forward_SOURCES = tests/unit/test_forward.c tests/unit/gatewaykit.c
tests_unit_test_forward_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_foreign
tests_unit_test_foreign_SOURCES = tests/unit/test_foreign.c tests/unit/gatewaykit.c
tests_unit_test_foreign_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_route
tests_unit_test_route_SOURCES = tests/unit/test_route.c tests/unit/gatewaykit.c
tests_unit_test_route_LDADD = $(GATEWAY_LINK) $(UNIT_LIBS)

# app
noinst_HEADERS += tests/unit/settings_rig.h
unit_tests += tests/unit/test_config_tree
tests_unit_test_config_tree_LDADD = $(APP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_mistake
tests_unit_test_mistake_LDADD = $(APP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_settings
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c tests/unit/settings_rig.c
tests_unit_test_settings_LDADD = $(APP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_settings_torture
tests_unit_test_settings_torture_SOURCES = tests/unit/test_settings_torture.c \
    tests/unit/settings_rig.c $(FAILALLOC)
tests_unit_test_settings_torture_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_settings_torture_LDADD = $(APP_LINK) $(UNIT_LIBS)
unit_tests += tests/unit/test_setting_table
tests_unit_test_setting_table_SOURCES = tests/unit/test_setting_table.c tests/unit/settings_rig.c
tests_unit_test_setting_table_LDADD = $(APP_LINK) $(UNIT_LIBS)

# plugins: the real shared objects under a small host
LOCAL_RIG = tests/unit/local_rig.c tests/unit/local_rig.h
unit_tests += tests/unit/test_local
tests_unit_test_local_SOURCES = tests/unit/test_local.c $(LOCAL_RIG)
tests_unit_test_local_LDADD = $(UNIT_LIBS)

# plugins: linked as they are, to a host of fakes
PLUGIN_RIG = tests/unit/plugin_rig.c tests/unit/plugin_rig.h
unit_tests += tests/unit/test_http_plugin
tests_unit_test_http_plugin_SOURCES = tests/unit/test_http_plugin.c $(PLUGIN_RIG) $(FAILALLOC) \
    $(plugins_http_so_SOURCES)
tests_unit_test_http_plugin_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_http_plugin_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lua-free-plugins
tests_unit_test_http_plugin_LDADD = $(JANSSON_LIBS) $(SSL_LIBS) $(UNIT_LIBS)
unit_tests += tests/unit/test_http_options
tests_unit_test_http_options_SOURCES = tests/unit/test_http_options.c $(PLUGIN_RIG) \
    $(plugins_http_so_SOURCES)
tests_unit_test_http_options_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lua-free-plugins
tests_unit_test_http_options_LDADD = $(JANSSON_LIBS) $(SSL_LIBS) $(UNIT_LIBS)
unit_tests += tests/unit/test_exec_plugin
tests_unit_test_exec_plugin_SOURCES = tests/unit/test_exec_plugin.c $(PLUGIN_RIG) $(FAILALLOC) \
    $(plugins_exec_so_SOURCES)
tests_unit_test_exec_plugin_LDFLAGS = $(AM_LDFLAGS) $(FAILALLOC_WRAP)
tests_unit_test_exec_plugin_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/lua-free-plugins
tests_unit_test_exec_plugin_LDADD = $(JANSSON_LIBS) $(SSL_LIBS) $(UNIT_LIBS)

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
