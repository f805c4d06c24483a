/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decimal.h: numbers to decimal digits, without stdio: for the paths that run once a request.
 */
#ifndef ROUSE_BASE_DECIMAL_H
#define ROUSE_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that no number exceeds, the sign of decimal_i64 included. */
#define DECIMAL_MAX 20

/* Writes v without a NUL; returns the number of bytes, at most DECIMAL_MAX. */
size_t decimal_u64(char *dst, uint64_t v);
size_t decimal_i64(char *dst, int64_t v);
/* The last `width` digits of v with leading zeros: exactly width bytes. */
void decimal_fixed(char *dst, uint64_t v, size_t width);

#endif
