/* SPDX-License-Identifier: BSD-2-Clause */
/* Which Rouse this is.  Must not know anything at run time: constants only. */
#include "config.h"

#include "base/version.h"

const char *
version_string(void)
{
    return PACKAGE_VERSION;
}

const char *
version_build(void)
{
    return ROUSE_BUILT_WITH " " __VERSION__;
}
