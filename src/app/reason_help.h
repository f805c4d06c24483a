/* SPDX-License-Identifier: BSD-2-Clause */
/* reason_help.h: each reason of base/reason.def explained to people. */
#ifndef ROUSE_APP_REASON_HELP_H
#define ROUSE_APP_REASON_HELP_H

#include "base/reason.h"

struct reason_help {
    const char *meaning; /* what happened */
    const char *remedy;  /* what to do about it */
};

/* Of any reason but REASON_NONE; both texts are static and never NULL. */
struct reason_help reason_help(enum reason r);

#endif
