# SPDX-License-Identifier: BSD-2-Clause
# The simulator of src/sandbox: links $(SANDBOX_LINK) only.
# A program:  check_PROGRAMS += tests/sim/rouse_sim
#             tests_sim_rouse_sim_SOURCES = tests/sim/main_sim.c ...
#             tests_sim_rouse_sim_LDADD = $(SANDBOX_LINK)
# A test:     a TAP speaking program or script in TESTS (scripts also in dist_check_SCRIPTS).
