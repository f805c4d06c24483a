/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_call.h: a call as it goes out: URL, body, headers, signature. Put together in one place of
 * fixed size, lent to the host's fetch, gone afterwards. Pure but for the host's services.
 */
#ifndef ROUSE_HTTP_CALL_H
#define ROUSE_HTTP_CALL_H

#include "http/http_options.h"

#define HTTP_BODY 16384

struct http_call {
    struct rouse_fetch_request request; /* points into the rest */
    struct rouse_header header[HTTP_HEADERS + 12];
    char url[4096];
    char key[48], epoch[24], when[24], signature[64];
    char body[HTTP_BODY];
    char signed_text[HTTP_BODY + 128];
};

/*
 * key_base and number make the Idempotency-Key, which is the webhook-id too. 0; or -1 and *why
 * (static): the call cannot be written.
 */
int http_call_make(struct http_call *c, const struct http_options *o,
                   const struct rouse_services *s, struct rouse_host *host,
                   const struct rouse_request *q, uint64_t key_base, uint64_t number,
                   const char **why);

/*
 * The header webhook-signature into out: Standard Webhooks, HMAC-SHA256 over "<id>.<when>.<body>"
 * in `space`, which holds all that. 0, or -1: it does not.
 */
int http_call_sign(const struct rouse_services *s, struct rouse_text key, const char *id,
                   const char *when, struct rouse_text body, char *space, size_t space_n,
                   char out[64]);

#endif
