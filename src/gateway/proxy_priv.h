/* SPDX-License-Identifier: BSD-2-Clause */
/* proxy_priv.h: what proxy.c and proxy_connect.c call of each other. */
#ifndef ROUSE_GATEWAY_PROXY_PRIV_H
#define ROUSE_GATEWAY_PROXY_PRIV_H

#include "gateway/proxy.h"

/* Answers from here with a reason, whatever the request was at; everything owed is paid. */
void proxy_refuse(struct proxy *p, enum reason why, usec_t retry_after, const char *detail);
/* Holds the request until control's verdict. */
void proxy_ask(struct proxy *p, enum ask_why why);
/* Attaches a connection: from now on bytes flow. */
void proxy_relay(struct proxy *p, struct back *b);
/*
 * Gets the request its connection, as `mode` says; since: when the port first refused anybody;
 * until: give up then.
 */
void proxy_connect(struct proxy *p, enum verdict mode, usec_t since, usec_t until);
/* No dial, no timer is left. */
void proxy_stop_connecting(struct proxy *p);
/* The waiting page is not due any more. */
void proxy_stop_page(struct proxy *p);
/* Sends control the message that settles the debt *ticket, if there is one. */
void proxy_pay(struct proxy *p, enum mail_kind kind, uint64_t *ticket, struct mail *m);

#endif
