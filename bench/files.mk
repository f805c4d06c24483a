# SPDX-License-Identifier: BSD-2-Clause
# Measurements against nginx and haproxy; `./bootstrap bench` runs them.
# Nothing here is built by `make`.
# Programs go to EXTRA_PROGRAMS (built on demand), scripts and rivals' configurations to EXTRA_DIST.
