# SPDX-License-Identifier: BSD-2-Clause
# src/store: where sandbox records live (sandbox/store.h, net, base).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
    src/store/memory_store.c \
    src/store/memory_store.h
