/* SPDX-License-Identifier: BSD-2-Clause */
/* access_log.h: the line that is written when a request has ended (OPERATING section d). */
#ifndef ROUSE_GATEWAY_ACCESS_LOG_H
#define ROUSE_GATEWAY_ACCESS_LOG_H

#include "gateway/proxy.h"

void access_log_write(const struct proxy *p);
/* A head that was refused before it became a request. */
void access_log_refused(struct worker *w, const struct endpoint *peer, const char *request_id,
                        enum reason why, const char *detail, unsigned status);

#endif
