/* SPDX-License-Identifier: BSD-2-Clause */
/* answer_priv.h: what the files answer*.c share: one file for each way to say it. */
#ifndef ROUSE_GATEWAY_ANSWER_PRIV_H
#define ROUSE_GATEWAY_ANSWER_PRIV_H

#include "gateway/answer.h"

/* The status of the table of CONTRACT section 5, by the caller's column. */
unsigned answer_table_status(const struct answer *a);
/* The status line's: RPC dialects say failure elsewhere, and 200 here. */
unsigned answer_http_status(const struct answer *a);
/* The name of the Connect (and gRPC) code, by the caller's column. */
const char *answer_code(const struct answer *a);
/* One or two sentences for people. */
void answer_message(struct buf *out, const struct answer *a);
/* RFC 9209 section 2.3: the proxy error type that says most about the reason. */
const char *answer_proxy_error(enum reason r);

/* Bodies; message is answer_message's. */
void answer_connect_unary(struct buf *out, const struct answer *a, struct slice message);
void answer_connect_stream(struct buf *out, const struct answer *a, struct slice message);
void answer_grpc_web(struct buf *out, const struct answer *a, struct slice message);
/* grpc-status and grpc-message into h. -1: out of arena. */
int answer_grpc_fields(struct head *h, struct arena *arena, const struct answer *a,
                       unsigned retry_after) must_check;

#endif
