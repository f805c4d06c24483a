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
    $(tools_common)
tests_tools_crowd_LDADD =

check_PROGRAMS += tests/tools/static_proxy
tests_tools_static_proxy_SOURCES = tests/tools/static_proxy.c
tests_tools_static_proxy_LDADD = $(HTTP_LINK)
