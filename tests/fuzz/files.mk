# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets, one for each input surface: tests/fuzz/fuzz_foo.c defines LLVMFuzzerTestOneInput.
# With --enable-fuzz (CC=clang) they are libFuzzer programs; otherwise replay_main.c gives them a
# main() that replays files, and `make check` replays the corpus.
# To add one:
#   fuzz_targets += tests/fuzz/fuzz_foo
#   tests_fuzz_fuzz_foo_SOURCES = tests/fuzz/fuzz_foo.c $(FUZZ_MAIN)
#   tests_fuzz_fuzz_foo_LDADD = $(HTTP_LINK)
#   tests_fuzz_fuzz_foo_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK_FLAGS)
# and its corpus: files in tests/fuzz/corpus/fuzz_foo/, listed nowhere (the directory is copied).
# By hand: tests/fuzz/fuzz_foo -m 1000 FILE...; in earnest: ./bootstrap fuzz

fuzz_targets =
if FUZZ
FUZZ_MAIN =
FUZZ_LINK_FLAGS = -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay_main.c
FUZZ_LINK_FLAGS =
endif
check_PROGRAMS += $(fuzz_targets)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/corpus tests/fuzz/replay_main.c
