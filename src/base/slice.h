/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slice.h: a borrowed run of bytes with an explicit length; never NUL-terminated, never owned.
 * A slice lives as long as the memory it points into; whoever stores one says whose that is.
 */
#ifndef ROUSE_BASE_SLICE_H
#define ROUSE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *p;
    size_t n;
};

/* A string literal as a slice. */
#define SLICE(lit) ((struct slice){(lit), sizeof(lit) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
/* For printf: "%.*s". */
#define SLICE_ARG(s) (int)(s).n, (s).p

/* The slice of a NUL-terminated string; NULL gives the empty slice. */
struct slice slice_of(const char *cstr);
/* Byte-wise equality; slice_ieq folds ASCII letters only (RFC 9110 section 5.1). */
bool slice_eq(struct slice a, struct slice b);
bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_istarts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
/* First, or last, index of byte c; -1 when absent. */
ptrdiff_t slice_index(struct slice s, char c);
ptrdiff_t slice_rindex(struct slice s, char c);
/* s[from, to); clamps to the slice. */
struct slice slice_sub(struct slice s, size_t from, size_t to);
/* Without SP and HTAB at both ends (OWS, RFC 9110 section 5.6.3). */
struct slice slice_trim(struct slice s);
/*
 * Cuts the next element off a list: everything up to sep, trimmed; *rest moves behind it.
 * Returns false when *rest is used up. Empty elements are returned as empty slices, also one
 * behind the last separator: "" holds one, "a," two. Only SLICE_NONE holds none.
 */
bool slice_next(struct slice *rest, char sep, struct slice *element);
/* Plain decimal without sign, blank or leading zero ("0" itself is fine): 0 and *out, or -1. */
int slice_u64(struct slice s, uint64_t max, uint64_t *out) __attribute__((warn_unused_result));
/* memcmp order, shorter first on a tie: for sorting. */
int slice_cmp(struct slice a, struct slice b);
/* Length-independent-of-content comparison for secrets of equal length; false on other lengths. */
bool slice_eq_secret(struct slice a, struct slice b);
/* Copies into dst[cap] with a NUL, cutting when too long; returns bytes copied without the NUL. */
size_t slice_copy(struct slice s, char *dst, size_t cap);
/* ASCII lower case of one byte. */
char slice_lower(char c);

#endif
