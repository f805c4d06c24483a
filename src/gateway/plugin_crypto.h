/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_crypto.h: the signing functions of struct rouse_services, by libcrypto. Pure. */
#ifndef ROUSE_GATEWAY_PLUGIN_CRYPTO_H
#define ROUSE_GATEWAY_PLUGIN_CRYPTO_H

#include "rouse/plugin.h"

void plugin_hmac_sha256(struct rouse_text key, struct rouse_text data, uint8_t out[32]);
/* Standard alphabet with padding; length written without the NUL that follows, or -1. */
int plugin_base64_encode(struct rouse_text in, char *out, size_t n);
/* Strict: no blanks, right padding; length written, or -1. */
int plugin_base64_decode(struct rouse_text in, uint8_t *out, size_t n);

#endif
