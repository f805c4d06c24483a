/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin.h: the admin side (CONTRACT section 7): JSON over HTTP/1 on the unix socket and, reading
 * only without admin.token, on a TCP address. Runs on the control thread; every answer is made from
 * memory.
 */
#ifndef ROUSE_GATEWAY_ADMIN_H
#define ROUSE_GATEWAY_ADMIN_H

#include "base/reason.h"
#include "gateway/control.h"

struct admin;

/* Serves the listening sockets fd[0..n), which it takes over; those before `trusted` are unix
 * sockets, where everything is allowed. NULL: out of memory. */
struct admin *admin_new(struct control *c, const int *fd, unsigned n, unsigned trusted);
void admin_free(struct admin *a);
/* keeper_ports.done: the verb that `request` asked for has ended. */
void admin_done(struct admin *a, uint64_t request, enum reason r);
/* plugin_host_ports.put: the record that was pushed is valid (r), or not (why). */
void admin_put_done(struct admin *a, uint64_t request, const struct sandbox_key *key,
                    const struct record *r, const char *why);

#endif
