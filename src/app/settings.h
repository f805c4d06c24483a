/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings.h: a configuration file to a snapshot that a gateway can run by, or every mistake in it.
 * Nothing is started and nothing is kept between calls.
 */
#ifndef ROUSE_APP_SETTINGS_H
#define ROUSE_APP_SETTINGS_H

#include "app/mistake.h"
#include "gateway/gateway_config.h"

/*
 * Reads path (NULL: ./rouse.yaml, then /etc/rouse/rouse.yaml), loads the plugins it names and tries
 * their options. previous (may be NULL) gives sites and platforms the numbers they had. The
 * snapshot with one reference; or NULL with at least one mistake in *out, which the caller has
 * initialised.
 */
struct gateway_config *settings_load(const char *path, struct gateway_config *previous,
                                     struct mistakes *out);
/* The same from a text that has a name instead of a path: `rouse demo`, tests. */
struct gateway_config *settings_parse(const char *name, struct slice text,
                                      struct gateway_config *previous, struct mistakes *out);
/*
 * Names, separated by ", ", of settings that differ but only a restart changes (listeners, the
 * admin side, workers...): appended to out; nothing when a reload takes all of it over.
 */
void settings_restart_needed(const struct gateway_config *old, const struct gateway_config *new,
                             struct buf *out);

/* Looks at every certificate of every listener: half a millisecond each. */
void settings_check_certificates(const struct gateway_config *c, struct mistakes *m);

#endif
