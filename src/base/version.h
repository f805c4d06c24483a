/* SPDX-License-Identifier: BSD-2-Clause */
/* Which Rouse this is. */
#ifndef ROUSE_BASE_VERSION_H
#define ROUSE_BASE_VERSION_H

/* The release, such as "0.1.0".  Static. */
const char *
version_string(void);

/* How it was built: compiler and sanitizers, for `rouse version` and bug reports.  Static. */
const char *
version_build(void);

#endif
