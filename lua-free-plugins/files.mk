# SPDX-License-Identifier: BSD-2-Clause
# Platform plugins: plain shared objects that know include/rouse/plugin.h and nothing else of Rouse.
# Built as plugins/NAME.so in the build tree, installed in $(pkglibdir)/plugins.
# To add one:
#   plugins_PROGRAMS += plugins/NAME.so
#   plugins_NAME_so_SOURCES = lua-free-plugins/NAME/NAME_plugin.c
#   plugins_NAME_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
#   plugins_NAME_so_CFLAGS = $(PLUGIN_CFLAGS)
#   plugins_NAME_so_LDFLAGS = $(PLUGIN_LINK_FLAGS)
#   plugins_NAME_so_LDADD =                             (or its libraries)

PLUGIN_CPPFLAGS = -I$(srcdir)/include -I$(srcdir)/lua-free-plugins $(HARDEN_CPPFLAGS)
PLUGIN_CFLAGS = $(COMMON_CFLAGS) -fPIC -fvisibility=hidden
PLUGIN_LINK_FLAGS = $(PLUGIN_LDFLAGS) -pthread $(HARDEN_LDFLAGS) $(INSTRUMENT)
