# SPDX-License-Identifier: BSD-2-Clause
# src/sandbox: the domain, pure (base only).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
    src/sandbox/attempt.c \
    src/sandbox/attempt.h \
    src/sandbox/driver.c \
    src/sandbox/driver.h \
    src/sandbox/keeper.h \
    src/sandbox/mail.c \
    src/sandbox/mail.h \
    src/sandbox/record.c \
    src/sandbox/record.h \
    src/sandbox/store.h \
    src/sandbox/view.c \
    src/sandbox/view.h
