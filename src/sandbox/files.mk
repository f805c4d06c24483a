# SPDX-License-Identifier: BSD-2-Clause
# src/sandbox: the domain, pure (base only).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
    src/sandbox/sandbox_layer.c
