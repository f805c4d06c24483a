# SPDX-License-Identifier: BSD-2-Clause
# src/sandbox: the domain, pure (base only).
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
    src/sandbox/attempt.c \
    src/sandbox/attempt.h \
    src/sandbox/driver.c \
    src/sandbox/driver.h \
    src/sandbox/hold.c \
    src/sandbox/hold.h \
    src/sandbox/idle.c \
    src/sandbox/idle.h \
    src/sandbox/keeper.c \
    src/sandbox/keeper.h \
    src/sandbox/keeper_admin.c \
    src/sandbox/keeper_ask.c \
    src/sandbox/keeper_flight.c \
    src/sandbox/keeper_judge.c \
    src/sandbox/keeper_learn.c \
    src/sandbox/keeper_look.c \
    src/sandbox/keeper_pause.c \
    src/sandbox/keeper_priv.h \
    src/sandbox/keeper_release.c \
    src/sandbox/keeper_wake.c \
    src/sandbox/mail.c \
    src/sandbox/mail.h \
    src/sandbox/quiesce.c \
    src/sandbox/quiesce.h \
    src/sandbox/record.c \
    src/sandbox/record.h \
    src/sandbox/registry.c \
    src/sandbox/registry.h \
    src/sandbox/release.c \
    src/sandbox/release.h \
    src/sandbox/sandbox.c \
    src/sandbox/sandbox.h \
    src/sandbox/store.h \
    src/sandbox/view.c \
    src/sandbox/view.h \
    src/sandbox/wake.c \
    src/sandbox/wake.h
EXTRA_DIST += src/sandbox/README.md
