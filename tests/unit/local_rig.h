/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_rig.h: a host for one instance of the `local` plugin, as small as a host can be: the real
 * shared object, real processes, a poll loop turned by hand.
 */
#ifndef ROUSE_TESTS_LOCAL_RIG_H
#define ROUSE_TESTS_LOCAL_RIG_H

#include "rouse/plugin.h"

#include <stdbool.h>
#include <sys/types.h>

#include "../tools/grove.h"

#define RIG_ITEMS 16
#define RIG_JOBS 32
#define RIG_WORDS 16
#define SPEC_NODES 16
#define RIG_PATIENCE_US 20000000

struct rouse_job {
    bool done;
    unsigned finished;
    enum rouse_outcome outcome;
    enum rouse_state state;
    char generation[32], instance[32], address[64], detail[200];
    int64_t idle_us, took_us, started_us;
};

struct rouse_watch {
    bool used;
    int fd;
    void (*fn)(void *arg);
    void *arg;
};

struct rouse_timer {
    bool used;
    int64_t due;
    void (*fn)(void *arg);
    void *arg;
};

struct rouse_host {
    const struct rouse_plugin *plugin;
    void *instance;
    struct rouse_watch watch[RIG_ITEMS];
    struct rouse_timer timer[RIG_ITEMS];
    struct rouse_job job[RIG_JOBS];
    unsigned jobs;
    uint64_t epoch;
    unsigned news;
    struct rouse_job last_news;
    char log[16384];
    int64_t longest_us; /* the plugin's longest stay */
    /* the tree */
    struct grove *grove;
    char file[64];
};

int64_t rig_now(void);
struct rouse_host *rig_new(void);
/* Closes the instance, if there is one, and waits until no process is left below this one. */
void rig_free(struct rouse_host *h);
/* Opens an instance with sandbox "blog" = grove with these words, NULL at the end. extra: more keys
 * of the sandbox, "freezer: signals" style, separated by '|', or NULL. */
void rig_open(struct rouse_host *h, const char *extra, const char *const *words);
/* A platform of one sandbox as written; NULL when refused: *m. */
void *rig_try(struct rouse_host *h, const struct rouse_node *sandboxes, struct rouse_mistake *m);
/* Starts a job on "blog". */
struct rouse_job *rig_start(struct rouse_host *h, enum rouse_op op);
/* The same for any id, generation and epoch. */
struct rouse_job *rig_start_as(struct rouse_host *h, enum rouse_op op, const char *id,
                               const char *generation, uint64_t epoch);
/* One turn of the loop; at most ms. */
void rig_turn(struct rouse_host *h, int ms);
/* Turns until *done. */
void rig_until_done(struct rouse_host *h, const struct rouse_job *job);
/* start + until done + assert the outcome. */
struct rouse_job *rig_do(struct rouse_host *h, enum rouse_op op, enum rouse_outcome outcome);
/* Turns until the grove is ready. */
void rig_until_ready(struct rouse_host *h);
/* Whether one of the grove's processes counts within 20 ms; or the bomb breeds. */
bool rig_grows(struct rouse_host *h);
/* Turns until each slot has grown. */
void rig_until_all_grow(struct rouse_host *h);
/* Waits until none of the grove's processes is there. */
void rig_until_gone(struct rouse_host *h);
/* Makes this process the one that inherits orphans, so that leaks are seen. */
void rig_adopt(void);

#endif
