# SPDX-License-Identifier: BSD-2-Clause
# Rules that a machine can check; lint_selftest.sh shows that each of them bites.
# By hand: sh tests/lint/lint_sources.sh

lint_tests = tests/lint/lint_sources.sh tests/lint/lint_symbols.sh tests/lint/lint_binary.sh \
    tests/lint/lint_selftest.sh
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests) tests/lint/rules_common.awk tests/lint/style.awk \
    tests/lint/includes.awk tests/lint/globals.txt

# Layer matrix: all objects of a layer linked against only what it may use.  Linking the archive
# would hide an upward call, because members that nobody asks for are dropped.

layer_checks = tests/lint/layer_base tests/lint/layer_sandbox tests/lint/layer_net \
    tests/lint/layer_http tests/lint/layer_store tests/lint/layer_gateway
check_PROGRAMS += $(layer_checks)
TESTS += $(layer_checks)

tests_lint_layer_base_SOURCES = tests/lint/layer_main.c
tests_lint_layer_base_LDADD = $(libbase_a_OBJECTS)
tests_lint_layer_sandbox_SOURCES = tests/lint/layer_main.c
tests_lint_layer_sandbox_LDADD = $(libsandbox_a_OBJECTS) $(BASE_LINK)
tests_lint_layer_net_SOURCES = tests/lint/layer_main.c
tests_lint_layer_net_LDADD = $(libnet_a_OBJECTS) $(NET_LINK)
tests_lint_layer_http_SOURCES = tests/lint/layer_main.c
tests_lint_layer_http_LDADD = $(libhttp_a_OBJECTS) $(LLHTTP_LIBS) $(NGHTTP2_LIBS) $(NET_LINK)
tests_lint_layer_store_SOURCES = tests/lint/layer_main.c
tests_lint_layer_store_LDADD = $(libstore_a_OBJECTS) $(SANDBOX_LINK) $(NET_LINK)
tests_lint_layer_gateway_SOURCES = tests/lint/layer_main.c
tests_lint_layer_gateway_LDADD = $(libgateway_a_OBJECTS) libstore.a libsandbox.a $(HTTP_LINK) \
    $(JANSSON_LIBS)
