/* SPDX-License-Identifier: BSD-2-Clause */
/* gatewaykit.h: heads and configurations for the gateway's unit tests. */
#ifndef ROUSE_TESTS_UNIT_GATEWAYKIT_H
#define ROUSE_TESTS_UNIT_GATEWAYKIT_H

#include "gateway/gateway_config.h"
#include "http/h1_parse.h"

struct kit {
    struct pool blocks;
    struct arena arena;
    struct head head;
    struct gateway_config *config;
};

/* A configuration with one site for each of the NULL-ended hosts. */
void kit_open(struct kit *k, const char *const *hosts);
void kit_close(struct kit *k);
/* Parses a request of these lines, each with its CRLF; the blank line is added. */
void kit_head(struct kit *k, const char *lines);

#endif
