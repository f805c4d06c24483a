/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_end.h: a back that answers from memory (error pages, admin, waiting page) and a front that
 * asks and collects (fetch, tests).
 */
#ifndef ROUSE_HTTP_MEMORY_END_H
#define ROUSE_HTTP_MEMORY_END_H

#include "http/exchange.h"

/*
 * Answers ex: fills ex->resp (status, Content-Type and what was head_add'ed to ex->resp by the
 * caller after head_init) and streams a copy of body made in the arena. Discards the request's body
 * as far as the front allows. The end lives in the arena. -1: out of arena: abort the exchange
 * instead.
 */
int memory_answer(struct exchange *ex, uint16_t status, struct slice content_type,
                  struct slice body) must_check;

#endif
