# SPDX-License-Identifier: BSD-2-Clause
# src/base: what everything else is made of (libc only).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
    src/base/arena.c \
    src/base/arena.h \
    src/base/bucket.c \
    src/base/bucket.h \
    src/base/buf.c \
    src/base/buf.h \
    src/base/decimal.c \
    src/base/decimal.h \
    src/base/endpoint.c \
    src/base/endpoint.h \
    src/base/ensure.c \
    src/base/ensure.h \
    src/base/escape.c \
    src/base/escape.h \
    src/base/heap.c \
    src/base/heap.h \
    src/base/idtable.c \
    src/base/idtable.h \
    src/base/jsonw.c \
    src/base/jsonw.h \
    src/base/list.h \
    src/base/log.c \
    src/base/log.h \
    src/base/log_priv.h \
    src/base/logfield.def \
    src/base/logline.c \
    src/base/map.c \
    src/base/map.h \
    src/base/metric.c \
    src/base/metric.def \
    src/base/metric.h \
    src/base/pool.c \
    src/base/pool.h \
    src/base/random.c \
    src/base/random.h \
    src/base/reason.c \
    src/base/reason.def \
    src/base/reason.h \
    src/base/slice.c \
    src/base/slice.h \
    src/base/units.c \
    src/base/units.h \
    src/base/usec.h \
    src/base/version.c \
    src/base/version.h \
    src/base/wheel.c \
    src/base/wheel.h
