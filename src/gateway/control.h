/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h: the control thread: carries mail, platform answers, store answers, news and time to
 * the keeper (sandbox/keeper.h), and what the keeper wants done to workers, plugins and the store.
 * Decides nothing itself.
 */
#ifndef ROUSE_GATEWAY_CONTROL_H
#define ROUSE_GATEWAY_CONTROL_H

#include <pthread.h>

#include "base/metric.h"
#include "gateway/gateway_config.h"
#include "gateway/plugin_host.h"
#include "gateway/worker.h"
#include "net/mailbox.h"
#include "net/probe.h"
#include "sandbox/keeper.h"

struct admin;
struct memory_store;

struct control {
    struct gateway *gateway;
    pthread_t thread;
    struct loop loop;
    struct mailbox *inbox;
    struct keeper *keeper;
    struct memory_store *store;
    struct resolver *resolver;
    struct tls_library *tls; /* of its fetches */
    struct fetcher *fetcher;
    struct plugin_host *plugins;
    struct admin *admin;
    struct gateway_config *config;
    struct probe_timer tick; /* at keeper_next */
    struct task after;       /* re-arms tick once a turn */
    struct metrics metrics;
    bool draining;
};

/*
 * Opens platforms and the admin side on admin_fd[0..n) (taken over). Starts no thread. NULL: *why.
 */
struct control *control_new(struct gateway *g, struct gateway_config *c, struct log *log,
                            const int *admin_fd, unsigned n, struct buf *why);
/* 0, or -1 with errno. */
int control_start(struct control *c) must_check;
/* Any thread. NOTE_CONFIG: takes gateway_config_now; NOTE_DRAIN; NOTE_STOP: leaves the loop. */
void control_note(struct control *c, enum note_kind k);
/* Waits for the thread to end (after NOTE_STOP). Harmless when it never started. */
void control_join(struct control *c);
/* After control_join: ends platforms, frees. */
void control_free(struct control *c);

/*
 * For admin.c, on the control thread: call after keeper verbs, so that timers and stories follow.
 */
void control_changed(struct control *c);

#endif
