/* SPDX-License-Identifier: BSD-2-Clause */
/* descriptors.c: RLIMIT_NOFILE. The soft limit of 1024 is for programs that use select(2). */
#include "config.h"

#include "app/descriptors.h"

#include <sys/resource.h>

void
descriptors_raise(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}
