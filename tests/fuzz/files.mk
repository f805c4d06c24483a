# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets, one for each input surface: tests/fuzz/fuzz_foo.c defines LLVMFuzzerTestOneInput.
# With --enable-fuzz (CC=clang) they are libFuzzer programs; otherwise replay_main.c gives them a
# main() that replays files, and `make check` replays the corpus.
# To add one:
#   fuzz_targets += tests/fuzz/fuzz_foo
#   tests_fuzz_fuzz_foo_SOURCES = tests/fuzz/fuzz_foo.c $(FUZZ_MAIN)
#   tests_fuzz_fuzz_foo_LDADD = $(HTTP_LINK)
#   tests_fuzz_fuzz_foo_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
# and its corpus: files in tests/fuzz/corpus/fuzz_foo/, listed nowhere (the directory is copied);
# words that the fuzzer should know, where there are any: tests/fuzz/fuzz_foo.dict, in fuzz_words.
# By hand: tests/fuzz/fuzz_foo -m 1000 FILE...; in earnest: ./bootstrap fuzz MINUTES=60
#
#   surface                                  target
#   HTTP/1 requests, answers, their bodies   fuzz_request, fuzz_answer, fuzz_body
#   HTTP/2, from clients and from sandboxes  fuzz_h2_server, fuzz_h2_client
#   WebSocket frames and handshakes          fuzz_websocket
#   PROXY headers                            fuzz_proxy_header
#   hosts                                    fuzz_host
#   configuration (YAML)                     fuzz_config
#   answers of platforms (JSON)              fuzz_sandbox
#   who proxies say the client is            fuzz_caller

fuzz_targets =
if FUZZ
FUZZ_MAIN =
FUZZ_LINK_FLAGS = -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay_main.c
FUZZ_LINK_FLAGS =
endif

# HTTP/1: what arrives goes through the lab of the unit tests.
FUZZ_LAB = tests/fuzz/fuzz_lab.h tests/unit/h1_lab.c tests/unit/h1_lab.h $(FUZZ_MAIN)
fuzz_targets += tests/fuzz/fuzz_request
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c $(FUZZ_LAB)
tests_fuzz_fuzz_request_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit
tests_fuzz_fuzz_request_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_answer
tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c $(FUZZ_LAB)
tests_fuzz_fuzz_answer_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit
tests_fuzz_fuzz_answer_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_body
tests_fuzz_fuzz_body_SOURCES = tests/fuzz/fuzz_body.c $(FUZZ_LAB)
tests_fuzz_fuzz_body_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit
tests_fuzz_fuzz_body_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_body_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_caller
tests_fuzz_fuzz_caller_SOURCES = tests/fuzz/fuzz_caller.c $(FUZZ_MAIN)
tests_fuzz_fuzz_caller_LDADD = $(GATEWAY_LINK)
tests_fuzz_fuzz_caller_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c $(FUZZ_MAIN)
tests_fuzz_fuzz_config_LDADD = $(APP_LINK)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
# HTTP/2 sessions: one input is what one peer sends behind the preface, fed to a session of either
# role over a loopback pair in cuts that its own bytes decide, as fuzz_lab.h does.
fuzz_targets += tests/fuzz/fuzz_h2_client
tests_fuzz_fuzz_h2_client_SOURCES = tests/fuzz/fuzz_h2_client.c $(FUZZ_MAIN)
tests_fuzz_fuzz_h2_client_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_h2_client_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_h2_server
tests_fuzz_fuzz_h2_server_SOURCES = tests/fuzz/fuzz_h2_server.c $(FUZZ_MAIN)
tests_fuzz_fuzz_h2_server_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_h2_server_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_host
tests_fuzz_fuzz_host_SOURCES = tests/fuzz/fuzz_host.c $(FUZZ_MAIN)
tests_fuzz_fuzz_host_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_host_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_proxy_header
tests_fuzz_fuzz_proxy_header_SOURCES = tests/fuzz/fuzz_proxy_header.c $(FUZZ_MAIN)
tests_fuzz_fuzz_proxy_header_LDADD = $(NET_LINK)
tests_fuzz_fuzz_proxy_header_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_sandbox
tests_fuzz_fuzz_sandbox_SOURCES = tests/fuzz/fuzz_sandbox.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sandbox_LDADD = $(GATEWAY_LINK)
tests_fuzz_fuzz_sandbox_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
fuzz_targets += tests/fuzz/fuzz_websocket
tests_fuzz_fuzz_websocket_SOURCES = tests/fuzz/fuzz_websocket.c tests/unit/websocket_reference.h \
    $(FUZZ_MAIN)
tests_fuzz_fuzz_websocket_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit
tests_fuzz_fuzz_websocket_LDADD = $(HTTP_LINK)
tests_fuzz_fuzz_websocket_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)

check_PROGRAMS += $(fuzz_targets)
TESTS += tests/fuzz/replay.sh
fuzz_words = tests/fuzz/fuzz_answer.dict tests/fuzz/fuzz_config.dict \
    tests/fuzz/fuzz_proxy_header.dict tests/fuzz/fuzz_request.dict tests/fuzz/fuzz_sandbox.dict
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/fuzz.sh tests/fuzz/corpus tests/fuzz/replay_main.c \
    $(fuzz_words)

# make fuzz MINUTES=n: n minutes for all targets together; what is new is kept in BUILD/corpus.
MINUTES = 10
.PHONY: fuzz
if FUZZ
fuzz: $(fuzz_targets)
	TOP_SRCDIR='$(srcdir)' $(SHELL) $(srcdir)/tests/fuzz/fuzz.sh `expr $(MINUTES) \* 60` \
	    $(fuzz_targets)
else
fuzz:
	@echo "configure with --enable-fuzz CC=clang, or run ./bootstrap fuzz" >&2; exit 1
endif
