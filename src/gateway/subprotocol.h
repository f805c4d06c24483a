/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * subprotocol.h: a traffic token where a browser's WebSocket can carry one: as a subprotocol
 * `rouse.token.<token>` among those it offers (CONTRACT section 4). The sandbox never sees it. A
 * browser fails a connection whose answer chooses none of what it offered; so a client that offered
 * nothing else is answered with that, unless the sandbox chose something.
 */
#ifndef ROUSE_GATEWAY_SUBPROTOCOL_H
#define ROUSE_GATEWAY_SUBPROTOCOL_H

#include "base/ensure.h"
#include "http/head.h"

/* The token offered; n == 0: none. In h's memory. */
struct slice subprotocol_token(const struct head *h);
/*
 * Takes every token out of what is offered; *only: what to answer with when the sandbox chooses
 * nothing (n == 0: nothing), in the arena or h's memory. -1: out of arena.
 */
int subprotocol_strip(struct head *h, struct arena *a, struct slice *only) must_check;
/* Chooses `only` in an answer that accepts and chooses nothing. -1: out of arena. */
int subprotocol_answer(struct head *answer, struct arena *a, struct slice only) must_check;

#endif
