/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_spec.h: what the configuration says of the sandboxes of one `local` platform. Texts of the
 * tree are borrowed: it lives as long as the platform; what is made here is owned.
 *
 *     sandboxes:
 *       blog: { command: [python3, app.py], ports: { 3000: 127.0.0.1:3000 }, idle: 60s,
 *               directory: /srv/blog, environment: { DEBUG: "1" }, user: www-data,
 *               output: inherit, freezer: auto, wake_delay: 0s }
 */
#ifndef ROUSE_LOCAL_SPEC_H
#define ROUSE_LOCAL_SPEC_H

#include "rouse/plugin.h"

#define SPEC_ARGS 128
#define SPEC_VARIABLES 128

struct local_spec {
    struct rouse_text id;
    char **argv; /* of the command, NULL-terminated */
    char **envp; /* PATH, HOME, LANG... of ours, then `environment` */
    char *directory, *user; /* "" when not given */
    char *output;           /* a file, or NULL */
    int inherit;            /* output: ours */
    int signals_only;       /* freezer: signals, no cgroup */
    struct {
        uint16_t port;
        struct rouse_text address;
    } ports[ROUSE_PORTS];
    unsigned ports_n;
    int64_t idle_us;  /* 0: the site's; -1: never */
    int64_t wake_delay_us;
    char instance[17]; /* changes when the sandbox is configured anew */
};

struct local_specs {
    struct local_spec *spec;
    unsigned n;
};

/* 0, or -1 and *m says where and what. */
int local_specs_read(struct local_specs *s, const struct rouse_node *sandboxes,
                     struct rouse_mistake *m);
void local_specs_free(struct local_specs *s);

#endif
