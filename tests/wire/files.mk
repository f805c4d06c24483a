# SPDX-License-Identifier: BSD-2-Clause
# Wire tests: pytest drives the real binary.  Each file is one entry of TESTS and runs by itself.
# To add tests/wire/test_foo.py: one line, wire_tests += tests/wire/test_foo.py
# Helpers that tests import: wire_helpers.

wire_tests =
wire_tests += tests/wire/test_admin.py
wire_tests += tests/wire/test_answers.py
wire_tests += tests/wire/test_arrival.py
wire_tests += tests/wire/test_browser.py
wire_tests += tests/wire/test_change.py
wire_tests += tests/wire/test_chaos.py
wire_tests += tests/wire/test_certificates.py
wire_tests += tests/wire/test_cli.py
wire_tests += tests/wire/test_clients.py
wire_tests += tests/wire/test_conformance_h2.py
wire_tests += tests/wire/test_corpora.py
wire_tests += tests/wire/test_crowd.py
wire_tests += tests/wire/test_crowd_h2.py
wire_tests += tests/wire/test_demo.py
wire_tests += tests/wire/test_desync.py
wire_tests += tests/wire/test_exec_faults.py
wire_tests += tests/wire/test_faults.py
wire_tests += tests/wire/test_floods.py
wire_tests += tests/wire/test_forwarded.py
wire_tests += tests/wire/test_forwarded_answers.py
wire_tests += tests/wire/test_grpc.py
wire_tests += tests/wire/test_h2_back.py
wire_tests += tests/wire/test_hold.py
wire_tests += tests/wire/test_hook_faults.py
wire_tests += tests/wire/test_hook_leaks.py
wire_tests += tests/wire/test_hook_unknown.py
wire_tests += tests/wire/test_identity.py
wire_tests += tests/wire/test_leave.py
wire_tests += tests/wire/test_leaving.py
wire_tests += tests/wire/test_limits.py
wire_tests += tests/wire/test_local_plugin.py
wire_tests += tests/wire/test_matrix.py
wire_tests += tests/wire/test_ordinary.py
wire_tests += tests/wire/test_origin.py
wire_tests += tests/wire/test_plugin_examples.py
wire_tests += tests/wire/test_program.py
wire_tests += tests/wire/test_protocol_answers.py
wire_tests += tests/wire/test_proxy_header.py
wire_tests += tests/wire/test_refused.py
wire_tests += tests/wire/test_release.py
wire_tests += tests/wire/test_rig.py
wire_tests += tests/wire/test_running.py
wire_tests += tests/wire/test_streams.py
wire_tests += tests/wire/test_streams_ended.py
wire_tests += tests/wire/test_thirdparty.py
wire_tests += tests/wire/test_tls_floods.py
wire_tests += tests/wire/test_tls_back.py
wire_tests += tests/wire/test_tools.py
wire_tests += tests/wire/test_torture.py
wire_tests += tests/wire/test_translation.py
wire_tests += tests/wire/test_verbs.py
wire_tests += tests/wire/test_websocket.py
wire_tests += tests/wire/test_websocket_clients.py
wire_tests += tests/wire/test_websocket_ended.py

wire_helpers = tests/wire/rousetest/flood.py tests/wire/rousetest/tlsraw.py \
    tests/wire/README.md tests/wire/cases_h2.py tests/wire/conftest.py \
    tests/wire/corpus_answers.py tests/wire/corpus_ordinary.py tests/wire/corpus_requests.py \
    tests/wire/measure_release.py tests/wire/rousetest/__init__.py tests/wire/rousetest/admin.py \
    tests/wire/rousetest/browser.py tests/wire/rousetest/certs.py tests/wire/rousetest/config.py \
    tests/wire/rousetest/conformance.py tests/wire/rousetest/corpus.py \
    tests/wire/rousetest/faults.py tests/wire/rousetest/flow.py tests/wire/rousetest/frames.py \
    tests/wire/rousetest/fronts.py tests/wire/rousetest/gateway.py tests/wire/rousetest/h1flow.py \
    tests/wire/rousetest/h2.py tests/wire/rousetest/h2flow.py tests/wire/rousetest/hook.py \
    tests/wire/rousetest/link.py tests/wire/rousetest/net.py tests/wire/rousetest/origin.py \
    tests/wire/rousetest/matrix.py tests/wire/rousetest/raw.py tests/wire/rousetest/road.py \
    tests/wire/rousetest/strict.py tests/wire/rousetest/tools.py \
    tests/wire/rousetest/websocket.py tests/wire/run-pytest tests/wire/run_conformance.py

TESTS += $(wire_tests)
EXTRA_DIST += $(wire_tests) $(wire_helpers) tests/thirdparty/hello.c
