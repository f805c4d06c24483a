/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.c: see signals.h. Owner: the main thread. */
#include "config.h"

#include "net/signals.h"

#include <event2/event.h>
#include <stdlib.h>

#define SIGNALS_MAX 8

struct signals {
    struct loop *loop;
    struct event *event[SIGNALS_MAX];
    void (*on_signal)(void *ctx, int sig);
    void *ctx;
};

static void
on_event(evutil_socket_t sig, short what, void *arg)
{
    struct signals *s = arg;

    (void)what;
    loop_enter(s->loop);
    s->on_signal(s->ctx, (int)sig);
}

struct signals *
signals_new(struct loop *l, const int *sig, unsigned n, void (*on_signal)(void *ctx, int sig),
            void *ctx)
{
    struct signals *s = calloc(1, sizeof(*s));

    ensure(n <= SIGNALS_MAX);
    if (!s)
        return NULL;
    *s = (struct signals){.loop = l, .on_signal = on_signal, .ctx = ctx};
    for (unsigned i = 0; i < n; i++) {
        s->event[i] = evsignal_new(l->base, sig[i], on_event, s);
        if (!s->event[i] || event_add(s->event[i], NULL) < 0) {
            signals_free(s);
            return NULL;
        }
    }
    return s;
}

void
signals_free(struct signals *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < SIGNALS_MAX; i++)
        if (s->event[i])
            event_free(s->event[i]);
    free(s);
}
