/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one header of a platform plugin.
 */
#ifndef ROUSE_PLUGIN_H
#define ROUSE_PLUGIN_H

/* Raised with each incompatible change; a plugin of another version is refused at load. */
#define ROUSE_PLUGIN_ABI 1

#endif
