# SPDX-License-Identifier: BSD-2-Clause
# Helper programs of the tests (witness origin, load client...): built by `make check`, not tests.
# To add one:
#   check_PROGRAMS += tests/tools/witness
#   tests_tools_witness_SOURCES = tests/tools/witness.c
#   tests_tools_witness_LDADD =
