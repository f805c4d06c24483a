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

# local: two programs, the plugin and the parent of each sandbox's processes.
plugins_PROGRAMS += plugins/local.so plugins/local-warden
plugins_local_so_SOURCES = \
    lua-free-plugins/local/local_box.c \
    lua-free-plugins/local/local_box.h \
    lua-free-plugins/local/local_plugin.c \
    lua-free-plugins/local/local_spawn.c \
    lua-free-plugins/local/local_spawn.h \
    lua-free-plugins/local/local_spec.c \
    lua-free-plugins/local/local_spec.h \
    lua-free-plugins/local/warden.h
plugins_local_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_local_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_local_so_LDFLAGS = $(PLUGIN_LINK_FLAGS)
plugins_local_so_LDADD =
plugins_local_warden_SOURCES = \
    lua-free-plugins/local/warden.h \
    lua-free-plugins/local/warden_cgroup.c \
    lua-free-plugins/local/warden_cgroup.h \
    lua-free-plugins/local/warden_main.c \
    lua-free-plugins/local/warden_tree.c \
    lua-free-plugins/local/warden_tree.h
plugins_local_warden_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_local_warden_LDADD =

# What plugins share; each links its own copy.
KIT = lua-free-plugins/kit/kit.c lua-free-plugins/kit/kit.h

plugins_PROGRAMS += plugins/http.so
plugins_http_so_SOURCES = lua-free-plugins/http/http_plugin.c \
    lua-free-plugins/http/http_breaker.c lua-free-plugins/http/http_breaker.h \
    lua-free-plugins/http/http_call.c lua-free-plugins/http/http_call.h \
    lua-free-plugins/http/http_options.c lua-free-plugins/http/http_options.h \
    lua-free-plugins/http/http_verdict.c lua-free-plugins/http/http_verdict.h $(KIT)
plugins_http_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_http_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_http_so_LDFLAGS = $(PLUGIN_LINK_FLAGS)
plugins_http_so_LDADD =

plugins_PROGRAMS += plugins/exec.so
plugins_exec_so_SOURCES = lua-free-plugins/exec/exec_plugin.c \
    lua-free-plugins/exec/exec_options.c lua-free-plugins/exec/exec_options.h $(KIT)
plugins_exec_so_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_exec_so_CFLAGS = $(PLUGIN_CFLAGS)
plugins_exec_so_LDFLAGS = $(PLUGIN_LINK_FLAGS)
plugins_exec_so_LDADD =

EXTRA_DIST += lua-free-plugins/http/README.md lua-free-plugins/exec/README.md \
    lua-free-plugins/local/README.md
