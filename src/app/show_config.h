/* SPDX-License-Identifier: BSD-2-Clause */
/* show_config.h: a snapshot as text, with what was left out and without secrets. */
#ifndef ROUSE_APP_SHOW_CONFIG_H
#define ROUSE_APP_SHOW_CONFIG_H

#include "base/buf.h"
#include "gateway/gateway_config.h"

/* under: only this group of the top level ("limits"), or "" for all. */
void show_config_yaml(struct buf *out, const struct gateway_config *c, const char *under);
/* The same as {"listen":[...],"limits":{...},...}; values as they would be written. */
void show_config_json(struct buf *out, const struct gateway_config *c, const char *under);

#endif
