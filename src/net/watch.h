/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h: tells when a descriptor that somebody else owns is readable: pidfds, pipes. */
#ifndef ROUSE_NET_WATCH_H
#define ROUSE_NET_WATCH_H

#include "net/loop.h"

struct watch;

/* on_readable is called from the loop as long as fd is readable (level-triggered). NULL: out of
 * memory. */
struct watch *watch_new(struct loop *l, int fd, void (*on_readable)(void *ctx), void *ctx);
/* Before fd is closed. Fine from within on_readable. */
void watch_free(struct watch *w);

#endif
