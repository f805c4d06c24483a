/* SPDX-License-Identifier: BSD-2-Clause */
/* self_signed.h: a certificate that nobody vouches for, to try https with. */
#ifndef ROUSE_NET_SELF_SIGNED_H
#define ROUSE_NET_SELF_SIGNED_H

#include "base/buf.h"

#define SELF_SIGNED_DAYS 30

/*
 * Writes NAME.crt and NAME.key (mode 0600; ECDSA P-256, for SELF_SIGNED_DAYS) into an existing
 * directory. hosts: host names and addresses, separated by commas: "*.localhost,127.0.0.1". 0, or
 * -1 with a sentence in why; no half pair is left then.
 */
int self_signed_write(const char *dir, const char *name, struct slice hosts, struct buf *why)
    must_check;

#endif
