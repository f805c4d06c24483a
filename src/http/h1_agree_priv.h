/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_agree_priv.h: llhttp's opinion of a head that the validator has accepted. Two parsers that
 * share no code must cut it into the same parts and find the same framing, or it is refused.
 */
#ifndef ROUSE_HTTP_H1_AGREE_PRIV_H
#define ROUSE_HTTP_H1_AGREE_PRIV_H

#include "base/ensure.h"
#include "http/head.h"

/*
 * head: as parsed from block and not changed since. target: a request's, as it came. NULL when
 * llhttp agrees; otherwise static text: its own complaint, or which part differs.
 */
const char *h1_agree(const struct head *head, struct slice block, bool request,
                     struct slice target) must_check;
/* llhttp has this method, and it is one of HTTP's. */
bool h1_agree_method(struct slice method) must_check;

#endif
