/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals.h: signals as events of one loop. libevent keeps one signal base for the process, so
 * only one loop, the main thread's, may watch; the other threads block signals.
 */
#ifndef ROUSE_NET_SIGNALS_H
#define ROUSE_NET_SIGNALS_H

#include "net/loop.h"

struct signals;

/*
 * on_signal is called from the loop for each of sig[0..n), n <= 8. NULL: out of memory or
 * descriptors.
 */
struct signals *signals_new(struct loop *l, const int *sig, unsigned n,
                            void (*on_signal)(void *ctx, int sig), void *ctx);
/* The signals have their defaults again. */
void signals_free(struct signals *s);

#endif
