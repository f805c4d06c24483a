/* SPDX-License-Identifier: BSD-2-Clause */
/* settings_rig.h: configurations made for tests, one line changed, and what the reader says. */
#ifndef ROUSE_TESTS_SETTINGS_RIG_H
#define ROUSE_TESTS_SETTINGS_RIG_H

#include "app/setting.h"
#include "app/settings.h"

/* The text under test and what came of it. */
struct rig {
    struct buf text;
    int line; /* of the line that rig_add wrote last, from 1 */
    struct mistakes m;
    struct gateway_config *config;
};

/* Plugins are looked for in the build tree. */
void rig_setup(void);
void rig_init(struct rig *r);
void rig_fini(struct rig *r);
/* Appends lines and counts them. */
void rig_add(struct rig *r, const char *fmt, ...) printf_like(2, 3);
/*
 * A whole valid configuration but for one thing: without the row `without` (may be NULL), and with
 * `key: value` where the row `with` (may be NULL) belongs; `times` times. r->line is that of the
 * (last) key.
 */
void rig_write(struct rig *r, const struct setting *without, const struct setting *with,
               const char *key, const char *value, int times);
/* Reads the text. */
void rig_read(struct rig *r);
/* The first mistake whose text or hint contains s, or NULL. */
const struct mistake *rig_find(const struct rig *r, const char *s);
/* Last component of a row's path. */
const char *rig_key(const struct setting *s);

#endif
