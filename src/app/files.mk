# SPDX-License-Identifier: BSD-2-Clause
# src/app: the program: commands, settings, signals.  libapp.a is everything but main().
# To add a source: one line in the list below, headers too, in alphabetical order.
# To add a command: cmd_NAME.c with a const struct command, one row in command_table.c.

noinst_LIBRARIES += libapp.a
libapp_a_SOURCES = \
    src/app/admin_client.c \
    src/app/admin_client.h \
    src/app/cmd_check.c \
    src/app/cmd_config.c \
    src/app/cmd_demo.c \
    src/app/cmd_demo_app.c \
    src/app/cmd_explain.c \
    src/app/cmd_gateway.c \
    src/app/cmd_help.c \
    src/app/cmd_sandbox.c \
    src/app/cmd_serve.c \
    src/app/cmd_show.c \
    src/app/cmd_status.c \
    src/app/cmd_version.c \
    src/app/command.c \
    src/app/command.h \
    src/app/command_table.c \
    src/app/config_expand.c \
    src/app/config_expand.h \
    src/app/config_tree.c \
    src/app/config_tree.h \
    src/app/descriptors.c \
    src/app/descriptors.h \
    src/app/mistake.c \
    src/app/mistake.h \
    src/app/reason_help.c \
    src/app/reason_help.h \
    src/app/sample.c \
    src/app/sample.h \
    src/app/schema.c \
    src/app/serve.c \
    src/app/serve.h \
    src/app/setting.h \
    src/app/setting_table.c \
    src/app/setting_text.c \
    src/app/setting_value.c \
    src/app/settings.c \
    src/app/settings.h \
    src/app/settings_platform.c \
    src/app/settings_priv.h \
    src/app/settings_site.c \
    src/app/settings_tls.c \
    src/app/show_config.c \
    src/app/show_config.h \
    src/app/suggest.c \
    src/app/suggest.h \
    src/app/table.c \
    src/app/table.h

bin_PROGRAMS += rouse
rouse_SOURCES = src/app/main.c
rouse_LDADD = $(APP_LINK)
