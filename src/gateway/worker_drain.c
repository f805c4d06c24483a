/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_drain.c: how a worker ends: no new connections; requests have `limit` (RELIABILITY: 30 s),
 * tunnels longer than that (10 min), and then a second to read why. Owner: the worker's thread.
 *
 *     draining -- limit --> tunnels only -- tunnels_until --> told 1012 -- a second --> all closed
 */
#include "config.h"

#include "gateway/proxy_stream.h"
#include "gateway/worker.h"
#include "http/session.h"

#define TOLD_FOR (1500 * USEC_MS)

static void
close_sessions(struct worker *w, bool all)
{
    list_each_safe(n, next, &w->arrivals)
        arrival_close(container_of(n, struct arrival, link), REASON_SHUTDOWN);
    list_each_safe(n, next, &w->sessions) {
        struct session *s = container_of(n, struct session, link);

        if (all || !s->spared)
            session_close(s, REASON_SHUTDOWN);
    }
}

static void
on_drain_timer(struct wheel_timer *t)
{
    struct worker *w = container_of(t, struct worker, drain_timer);
    unsigned tunnels = proxy_streams_spare(w);

    close_sessions(w, tunnels == 0 || w->restart_told);
    if (tunnels == 0 || w->restart_told)
        return;
    if (w->loop.now < w->tunnels_until) {
        loop_timer_set(&w->loop, t, w->tunnels_until);
        return;
    }
    w->restart_told = true;
    proxy_streams_restart(w);
    loop_timer_set(&w->loop, t, w->loop.now + TOLD_FOR);
}

void
worker_drain(struct worker *w, usec_t limit, usec_t tunnels)
{
    for (unsigned i = 0; i < CONFIG_LISTENERS; i++)
        worker_door_drain(&w->door[i]);
    w->draining = true;
    w->tunnels_until = usec_add(w->loop.now, usec_max(limit, tunnels));
    list_each_safe(n, next, &w->arrivals)
        arrival_drain(container_of(n, struct arrival, link));
    list_each_safe(n, next, &w->sessions)
        session_drain(container_of(n, struct session, link));
    loop_timer_set(&w->loop, &w->drain_timer, usec_add(w->loop.now, limit));
    worker_check_drained(w);
}

void
worker_drain_init(struct worker *w)
{
    wheel_timer_init(&w->drain_timer, on_drain_timer);
}
