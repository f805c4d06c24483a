/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.h: runs a gateway in this process until it has ended: serve and demo share it. */
#ifndef ROUSE_APP_SERVE_H
#define ROUSE_APP_SERVE_H

#include "gateway/gateway.h"

struct keeper_tale;

struct serve {
    const char *path; /* for a reload; NULL: reload is refused */
    /* As in struct gateway_options; ctx is story_ctx. May be NULL. */
    void (*story)(void *ctx, const struct keeper_tale *t);
    void *story_ctx;
    /* Before the gateway runs and after it was started: what else to tell. May be NULL. */
    void (*on_ready)(void *ctx, struct gateway *g);
    /* Filled by serve_run. */
    struct log_hub *hub;
    struct log *log;
    struct gateway *gateway;
};

/* Logs to stderr as config says. The exit status. */
int serve_run(struct serve *s, struct gateway_config *config);

#endif
