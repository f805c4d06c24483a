/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_spawn.h: starts wardens (warden.h) and buries them. For local_box and local_plugin.
 */
#ifndef ROUSE_LOCAL_SPAWN_H
#define ROUSE_LOCAL_SPAWN_H

#include <sys/types.h>

#include "local/local_spec.h"

/* The warden program beside this plugin: to be freed; NULL: out of memory. */
char *local_spawn_program(void);
/* Starts a warden: *sock is our end, non-blocking. -1 and errno. */
pid_t local_spawn(const char *program, const struct local_spec *spec, int *sock);
/* Kills what a killed warden left in its cgroup ("": none) and removes it. */
void local_spawn_clean(const char *cgroup);
/* Waits for wardens that are ending, on a thread of its own. pid is copied. */
void local_spawn_reap(const pid_t *pid, unsigned n);

#endif
