/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload.h: the page that countmalloc.so and failsys.so share with the test that watches them. It
 * is a file that both map; every field is an int64 that has one writer or is added to atomically,
 * so that Python may read and write it in place (rousetest/faults.py knows the same layout).
 */
#ifndef ROUSE_TOOLS_PRELOAD_H
#define ROUSE_TOOLS_PRELOAD_H

#include <stddef.h>

/* The part of the environment variable `name` (a list with commas) that begins with `key`, or NULL;
 * *n is its length. */
const char *preload_option(const char *name, const char *key, size_t *n);
/*
 * size zeroed bytes, shared through the file that the option "file=" of that variable names;
 * private when there is none. NULL: the variable is not set, or it does not work.
 */
void *preload_page(const char *name, size_t size);
/* Takes the variable and LD_PRELOAD out of the environment: the program's children go without. */
void preload_forget(const char *name);

#endif
