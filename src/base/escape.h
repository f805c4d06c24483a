/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * escape.h: text of any origin as the inside of a JSON string, into a given room: what json.h
 * and log.h share. The rules stand in json.h.
 */
#ifndef ROUSE_BASE_ESCAPE_H
#define ROUSE_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* No single byte becomes more than this. */
#define ESCAPE_MAX 6

/*
 * Escapes the beginning of s into dst, as far as room allows, never half of a character or an
 * escape. *used is the number of bytes of s that went in. Returns the bytes written.
 */
size_t escape_json(char *dst, size_t room, struct slice s, size_t *used);
/*
 * The same with nothing but controls and bad UTF-8 replaced: for text that stands without
 * quotes.
 */
size_t escape_text(char *dst, size_t room, struct slice s, size_t *used);
/* Not empty and only visible ASCII without '"', '\' and '=': stands in logfmt without quotes. */
bool escape_bare(struct slice s);

#endif
