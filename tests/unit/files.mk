# SPDX-License-Identifier: BSD-2-Clause
# Unit tests (cmocka), one program each, linked to its own layer and those below.
# To add tests/unit/test_foo.c of layer http: two lines, at the end of its layer's block:
#   unit_tests += tests/unit/test_foo
#   tests_unit_test_foo_LDADD = $(HTTP_LINK) $(UNIT_LIBS)
# A program with more than one source also says tests_unit_test_foo_SOURCES = ...
# One cmocka group a program (TAP allows one plan).

UNIT_LIBS = $(CMOCKA_LIBS)
unit_tests =

# base
unit_tests += tests/unit/test_version
tests_unit_test_version_LDADD = $(BASE_LINK) $(UNIT_LIBS)

# sandbox
unit_tests += tests/unit/test_attempt
tests_unit_test_attempt_LDADD = $(SANDBOX_LINK) $(UNIT_LIBS)
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

# http

# store

# gateway

# app

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
