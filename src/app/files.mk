# SPDX-License-Identifier: BSD-2-Clause
# src/app: the program: verbs, settings, signals.  libapp.a is everything but main().
# To add a source: one line in the list below, headers too, in alphabetical order.

noinst_LIBRARIES += libapp.a
libapp_a_SOURCES = \
    src/app/verb_basic.c \
    src/app/verb_basic.h

bin_PROGRAMS += rouse
rouse_SOURCES = src/app/main.c
rouse_LDADD = $(APP_LINK)
