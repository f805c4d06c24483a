# SPDX-License-Identifier: BSD-2-Clause
# Helper programs of the tests (witness origin, load client...): built by `make check`, not tests.
# To add one:
#   check_PROGRAMS += tests/tools/witness
#   tests_tools_witness_SOURCES = tests/tools/witness.c
#   tests_tools_witness_LDADD =

# What the tools share.
tools_common = tests/tools/toolbuf.c tests/tools/toolbuf.h tests/tools/toolloop.c \
    tests/tools/toolloop.h tests/tools/toolhttp.c tests/tools/toolhttp.h tests/tools/toolsha.c \
    tests/tools/toolsha.h

check_PROGRAMS += tests/tools/witness
tests_tools_witness_SOURCES = tests/tools/witness.c tests/tools/witness.h \
    tests/tools/witness_answer.c tests/tools/witness_conn.c tests/tools/witness_control.c \
    tests/tools/witness_plan.c tests/tools/witness_plan.h $(tools_common)
tests_tools_witness_LDADD =

EXTRA_DIST += tests/tools/README.md

check_PROGRAMS += tests/tools/crowd
tests_tools_crowd_SOURCES = tests/tools/crowd.c tests/tools/crowd.h tests/tools/crowd_client.c \
    tests/tools/crowd_h2.c tests/tools/crowd_tls.c $(tools_common)
tests_tools_crowd_LDADD = $(NGHTTP2_LIBS) $(SSL_LIBS)

check_PROGRAMS += tests/tools/static_proxy
tests_tools_static_proxy_SOURCES = tests/tools/static_proxy.c
tests_tools_static_proxy_LDADD = $(HTTP_LINK)

# LD_PRELOAD libraries: no sanitizers and no FORTIFY in them, they wrap what those wrap.
PRELOAD_CPPFLAGS = -I$(srcdir)/tests/tools -U_FORTIFY_SOURCE
PRELOAD_CFLAGS = -std=gnu11 -pthread $(WARN_CFLAGS) -fPIC
PRELOAD_LINK_FLAGS = -shared -pthread

check_PROGRAMS += tests/tools/countmalloc.so tests/tools/failsys.so tests/tools/faultprobe
tests_tools_countmalloc_so_SOURCES = tests/tools/countmalloc.c tests/tools/preload.c \
    tests/tools/preload.h
tests_tools_countmalloc_so_CPPFLAGS = $(PRELOAD_CPPFLAGS)
tests_tools_countmalloc_so_CFLAGS = $(PRELOAD_CFLAGS)
tests_tools_countmalloc_so_LDFLAGS = $(PRELOAD_LINK_FLAGS)
tests_tools_countmalloc_so_LDADD =
tests_tools_failsys_so_SOURCES = tests/tools/failsys.c tests/tools/failsys.h \
    tests/tools/failsys_calls.c tests/tools/preload.c tests/tools/preload.h
tests_tools_failsys_so_CPPFLAGS = $(PRELOAD_CPPFLAGS)
tests_tools_failsys_so_CFLAGS = $(PRELOAD_CFLAGS)
tests_tools_failsys_so_LDFLAGS = $(PRELOAD_LINK_FLAGS)
tests_tools_failsys_so_LDADD =
tests_tools_faultprobe_SOURCES = tests/tools/faultprobe.c
tests_tools_faultprobe_LDADD =

# What net/ costs by itself.
check_PROGRAMS += tests/tools/relay
tests_tools_relay_SOURCES = tests/tools/relay.c
tests_tools_relay_LDADD = $(NET_LINK)

# A process tree of the awkward kinds.
check_PROGRAMS += tests/tools/grove
tests_tools_grove_SOURCES = tests/tools/grove.c tests/tools/grove.h
tests_tools_grove_LDADD =
