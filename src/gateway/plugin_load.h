/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_load.h: finds and loads plugins, and tries a platform's options on one. A plugin that was
 * loaded stays for the life of the process, so that its texts may be pointed at.
 *
 * Looked for, in this order: $ROUSE_PLUGIN_DIR (what --plugin-dir sets), "plugins" beside the
 * executable, $(pkglibdir)/plugins. A name is [a-z0-9_-]+; there is no path in it.
 */
#ifndef ROUSE_GATEWAY_PLUGIN_LOAD_H
#define ROUSE_GATEWAY_PLUGIN_LOAD_H

#include "base/buf.h"
#include "rouse/plugin.h"

/* The plugin of that name; NULL and a sentence in *why. Loading one twice gives the same. */
const struct rouse_plugin *plugin_load(const char *name, struct buf *why);
/* Names of all plugins that could be loaded by name, separated by ", ": for hints. */
void plugin_list(struct buf *out);
/* Opens an instance with check_only and closes it. 0, or -1 and *m. */
int plugin_check(const struct rouse_plugin *p, const char *platform,
                 const struct rouse_value *values, struct rouse_mistake *m) must_check;

#endif
