/* SPDX-License-Identifier: BSD-2-Clause */
/* phrase.h: what a status is called (RFC 9110 section 15), for answers of our own. */
#ifndef ROUSE_HTTP_PHRASE_H
#define ROUSE_HTTP_PHRASE_H

#include <stdint.h>

#include "base/slice.h"

/* "Not Found"; the empty slice for a status that has no name. Static. */
struct slice phrase_of(uint16_t status);

#endif
