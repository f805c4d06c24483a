/* SPDX-License-Identifier: BSD-2-Clause */
/* descriptors.h: how many files this process may have open. */
#ifndef ROUSE_APP_DESCRIPTORS_H
#define ROUSE_APP_DESCRIPTORS_H

/* Raises the soft limit to the hard one, which limits.connections counts on. Best effort. */
void descriptors_raise(void);

#endif
