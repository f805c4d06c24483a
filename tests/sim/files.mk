# SPDX-License-Identifier: BSD-2-Clause
# The simulator of src/sandbox: links $(SANDBOX_LINK) only.  One run by hand, with its history:
#   tests/sim/sim --seed 4711 --verbose
# A mutant: one more sed script in tests/sim/mutants, named below; run_mutants.sh uses it.
check_LIBRARIES += tests/sim/libsim.a
tests_sim_libsim_a_SOURCES = \
    tests/sim/sim.h \
    tests/sim/sim_check.c \
    tests/sim/sim_check.h \
    tests/sim/sim_gateway.c \
    tests/sim/sim_guest.c \
    tests/sim/sim_plan.h \
    tests/sim/sim_store.c \
    tests/sim/sim_worker.c \
    tests/sim/sim_world.c

check_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = tests/sim/sim_main.c
tests_sim_sim_LDADD = tests/sim/libsim.a $(SANDBOX_LINK)

sim_mutants = \
    tests/sim/mutants/dead_port_wakes.sed \
    tests/sim/mutants/deadline_forgotten.sed \
    tests/sim/mutants/in_flight_ignored.sed \
    tests/sim/mutants/last_come_first.sed \
    tests/sim/mutants/lease_dropped.sed \
    tests/sim/mutants/lease_ignored.sed \
    tests/sim/mutants/lease_outlived.sed \
    tests/sim/mutants/place_leaked.sed \
    tests/sim/mutants/takeover_missed.sed \
    tests/sim/mutants/token_skipped.sed \
    tests/sim/mutants/two_probes.sed \
    tests/sim/mutants/verdict_forgotten.sed \
    tests/sim/mutants/version_ignored.sed \
    tests/sim/mutants/woken_for_nobody.sed

sim_tests = tests/sim/run_sim.sh tests/sim/run_mutants.sh
TESTS += $(sim_tests)
EXTRA_DIST += $(sim_tests) $(sim_mutants)
tests/sim/run_mutants.log: tests/sim/sim

SEEDS = 1000000
.PHONY: sim
sim: tests/sim/sim
	tests/sim/sim --seeds 1..$(SEEDS)
