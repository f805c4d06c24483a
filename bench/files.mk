# SPDX-License-Identifier: BSD-2-Clause
# Measurements against nginx and haproxy; `./bootstrap bench` runs them.
# Nothing here is built by `make`.
# Programs go to EXTRA_PROGRAMS (built on demand), scripts and rivals' configurations to EXTRA_DIST.

EXTRA_PROGRAMS += bench/origin bench/load bench/echoes
bench_origin_SOURCES = bench/origin.c
bench_origin_CPPFLAGS = $(AM_CPPFLAGS) $(SSL_CFLAGS)
bench_origin_LDADD = $(SSL_LIBS)
bench_echoes_SOURCES = bench/echoes.c
bench_echoes_LDADD =
bench_load_SOURCES = bench/load.c
bench_load_LDADD = $(SSL_LIBS)
dist_noinst_SCRIPTS += bench/run
EXTRA_DIST += bench/conf/nginx.conf bench/conf/haproxy.cfg bench/conf/rouse.yaml
