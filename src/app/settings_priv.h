/* SPDX-License-Identifier: BSD-2-Clause */
/* settings_priv.h: what the files that read a configuration share. */
#ifndef ROUSE_APP_SETTINGS_PRIV_H
#define ROUSE_APP_SETTINGS_PRIV_H

#include "app/setting.h"
#include "app/settings.h"

/* What a snapshot owns: all of it lies in the arena. */
struct settings_owned {
    struct pool pool;
    struct arena arena;
    struct gateway_config config;
    /* For show config: the tree the options of platforms were read from. */
    const struct config_node *root;
};

#define SETTINGS_TABLE_MAX 192

struct settings_reader {
    struct settings_owned *owned;
    struct gateway_config *config;
    struct gateway_config *previous; /* may be NULL */
    struct arena *arena;
    struct mistakes *m;
};

/*
 * Reads a map whose keys are settings of scope into target. seen (SETTINGS_TABLE_MAX, zeroed) gets
 * which rows were given. other, when not NULL, is asked about keys that are no settings: true means
 * it took the key.
 */
void settings_read_scope(struct settings_reader *r, enum setting_scope scope,
                         const struct config_node *map, void *target, bool *seen,
                         bool (*other)(struct settings_reader *r, const struct config_node *n,
                                       void *arg),
                         void *arg);
/* Whether the row at path was given. */
bool settings_seen(const bool *seen, enum setting_scope scope, const char *path);
/* An unknown key, with the nearest of what would be known there. */
void settings_unknown_key(struct settings_reader *r, enum setting_scope scope, struct slice prefix,
                          const struct config_node *n);
/* settings_site.c, settings_platform.c: sites: and platforms:. */
void settings_read_sites(struct settings_reader *r, const struct config_node *list);
void settings_read_platforms(struct settings_reader *r, const struct config_node *map);
/* settings_tls.c: the files that tls.certificates, tls.client_ca and connect.tls_ca name, where
 * they are named. */
void settings_judge_certificates(struct settings_reader *r, const struct config_node *listener,
                                 const struct listener_config *l);
void settings_judge_tls_ca(struct settings_reader *r, const struct config_node *site,
                           const struct site *s);
void settings_judge_client_ca(struct settings_reader *r, const struct config_node *site,
                              const struct site *s);

#endif
