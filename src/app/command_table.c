/* SPDX-License-Identifier: BSD-2-Clause */
/* command_table.c: all commands, in the order of the help. */
#include "config.h"

#include "app/command.h"

#include <stddef.h>

static const struct command *const table[] = {
    &cmd_demo, &cmd_serve, &cmd_check, &cmd_status, &cmd_show, &cmd_get, &cmd_wake, &cmd_pause,
    &cmd_forget, &cmd_explain, &cmd_drain, &cmd_reload, &cmd_version, &cmd_help, &cmd_config,
    &cmd_demo_app, NULL,
};

const struct command *const *
command_table(void)
{
    return table;
}
