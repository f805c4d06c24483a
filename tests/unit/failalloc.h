/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failalloc.h: malloc that fails when told to, for test programs linked with $(FAILALLOC_WRAP)
 * and failalloc.c.
 */
#ifndef ROUSE_TESTS_FAILALLOC_H
#define ROUSE_TESTS_FAILALLOC_H

/* The n-th allocation from now on (1: the next) and all after it fail; 0: none. */
void failalloc_from(unsigned n);

#endif
