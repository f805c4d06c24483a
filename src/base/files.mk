# SPDX-License-Identifier: BSD-2-Clause
# src/base: what everything else is made of (libc only).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
    src/base/version.c \
    src/base/version.h
