#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The simulator's share of make check. More: make sim SEEDS=1000000
exec "${TOP_BUILDDIR:-.}/tests/sim/sim" --seeds "1..${SEEDS:-10000}"
